"""A CA for a module's tests."""

from __future__ import annotations

import certs
import pytest

NAME = "dns.corp.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def pair(authority):
    """Certificate and key for NAME."""
    return authority.issue(NAME)
