"""cmake --install places all that is needed, and the unit is as closed as the work allows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from horizon import TOP, bin_dir

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    where = tmp_path_factory.mktemp("install")
    done = subprocess.run(["cmake", "--install", bin_dir().parent], env={**os.environ, "DESTDIR": str(where)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return where


def find(tree: Path, name: str) -> Path:
    found = [path for path in tree.rglob("*") if path.is_file() and re.fullmatch(name, path.name)]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def test_programs(tree):
    for name in ("horizond", "horizonctl"):
        path = find(tree, name)
        assert os.access(path, os.X_OK) and path.parent.name in ("bin", "sbin")


def test_files_beside(tree):
    assert "horizond" in find(tree, r"horizond\.service").read_text()
    sysusers = [p for p in tree.rglob("*") if p.parent.name == "sysusers.d"]
    tmpfiles = [p for p in tree.rglob("*") if p.parent.name == "tmpfiles.d"]
    assert len(sysusers) == 1 and len(tmpfiles) == 1
    examples = [p for p in tree.rglob("*.conf*") if "horizond" in p.name and
                p.parent.name not in ("sysusers.d", "tmpfiles.d")]
    assert examples, "the example configuration"


def test_unit_says_what_it_must(tree):
    """Type=notify, a watchdog, the configuration checked before start and reload."""
    text = find(tree, r"horizond\.service").read_text()
    assert re.search(r"^Type=notify", text, re.M)
    assert re.search(r"^WatchdogSec=\d", text, re.M)
    assert re.search(r"^ExecStartPre=.*horizond .*-t", text, re.M)
    assert re.search(r"^ExecReload=|^Type=notify-reload", text, re.M)
    assert re.search(r"^Restart=(on-failure|always)", text, re.M)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_unit_exposure(tree):
    """At most 1.5 of 10 by systemd-analyze security."""
    unit = find(tree, r"horizond\.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    level = re.search(r"exposure level for horizond\.service: ([\d.]+)", done.stdout)
    assert level and float(level[1]) <= 1.5


def test_nothing_of_the_build_is_in_the_unit(tree):
    assert str(TOP) not in find(tree, r"horizond\.service").read_text()
