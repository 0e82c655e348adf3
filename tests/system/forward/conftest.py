"""One rule with two targets."""

from __future__ import annotations

import pytest


@pytest.fixture
def daemon(launch, vpc, corp, corp2):
    """corp.test goes to corp first, then to corp2."""
    return launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target, corp2.target],
         "policy": "ordered"}]})


@pytest.fixture
def one(launch, vpc, corp):
    """corp.test goes to corp alone."""
    return launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
