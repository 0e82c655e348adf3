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
    assert len(replies) > 5000, "most were heard, and have an answer"
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
    while time.monotonic() - began < 3:
        for sock in socks:
            sock.send(packet)
        sent += len(socks)
        time.sleep(0.004)
        replies += len(drain(socks))
    assert sent > 500 and replies > sent / 2
    assert corp.count("dead.corp.test") <= 5
    assert daemon.ask("dead.corp.test").rcode == "SERVFAIL"
    for sock in socks:
        sock.close()


def test_useless_answers_are_asked_for_less(launch, vpc, corp):
    corp.default = answer(rcode="SERVFAIL")
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert daemon.ask("lame.corp.test").rcode == "SERVFAIL"
        time.sleep(0.01)
    assert corp.count("lame.corp.test") <= 2, "at 0 and 2 s, then not before 6 s"


def test_stale_is_given_at_once_while_it_fails(launch, vpc, corp):
    """RFC 8767: one asker a pause waits for the client timer, with EDE 3; fresh data takes its place in 3 s."""
    corp.on("www.corp.test", "A", answer("@ 1 A 10.0.0.1"))
    daemon = launch({"vpc_resolver": [vpc.target], "cache": {"serve_stale": 60, "stale_after_ms": 400}, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    assert daemon.ask("www.corp.test").data() == ["10.0.0.1"]
    corp.default = corp._script[("www.corp.test.", "A")] = later(3.0, answer("@ 60 A 10.0.0.2"))
    time.sleep(1.5)
    waits = 0
    end = time.monotonic() + 3
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


def test_one_host_waits_for_a_thousand(launch, vpc, corp):
    """T19: what it asks beyond is answered at once; another host of the same rule waits as ever."""
    corp.default = later(0.8, answer("@ 60 A 10.0.0.1"))
    daemon = launch({"vpc_resolver": [vpc.target], "workers": 1, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target], "max_inflight": 5000}]})
    greedy, other = hosts(daemon, 2)
    packet = wire.build("same.corp.test", edns=True)
    for i in range(1100):
        greedy.send(packet)
        if i % 50 == 49:
            time.sleep(0.002)
    other.send(packet)
    time.sleep(0.2)
    refused = drain([greedy])
    assert len(refused) == 100 and all(reply[3] & 15 == 2 and b"of this client waiting" in reply for reply in refused)
    time.sleep(1.2)
    assert len(drain([greedy])) == 1000
    assert [reply[3] & 15 for reply in drain([other])] == [0]
    greedy.close()
    other.close()


def test_rate_of_a_client(launch, vpc):
    """Over it every second question gets an empty answer with TC, the others nothing; TCP and other hosts go on."""
    vpc.default = answer("@ 60 A 192.0.2.1")
    daemon = launch({"vpc_resolver": [vpc.target], "clients": [
        {"from": ["127.0.0.0/8"], "may": "all"}, {"from": ["127.9.0.0/16"], "may": "all", "rate": 50}]})
    limited, = hosts(daemon, 1)
    assert daemon.ask("www.pub.test").data() == ["192.0.2.1"]
    for _ in range(150):
        limited.send(wire.build("www.pub.test"))
    time.sleep(0.3)
    replies = drain([limited])
    given = [reply for reply in replies if not reply[2] & 2]
    slipped = [reply for reply in replies if reply[2] & 2]
    assert 50 <= len(given) <= 70 and all(reply[7] == 1 for reply in given)
    assert abs(len(slipped) - (150 - len(given)) / 2) <= 1 and all(reply[7] == 0 for reply in slipped)
    assert len(slipped[0]) <= len(wire.build("www.pub.test")), "no amplification"
    with daemon.connect(source="127.9.0.1") as tcp:
        tcp.send(wire.build("www.pub.test"))
        assert tcp.recv()[7] == 1
    assert daemon.ask("www.pub.test").data() == ["192.0.2.1"]
    limited.close()


def test_packet_budget_is_shared_fairly(launch, vpc):
    """One host asks for four times what the VPC resolver may be sent: the little that others ask is answered."""
    vpc.default = answer("@ 60 A 192.0.2.1")
    daemon = launch({"vpc_resolver": [vpc.target], "vpc_packet_rate": 100, "workers": 1})
    greedy, = hosts(daemon, 1)
    began, sent, asked = time.monotonic(), 0, 0
    while time.monotonic() - began < 3:
        for _ in range(8):
            greedy.send(wire.build(f"g{sent}.flood.test", qid=sent & 0xffff))
            sent += 1
        if sent % 80 == 0:
            mine = daemon.ask(f"m{sent}.pub.test")
            assert mine.data() == ["192.0.2.1"] and mine.took < 0.5
            asked += 1
        time.sleep(0.02)
    assert asked > 5
    answered = sum(reply[3] & 15 == 0 for reply in drain([greedy]))
    assert 100 < answered < sent * 0.8, f"{answered} of {sent}"
    assert vpc.count() <= 100 * (time.monotonic() - began) + 130, "and its burst"
    greedy.close()
