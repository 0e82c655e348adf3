"""The control socket from outside: rates, other users, requests by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import net
import pytest
from horizon import bin_dir
from resolvers import answer

pytestmark = pytest.mark.quick


@pytest.fixture
def daemon(launch, vpc):
    vpc.default = answer("@ 60 A 10.0.0.1")
    return launch({"vpc_resolver": [vpc.target]})


def by_hand(daemon, request: bytes) -> dict:
    """The answer is one line, one object, and the connection ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect(str(daemon.folder / "control"))
        sock.sendall(request)
        said = b""
        while piece := sock.recv(65536):
            said += piece
    assert said.endswith(b"\n") and said.count(b"\n") == 1
    return json.loads(said)


def test_top(daemon):
    rates = daemon.ctl_json("top")
    assert rates["exit"] == 0 and 0.9 < rates["seconds"] < 3
    assert {"queries", "answers", "answers_from", "dropped", "mean_ms", "upstreams"} <= set(rates)
    assert set(rates["queries"]) == {"udp", "tcp", "tls"}


def test_status_counts(daemon):
    before = daemon.ctl_json("status")
    daemon.ask("a.test")
    daemon.ask("a.test", tcp=True)
    after = daemon.ctl_json("status")
    assert after["queries"]["udp"] == before["queries"]["udp"] + 1
    assert after["queries"]["tcp"] == before["queries"]["tcp"] + 1
    assert after["answers_from"]["cache"] == before["answers_from"]["cache"] + 1
    assert after["ready"] is True and after["pid"] == daemon.process.pid


def test_requests_by_hand(daemon):
    assert by_hand(daemon, b'["status"]\nand more')["exit"] == 0
    assert by_hand(daemon, b"status\n")["exit"] == 1
    assert by_hand(daemon, b'["statsu"]\n')["error"] == "there is no command `statsu`; did you mean `status`?"
    assert by_hand(daemon, b'["explain", "a.test", "A", "B", "C"]\n')["exit"] == 1
    assert by_hand(daemon, b'["' + b"x" * 5000)["exit"] == 1


def test_nothing_is_accepted_here(daemon):
    assert "nothing is held back" in daemon.ctl("sync", "a.test", "--accept", code=1)
    assert "--accept" in daemon.ctl("sync", "a.test", "--acept", code=1)


def test_terminal_is_safe(daemon):
    """T38: what others wrote never moves the cursor of who reads it."""
    said = daemon.ctl("explain", "a\x1b[31m.test", code=1)
    assert "\x1b" not in said and "\\033[31m" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
def test_other_users(daemon):
    """T39: a member of the group may ask, but reads no files through the daemon; others may not even ask."""
    path = daemon.folder / "control"
    for folder in (daemon.folder, *daemon.folder.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    os.chown(path, 0, 64321)
    secret = daemon.folder / "secret"
    secret.write_text("password\n")
    secret.chmod(0o600)

    def ask(group: int, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([bin_dir() / "horizonctl", "-s", path, *words], user=65534, group=group,
                              extra_groups=[], capture_output=True, text=True, timeout=10, check=False)
    assert ask(64321, "status").returncode == 0
    assert ask(64321, "check", str(daemon.file)).returncode == 0
    done = ask(64321, "check", str(secret))
    assert done.returncode == 1 and "password" not in done.stderr and "horizond -t" in done.stderr
    assert ask(65534, "status").returncode == 1
    os.chmod(path, 0o666)
    done = ask(65534, "status")
    assert done.returncode == 1 and "65534" in done.stderr
    net.wait_for(lambda: daemon.log("turned away"), 3, "it is told in the log")
