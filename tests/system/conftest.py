"""Fixtures that all topics share."""

from __future__ import annotations

import itertools
from pathlib import Path

import horizon
import pytest
from resolvers import Scripted, negative
from standin import Metadata, Standin, World

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")
_count = itertools.count()


def pytest_collection_modifyitems(config, items):
    if all("test_standin" in item.nodeid for item in items) or not horizon.sanitized():
        return
    skip = pytest.mark.skip(reason="measures what sanitizers change; runs against the release build")
    for item in items:
        if item.get_closest_marker("release"):
            item.add_marker(skip)


class Launcher:
    """Makes daemons, and ends those that a test left running."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made: list[horizon.Horizon] = []

    def __call__(self, settings: dict | str, env: dict[str, str] | None = None, start: bool = True,
                 ready: bool = True, args: tuple[str, ...] = ()) -> horizon.Horizon:
        daemon = horizon.Horizon(self.folder / f"horizond-{next(_count)}", settings, env, args)
        self.made.append(daemon)
        return daemon.start(ready) if start else daemon

    def stop(self) -> None:
        problems = []
        for daemon in self.made:
            try:
                daemon.stop()
            except AssertionError as error:
                problems.append(str(error))
        assert not problems, "\n".join(problems)


@pytest.fixture
def launch(tmp_path):
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.stop()


@pytest.fixture(scope="module")
def launch_module(tmp_path_factory):
    launcher = Launcher(tmp_path_factory.mktemp("module"))
    yield launcher
    launcher.stop()


def _stopping(cls, **how):
    made = cls(**how)
    yield made
    made.stop()


@pytest.fixture
def vpc():
    """The VPC resolver: knows nothing until told."""
    yield from _stopping(Scripted, default=negative("."))


@pytest.fixture(scope="module")
def vpc_module():
    yield from _stopping(Scripted, default=negative("."))


@pytest.fixture
def corp():
    yield from _stopping(Scripted)


@pytest.fixture
def corp2():
    yield from _stopping(Scripted)


@pytest.fixture
def api():
    """The Route 53 API; a bad signature fails the test unless it empties the list itself."""
    server = Standin(World()).start()
    server.expect_bad_signatures = False
    yield server
    server.stop()
    assert server.expect_bad_signatures or not server.bad_signatures, server.bad_signatures


@pytest.fixture
def metadata(api):
    server = Metadata(region=VPC[1], vpc=VPC[0])
    server.keys = api.keys
    server.start()
    yield server
    server.stop()
