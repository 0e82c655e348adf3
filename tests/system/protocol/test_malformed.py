"""Malformed questions: FORMERR whenever a header can be read, never half believed (T25, T27 to T31)."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from wire import build, edns_option, flags_of, header, name_wire, opt, parse, question, rcode_of

FORMERR = 1
QUESTION_END = 12 + len(question())


def rr(owner: bytes = b"\0", rtype: int = 1, data: bytes = b"\1\2\3\4", rdlen: int | None = None,
       rclass: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", rtype, rclass, 0, len(data) if rdlen is None else rdlen) + data


def tsig(owner: str = "key.") -> bytes:
    data = name_wire("hmac-sha256.") + bytes(6) + struct.pack("!HH", 300, 32) + bytes(32) + bytes(6)
    return rr(name_wire(owner), 250, data, rclass=255)


LABEL = b"\x3f" + b"a" * 63
MALFORMED = {
    "trailing octet": header() + question() + b"\0",
    "trailing octets": header() + question() + b"\xde\xad\xbe\xef" * 20,
    "trailing after OPT": header(ar=1) + question() + opt() + b"\0",
    "OPT but ARCOUNT 0": header() + question() + opt(),
    "header alone": header(),
    "name without end": header() + b"\3www\4corp",
    "no type": header() + name_wire("www.corp.example."),
    "half a type": header() + name_wire("www.corp.example.") + b"\0",
    "no class": header() + name_wire("www.corp.example.") + b"\0\1",
    "label past the end": header() + b"\x3fwww\0\0\1\0\1",
    "label type 0x40": header() + b"\x41w" + question(),
    "label type 0x80": header() + b"\x81w" + question(),
    "pointer to itself": header() + b"\xc0\x0c\0\1\0\1",
    "pointer forward": header() + b"\xc0\x12\0\1\0\1\3www\0",
    "pointer into the header": header() + b"\3www\xc0\x02\0\1\0\1",
    "pointer in a circle": header() + b"\1a\xc0\x10\1b\xc0\x0c\0\1\0\1",
    "pointer past the end": header() + b"\xff\xff\0\1\0\1",
    "half a pointer": header() + b"\xc0",
    "name of 256 octets": header() + LABEL * 3 + b"\x3e" + b"b" * 62 + b"\0\0\1\0\1",
    "name of 300 octets": header() + LABEL * 5 + b"\0\0\1\0\1",
    "ARCOUNT 1, nothing there": header(ar=1) + question(),
    "ARCOUNT 65535": header(ar=65535) + question() + opt(),
    "ANCOUNT 1, nothing there": header(an=1) + question(),
    "NSCOUNT 1, nothing there": header(ns=1) + question(),
    "record data past the end": header(ar=1) + question() + rr(data=b"\1\2", rdlen=4),
    "record head cut": header(ar=1) + question() + b"\0\0\1\0",
    "record owner in a circle": header(ar=1) + question() + rr(
        struct.pack("!H", 0xC000 | QUESTION_END)),
    "two OPTs": header(ar=2) + question() + opt() + opt(),
    "two OPTs apart": header(ar=3) + question() + opt() + rr() + opt(),
    "OPT in answer": header(an=1) + question() + opt(),
    "OPT in authority": header(ns=1) + question() + opt(),
    "OPT with an owner": header(ar=1) + question() + opt(owner=name_wire("www.")),
    "OPT whose owner is a pointer": header(ar=1) + question() + opt(owner=b"\xc0\x0c"),
    "OPT data past the end": header(ar=1) + question() + opt(rdlen=10),
    "option past the OPT": header(ar=1) + question() + opt(options=edns_option(3, b"ab", length=3)),
    "half an option head": header(ar=1) + question() + opt(options=b"\0\3\0"),
    "option longer than all": header(ar=1) + question() + opt(options=edns_option(10, b"", length=65535)),
    "TSIG not last": header(ar=2) + question() + tsig() + opt(),
    "two TSIGs": header(ar=2) + question() + tsig() + tsig(),
    "TSIG in answer": header(an=1) + question() + tsig(),
    "TSIG in authority": header(ns=1) + question() + tsig(),
}


@pytest.mark.quick
@pytest.mark.parametrize("what", MALFORMED)
def test_formerr(send, what):
    packet = MALFORMED[what]
    reply = send(packet)
    assert reply is not None, "silence"
    assert rcode_of(reply) == FORMERR, f"rcode {rcode_of(reply)}"
    assert reply[:2] == packet[:2] and flags_of(reply) & 0x8180 == 0x8180
    assert len(reply) <= 12 + len(question()) + 11 + 200


@pytest.mark.parametrize("what", MALFORMED)
def test_formerr_leaves_the_connection(server, what):
    """Over TCP the next question is answered all the same."""
    with server.connect() as tcp:
        good = build("www.corp.example", qid=77)
        tcp.send(MALFORMED[what], good)
        replies = [tcp.recv(), tcp.recv()]
        parse(good, next(r for r in replies if r and r[:2] == good[:2]))


def test_tsig_last_is_answered_somehow(send):
    """We have no keys: whatever the verdict, no silence."""
    reply = send(header(ar=1) + question() + tsig())
    assert reply is not None and reply[:2] == b"\x12\x34"


def test_many_options(send):
    packet = header(ar=1) + question() + opt(options=b"".join(
        edns_option(code, b"xy") for code in [3, 5, 12, 9, 65001] * 40))
    answer = parse(packet, send(packet))
    assert answer.rcode in ("NOERROR", "FORMERR")


def test_leaks_nothing(server, send):
    """The crafted packets, thousands of times: memory stays flat (libraries leak on such, ours must not)."""
    before = server.rss_kb
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(server.where)
        sock.settimeout(1)
        for _ in range(60):
            for packet in MALFORMED.values():
                sock.send(packet)
            for _ in MALFORMED:
                sock.recv(4096)
    assert server.rss_kb < before + 20_000


def mutations(count: int) -> list[bytes]:
    rng = random.Random(20)
    seeds = [build("www.corp.example"), build("www.corp.example", edns=True),
             build("none.corp.example", "MX", do=True), build("public.test", "AAAA", edns=True), *MALFORMED.values()]
    out = []
    for number in range(count):
        packet = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(2, len(packet) + 1)
            choice = rng.randrange(4)
            if choice == 0 and at < len(packet):
                packet[at] ^= 1 << rng.randrange(8)
            elif choice == 1 and at < len(packet):
                packet[at] = rng.choice([0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, 41, 250])
            elif choice == 2:
                del packet[at:at + rng.randrange(1, 6)]
            else:
                packet[at:at] = rng.randbytes(rng.randrange(1, 6))
        packet[:2] = struct.pack("!H", number)
        out.append(bytes(packet))
    return out


def test_everything_with_a_header_gets_one_answer(server):
    """3,000 spoiled questions: an answer each, silence for QR=1 and runts, and nothing besides."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(server.where)
        sock.settimeout(3)
        packets = mutations(3000)
        for start in range(0, len(packets), 100):
            wanted = set()
            for packet in packets[start:start + 100]:
                sock.send(packet)
                if len(packet) >= 12 and not packet[2] & 0x80:
                    wanted.add(packet[:2])
            while wanted:
                try:
                    reply = sock.recv(65535)
                except socket.timeout:
                    missing = [p.hex() for p in packets[start:start + 100] if p[:2] in wanted]
                    raise AssertionError(f"no answer to {missing}") from None
                assert reply[:2] in wanted, "an answer too many"
                wanted.discard(reply[:2])
                assert reply[2] & 0x80 and len(reply) <= 1232
    assert server.ask("www.corp.example").data() == ["10.0.0.1"]
