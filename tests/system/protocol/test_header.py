"""Header rules: RFC 1035 section 4.1.1, RFC 9619, RFC 8482, threats T28 and T30."""

from __future__ import annotations

import pytest
from wire import Tcp, build, counts_of, flags_of, header, opt, parse, question, rcode_of

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010

pytestmark = pytest.mark.quick


def refusal(send, packet: bytes, rcode: int) -> bytes:
    """The answer to what is not answered: header in order, no data."""
    reply = send(packet)
    assert reply is not None, "silence"
    flags = flags_of(reply)
    assert reply[:2] == packet[:2] and flags & QR
    assert rcode_of(reply) == rcode, f"rcode {rcode_of(reply)}, wanted {rcode}"
    assert flags & RD == flags_of(packet) & RD and flags & RA and not flags & (Z | TC | AA)
    assert flags & 0x7800 == flags_of(packet) & 0x7800
    assert counts_of(reply)[1] == 0 and counts_of(reply)[2] == 0
    return reply


def test_plain_answer(send):
    packet = header() + question()
    answer = parse(packet, send(packet))
    assert answer.rrs() == ["www.corp.example. 300 A 10.0.0.1"]
    assert answer.aa and not answer.ad and not answer.tc and answer.rcode == "NOERROR"


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 9, 15])
def test_other_opcodes(send, opcode):
    refusal(send, header(flags=opcode << 11 | RD) + question(), NOTIMP)


@pytest.mark.parametrize("opcode", [1, 2, 4, 5])
def test_other_opcodes_whatever_follows(send, opcode):
    refusal(send, header(flags=opcode << 11, qd=1, an=7, ns=9, ar=3) + b"\xff" * 40, NOTIMP)


def test_no_question(send):
    refusal(send, header(qd=0), FORMERR)
    refusal(send, header(qd=0, ar=1) + opt(), FORMERR)


@pytest.mark.parametrize("count", [2, 3, 65535])
def test_several_questions(send, count):
    refusal(send, header(qd=count) + question() + question("public.test."), FORMERR)


def test_claims_two_has_one(send):
    refusal(send, header(qd=2) + question(), FORMERR)


@pytest.mark.parametrize("rclass", [2, 4, 254, 255, 0, 65535])
def test_other_classes(send, rclass):
    refusal(send, header() + question(rclass=rclass), REFUSED)


def test_chaos_is_refused_unless_set(send):
    for name in ("version.bind.", "id.server.", "hostname.bind.", "other."):
        refusal(send, header() + question(name, 16, 3), REFUSED)


@pytest.mark.parametrize("rtype", [251, 252])
def test_transfers_are_refused(send, rtype):
    refusal(send, header() + question("corp.example.", rtype), REFUSED)
    refusal(send, header() + question("public.test.", rtype), REFUSED)


@pytest.mark.parametrize("rtype", [41, 249, 250, 253, 254])
def test_meta_types_are_not_passed_on(send, vpc_module, rtype):
    vpc_module.forget()
    reply = send(header() + question("public.test.", rtype))
    assert rcode_of(reply) in (FORMERR, NOTIMP, REFUSED)
    assert vpc_module.names() == []


@pytest.mark.parametrize("flags", [TC, RA, Z, AD, CD, AA, 0x000F, TC | RA | Z | AD | AA | 0x0003])
def test_stray_flags_change_nothing(send, flags):
    packet = header(flags=RD | flags) + question()
    reply = send(packet)
    answer = parse(packet, reply)
    assert answer.data() == ["10.0.0.1"] and answer.aa and not answer.ad and not answer.tc
    assert bool(flags_of(reply) & CD) == bool(flags & CD), "CD is copied (RFC 4035 section 3.2.2)"


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_answers_on_the_service_port_are_dropped(server, proto):
    ask = getattr(server, proto)
    assert ask(header(flags=QR | RD) + question(), timeout=0.3) is None
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"
    assert ask(header(flags=QR | RD, an=1) + question() + record, timeout=0.3) is None


@pytest.mark.parametrize("size", range(12))
def test_runts_are_dropped(server, size):
    assert server.udp((header() + question())[:size], timeout=0.15) is None


def test_recursion_not_desired(send, vpc_module):
    """What we hold we give; for the rest nobody is asked (T17)."""
    packet = build("www.corp.example", rd=False)
    answer = parse(packet, send(packet))
    assert answer.data() == ["10.0.0.1"]
    vpc_module.forget()
    packet = build("public.test", rd=False)
    assert parse(packet, send(packet)).rcode == "REFUSED"
    assert vpc_module.names() == []


@pytest.mark.parametrize("name", ["www.corp.example.", "corp.example.", "big.corp.example."])
def test_any_is_minimal(send, name):
    """RFC 8482, and no amplifier (T20)."""
    packet = header() + question(name, 255)
    reply = send(packet)
    answer = parse(packet, reply, udp=False)
    assert answer.rcode == "NOERROR" and answer.aa
    assert len({rrset.rdtype for rrset in answer.msg.answer}) <= 1
    if name != "big.corp.example.":
        assert answer.msg.answer and len(reply) <= 512


def test_any_for_a_missing_name(send):
    packet = header() + question("missing.corp.example.", 255)
    assert parse(packet, send(packet)).rcode == "NXDOMAIN"


def test_case_is_echoed(send):
    packet = header() + question("wWw.CoRp.EXAMPLE.")
    reply = send(packet)
    assert packet[12:] in reply
    assert parse(packet, reply).rrs() == ["wWw.CoRp.EXAMPLE. 300 A 10.0.0.1"]


def test_forwarded_answers_carry_no_aa(server):
    answer = server.ask("public.test")
    assert answer.data() == ["192.0.2.1"] and not answer.aa


def test_name_with_odd_octets(server, vpc_module):
    """Any octet may stand in a label; it comes back as it was."""
    name = b"\3a.b\4\x00\xff\x20\\\4test\0"
    packet = header() + name + b"\0\1\0\1"
    for reply in (server.udp(packet), server.tcp(packet)):
        assert rcode_of(reply) == NXDOMAIN
        assert reply[12:12 + len(name)] == name


def test_longest_name(server):
    name = "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 48 + ".corp.example."
    assert len(name) == 255 - 1
    answer = server.ask(name)
    assert answer.rcode == "NXDOMAIN" and answer.aa and answer.soa == "corp.example."


def test_root_and_top_level(server):
    assert server.ask(".", "NS").rcode == "NXDOMAIN"
    assert server.ask("example.", "A").rcode == "NXDOMAIN"
    assert not server.ask("example.", "A").aa


@pytest.fixture(scope="module")
def named(launch_module, vpc_module):
    return launch_module({"version": "horizond of corp", "server_id": "fw-1 \"east\"",
                          "vpc_resolver": [vpc_module.target]})


def test_chaos_by_setting(named):
    for name, text in (("version.bind.", "horizond of corp"), ("id.server.", 'fw-1 "east"')):
        for asked in (name, name.upper()):
            packet = header() + question(asked, 16, 3)
            reply = parse(packet, named.udp(packet))
            assert reply.msg.answer[0][0].strings == (text.encode(),)
    assert rcode_of(named.udp(header() + question("other.", 16, 3))) == REFUSED
    assert rcode_of(named.udp(header() + question("version.bind.", 1, 3))) in (NOERROR, REFUSED)


def test_every_protocol_and_family(launch_module, vpc_module, zone, tmp_path):
    import net
    port = net.free_port6()
    second = net.address()
    daemon = launch_module({"zone_files": [zone.save(tmp_path / "z.json")],
                            "vpc_resolver": [vpc_module.target]}, start=False)
    daemon.write({"zone_files": [str(tmp_path / "z.json")], "vpc_resolver": [vpc_module.target],
                  "listen": [f"{daemon.address}:{net.PORT}", f"[::1]:{port}", f"{second}:{port}"]})
    daemon.start()
    for where in (daemon.where, ("::1", port), (second, port)):
        for tcp in (False, True):
            assert daemon.ask("www.corp.example", where=where, tcp=tcp).data() == ["10.0.0.1"]


def test_answer_comes_from_the_address_asked(server):
    """A connected socket would not see it otherwise; nor does it with many in one batch."""
    with Tcp(server.where) as tcp:
        tcp.send(*[build("www.corp.example", qid=i) for i in range(100)])
        assert sorted(tcp.recv()[:2] for _ in range(100)) == [i.to_bytes(2, "big") for i in range(100)]
