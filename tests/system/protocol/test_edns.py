"""EDNS(0), RFC 6891: sizes, versions, options; and truncation (RFC 2181 section 9)."""

from __future__ import annotations

import struct

import dns.edns
import pytest
import wire
from wire import build, edns_option, header, opt, parse, question

pytestmark = pytest.mark.quick


def with_opt(opt_record: bytes, name: str = "www.corp.example.", rtype: int = 1) -> bytes:
    return header(ar=1) + question(name, rtype) + opt_record


def test_none_asked_none_given(send):
    packet = build("www.corp.example")
    assert parse(packet, send(packet)).msg.edns == -1


def test_given_when_asked(send):
    packet = build("www.corp.example", do=True)
    answer = parse(packet, send(packet))
    assert answer.msg.edns == 0 and answer.msg.payload == 1232 and answer.msg.ednsflags == 0x8000


@pytest.mark.parametrize("name, rcode", [("none.corp.example.", "NXDOMAIN"), ("public.test.", "NOERROR"),
                                         ("none.test.", "NXDOMAIN")])
def test_given_in_all_answers(send, name, rcode):
    packet = build(name, edns=True)
    answer = parse(packet, send(packet))
    assert answer.msg.edns == 0 and answer.rcode == rcode


@pytest.mark.parametrize("version", [1, 2, 100, 255])
def test_badvers(send, version):
    packet = with_opt(opt(version=version))
    reply = send(packet)
    assert wire.rcode_of(reply) == 0, "the lower half of BADVERS"
    qd, an, ns, ar = wire.counts_of(reply)
    assert (an, ns, ar) == (0, 0, 1)
    record = reply[-11:]
    assert struct.unpack("!BHHBBHH", record)[:5] == (0, 41, 1232, 1, 0), "rcode 16, our version 0"


def test_unknown_flags_are_not_echoed(send):
    packet = with_opt(opt(flags=0xFFFF))
    assert parse(packet, send(packet)).msg.ednsflags & 0xFFFF == 0x8000


@pytest.mark.parametrize("code", [0, 1, 5, 8, 9, 10, 11, 12, 65001, 65535])
def test_unknown_options_are_ignored(send, code):
    data = b"\0\1\x18\0\x0a\0\0" if code == 8 else b"\x11" * 8 if code == 10 else b"" if code == 11 else b"z" * 9
    packet = with_opt(opt(options=edns_option(code, data)))
    answer = parse(packet, send(packet))
    assert answer.data() == ["10.0.0.1"]
    assert code not in [o.otype for o in answer.msg.options] or code in (10, 11, 12)


def test_keepalive_belongs_to_tcp(server):
    """RFC 7828: never over UDP."""
    packet = with_opt(opt(options=edns_option(11)))
    assert 11 not in [int(o.otype) for o in parse(packet, server.udp(packet)).msg.options]


def test_nsid_by_setting(server, launch, vpc):
    packet = build("www.corp.example", options=[dns.edns.GenericOption(3, b"")])
    assert 3 not in [int(o.otype) for o in parse(packet, server.udp(packet)).msg.options]
    named = launch({"server_id": "fw-1", "vpc_resolver": [vpc.target]})
    answer = parse(packet, named.udp(packet))
    assert [o.to_wire() for o in answer.msg.options if int(o.otype) == 3] == [b"fw-1"]
    assert not named.ask("www.corp.example", edns=True).msg.options


def test_client_options_go_no_further(server, vpc_module):
    """Neither the client's subnet (T8) nor its cookie is passed on; our size is offered upstream (T10)."""
    vpc_module.forget()
    packet = with_opt(opt(size=4096, options=edns_option(8, b"\0\1\x18\0\x0a\0\0") +
                          edns_option(10, b"12345678") + edns_option(65001, b"secret")), "ecs.test.")
    server.udp(packet)
    seen = vpc_module.asked("ecs.test")
    assert len(seen) == 1
    assert seen[0].msg.edns == 0 and seen[0].msg.payload == 1232
    codes = [int(o.otype) for o in seen[0].msg.options]
    assert 8 not in codes and 65001 not in codes
    assert b"secret" not in seen[0].wire


# --- truncation ---

def complete(answer: wire.Answer, count: int) -> bool:
    assert len(answer.msg.answer) in (0, count), "half an RRset"
    assert answer.tc == (len(answer.msg.answer) == 0)
    return not answer.tc


@pytest.mark.parametrize("size", [None, 0, 300, 511, 512, 513, 600, 1000, 1231, 1232, 1233, 4096, 65535])
def test_sizes_are_kept(server, size):
    """Whole RRsets up to the smaller of both sizes, no octet more; and no truncation without need."""
    limit = 512 if size is None else min(1232, max(512, size))
    for count in (1, 10, 20, 28, 29, 30, 31, 40, 70, 74, 75, 76, 77, 80):
        name = f"n{count}.corp.example."
        packet = build(name) if size is None else with_opt(opt(size=size), name)
        answer = parse(packet, server.udp(packet))
        needed = 12 + len(question(name)) + 16 * count + (0 if size is None else 11)
        assert complete(answer, count) == (needed <= limit), f"{count} records, {needed} octets, limit {limit}"


def test_tcp_gives_all(server):
    for name, count in (("big.corp.example", 400), ("n80.corp.example", 80)):
        for edns in (False, True):
            assert len(server.ask(name, tcp=True, edns=edns).data()) == count
    huge = server.ask("huge.corp.example", "TXT", tcp=True)
    assert len(huge.data()) == 400 and len(huge.wire) > 50_000


def test_what_fits_before_is_kept(server):
    """A CNAME stays though its target's set is too large."""
    answer = server.ask("tobig.corp.example", edns=True)
    assert answer.tc and answer.rrs() == ["tobig.corp.example. 60 CNAME big.corp.example."]
    assert len(server.ask("tobig.corp.example", tcp=True).data("A")) == 400


@pytest.mark.parametrize("size", [512, 800, 1232])
def test_missing_additional_is_no_truncation(server, size):
    """Addresses of MX hosts are left out set by set; the answer itself is whole."""
    answer = server.ask("mx.corp.example", "MX", edns=True, size=size)
    assert not answer.tc and len(answer.data("MX")) == 20
    found: dict[str, int] = {}
    for line in answer.rrs("additional"):
        found[line.split()[0]] = found.get(line.split()[0], 0) + 1
    assert all(count == 8 for count in found.values()), found
    assert len(server.ask("mx.corp.example", "MX", tcp=True).rrs("additional")) == 160


def test_truncated_answers_of_others(server, vpc_module):
    """A large forwarded answer: TC over UDP, all of it over TCP."""
    from resolvers import answer as script
    vpc_module.on("large.test", "TXT", script(*[f'@ 60 TXT "{i:02d}{"y" * 100}"' for i in range(30)]))
    small = server.ask("large.test", "TXT", edns=True)
    assert small.tc and len(small.wire) <= 1232
    assert len(server.ask("large.test", "TXT", tcp=True).data()) == 30
