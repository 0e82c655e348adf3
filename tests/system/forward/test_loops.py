"""Forwarding loops: seen, cut for the rule alone, told, and mended when they are gone."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import net
import pytest
import wire
from resolvers import answer
from servers import Dnsmasq, Unbound

_count = itertools.count()


def ask(daemon, zone: str = "corp.test", **how):
    return daemon.ask(f"n{next(_count)}.{zone}", edns=True, **how)


def states(daemon) -> dict[str, str]:
    return {u["target"]: u["state"] for u in daemon.ctl_json("upstreams")["upstreams"]}


class Relay:
    """A server that passes on what it is asked, to whom it is told, from its own address; and counts."""

    def __init__(self, to=None):
        self.address = net.address()
        self.target = f"{self.address}:{net.PORT}"
        self.to = to
        self.packets = 0
        self.names: list[bytes] = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((self.address, net.PORT))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                packet, client = self.sock.recvfrom(4096)
                self.packets += 1
                self.names.append(packet[12:])
                threading.Thread(target=self._pass, args=(packet, client), daemon=True).start()
        except OSError:
            return

    def _pass(self, packet, client):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.bind((self.address, 0))
                out.settimeout(2)
                if self.to is None:  # answers by itself: no such name
                    end = packet.index(b"\0", 12) + 5
                    reply = packet[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + packet[12:end]
                else:
                    out.sendto(packet, self.to)
                    reply = out.recv(4096)
            self.sock.sendto(reply, client)
        except OSError:
            return


@pytest.fixture
def relay():
    made = Relay()
    yield made
    made.sock.close()


def looped(launch, vpc, corp, relay, **more):
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [relay.target], **more},
        {"type": "FORWARD", "domains": ["other.test"], "targets": [corp.target]}]})
    return daemon


def test_a_loop_is_cut_told_and_mended(launch, vpc, corp, relay):
    corp.default = vpc.default = answer("@ 60 A 10.0.0.1")
    daemon = looped(launch, vpc, corp, relay)
    relay.to = daemon.where
    daemon.reload({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [relay.target], "max_inflight": 77},
        {"type": "FORWARD", "domains": ["other.test"], "targets": [corp.target]}]})
    net.wait_for(lambda: states(daemon)[relay.target] == "loop", 3, "the loop is seen, by the change of the rule")
    time.sleep(0.1)
    before = relay.packets
    for _ in range(5):
        reply = ask(daemon)
        assert reply.rcode == "SERVFAIL" and reply.took < 0.1
        assert f"us -> {relay.target} -> {relay.address} -> us" in reply.ede[0][1]
        assert ask(daemon, "other.test").data() == ["10.0.0.1"] and ask(daemon, "pub.test").data() == ["10.0.0.1"]
    assert relay.packets - before <= 1, "no client's question goes round"
    assert daemon.metric("horizond_loops_total", rule="corp.test") == 1
    assert daemon.metric("horizond_loops_total", rule="other.test") == 0
    lines = daemon.log("forwarding loop")
    assert len(lines) == 1 and relay.target in lines[0] and "corp.test" in lines[0]
    assert states(daemon)[corp.target] == "up"
    relay.to = None
    net.wait_for(lambda: ask(daemon).rcode == "NXDOMAIN", 8, "mended by itself")
    assert len(daemon.log("gone after")) == 1


def test_seen_at_start(launch, vpc, relay):
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [relay.target]}]}, start=False)
    relay.to = daemon.where
    daemon.start()
    net.wait_for(lambda: states(daemon)[relay.target] == "loop", 3, "the loop is seen")


def test_only_one_of_two_targets(launch, vpc, corp, relay):
    """The rule goes on with the other one."""
    corp.default = answer("@ 60 A 10.0.0.1")
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [relay.target, corp.target],
         "policy": "ordered"}]}, start=False)
    relay.to = daemon.where
    daemon.start()
    net.wait_for(lambda: states(daemon)[relay.target] == "loop", 3, "the loop is seen")
    for _ in range(5):
        reply = ask(daemon)
        assert reply.data() == ["10.0.0.1"] and reply.took < 0.2


def test_only_one_of_two_domains(launch, vpc, relay):
    """Each domain of a rule is looked at."""
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["a.test", "b.test", "c.test"], "targets": [relay.target]}]}, start=False)
    daemon.start()
    net.wait_for(lambda: {name[63:71].lower() for name in relay.names} == {b"\1%c\4test\0" % c for c in b"abc"}, 3,
                 "a question below each")
    assert states(daemon)[relay.target] == "up"


def test_in_flight(launch, vpc, corp, relay):
    """Between two looks: the same question, from the target itself, while it is under way. At most ten packets."""
    daemon = looped(launch, vpc, corp, relay)
    net.wait_for(lambda: relay.packets, 3, "the look at the start")
    relay.to = daemon.where
    relay.packets = 0
    reply = ask(daemon)
    assert reply.rcode == "SERVFAIL" and reply.took < 1
    assert relay.packets <= 10
    assert daemon.metric("horizond_loops_total", rule="corp.test") >= 1
    net.wait_for(lambda: states(daemon)[relay.target] == "loop", 3, "looked at once")


def test_two_of_us_pointed_at_each_other(launch, vpc):
    """T17: SERVFAIL on both sides, after few packets."""
    first = launch({"vpc_resolver": [vpc.target]})
    rule = {"type": "FORWARD", "domains": ["corp.test"]}
    second = launch({"vpc_resolver": [vpc.target], "rules": [
        {**rule, "targets": [f"{first.address}:{net.PORT}"], "source": net.address()}]})
    first.reload({"vpc_resolver": [vpc.target], "rules": [
        {**rule, "targets": [f"{second.address}:{net.PORT}"], "source": net.address()}]})

    def sent() -> float:
        return sum(d.metric("horizond_upstream_queries_total", rule="corp.test") -
                   d.metric("horizond_upstream_probes_total", rule="corp.test") for d in (first, second))
    before = sent()
    for daemon in (first, second):
        reply = ask(daemon)
        assert reply.rcode == "SERVFAIL" and reply.ede and reply.took < 1.8
    assert sent() - before <= 20
    net.wait_for(lambda: any("loop" in states(d).values() for d in (first, second)), 3, "seen")
    before = sent()
    for _ in range(20):
        assert ask(first).rcode == "SERVFAIL" and ask(second).rcode == "SERVFAIL"
    assert sent() - before <= 40


@pytest.mark.parametrize("kind", ["unbound", "dnsmasq"])
def test_through_other_servers(launch, vpc, tmp_path, kind):
    """A corporate server that forwards the rule's domain back to us."""
    daemon = launch({"vpc_resolver": [vpc.target]})
    if kind == "unbound":
        server = Unbound(tmp_path / kind, "ready.test", ["ready.test. SOA a. b. 1 2 3 4 5"],
                         f'  local-zone: "test." nodefault\nforward-zone:\n  name: corp.test\n  forward-addr: {daemon.address}@{net.PORT}\n')
    else:
        server = Dnsmasq(tmp_path / kind, "ready.test", ["host-record=www.ready.test,10.0.0.1", "local=/ready.test/",
                                                         f"server=/corp.test/{daemon.address}#{net.PORT}"])
    server.start()
    try:
        daemon.reload({"vpc_resolver": [vpc.target], "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [server.target]}]})
        net.wait_for(lambda: states(daemon)[server.target] == "loop", 3, "seen")
        assert ask(daemon).rcode == "SERVFAIL"
    finally:
        server.stop()


def test_nobody_can_pretend(launch, vpc, corp):
    """A name that looks like ours, was ours long ago, or was seen on its way and changed, cuts nothing."""
    corp.default = answer("@ 60 A 10.0.0.1")
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    net.wait_for(lambda: corp.loop_probes, 3, "the look at the start")
    true = corp.loop_probes[0].name
    label = true.split(".")[0]
    digits = label[len("horizond-loop-"):]
    for forged in ("0" * 48, digits[::-1], digits[:47] + format(int(digits[47], 16) ^ 1, "x"), digits[:47] + "g"):
        assert ask(daemon, f"horizond-loop-{forged}.corp.test")
        assert daemon.ask(f"horizond-loop-{forged}.corp.test", "SOA").rcode == "NXDOMAIN"
    assert states(daemon)[corp.target] == "up"
    assert daemon.metric("horizond_loops_total") == 0
    assert len({s.name.lower() for s in corp.loop_probes}) > 1


def test_a_client_on_the_targets_host(launch, vpc, corp):
    """It asks as anybody may, also the same twice at a time: that alone is no loop."""
    corp.default = lambda seen: [(0.2, answer("@ 60 A 10.0.0.1")(seen)[0][1])]
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((corp.address, 0))
        sock.settimeout(3)
        for qid in (1, 2):
            sock.sendto(wire.build("twice.corp.test", qid=qid), daemon.where)
        replies = [sock.recv(512) for _ in range(2)]
    assert all(reply[3] & 15 == 0 for reply in replies)
    assert daemon.metric("horizond_loops_total") == 0
