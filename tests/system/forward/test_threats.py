"""What forgers and flooders try, T1 to T19, and where each is tested.

T1   forged answers, duplicate questions   test_merge: thousand_equal_questions, right_id_on_the_wrong_port
T2   guessable ports and ids               here: entropy; test_merge: ports_and_ids_are_spread
T3   open ports, wrong source              test_merge: upstream_sockets_are_connected; unit test_ask: wrong_source
T4   guessing ids while we wait            here: guessed_ids; unit test_ask: lies, many_lies
T5   names in random case                  here: case_*; unit test_guard: case_*, picky
T6   answers for others' names             here: maginot; test_belief; replay forward-believes-only-its-own
T7   denials of others' zones              test_belief: negative_soa_must_fit, no_for_the_parent_hides_no_child
T8   birthdays by client subnet            test_belief: subnet_of_the_client_splits_nothing
T9   CD, DO, AD confused                   cache/test_cache: checking_disabled, dnssec_ok; test_belief: flags_of_others
T10  fragments, large UDP                  here: never_over_1232; protocol/test_edns; forward/test_faults: truncated_*
T11  forgery as denial of service          here: junk_harms_no_server
T12  odd packets that end the waiting      test_faults: a_bad_packet_does_not_end_the_waiting, only_bad_packets
T13  games with TTLs                       test_belief: ttl_games; cache/test_cache: ttl_zero_is_not_kept, ttl_limits
T14  records of others in a listing        unit zone/test_builder; answers/test_faults: every_fault_is_listed
T15  stale answers                         cache/test_cache: stale_*; unit cache/test_cache
T16  referrals, work multiplied            test_belief: referral_is_a_failure; test_faults: all_fail; here: long_chains
T17  retries and loops multiplied          test_loops; test_faults: failure_is_remembered; here: dead_name
T18  the VPC resolver's limit              test_merge: vpc_packets_are_kept_below_the_limit
T19  answers gathered for one pulse        here: pulse
"""

from __future__ import annotations

import math
import random
import socket
import struct
import time

import net
import pytest
import wire
from resolvers import answer, both, by_proto, edit, later, negative, silent
from standin import World

GOOD = answer("@ 60 A 10.0.0.1")


def ask_many(daemon, names: list[str], seconds: float, socks: int = 8,
             sent: dict[int, float] | None = None) -> list[tuple[float, bytes]]:
    """(seconds from its question, answer) of all that came. Ids are the places in names; sent: when each was asked."""
    sockets = []
    for _ in range(socks):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        sock.connect(daemon.where)
        sock.setblocking(False)
        sockets.append(sock)
    out: list[tuple[float, bytes]] = []
    sent = {} if sent is None else sent

    def drain():
        for sock in sockets:
            try:
                while True:
                    reply = sock.recv(4096)
                    out.append((time.monotonic() - sent[int.from_bytes(reply[:2], "big")], reply))
            except BlockingIOError:
                pass
    packets = [wire.build(name, qid=i) for i, name in enumerate(names)]
    for i, packet in enumerate(packets):
        sent[i] = time.monotonic()
        sockets[i % socks].send(packet)
        if i % 50 == 49:
            drain()
    end = time.monotonic() + seconds
    while len(out) < len(names) and time.monotonic() < end:
        drain()
        time.sleep(0.002)
    for sock in sockets:
        sock.close()
    return out


def collision_bits(values: list[int]) -> float:
    """Entropy by the number of equal pairs (Renyi's of order 2): what a guesser is up against."""
    counts: dict[int, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    pairs = sum(n * (n - 1) for n in counts.values())
    return math.log2(len(values) * (len(values) - 1) / pairs)


def test_entropy(one, corp):
    """T2: what a forger must guess: 16 bits of id, the port, and the case of each letter."""
    corp.default = GOOD
    for start in range(0, 4000, 200):
        ask_many(one, [f"name-{start + i}.corp.test" for i in range(200)], 5)
    seen = corp.asked(proto="udp")
    assert len(seen) >= 4000
    ids = [int.from_bytes(s.wire[:2], "big") for s in seen]
    assert collision_bits(ids) > 15.6
    for bit in range(16):
        ones = sum(value >> bit & 1 for value in ids)
        assert abs(ones - len(ids) / 2) < 5 * math.sqrt(len(ids)) / 2, f"bit {bit} of ids leans"
    ports = list(dict.fromkeys(s.source[1] for s in seen))
    assert len(ports) >= 100
    low, high = (int(x) for x in open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii").read().split())
    bins = [0] * 8
    for port in ports:
        bins[(port - low) * 8 // (high - low + 1)] += 1
    expected = len(ports) / 8
    assert sum((n - expected) ** 2 / expected for n in bins) < 30, f"ports are drawn from the whole range: {bins}"
    assert collision_bits([s.source[1] for s in seen]) > 6.5, "for one question, among more than a hundred ports"
    upper = sum(c.isupper() for s in seen for c in s.name if c.isalpha())
    letters = sum(c.isalpha() for s in seen for c in s.name)
    assert abs(upper / letters - 0.5) < 0.02


def test_guessed_ids(one, corp):
    """T4: many wrong ids, then the right one: by TCP then, and the server is not thought ill of."""
    def guesses(seen):
        packet = answer("@ 60 A 6.6.6.6")(seen)[0][1]
        return [(0.001 * i, struct.pack("!H", i * 257) + packet[2:]) for i in range(20)
                if i * 257 != int.from_bytes(packet[:2], "big")]
    corp.default = by_proto(guesses, GOOD)
    before = one.metric("horizond_upstream_failures_total", reason="mismatch")
    assert one.ask("a.corp.test").data() == ["10.0.0.1"]
    assert corp.count("a.corp.test", proto="tcp") == 1
    assert one.metric("horizond_upstream_failures_total", reason="mismatch") - before >= 3
    assert one.metric("horizond_upstream_up", target=corp.target) == 1


def fold(packet: bytes) -> bytes:
    """The name of the question in lower case."""
    end = packet.index(b"\0", 12)
    return packet[:12] + packet[12:end].lower() + packet[end:]


def upstream(daemon, target: str) -> dict:
    return next(u for u in daemon.ctl_json("upstreams")["upstreams"] if u["target"] == target)


def test_case_is_the_askers(daemon, corp):
    """T5: two at once, each in his own; names in the data that point into the question are in the first one's."""
    corp.on("www.corp.test", "CNAME", later(0.1, answer("@ 60 CNAME web.corp.test.")))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(daemon.where)
        sock.settimeout(3)
        names = ["www.corp.test", "WwW.cOrP.tEsT"]
        for qid, name in enumerate(names):
            sock.send(wire.build(name, "CNAME", qid=qid))
        for _ in names:
            reply = sock.recv(512)
            name = names[int.from_bytes(reply[:2], "big")]
            assert wire.name_wire(name) in reply and b"\3web" in reply
    assert corp.count("www.corp.test") == 1
    assert daemon.ask("www.corp.test", "CNAME").data() == ["web.corp.test."]


def test_case_lost(one, corp):
    """T5: by TCP at first; then it is known, and asked as written. Never a failure for the client."""
    corp.default = by_proto(edit(fold, GOOD), GOOD)
    for i in range(10):
        reply = one.ask(f"N{i}.Corp.Test")
        assert reply.data() == ["10.0.0.1"] and reply.rrs()[0].startswith(f"N{i}.Corp.Test.")
    assert corp.count(proto="tcp") == 3
    assert len(one.log("loses the case of names")) == 1
    assert upstream(one, corp.target)["mixed_case"] is False
    assert corp.asked("n9.corp.test")[0].name == "N9.Corp.Test."


def test_case_can_be_switched_off(launch, vpc, corp):
    corp.default = GOOD
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target], "mixed_case": False, "cookies": False}]})
    for i in range(10):
        daemon.ask(f"Some-Name-{i}.corp.test")
    assert all(s.name == f"Some-Name-{i}.corp.test." for i, s in enumerate(corp.asked(proto="udp")))
    assert not any(option.otype == 10 for s in corp.seen for option in s.msg.options)


@pytest.mark.quick
@pytest.mark.parametrize("victim, truth", [("v.sub.corp.test", "10.0.0.2"), ("v.other.test", "10.0.0.2"),
                                           ("v.public.test", "10.0.0.3"), ("www.zone.test", "10.0.0.9")])
def test_maginot(launch, vpc, corp, corp2, tmp_path, victim, truth):
    """T6: the server of one rule speaks for another's names in every way it can; nothing of it stays."""
    zone = World().add_zone("zone.test.")
    zone.put("www", "A", 60, ["10.0.0.9"])
    vpc.on("v.public.test", "A", answer("@ 60 A 10.0.0.3"))
    for name in ("v.sub.corp.test", "v.other.test"):
        corp2.on(name, "A", answer("@ 60 A 10.0.0.2"))
    daemon = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]},
        {"type": "FORWARD", "domains": ["sub.corp.test", "other.test"], "targets": [corp2.target]}]})
    above = victim.split(".", 1)[1] + "."
    forged = (f"{victim}. 60 A 6.6.6.6", f"{above} 60 NS ns.evil.test.", "ns.evil.test. 60 A 6.6.6.6")
    attacks = {
        "beside": answer("@ 60 A 10.1.1.1", *forged),
        "authority": answer("@ 60 A 10.1.1.1", authority=forged),
        "additional": answer("@ 60 A 10.1.1.1", additional=forged),
        "cname": answer(f"@ 60 CNAME {victim}.", *forged),
        "chain": answer("@ 60 CNAME y.corp.test.", f"y.corp.test. 60 CNAME {victim}.", *forged),
        "dname": answer(f"corp.test. 60 DNAME {above}", f"@ 60 CNAME {victim}.", *forged),
        "root": answer("@ 60 A 10.1.1.1", authority=(". 60 NS ns.evil.test.", "test. 60 NS ns.evil.test."),
                       additional=forged),
        "denial": answer(authority=(f"{above} 60 SOA a. b. 1 2 3 4 60",), rcode="NXDOMAIN"),
        "denial of all": negative("."),
    }
    for what, reply in attacks.items():
        name = f"{what.replace(' ', '-')}.corp.test"
        corp.on(name, "A", reply)
        for kind in ("A", "NS", "DNAME"):
            assert "6.6.6.6" not in str(daemon.ask(name, kind).msg), what
        assert daemon.ask(victim).data() == [truth], what
        assert daemon.ask("ns.evil.test").data() == [], what
    daemon.ctl("flush", "all")
    assert daemon.ask(victim).data() == [truth]


def test_never_over_1232(daemon, corp):
    """T10: however much the client says it takes."""
    corp.default = by_proto(answer(*[f"@ 60 A 10.1.{i}.1" for i in range(75)]), GOOD)
    packet = wire.header(ar=1) + wire.question("fit.corp.test.") + wire.opt(size=65535)
    assert len(daemon.udp(packet)) <= 1232
    assert all(s.msg.payload == 1232 for s in corp.seen if s.msg.edns >= 0)


def test_junk_harms_no_server(one, corp):
    """T11: forged packets from the server's own address at all our ports: up, with EDNS, and the answer right."""
    corp.default = GOOD
    ask_many(one, [f"warm-{i}.corp.test" for i in range(300)], 5)
    ports = {s.source for s in corp.asked(proto="udp")}
    rng = random.Random(5)

    def storm(seen):
        for source in ports | {seen.source}:
            for rcode in (1, 2, 5):
                packet = struct.pack("!6H", rng.randrange(65536), 0x8180 | rcode, rng.randrange(2), 0, 0, 0)
                corp._udp.sendto(packet + seen.wire[12:40], source)
        return later(0.05, GOOD)(seen)
    corp.default = by_proto(storm, GOOD)
    for i in range(5):
        assert one.ask(f"storm-{i}.corp.test").data() == ["10.0.0.1"]
    assert upstream(one, corp.target)["state"] == "up"
    corp.default = GOOD
    corp.forget()
    assert one.ask("calm.corp.test").data() == ["10.0.0.1"]
    assert [s.msg.edns for s in corp.asked("calm.corp.test")] == [0]


@pytest.mark.parametrize("links, rcode", [(12, "NOERROR"), (13, "SERVFAIL"), (60, "SERVFAIL")])
def test_long_chains(one, corp, links, rcode):
    """T16: in one answer, or link by link: twelve, no more."""
    names = ["start.corp.test."] + [f"l{i}.corp.test." for i in range(links)]
    chain = [f"{a} 60 CNAME {b}" for a, b in zip(names, names[1:])] + [f"{names[-1]} 60 A 10.0.0.1"]
    corp.on("start.corp.test", "A", by_proto(answer(*chain, limit=False), answer(*chain)))
    reply = one.ask("start.corp.test", tcp=True)
    assert reply.rcode == rcode
    assert reply.data("A") == (["10.0.0.1"] if rcode == "NOERROR" else [])
    for line in chain[:-1]:
        owner = line.split()[0]
        corp.on("x" + owner, "A", answer(line.replace(" l", " xl").replace(owner, "x" + owner, 1)))
    corp.forget()
    one.ask("xstart.corp.test", tcp=True)
    assert corp.count() <= 13


def test_dead_name(one, corp):
    """T17: asked a thousand times, upstream hears of it a few times a second."""
    corp.default = silent()
    names = ["dead.corp.test"] * 1000
    began = time.monotonic()
    replies = ask_many(one, names, 4)
    took = time.monotonic() - began
    assert len(replies) == 1000 and all(wire.rcode_of(reply) == 2 for _, reply in replies)
    assert corp.count("dead.corp.test") <= 6 * (1 + took)


def test_pulse(one, corp):
    """T19: five thousand from one address while upstream holds back: at most a thousand wait, none after two seconds."""
    corp.default = later(1.2, answer("@ 60 A 10.0.0.1", *[f'@ 60 TXT "{"x" * 200}"' for _ in range(4)]))
    sent: dict[int, float] = {}
    replies = ask_many(one, [f"n{i}.corp.test" for i in range(5000)], 3.5, sent=sent)
    # Those asked before the first answer came waited all at once; later ones may take the place of one that was answered.
    good = [sent[int.from_bytes(reply[:2], "big")] for _, reply in replies if wire.rcode_of(reply) == 0]
    assert 0 < sum(at < sent[0] + 1.0 for at in good) <= 1000
    lag = max(0.0, max(took for took, _ in replies) - 1.8)
    assert lag < 0.2 or lag < busy(one), f"an answer {lag} s late"


def busy(daemon) -> float:
    """How long a trifle takes just now: what this machine is late by."""
    began = time.monotonic()
    daemon.ask("localhost")
    return 20 * (time.monotonic() - began)


def test_both_of_a_kind(one, corp):
    """T5, T12: a forged one with all right but the case comes first: the true one counts, without TCP."""
    def flip(packet: bytes) -> bytes:
        return packet[:13] + bytes([packet[13] ^ 0x20]) + packet[14:]
    corp.default = by_proto(both(edit(flip, answer("@ 60 A 6.6.6.6")), GOOD), later(0.3, GOOD))
    for i in range(5):
        reply = one.ask(f"n{i}.corp.test")
        assert reply.data() == ["10.0.0.1"] and reply.took < 0.25
    assert not one.log("loses the case")


def test_cookies_with_a_real_server(launch, vpc, tmp_path):
    """A server that knows them: learnt with the first answer, brought back with each question after."""
    from servers import Knot
    zone = "$TTL 60\n@ SOA ns root 1 2 3 4 5\n@ NS ns\nns A 10.0.0.5\n* A 10.0.0.7\n"
    server = Knot(tmp_path / "knot", {"corp.test.": zone})
    text = (tmp_path / "knot" / "knot.conf").read_text()
    (tmp_path / "knot" / "knot.conf").write_text(
        "mod-cookies:\n  - id: default\n    badcookie-slip: 1\n" +
        text.replace('file: "', 'module: mod-cookies/default\n    file: "', 1))
    server.start()
    try:
        daemon = launch({"vpc_resolver": [vpc.target], "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [server.target]}]})
        for i in range(20):
            assert daemon.ask(f"n{i}.corp.test").data() == ["10.0.0.7"]
        assert daemon.metric("horizond_upstream_failures_total", reason="mismatch") == 0
        # BADCOOKIE for each question without a good one: at most the first (and a probe) cost a second packet.
        asked = daemon.metric("horizond_upstream_queries_total", target=server.target)
        assert 20 + 1 <= asked <= 20 + 1 + 4
        assert upstream(daemon, server.target)["cookies"] == "both ways"
        assert upstream(daemon, server.target)["mixed_case"] is True
    finally:
        server.stop()
