"""One question is in flight once; ports and ids are hard to guess; the VPC resolver's limit holds."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
import net
import wire
from resolvers import answer, later, silent

pytestmark = pytest.mark.quick


def ask_all(daemon, packets: list[bytes], seconds: float = 4.0) -> list[bytes]:
    """Sends all from several sockets, so that both workers get their share; collects the answers."""
    socks = []
    for _ in range(16):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.connect(daemon.where)
        sock.setblocking(False)
        socks.append(sock)
    for i, packet in enumerate(packets):
        socks[i % 16].send(packet)
    out: list[bytes] = []
    end = time.monotonic() + seconds
    while len(out) < len(packets) and time.monotonic() < end:
        for sock in socks:
            try:
                while True:
                    out.append(sock.recv(65535))
            except BlockingIOError:
                pass
        time.sleep(0.002)
    for sock in socks:
        sock.close()
    return out


def test_thousand_equal_questions_are_one(one, corp):
    """T1: over all workers exactly one packet goes upstream, and a thousand answers come back."""
    corp.on("same.corp.test", "A", later(0.2, answer("@ 60 A 10.0.0.1")))
    packets = [wire.build("sAmE.corp.test" if i % 2 else "same.corp.test", qid=i) for i in range(1000)]
    replies = ask_all(one, packets)
    assert len(replies) == 1000
    assert len({reply[:2] for reply in replies}) == 1000
    for reply in replies:
        index = int.from_bytes(reply[:2], "big")
        assert wire.parse(packets[index], reply).data() == ["10.0.0.1"]
    assert corp.count("same.corp.test") == 1


def test_equal_over_udp_and_tcp(one, corp):
    corp.on("same.corp.test", "A", later(0.2, answer("@ 60 A 10.0.0.1")))
    with one.connect() as tcp:
        tcp.send(*[wire.build("same.corp.test", qid=i) for i in range(50)])
        replies = ask_all(one, [wire.build("same.corp.test", qid=i) for i in range(50)])
        assert len(replies) == 50
        assert len([tcp.recv() for _ in range(50)]) == 50
    assert corp.count("same.corp.test") == 1


def test_types_and_names_are_not_merged(one, corp):
    corp.default = later(0.2, answer("@ 60 A 10.0.0.1"))
    corp.on("a.corp.test", "TXT", later(0.2, answer('@ 60 TXT "x"')))
    ask_all(one, [wire.build("a.corp.test"), wire.build("b.corp.test"), wire.build("a.corp.test", "TXT")])
    assert corp.count("a.corp.test", "A") == 1 and corp.count("b.corp.test") == 1
    assert corp.count("a.corp.test", "TXT") == 1


def test_ports_and_ids_are_spread(one, corp):
    """At least 64 live source ports, ids over the whole range, no pattern in either (T2; CONTRACT)."""
    corp.default = answer("@ 60 A 10.0.0.1")
    replies = []
    for start in range(0, 2000, 100):
        replies += ask_all(one, [wire.build(f"n{i}.corp.test", qid=i) for i in range(start, start + 100)])
    assert len(replies) == 2000
    seen = corp.asked(proto="udp")
    assert len({s.name.lower() for s in seen}) == 2000
    ports = [s.source[1] for s in seen]
    ids = [int.from_bytes(s.wire[:2], "big") for s in seen]
    assert len(set(ports)) >= 64
    # A port carries at most 64 questions.
    assert max(ports.count(port) for port in set(ports)) <= 64
    assert len(set(ids)) > 1900 and max(ids) > 60_000 and min(ids) < 5_000
    steps = [abs(b - a) for a, b in zip(ids, ids[1:])]
    assert sum(step < 16 for step in steps) < 20, "ids do not count up"
    near = sum(abs(b - a) < 3 for a, b in zip(ports, ports[1:]) if a != b)
    assert near < 60, "ports are drawn, not counted up"
    assert max(ports) - min(ports) > 5_000


def test_upstream_sockets_are_connected(one, corp):
    """T3: a packet from anyone else never reaches the daemon."""
    corp.default = silent()
    query = wire.build("a.corp.test", qid=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(one.where)
        sock.send(query)
        for _ in range(100):
            if corp.count("a.corp.test"):
                break
            time.sleep(0.01)
        seen = corp.asked("a.corp.test")[0]
        import dns.message
        forged = dns.message.make_response(seen.msg)
        forged.answer.append(dns.rrset.from_text("a.corp.test.", 60, "IN", "A", "6.6.6.6"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            for _ in range(5):
                stranger.sendto(forged.to_wire(), seen.source)
        sock.settimeout(3)
        assert wire.rcode_of(sock.recv(512)) == 2, "SERVFAIL: nobody right has spoken"


def test_right_id_on_the_wrong_port(one, corp):
    """T1: the answer counts on the socket of its question alone."""
    corp.default = answer("@ 60 A 10.0.0.1")
    ask_all(one, [wire.build(f"n{i}.corp.test", qid=i) for i in range(200)])
    others = sorted({s.source for s in corp.asked(proto="udp")})

    def misdirected(seen):
        packet = answer("@ 60 A 6.6.6.6")(seen)[0][1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            for source in others:
                if source != seen.source:
                    corp._udp.sendto(packet, source)
        return answer("@ 60 A 10.0.0.1")(seen)
    corp.on("aim.corp.test", "A", misdirected)
    assert one.ask("aim.corp.test").data() == ["10.0.0.1"]


class Meter:
    """A VPC resolver that answers all, and knows from the kernel when each packet came: not when Python had time for it."""

    TIMESTAMPNS = 35  # SO_TIMESTAMPNS; the socket module has no name for it

    def __init__(self):
        self.times: list[float] = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, self.TIMESTAMPNS, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((net.address(), net.PORT))
        self.target = "%s:%d" % self.sock.getsockname()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            packet, extra, _, source = self.sock.recvmsg(4096, 256)
            if source[0] == self.sock.getsockname()[0]:
                return
            seconds, nanos = struct.unpack("qq", extra[0][2][:16])
            self.times.append(seconds + nanos / 1e9)
            self.sock.sendto(self.reply(packet), source)

    @staticmethod
    def reply(packet: bytes) -> bytes:
        end = packet.index(b"\0", 12) + 5
        record = b"\xc0\x0c\0\1\0\1\0\0\0<\0\4\x0a\0\0\1"
        return packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:end] + record

    def close(self) -> None:
        """A packet from its own address ends the thread."""
        self.sock.sendto(b"end", self.sock.getsockname())
        self.thread.join()
        self.sock.close()


def most_within_a_second(times: list[float]) -> int:
    worst, start = 0, 0
    for end, at in enumerate(times):
        while at - times[start] > 1.0:
            start += 1
        worst = max(worst, end - start + 1)
    return worst


def test_vpc_packets_are_kept_below_the_limit(launch):
    """T18: over no second more than 1,000 packets go to the VPC resolver, whatever comes in."""
    meter = Meter()
    try:
        daemon = launch({"vpc_resolver": [meter.target]})
        began = time.monotonic()
        total = 0
        while time.monotonic() - began < 2.5:
            ask_all(daemon, [wire.build(f"n{total + i}.pub.test", qid=i) for i in range(500)], seconds=2.2)
            total += 500
        assert most_within_a_second(meter.times) <= 1000
        assert len(meter.times) > 1000, "and not far below it"
        assert len(meter.times) <= daemon.metric("horizond_vpc_packets_total") < len(meter.times) * 1.3
    finally:
        meter.close()


def test_client_with_too_many_waiting(one, corp):
    """T19: 5,000 questions of one address, upstream silent: what is answered comes in time, and we live."""
    corp.default = silent()
    ask_all(one, [wire.build(f"n{i}.corp.test", qid=i) for i in range(5000)], seconds=3.0)
    assert one.ask("localhost").took < 0.3


def test_one_dead_rule_does_not_starve_others(launch, vpc, corp, corp2):
    """More questions than max_inflight wait on a dead server; the other rule answers as ever."""
    corp.default, corp2.default = silent(), answer("@ 60 A 10.0.0.1")
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["dead.test"], "targets": [corp.target], "max_inflight": 50},
        {"type": "FORWARD", "domains": ["live.test"], "targets": [corp2.target]}]})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(daemon.where)
        for i in range(400):
            sock.send(wire.build(f"n{i}.dead.test", qid=i))
        time.sleep(0.1)
        for i in range(30):
            reply = daemon.ask(f"n{i}.live.test", source="127.7.7.7")
            assert reply.data() == ["10.0.0.1"] and reply.took < 0.3
    assert len({s.name for s in corp.seen}) <= 60
