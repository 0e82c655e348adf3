"""SIGHUP takes a good file whole and a bad one not at all; SIGTERM finishes what is in flight."""

from __future__ import annotations

import signal
import threading
import time

import net
import pytest
import wire
from load import Steady
from resolvers import answer, later
from standin import World

pytestmark = pytest.mark.quick


@pytest.fixture
def zone(tmp_path):
    made = World().add_zone("corp.example.")
    made.put("www", "A", 300, ["10.0.0.1"])
    return made.save(tmp_path / "z.json")


def settings(vpc, zone, **more) -> dict:
    return {"vpc_resolver": [vpc.target], "zone_files": [zone], **more}


def test_reload_brings_new_rules(launch, vpc, corp, zone):
    corp.default = answer("@ 60 A 10.0.0.5")
    made = launch(settings(vpc, zone))
    assert made.ask("a.corp.test").rcode == "NXDOMAIN"
    made.reload(settings(vpc, zone, rules=[{"type": "FORWARD", "domains": ["corp.test"],
                                            "targets": [corp.target]}]))
    assert made.ask("a.corp.test").data() == ["10.0.0.5"]


def test_reload_of_clients(launch, vpc, zone):
    made = launch(settings(vpc, zone))
    made.reload(settings(vpc, zone, clients=[{"from": ["127.9.0.0/16"], "may": "nothing"},
                                             {"from": ["127.0.0.0/8"], "may": "all"}]))
    for tcp in (False, True):
        assert made.ask("www.corp.example", source="127.9.1.1", tcp=tcp).rcode == "REFUSED"
        assert made.ask("www.corp.example", tcp=tcp).data() == ["10.0.0.1"]
    made.reload(settings(vpc, zone))
    assert made.ask("www.corp.example", source="127.9.1.1").data() == ["10.0.0.1"]


def test_reload_says_what_it_cannot_change(launch, vpc, zone):
    """New listeners are either there after the reload, or the log says that they wait for a restart."""
    made = launch(settings(vpc, zone))
    second = net.address()
    made.reload(settings(vpc, zone, listen=[f"{made.address}:{net.PORT}", f"{second}:{net.PORT}"]))
    if not made.log("listen.*restart"):
        assert made.ask("www.corp.example", where=(second, net.PORT)).data() == ["10.0.0.1"]
    assert made.ask("www.corp.example").data() == ["10.0.0.1"]


def test_bad_file_changes_nothing(launch, vpc, corp, zone):
    corp.default = answer("@ 60 A 10.0.0.5")
    good = settings(vpc, zone, rules=[{"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}])
    made = launch(good)
    for bad in ("workrs = 1;", "listen = [", 'rules = ( { type = "FORWARD"; domains = [ "x" ]; } );',
                'zone_files = [ "/nowhere/z.json" ];'):
        made.reload(bad, good=False)
        assert made.ask("a.corp.test").data() == ["10.0.0.5"]
        assert made.ask("www.corp.example").data() == ["10.0.0.1"]
    assert made.log(r"horizond\.conf:1: "), "the fault is logged with file and line"
    made.reload(good)


def test_reload_loses_no_question(launch, vpc, corp, zone):
    """Good and bad reloads under load: every question is answered, rightly."""
    corp.default = later(0.005, answer("@ 1 A 10.0.0.5"))
    base = [{"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]
    made = launch(settings(vpc, zone, rules=base))
    wanted = {"www.corp.example": ["10.0.0.1"]} | {f"n{i}.corp.test": ["10.0.0.5"] for i in range(50)}
    with Steady(made, wanted) as udp, Steady(made, wanted, tcp=True, pause=0.005) as tcp:
        time.sleep(0.3)
        for i in range(10):
            more = base + [{"type": "FORWARD", "domains": [f"x{i}.test"], "targets": ["127.0.0.9"]}]
            made.reload(settings(vpc, zone, rules=more, cache={"size": "8M" if i % 2 else "16M"}))
            made.reload("nonsense", good=False)
            time.sleep(0.1)
        time.sleep(0.3)
    assert not udp.wrong and not tcp.wrong, (udp.wrong[:3], tcp.wrong[:3])
    assert udp.asked > 100 and tcp.asked > 50
    assert udp.slowest < 1.8


def test_reload_in_quick_succession(launch, vpc, zone):
    made = launch(settings(vpc, zone))
    for _ in range(50):
        made.signal(signal.SIGHUP)
    net.wait_for(lambda: made.reloads(), 5, "reloads are counted")
    assert made.ask("www.corp.example").data() == ["10.0.0.1"]


def test_sigterm_finishes_what_is_in_flight(launch, vpc, zone):
    """Questions that wait on upstream are answered; then it ends, with 0, within 3 s."""
    vpc.default = later(0.6, answer("@ 60 A 10.0.0.7"))
    made = launch(settings(vpc, zone))
    answers = []

    def ask(i: int) -> None:
        answers.append(made.ask(f"n{i}.test", tcp=bool(i % 2)).data())
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    net.wait_for(lambda: len(set(vpc.names())) == 20, 3, "the questions are upstream")
    began = time.monotonic()
    made.stop()
    assert time.monotonic() - began < 3.5
    for thread in threads:
        thread.join(5)
    assert answers == [["10.0.0.7"]] * 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_with_0(launch, vpc, zone, number):
    made = launch(settings(vpc, zone))
    process = made.process
    made.signal(number)
    assert process.wait(5) == 0
    made.process = None


def test_sigterm_does_not_wait_for_ever(launch, vpc, zone):
    """A silent upstream and idle connections keep nobody: 3 s and done."""
    vpc.mute = True
    made = launch(settings(vpc, zone))
    with made.connect() as idle, made.connect() as waiting:
        waiting.send(wire.build("a.test"))
        idle.send(wire.build("www.corp.example"))
        idle.recv()
        began = time.monotonic()
        made.stop()
        assert time.monotonic() - began < 3.8


def test_starts_again_on_its_sockets(launch, vpc, zone):
    """Connections of before stand in the way of no restart."""
    made = launch(settings(vpc, zone))
    for _ in range(3):
        with made.connect() as tcp:
            tcp.send(wire.build("www.corp.example"))
            assert tcp.recv()
            made.stop()
        made.start()
        assert made.ask("www.corp.example", tcp=True).data() == ["10.0.0.1"]
