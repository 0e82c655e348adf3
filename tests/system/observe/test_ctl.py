"""horizonctl: what it says, in words and as JSON, and its exit statuses."""

from __future__ import annotations

import json
import os
import socket
import stat

import pytest
from horizon import run
from resolvers import answer, fail, negative, silent
from standin import World

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def corp_module():
    from resolvers import Scripted
    server = Scripted(default=negative("corp.test."))
    server.on("www.corp.test", "A", answer("@ 60 A 10.200.0.1"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def daemon(launch_module, vpc_module, corp_module, tmp_path_factory):
    zone = World().add_zone("aws.corp.test.", zone_id="Z0TEST")
    zone.put("www", "A", 300, ["10.0.0.1"])
    zone.put("out", "CNAME", 300, ["www.corp.test."])
    zone.put("bad", "A", 300, ["rubbish"])
    path = zone.save(tmp_path_factory.mktemp("zone") / "z.json")
    vpc_module.on("www.public.test", "A", answer("@ 60 A 192.0.2.1"))
    return launch_module({"zone_files": [path], "vpc_resolver": [vpc_module.target],
                          "rules": [
                              {"type": "FORWARD", "domains": ["corp.test", "test"], "targets": [corp_module.target]},
                              {"type": "SYSTEM", "domains": ["public.test"]}],
                          "clients": [{"from": ["127.9.0.0/16"], "may": "nothing"},
                                      {"from": ["127.0.0.0/8"], "may": "all"},
                                      {"from": ["10.200.0.0/16"], "may": "zones"}]})


def test_status(daemon):
    text = daemon.ctl("status")
    assert "ready" in text.lower()
    assert daemon.ctl_json("status")


def test_zones(daemon):
    listed = daemon.ctl_json("zones")["zones"]
    assert [z["name"].rstrip(".") for z in listed] == ["aws.corp.test"]
    zone = listed[0]
    assert {"name", "id", "source", "age", "sets", "static", "dynamic", "faults", "associated"} <= set(zone)
    assert zone["source"] == "file" and zone["sets"] == 5 and zone["faults"] == 1
    assert isinstance(zone["age"], (int, float)) and zone["age"] >= 0
    assert "aws.corp.test" in daemon.ctl("zones")
    faults = daemon.ctl("zones", "aws.corp.test", "--faults")
    assert "bad.aws.corp.test" in faults and "rubbish" in faults
    daemon.ctl("zones", "unknown.example", code=1)


def test_rules(daemon):
    text = daemon.ctl("rules")
    assert "FORWARD" in text and "corp.test" in text and "SYSTEM" in text and "public.test" in text
    assert daemon.ctl_json("rules")


def test_upstreams(daemon, corp_module):
    daemon.ask("n1.corp.test")
    listed = daemon.ctl_json("upstreams")["upstreams"]
    assert all({"rule", "target", "up", "rtt_ms"} <= set(u) for u in listed)
    mine = [u for u in listed if corp_module.address in u["target"]]
    assert mine and mine[0]["up"] is True
    assert corp_module.target in daemon.ctl("upstreams")


def explain(daemon, *args: str) -> dict:
    got = daemon.ctl_json("explain", *args)
    assert {"client", "rule", "zone", "class", "source", "rcode", "answer", "steps"} <= set(got), got
    return got


def test_explain_zone(daemon):
    got = explain(daemon, "www.aws.corp.test", "A")
    assert got["zone"].rstrip(".") == "aws.corp.test" and got["class"] == "static" and got["source"] == "static"
    assert got["rcode"] == "NOERROR" and "10.0.0.1" in str(got["answer"])
    assert got["steps"]


def test_explain_rule(daemon):
    got = explain(daemon, "www.corp.test")
    assert "corp.test" in got["rule"] and got["source"] in ("upstream", "cache")
    assert "10.200.0.1" in str(got["answer"])
    # The rules that lost are told too: "test" covers the name as well.
    assert "FORWARD test" in str(got["steps"]) or '"test"' in json.dumps(got["steps"]), got["steps"]
    assert explain(daemon, "www.corp.test")["source"] == "cache"


def test_explain_chain(daemon):
    got = explain(daemon, "out.aws.corp.test", "A")
    assert "www.corp.test" in str(got["answer"]) and "10.200.0.1" in str(got["answer"])


def test_explain_negative_and_system(daemon):
    assert explain(daemon, "none.aws.corp.test")["rcode"] == "NXDOMAIN"
    got = explain(daemon, "www.public.test")
    assert "192.0.2.1" in str(got["answer"]) and "public.test" in got["rule"]


def test_explain_from(daemon):
    """As another client would fare: same verdict as on the wire (T37)."""
    got = explain(daemon, "www.corp.test", "A", "from", "127.9.1.1")
    assert got["rcode"] == "REFUSED" and "nothing" in got["client"]
    assert daemon.ask("www.corp.test", source="127.9.1.1").rcode == "REFUSED"
    got = explain(daemon, "www.corp.test", "from", "10.200.0.7")
    assert got["rcode"] == "REFUSED" and "zones" in got["client"]
    got = explain(daemon, "www.aws.corp.test", "from", "10.200.0.7")
    assert got["rcode"] == "NOERROR"
    got = explain(daemon, "www.aws.corp.test", "from", "192.0.2.1")
    assert got["rcode"] == "REFUSED"


def test_explain_in_words(daemon):
    text = daemon.ctl("explain", "www.aws.corp.test", "A")
    assert "aws.corp.test" in text and "10.0.0.1" in text and "static" in text


@pytest.mark.parametrize("args", [
    [], ["nothing"], ["explain"], ["explain", "a", "A", "from"], ["flush"], ["--nothing"], ["log"]])
def test_usage(daemon, args):
    daemon.ctl(*args, code=2)


@pytest.mark.parametrize("args", [
    ["explain", "a..b"], ["explain", "x" * 64 + ".test"], ["explain", "a.test", "A", "from", "nowhere"],
    ["log", "chatty"], ["sync", "unknown.example"]])
def test_refused(daemon, args):
    assert daemon.ctl(*args, code=None)
    done = run("-s", str(daemon.folder / "control"), *args, program="horizonctl")
    assert done.returncode in (1, 2) and done.stderr and not done.stdout


def test_no_daemon(tmp_path):
    done = run("-s", str(tmp_path / "none"), "status", program="horizonctl")
    assert done.returncode == 3 and "none" in done.stderr


def test_check_and_diff(daemon, tmp_path):
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    good.write_text("workers = 1;\n")
    bad.write_text("workrs = 1;\n")
    daemon.ctl("check", str(good))
    assert f"{bad}:1: " in daemon.ctl("check", str(bad), code=1)
    assert "cache" not in daemon.ctl("diff"), "nothing has changed yet"
    text = daemon.file.read_text()
    daemon.file.write_text(text.replace("workers = 2;", "workers = 2;\ncache = { size = \"32M\"; };"))
    assert "cache.size" in daemon.ctl("diff")
    daemon.file.write_text(text)


def test_reload_by_ctl(daemon):
    before = sum(daemon.reloads().values())
    daemon.ctl("reload")
    assert sum(daemon.reloads().values()) == before + 1
    text = daemon.file.read_text()
    daemon.file.write_text("workrs = 1;\n")
    assert f"{daemon.file}:1: " in daemon.ctl("reload", code=1)
    daemon.file.write_text(text)
    daemon.ctl("reload")


def test_log_level(daemon):
    for level in ("debug", "warn", "notice", "info"):
        daemon.ctl("log", level)


def test_names_of_zones_as_given(daemon):
    """With and without the dot, in any case."""
    for name in ("aws.corp.test", "AWS.Corp.Test."):
        assert "aws.corp.test" in daemon.ctl("zones", name)


def test_control_socket_mode(daemon):
    mode = os.stat(daemon.folder / "control").st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_control_socket_stands_rubbish(daemon):
    """T39: half lines, long lines, noise, many at once: others are served, nothing grows."""
    before = daemon.rss_kb
    held = []
    for i in range(200):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(1)
        try:
            sock.connect(str(daemon.folder / "control"))
            sock.send([b"half", b"x" * 100_000, b"\0\xff\n" * 100, b"{}\n", b"[" * 5000 + b"\n"][i % 5])
        except OSError:
            pass
        held.append(sock)
    assert daemon.ctl("status")
    assert daemon.ask("www.aws.corp.test").data() == ["10.0.0.1"]
    for sock in held:
        sock.close()
    assert daemon.rss_kb < before + 20_000


def test_explain_of_a_dead_upstream(launch, vpc, corp):
    """Says who was asked and what came of it."""
    corp.default = silent()
    made = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    got = explain(made, "a.corp.test")
    assert got["rcode"] == "SERVFAIL" and corp.address in json.dumps(got)
    corp.default = fail("REFUSED")
    assert "REFUSED" in json.dumps(explain(made, "b.corp.test"))


def test_down_is_shown(launch, vpc, corp, corp2):
    corp.default, corp2.default = silent(), answer("@ 60 A 10.0.0.1")
    made = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "policy": "ordered", "targets": [corp.target, corp2.target]}]})
    for i in range(8):
        made.ask(f"n{i}.corp.test")
    up = {u["target"]: u["up"] for u in made.ctl_json("upstreams")["upstreams"] if u["rule"] != "vpc"}
    assert up[corp2.target] is True and up[corp.target] is False, up
    assert made.log(corp.address), "going down is told in the log"
