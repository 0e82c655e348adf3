"""Answers in use are asked for again before they run out, behind the client's back."""

from __future__ import annotations

import time

import net
import pytest
from resolvers import answer, later, silent, turns


@pytest.fixture
def daemon(launch, vpc, corp):
    def make(**settings):
        return launch({"vpc_resolver": [vpc.target], "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}], **settings})
    return make


def in_use(made, seconds: float, name: str = "a.corp.test", **how) -> list:
    """Asked ten times a second."""
    until, answers = time.monotonic() + seconds, []
    while time.monotonic() < until:
        answers.append(made.ask(name, **how))
        time.sleep(0.1)
    return answers


@pytest.mark.quick
@pytest.mark.parametrize("tcp", [False, True])
def test_no_client_waits(daemon, corp, tcp):
    """The upstream takes its time; only the first question feels it."""
    corp.on("a.corp.test", "A", later(0.3, answer("@ 4 A 10.0.0.1")))
    made = daemon()
    assert made.ask("a.corp.test").took >= 0.3
    answers = in_use(made, 9, tcp=tcp)
    assert max(a.took for a in answers) < 0.2
    assert all(a.data() == ["10.0.0.1"] and a.ttl >= 1 for a in answers)
    assert 3 <= corp.count("a.corp.test") <= 5, "one packet a life"
    assert made.metric("horizond_refreshes_total") >= 2


@pytest.mark.quick
def test_unused_is_left_alone(daemon, corp):
    corp.on("a.corp.test", "A", answer("@ 3 A 10.0.0.1"))
    made = daemon()
    made.ask("a.corp.test")
    time.sleep(4)
    assert corp.count() == 1 and made.metric("horizond_refreshes_total") == 0


def test_failed_refresh_harms_nothing(daemon, corp):
    """The old answer stays for its life; then the question waits its turn, and stale data is better than none."""
    corp.on("a.corp.test", "A", turns(answer("@ 4 A 10.0.0.1"), silent()))
    made = daemon(cache={"stale_after_ms": 200})
    answers = in_use(made, 7)
    assert all(a.data() == ["10.0.0.1"] for a in answers)
    assert max(a.took for a in answers) < 0.6


def test_clients_come_first(daemon, vpc):
    """With the packet budget in use, nothing is asked that nobody waits for."""
    vpc.default = answer("@ 4 A 10.0.0.1")
    made = daemon(vpc_packet_rate=40)
    names = [f"n{i}.public.test" for i in range(12)]
    for name in names:
        made.ask(name)
        made.ask(name)
    time.sleep(2.2)
    for i in range(60):
        made.ask(f"other{i}.public.test")
    before = made.metric("horizond_refreshes_total")
    for name in names:
        made.ask(name)
    assert made.metric("horizond_refreshes_total") - before < len(names)


def test_dynamic_set_is_refreshed(launch, vpc, tmp_path):
    """An alias to a load balancer (60 s and less) stays in memory as long as clients ask for it."""
    from standin import World
    zone = World().add_zone("zone.test.")
    zone.alias("lb", "A", "internal-1.eu-west-1.elb.amazonaws.com.", "Z0ELB")
    vpc.on("lb.zone.test", "A", later(0.3, answer("@ 4 A 10.0.0.1")))
    made = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target]})
    made.ask("lb.zone.test")
    answers = in_use(made, 6, "lb.zone.test")
    assert max(a.took for a in answers) < 0.2
    net.wait_for(lambda: vpc.count("lb.zone.test") >= 2, 3, "the refresh was asked")
