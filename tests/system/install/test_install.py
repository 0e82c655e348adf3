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
ONESHOTS = ("horizon-register", "horizon-register-check", "horizon-sweep", "horizon-health")


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
    for name in ("horizond", "horizonctl", "horizon-aws"):
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


def analyzed(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *args], capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("name, most", [("horizond", 1.5), *((name, 1.1) for name in ONESHOTS)])
def test_unit_exposure(tree, name, most):
    """Of 10, by systemd-analyze security."""
    unit = find(tree, re.escape(name) + r"\.service")
    done = analyzed("security", "--offline=true", "--no-pager", f"--threshold={most * 10:.0f}", str(unit))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    level = re.search(rf"exposure level for {name}\.service: ([\d.]+)", done.stdout)
    assert level and float(level[1]) <= most


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_units_hold_nothing_that_systemd_does_not_know(tree):
    folder = find(tree, r"horizond\.service").parent
    units = sorted(str(path) for path in folder.iterdir())
    assert len(units) == 1 + len(ONESHOTS) + 3
    done = analyzed("verify", "--man=no", "--recursive-errors=no", *units)
    # What is installed below a folder of ours is not where the units say it will be.
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", ONESHOTS)
def test_oneshots_run_the_program_with_its_own_settings(tree, name):
    text = find(tree, re.escape(name) + r"\.service").read_text()
    assert re.search(r"^Type=oneshot", text, re.M) and re.search(r"^DynamicUser=yes", text, re.M)
    assert re.search(r"^ConditionPathExists=.*/horizond/records\.conf$", text, re.M)
    groups = re.findall(r"^SupplementaryGroups=(.*)", text, re.M)
    assert groups == (["horizond"] if "register" in name else [])  # the control socket's
    assert "ExecStart=+" not in text and str(TOP) not in text


def test_registration_is_kept_over_the_time_that_the_machine_is_up(tree):
    text = find(tree, r"horizon-register\.service").read_text()
    assert "ProcSubset=all" in text  # the kernel's boot id lies below /proc/sys
    assert "RemainAfterExit=yes" in text and re.search(r"^ExecStop=.*horizon-aws deregister$", text, re.M)
    after = re.search(r"^After=(.*)", text, re.M)[1].split()
    assert {"network-online.target", "dbus.socket"} <= set(after)
    timer = find(tree, r"horizon-register-check\.timer").read_text()
    assert "OnUnitActiveSec=5min" in timer and "PartOf=horizon-register.service" in timer


def test_two_switches_before_the_sweep_deletes(tree):
    text = find(tree, r"horizon-sweep\.service").read_text()
    assert re.search(r"^ExecStart=.*horizon-aws sweep --apply$", text, re.M)
    settings = find(tree, r"records\.conf").read_text()
    assert "apply = false;" in settings and "apply = true;" not in settings


def test_settings_of_the_instance_are_all_said(tree):
    """Every key stands in the example, and what stands there are the defaults."""
    path = find(tree, r"records\.conf")
    program = find(tree, "horizon-aws")
    said = re.sub(r"^#(?! )", "", path.read_text(), flags=re.M)
    said = re.sub(r"^#  (?=[ a-z{])", "  ", said, flags=re.M)
    open_file = path.with_name("open.conf")
    open_file.write_text(said)
    for file in (path, open_file):
        done = subprocess.run([program, "-c", file, "-t"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    keys = set(re.findall(r"^\s*(\w+) = ", said, re.M))
    assert keys >= {"state_dir", "fleet", "key", "tags", "records", "deadline", "fail_boot", "control",
                    "sweep", "dhcp", "alarm", "servers", "email", "max_share", "canary"}
    open_file.unlink()


def test_nothing_of_the_build_is_in_the_unit(tree):
    assert str(TOP) not in find(tree, r"horizond\.service").read_text()
