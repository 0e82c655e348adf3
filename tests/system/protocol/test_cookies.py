"""DNS cookies towards clients (RFC 7873, 9018): who brings ours back has shown its address."""

from __future__ import annotations

import os
import struct

import dns.edns
import dns.message
import pytest
import wire
from resolvers import answer
from standin import World

pytestmark = pytest.mark.quick

CLIENT = b"\1\2\3\4\5\6\7\x08"


def zone_file(tmp_path):
    zone = World().add_zone("zone.test.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    return zone.save(tmp_path / "z.json")


def parsed(reply: bytes) -> wire.Answer:
    return wire.Answer(dns.message.from_wire(reply), reply, 0.0)


def ask(daemon, cookie: bytes | None, tcp: bool = False, name: str = "www.zone.test.") -> wire.Answer | None:
    options = wire.edns_option(10, cookie) if cookie is not None else b""
    packet = wire.header(ar=1) + wire.question(name) + wire.opt(options=options)
    reply = daemon.tcp(packet) if tcp else daemon.udp(packet, 0.3)
    return None if reply is None else parsed(reply)


def cookie_of(reply: wire.Answer) -> bytes:
    found = [option for option in reply.msg.options if option.otype == 10]
    assert len(found) <= 1
    if not found:
        return b""
    return found[0].data if isinstance(found[0], dns.edns.GenericOption) else found[0].client + found[0].server


@pytest.fixture
def daemon(launch, vpc, tmp_path):
    return launch({"vpc_resolver": [vpc.target], "zone_files": [zone_file(tmp_path)],
                   "clients": [{"from": ["127.0.0.0/8"], "may": "all", "rate": 20}]})


def test_given_and_taken(daemon):
    for tcp in (False, True):
        first = cookie_of(ask(daemon, CLIENT, tcp))
        assert len(first) == 24 and first[:8] == CLIENT and first[8:12] == b"\1\0\0\0"
        again = ask(daemon, first, tcp)
        assert cookie_of(again) == first and again.data() == ["10.0.0.1"]
    assert cookie_of(ask(daemon, None)) == b""
    plain = daemon.ask("www.zone.test")
    assert plain.msg.edns < 0


@pytest.mark.parametrize("size", [0, 1, 7, 9, 12, 15, 41, 64])
def test_no_cookies_size_is_formerr(daemon, size):
    reply = ask(daemon, bytes(size))
    assert reply.rcode == "FORMERR" and not reply.data()


def test_a_bad_one_harms_nobody(daemon):
    first = cookie_of(ask(daemon, CLIENT))
    for bad in (CLIENT + os.urandom(16), CLIENT + bytes(32), first[:23] + bytes([first[23] ^ 1]),
                first[:12] + struct.pack("!I", 1) + first[16:]):
        reply = ask(daemon, bad)
        assert reply.data() == ["10.0.0.1"] and cookie_of(reply)[:8] == CLIENT
        assert cookie_of(reply) != bad


def test_who_has_shown_his_address_is_not_limited(daemon):
    good = cookie_of(ask(daemon, CLIENT))
    assert all(ask(daemon, good).data() == ["10.0.0.1"] for _ in range(100))
    bad = CLIENT + os.urandom(16)
    answers = [ask(daemon, bad) for _ in range(60)]
    assert any(a is None for a in answers) and any(a is not None and a.tc for a in answers)
    assert ask(daemon, good).data() == ["10.0.0.1"]


def test_shared_secrets(launch, vpc, tmp_path):
    """Servers that clients see as one take each other's; a new secret is brought in without a gap."""
    old, new = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"

    def made(secrets):
        return launch({"vpc_resolver": [vpc.target], "zone_files": [zone_file(tmp_path)], "cookie_secrets": secrets,
                       "clients": [{"from": ["127.0.0.0/8"], "may": "all", "rate": 1}]})
    first, second, third = made([old]), made([old, new]), made([new, old])
    cookie = cookie_of(ask(first, CLIENT))
    for daemon in (first, second, third):
        assert all(ask(daemon, cookie).data() == ["10.0.0.1"] for _ in range(5))
    other = cookie_of(ask(third, CLIENT))
    assert all(ask(second, other).data() == ["10.0.0.1"] for _ in range(5))
    assert sum(ask(first, other) is None for _ in range(4)) >= 1, "not yet known there"


def test_large_answers_leave_room(daemon, vpc):
    """The cookie is reckoned in: never over the client's size."""
    vpc.default = answer(*[f'@ 60 TXT "{"x" * 80}"' for _ in range(14)])
    for size in (512, 700, 1232):
        packet = wire.header(ar=1) + wire.question("big.test.", 16) + \
            wire.opt(size=size, options=wire.edns_option(10, CLIENT))
        reply = daemon.udp(packet)
        assert len(reply) <= size and cookie_of(parsed(reply))[:8] == CLIENT
