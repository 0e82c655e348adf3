"""Targets that die, that are lame, and that come back: each is known for what it is, and used again at once."""

from __future__ import annotations

import itertools
import time

import net
from resolvers import answer, fail, later, negative

GOOD = answer("@ 60 A 10.0.0.1")
_count = itertools.count()


def ask(daemon, zone: str = "corp.test"):
    return daemon.ask(f"n{next(_count)}.{zone}")


def states(daemon) -> dict[str, str]:
    return {u["target"]: u["state"] for u in daemon.ctl_json("upstreams")["upstreams"]}


def kill(daemon, server) -> None:
    server.mute = True
    net.wait_for(lambda: ask(daemon) and states(daemon)[server.target] == "down", 5, "it is known to be down")


def test_a_returned_target_is_used_within_three_seconds(daemon, corp, corp2):
    """Also when it was away so long that probes have become rare; probes alone go there meanwhile."""
    corp.default, corp2.default = GOOD, answer("@ 60 A 10.0.0.2")
    kill(daemon, corp)
    corp.forget()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert ask(daemon).data() == ["10.0.0.2"]
        time.sleep(0.05)
    assert set(s.name for s in corp.seen) == {"corp.test."} and set(s.rtype for s in corp.seen) == {"SOA"}
    assert 2 <= corp.count() <= 6, "growing intervals"
    corp.mute = False
    back = time.monotonic()
    net.wait_for(lambda: ask(daemon).data() == ["10.0.0.1"], 3, "the returned target is used")
    assert time.monotonic() - back < 3
    assert len(daemon.log(r"answers again after")) == 1


def test_probes_without_any_client(daemon, corp, corp2):
    """Nobody asks anything, and yet the return is noticed."""
    corp.default = corp2.default = GOOD
    kill(daemon, corp)
    corp.mute = False
    net.wait_for(lambda: states(daemon)[corp.target] == "up", 3, "up again")


def test_own_probe(launch, vpc, corp, corp2):
    """The question is settable; one prober, however many workers and rules."""
    corp.default = corp2.default = GOOD
    rule = {"type": "FORWARD", "targets": [corp.target, corp2.target], "policy": "ordered", "probe": "Alive.corp.test TXT"}
    daemon = launch({"vpc_resolver": [vpc.target], "workers": 4, "rules": [
        {"domains": [domain], **rule} for domain in ("corp.test", "other.test", "third.test")]})
    kill(daemon, corp)
    corp.forget()
    began = time.monotonic()
    time.sleep(1.5)
    took = time.monotonic() - began
    asked = corp.asked()
    assert {(s.name.lower(), s.rtype) for s in asked} == {("alive.corp.test.", "TXT")}
    assert len(asked) <= 2 + took, f"{len(asked)} probes in {took} s"
    assert daemon.metric("horizond_upstream_probes_total", target=corp.target) >= len(asked)


def test_vpc_resolver_is_probed_with_the_root(launch, vpc):
    vpc.default = GOOD
    daemon = launch({"vpc_resolver": [vpc.target]})
    before = daemon.metric("horizond_vpc_packets_total")
    vpc.mute = True
    net.wait_for(lambda: ask(daemon, "pub.test") and states(daemon)[vpc.target] == "down", 8, "down", every=0)
    vpc.forget()
    net.wait_for(lambda: vpc.count(".", "NS"), 3, "a probe")
    vpc.mute = False
    net.wait_for(lambda: states(daemon)[vpc.target] == "up", 3, "up again")
    assert daemon.metric("horizond_vpc_packets_total") > before


def test_lame_is_told_from_dead(launch, vpc, corp, corp2):
    """It refuses all, and faster than the other one answers: never first for long, and shown as lame."""
    corp.default, corp2.default = fail("REFUSED"), later(0.02, answer("@ 60 A 10.0.0.2"))
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target, corp2.target],
         "policy": "ordered"}]})
    for _ in range(8):
        assert ask(daemon).data() == ["10.0.0.2"]
    assert states(daemon) == {corp.target: "lame", corp2.target: "up", vpc.target: "up"}
    lame = next(u for u in daemon.ctl_json("upstreams")["upstreams"] if u["target"] == corp.target)
    assert lame["up"] is True
    assert "lame" in daemon.ctl("upstreams")
    assert daemon.metric("horizond_upstream_lame", target=corp.target) == 1
    assert daemon.metric("horizond_upstream_up", target=corp.target) == 1
    assert len(daemon.log(rf"{corp.target} answers, but of no use for corp.test \(REFUSED")) == 1
    corp.forget()
    for _ in range(50):
        assert ask(daemon).data() == ["10.0.0.2"]
    assert corp.count() < 10, "a trial now and then"
    corp.default = GOOD
    net.wait_for(lambda: ask(daemon).data() == ["10.0.0.1"], 3, "the mended target is used")
    assert states(daemon)[corp.target] == "up"


def test_a_lame_server_is_not_the_fastest(launch, vpc, corp, corp2):
    corp.default, corp2.default = GOOD, later(0.03, answer("@ 60 A 10.0.0.2"))
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target, corp2.target]}]})
    for _ in range(5):
        ask(daemon)
    assert ask(daemon).data() == ["10.0.0.1"]
    corp.default = fail("SERVFAIL")
    for _ in range(8):
        ask(daemon)
    corp.forget()
    for _ in range(20):
        assert ask(daemon).data() == ["10.0.0.2"]
    assert corp.count() < 8


def test_no_is_of_use(one, corp):
    """NXDOMAIN and NODATA are answers, a single broken name no verdict."""
    corp.default = negative("corp.test.")
    for _ in range(10):
        ask(one)
    corp.default = negative("corp.test.", "NOERROR")
    for _ in range(10):
        ask(one)
    corp.default = fail("SERVFAIL")
    for kind in ("A", "AAAA", "MX", "TXT", "SRV", "NS"):
        one.ask("broken.corp.test", kind)
    assert states(one)[corp.target] == "up"
