"""What one rule, one client or one dead name costs, the others do not pay."""

from __future__ import annotations

import socket
import time

import pytest
import wire
from resolvers import answer, later

pytestmark = pytest.mark.quick


def hosts(daemon, count: int) -> list[socket.socket]:
    """Sockets of that many hosts."""
    out = []
    for i in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((f"127.9.{i // 250}.{1 + i % 250}", 0))
        sock.connect(daemon.where)
        sock.setblocking(False)
        out.append(sock)
    return out


def drain(socks: list[socket.socket]) -> list[bytes]:
    out = []
    for sock in socks:
        try:
            while True:
                out.append(sock.recv(4096))
        except BlockingIOError:
            continue
    return out


def test_one_rule_fills_its_share_alone(launch, vpc, corp):
    """Ten hosts have a thousand questions each waiting for a silent server: more than one rule may have."""
    vpc.default = answer("@ 60 A 192.0.2.1")
    corp.mute = True
    daemon = launch({"vpc_resolver": [vpc.target], "workers": 1, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    socks = hosts(daemon, 10)
    packet = wire.build("dead.corp.test", edns=True)
    replies: list[bytes] = []
    for i in range(1000):
        for sock in socks:
            sock.send(packet)
        if i % 10 == 9:
            time.sleep(0.002)
            replies += drain(socks)
    other = daemon.ask("www.pub.test")
    assert other.data() == ["192.0.2.1"] and other.took < 0.5
    assert daemon.ask("localhost").data() == ["127.0.0.1"]
    time.sleep(1.8)
    replies += drain(socks)
    over = [reply for reply in replies if b"questions of this rule waiting" in reply]
    assert over and all(reply[3] & 15 == 2 for reply in over), f"{len(over)} of {len(replies)}"
    assert len(replies) > 9900, "each has an answer"
    for sock in socks:
        sock.close()


def test_a_dead_name_is_left_alone(launch, vpc, corp):
    """T17: a thousand askers a second of a name that fails: a question upstream a second at most."""
    corp.mute = True
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    socks = hosts(daemon, 4)
    packet = wire.build("dead.corp.test")
    sent, began, replies = 0, time.monotonic(), 0
    while time.monotonic() - began < 4:
        for sock in socks:
            sock.send(packet)
        sent += len(socks)
        time.sleep(0.004)
        replies += len(drain(socks))
    assert sent > 1000 and replies > sent / 2
    assert corp.count("dead.corp.test") <= 5
    assert daemon.ask("dead.corp.test").rcode == "SERVFAIL"
    for sock in socks:
        sock.close()


def test_useless_answers_are_asked_for_less(launch, vpc, corp):
    corp.default = answer(rcode="SERVFAIL")
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert daemon.ask("lame.corp.test").rcode == "SERVFAIL"
        time.sleep(0.01)
    assert corp.count("lame.corp.test") <= 3, "at 0 and 2 s, then not before 6 s"


def test_stale_is_given_at_once_while_it_fails(launch, vpc, corp):
    """RFC 8767: one asker a pause waits for the client timer, with EDE 3; fresh data takes its place in 3 s."""
    corp.on("www.corp.test", "A", answer("@ 1 A 10.0.0.1"))
    daemon = launch({"vpc_resolver": [vpc.target], "cache": {"serve_stale": 60, "stale_after_ms": 400}, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    assert daemon.ask("www.corp.test").data() == ["10.0.0.1"]
    corp.default = corp._script[("www.corp.test.", "A")] = later(3.0, answer("@ 60 A 10.0.0.2"))
    time.sleep(1.5)
    waits = 0
    end = time.monotonic() + 4
    while time.monotonic() < end:
        stale = daemon.ask("www.corp.test", edns=True)
        assert stale.data() == ["10.0.0.1"] and 3 in [code for code, _ in stale.ede]
        assert stale.took < 1.0
        waits += stale.took > 0.2
        time.sleep(0.02)
    assert 1 <= waits <= 4
    corp.on("www.corp.test", "A", answer("@ 60 A 10.0.0.2"))
    daemon.wait_answer("www.corp.test", "A", ["10.0.0.2"], 5)


def test_fresh_in_time_goes_before_stale(launch, vpc, corp):
    corp.on("www.corp.test", "A", answer("@ 1 A 10.0.0.1"))
    daemon = launch({"vpc_resolver": [vpc.target], "cache": {"serve_stale": 60, "stale_after_ms": 800}, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    assert daemon.ask("www.corp.test").data() == ["10.0.0.1"]
    corp.on("www.corp.test", "A", later(0.3, answer("@ 60 A 10.0.0.2")))
    time.sleep(1.5)
    fresh = daemon.ask("www.corp.test")
    assert fresh.data() == ["10.0.0.2"] and 0.25 < fresh.took < 0.8
