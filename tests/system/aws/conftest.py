"""An instance with a program on it, and the account around it."""

from __future__ import annotations

import pytest
from tool import Tool

TAGS = {"Project": "shop", "Owner": "net team"}


@pytest.fixture
def on_instance(api, metadata, tmp_path):
    """Makes a Tool that runs on the instance whose metadata the stand-in gives."""
    api.ec2.add_vpc()
    api.ec2.launch("i-0123456789abcdef0", private="10.0.0.4")

    def make(**settings) -> Tool:
        return Tool(tmp_path / "tool", api, metadata, {"tags": TAGS, **settings})
    return make
