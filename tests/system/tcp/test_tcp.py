"""TCP as RFC 7766 has it: many questions a connection, answered as they are ready, and nobody can hog it (T21, T22)."""

from __future__ import annotations

import resource
import socket
import struct
import time

import net
import pytest
import wire
from resolvers import answer, later, silent
from standin import World


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    made = World().add_zone("corp.example.")
    made.put("www", "A", 300, ["10.0.0.1"])
    made.put("big", "TXT", 60, [f'"{i:03d}{"x" * 137}"' for i in range(400)])
    return made.save(tmp_path_factory.mktemp("zone") / "z.json")


@pytest.fixture
def daemon(launch, vpc, zone):
    def make(**tcp):
        return launch({"vpc_resolver": [vpc.target], "zone_files": [zone], "tcp": tcp})
    return make


@pytest.mark.quick
def test_pipelined(daemon):
    """2,000 questions in one write: every answer comes, each once."""
    made = daemon()
    packets = [wire.build("www.corp.example" if i % 3 else f"n{i}.corp.example", qid=i) for i in range(2000)]
    with made.connect(timeout=10) as tcp:
        tcp.send(*packets)
        seen = set()
        for _ in packets:
            reply = tcp.recv()
            number = int.from_bytes(reply[:2], "big")
            wire.parse(packets[number], reply, udp=False)
            seen.add(number)
    assert seen == set(range(2000))


@pytest.mark.quick
def test_answered_as_they_become_ready(daemon, vpc):
    """A slow question holds up none behind it."""
    vpc.on("slow.test", "A", later(0.5, answer("@ 60 A 10.0.0.9")))
    made = daemon()
    with made.connect() as tcp:
        tcp.send(wire.build("slow.test", qid=1), wire.build("www.corp.example", qid=2),
                 wire.build("www.corp.example", qid=3))
        assert [tcp.recv()[1] for _ in range(3)] == [2, 3, 1]


@pytest.mark.quick
def test_any_split(daemon):
    """Length and message may come in any pieces."""
    made = daemon()
    packet = wire.build("www.corp.example", qid=5)
    stream = struct.pack("!H", len(packet)) + packet
    with made.connect() as tcp:
        for piece in (stream[:1], stream[1:3], stream[3:12], stream[12:-1], stream[-1:] + stream + stream[:2]):
            tcp.sock.sendall(piece)
            time.sleep(0.02)
        tcp.sock.sendall(stream[2:])
        for _ in range(3):
            assert wire.parse(packet, tcp.recv(), udp=False).data() == ["10.0.0.1"]


def test_idle_connection_is_closed(daemon):
    made = daemon(idle=1)
    with made.connect() as fresh, made.connect() as used:
        used.send(wire.build("www.corp.example"))
        assert used.recv()
        began = time.monotonic()
        assert fresh.closed_within(3) and used.closed_within(3)
        assert 0.5 < time.monotonic() - began < 3


def test_busy_connection_stays(daemon):
    made = daemon(idle=1)
    with made.connect() as tcp:
        for i in range(6):
            time.sleep(0.4)
            tcp.send(wire.build("www.corp.example", qid=i))
            assert tcp.recv(), f"closed after {i} questions"


def test_slow_loris(daemon):
    """An octet now and then keeps no connection open; others are served meanwhile."""
    made = daemon(idle=1)
    with made.connect() as tcp:
        tcp.sock.sendall(b"\0\x40")
        began = time.monotonic()
        closed = False
        while not closed and time.monotonic() - began < 12:
            try:
                tcp.sock.sendall(b"x")
            except OSError:
                break
            closed = tcp.closed_within(0.3)
            assert made.ask("www.corp.example", tcp=True, source="127.5.5.5").took < 0.5
        assert time.monotonic() - began < 11


def test_runt_lengths(daemon):
    """A message shorter than a header ends the connection or is passed over, and harms nobody."""
    made = daemon()
    for size in range(12):
        with made.connect() as tcp:
            tcp.sock.sendall(struct.pack("!H", size) + bytes(size))
    assert made.ask("www.corp.example", tcp=True).data() == ["10.0.0.1"]


def test_per_client_limit(daemon):
    """The eleventh connection of one address is not served, another address is."""
    made = daemon(max_per_client=10)
    open_ones = [made.connect(source="127.6.6.6") for _ in range(10)]
    for tcp in open_ones:
        tcp.send(wire.build("www.corp.example"))
        assert tcp.recv()
    refused = 0
    for _ in range(3):
        with made.connect(source="127.6.6.6", timeout=1) as extra:
            try:
                extra.send(wire.build("www.corp.example"))
                refused += extra.recv() is None
            except OSError:
                refused += 1
    served = 0
    for tcp in open_ones:
        try:
            tcp.send(wire.build("www.corp.example"))
            served += tcp.recv() is not None
        except OSError:
            pass
    # Either the new ones are turned away, or the oldest idle ones made room: never more than ten.
    assert served + (3 - refused) <= 10
    assert made.ask("www.corp.example", tcp=True, source="127.6.6.7").data() == ["10.0.0.1"]
    for tcp in open_ones:
        tcp.sock.close()


def test_limit_of_all(daemon):
    """At max_connections a newcomer still gets in: the longest idle one goes."""
    made = daemon(max_connections=20, max_per_client=100, idle=60)
    held = [made.connect() for _ in range(20)]
    time.sleep(0.2)
    for i in range(5):
        assert made.ask("www.corp.example", tcp=True, source=f"127.6.7.{i + 1}").data() == ["10.0.0.1"]
    for tcp in held:
        tcp.sock.close()


def test_client_that_never_reads(daemon):
    """50 MB of answers wanted, none read: memory stays, others are served, the connection ends."""
    made = daemon(idle=2)
    assert made.ask("www.corp.example")
    before = made.rss_kb
    with made.connect(timeout=1) as tcp:
        tcp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        packet = wire.build("big.corp.example", "TXT")
        tcp.send(packet)
        net.wait_for(lambda: made.tcp_clients() == 1, 3, "the connection is taken")
        try:
            for _ in range(1000):
                tcp.send(packet)
        except (socket.timeout, ConnectionError):
            pass
        assert made.ask("www.corp.example", tcp=True, source="127.5.5.5").took < 0.5
        assert made.rss_kb < before + 30_000
        net.wait_for(lambda: made.tcp_clients() == 0, 15, "the daemon ends the connection", every=0.2)


def test_half_closed_client_gets_its_answers(daemon, vpc):
    """FIN after the questions: they are answered all the same."""
    vpc.on("slow.test", "A", later(0.3, answer("@ 60 A 10.0.0.9")))
    made = daemon()
    with made.connect() as tcp:
        tcp.send(wire.build("slow.test", qid=1), wire.build("www.corp.example", qid=2))
        tcp.sock.shutdown(socket.SHUT_WR)
        assert {tcp.recv()[1], tcp.recv()[1]} == {1, 2}
        assert tcp.closed_within(3)


def test_resets(daemon, vpc):
    """Clients that vanish with their questions waiting."""
    vpc.default = silent()
    made = daemon()
    for i in range(100):
        tcp = made.connect()
        tcp.send(*[wire.build(f"n{i}-{j}.test", qid=j) for j in range(3)])
        tcp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tcp.sock.close()
    time.sleep(0.3)
    assert made.ask("www.corp.example", tcp=True).data() == ["10.0.0.1"]


def test_too_many_waiting_on_one_connection(daemon, vpc):
    """500 questions to a silent upstream over one connection: all are answered in the end, each once."""
    vpc.default = silent()
    made = daemon()
    with made.connect(timeout=20) as tcp:
        tcp.send(*[wire.build(f"n{i}.test", qid=i) for i in range(500)])
        numbers = [int.from_bytes(tcp.recv()[:2], "big") for _ in range(500)]
    assert sorted(numbers) == list(range(500))


def test_edns_keepalive(daemon):
    """RFC 7828: told to who asks for it, in units of 100 ms."""
    made = daemon(idle=7)
    packet = wire.header(ar=1) + wire.question("www.corp.example.") + wire.opt(options=wire.edns_option(11))
    reply = wire.parse(packet, made.tcp(packet), udp=False)
    options = [o.to_wire() for o in reply.msg.options if int(o.otype) == 11]
    assert options in ([], [struct.pack("!H", 70)])


@pytest.mark.release
def test_ten_thousand_idle_connections(daemon):
    """They cost under 100 MB, and new ones are served as before."""
    want = 10_000
    limit = want + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < limit:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(hard, limit)))
        except (ValueError, OSError):
            pytest.skip(f"only {hard} descriptors allowed")
    made = daemon(max_connections=want + 100, max_per_client=want, idle=120)
    before = made.rss_kb
    held = []
    packet = wire.build("www.corp.example", qid=9)
    try:
        for i in range(want):
            tcp = made.connect(source=f"127.8.{i // 20000}.1", timeout=10)
            tcp.send(packet)
            assert tcp.recv() is not None
            held.append(tcp)
        grown = made.rss_kb - before
        assert made.rss_kb < 100_000, f"{made.rss_kb} kB with {want} connections"
        assert made.ask("www.corp.example", tcp=True, source="127.8.9.9").took < 0.5
        assert made.ask("www.corp.example").took < 0.5
        print(f"{want} idle connections: {grown} kB more, {made.rss_kb} kB in all")
        for tcp in held[::1000]:
            tcp.send(packet)
            assert tcp.recv() is not None, "still open"
    finally:
        for tcp in held:
            tcp.sock.close()
        if soft < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    net.wait_for(lambda: made.tcp_clients() == 0 and made.descriptors() < 200, 10, "the descriptors are given back")
