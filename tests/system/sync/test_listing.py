"""Zones from the API: pages, names, values, every type (facts: Route 53, sections 1.3 to 1.5 and 5)."""

from __future__ import annotations

import re

import dns.rdata
import pytest
from wire import header, parse

pytestmark = pytest.mark.quick


def test_zone_by_id(api, zone, synced):
    daemon = synced(zones=[zone.id])
    answer = daemon.ask("www.corp.example")
    assert answer.rrs() == ["www.corp.example. 60 A 10.0.0.1"] and answer.aa
    assert daemon.ask("none.corp.example").soa == "corp.example."
    call = next(c for c in api.calls if c.operation == "ListResourceRecordSets")
    assert call.target.startswith(f"/2013-04-01/hostedzone/{zone.id}/rrset")


def test_all_pages(api, zone, synced):
    """1,500 sets in five pages, the boundary within a weighted set."""
    for i in range(1500):
        zone.put(f"h{i}", "A", 60, [f"10.1.{i // 250}.{i % 250}"])
    for i in range(100):
        zone.put("h7", "AAAA", 60, [f"fd00::{i}"], SetIdentifier=f"id/{i} +=&?%", Weight=1)
    daemon = synced(zones=[zone.id])
    for i in range(0, 1500, 50):
        assert daemon.ask(f"h{i}.corp.example").data() == [f"10.1.{i // 250}.{i % 250}"]
    assert len({daemon.ask("h7.corp.example", "AAAA").data()[0] for _ in range(120)}) > 40
    assert daemon.zone("corp.example")["sets"] == len(zone.sets) == 1603
    starts = [c.params for c in api.calls if c.operation == "ListResourceRecordSets"]
    assert any(p.get("StartRecordIdentifier", "").startswith("id/") for p in starts)


def test_small_pages_with_names_to_escape(api, zone, synced):
    """Every marker goes back octet for octet, whatever stands in it."""
    api.service.page_sets = 1
    names = ["*", "@", "a/b", "0/25", "\\344", "a\\056b", "x y".replace(" ", "\\040"), "p%25", "q&r=s", "z+"]
    for i, name in enumerate(names):
        zone.put(name, "A", 60, [f"10.2.0.{i}"])
    daemon = synced(zones=[zone.id], rate=100.0)
    wires = {"@": b"\1@", "a/b": b"\3a/b", "0/25": b"\x040/25", "\\344": b"\1\xe4", "a\\056b": b"\3a.b",
             "x\\040y": b"\3x y", "p%25": b"\4p%25", "q&r=s": b"\5q&r=s", "z+": b"\2z+", "*": b"\1*"}
    for i, name in enumerate(names):
        packet = header() + wires[name] + b"\4corp\7example\0\0\1\0\1"
        assert parse(packet, daemon.udp(packet)).data() == [f"10.2.0.{i}"], name
    assert daemon.ask("anything.corp.example").data() == ["10.2.0.0"]


VALUES = {
    "A": ["192.0.2.1", "10.0.0.9"],
    "AAAA": ["2001:DB8:0:0:0:0:0:1", "::ffff:10.0.0.1"],
    "CNAME": ["target.elsewhere.test"],
    "CAA": ['0 issue "ca.example; policy=ev"', '128 iodef "mailto:x@corp.example"'],
    "DS": ["12345 8 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE 1AFE51DE1AFE51DE1AFE51DE"],
    "HTTPS": ["1 . alpn=\"h3,h2\" port=8443 ipv4hint=192.0.2.1", "0 other.corp.example."],
    "MX": ["10 mail.corp.example.", "20 MAIL2.corp.example"],
    "NAPTR": ['100 50 "u" "E2U+sip" "!^.*$!sip:info@corp.example!" .'],
    "PTR": ["host.corp.example."],
    "SPF": ['"v=spf1 -all"'],
    "SRV": ["1 10 5269 xmpp.corp.example."],
    "SSHFP": ["1 1 123456789ABCDEF67890123456789ABCDEF67890"],
    "SVCB": ["1 svc.corp.example. alpn=h2 port=53"],
    "TLSA": ["3 1 1 0D6FCE13243AA7FAE46CA6D2B8E8E4F8C6A4A0F1E0B0A1C2D3E4F5061728394A"],
    "TXT": ['"one"', '"two strings" "of one record"', '"quote \\" and backslash \\\\"'],
}


@pytest.fixture
def typed(api, zone, synced):
    for rtype, values in VALUES.items():
        zone.put(f"t-{rtype.lower()}", rtype, 60, values)
    return synced(zones=[zone.id])


def test_every_type(typed):
    for rtype, values in VALUES.items():
        answer = typed.ask(f"t-{rtype.lower()}.corp.example", rtype)
        want = {dns.rdata.from_text("IN", rtype, value, origin=dns.name.root, relativize=False)
                for value in values}
        got = {rdata for rrset in answer.msg.answer for rdata in rrset
               if rrset.rdtype == dns.rdatatype.from_text(rtype)}
        assert got == want, f"{rtype}: {got}"
        assert answer.aa and answer.rcode == ("NXDOMAIN" if rtype == "CNAME" and answer.soa else "NOERROR")
    assert typed.zone("corp.example")["faults"] == 0


def test_octal_in_values(api, zone, synced):
    """\\ooo is octal in the API and decimal in every library: \\052 is '*', \\344 is one octet."""
    zone.put("txt", "TXT", 60, ['"\\052\\101 \\344\\042\\134 end"'])
    zone.put("alias", "CNAME", 60, ["\\052.corp.example."])
    zone.put("ptr", "PTR", 60, ["0\\05724.corp.example."])
    daemon = synced(zones=[zone.id])
    assert daemon.ask("txt.corp.example", "TXT").msg.answer[0][0].strings == (b'*A \xe4"\\ end',)
    assert daemon.ask("alias.corp.example", "CNAME").data() == ["*.corp.example."]
    assert daemon.ask("ptr.corp.example", "PTR").msg.answer[0][0].target.labels[0] == b"0/24"


def test_long_texts(api, zone, synced):
    """4,000 characters in one value, 255 octets in one string, 400 values."""
    zone.put("long", "TXT", 60, [" ".join(['"' + "x" * 255 + '"'] * 15)])
    zone.put("many", "A", 60, [f"10.3.{i // 200}.{i % 200}" for i in range(400)])
    daemon = synced(zones=[zone.id])
    assert [len(s) for s in daemon.ask("long.corp.example", "TXT", tcp=True).msg.answer[0][0].strings] == [255] * 15
    assert len(daemon.ask("many.corp.example", tcp=True).data()) == 400


def test_what_cannot_be_read_is_asked_of_the_resolver(api, zone, synced, vpc):
    """A set that we do not understand is never NXDOMAIN and costs no other set."""
    from resolvers import answer
    zone.put("bad", "A", 60, ["not-an-address"])
    zone.put("badtxt", "TXT", 60, ['"unclosed'])
    zone.put("good", "A", 60, ["10.0.0.2"])
    vpc.on("bad.corp.example", "A", answer("@ 60 A 10.9.9.9"))
    daemon = synced(zones=[zone.id], vpc=VPC_ID)
    assert daemon.ask("good.corp.example").data() == ["10.0.0.2"]
    answer_ = daemon.ask("bad.corp.example")
    assert answer_.data() == ["10.9.9.9"] and answer_.aa
    assert daemon.ask("badtxt.corp.example", "TXT").rcode != "NXDOMAIN" or vpc.count("badtxt.corp.example")
    assert daemon.zone("corp.example")["faults"] == 2
    text = daemon.ctl("zones", "corp.example", "--faults")
    assert "bad.corp.example" in text and "badtxt.corp.example" in text


VPC_ID = "vpc-0a1b2c3d4e5f60718"


def test_unknown_elements_are_passed_over(api, zone, synced):
    """More will come, the facts say: they must not disturb."""
    api.faults.add(operation="ListResourceRecordSets", edit=lambda body: body.replace(
        b"<TTL>60</TTL>", b"<Novel><Name>x</Name><TTL>1</TTL></Novel><TTL>60</TTL>").replace(
        b"<IsTruncated>", b"<Features><Type>A</Type></Features><IsTruncated>"))
    daemon = synced(zones=[zone.id])
    assert daemon.ask("www.corp.example").rrs() == ["www.corp.example. 60 A 10.0.0.1"]


def test_namespace_prefix_entities_and_space(api, zone, synced):
    """The same document as another writer would print it."""
    def edit(body: bytes) -> bytes:
        body = body.replace(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>", b"<?xml version='1.0'?>\n<!-- c -->")
        return body.replace(b"><", b">\n  <").replace(b"10.0.0.1", b"1&#48;.0.<![CDATA[0.1]]>")
    api.faults.add(operation="ListResourceRecordSets", edit=edit)
    daemon = synced(zones=[zone.id])
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


def test_a_number_that_is_none_spoils_its_set_only(api, zone, synced):
    def edit(body: bytes) -> bytes:
        return re.sub(rb"(<Name>www\.corp\.example\.</Name>\s*<Type>A</Type>\s*<TTL>)\d+", rb"\1sixty", body)
    zone.put("other", "A", 60, ["10.0.0.2"])
    api.faults.add(operation="ListResourceRecordSets", edit=edit)
    daemon = synced(zones=[zone.id])
    assert daemon.ask("other.corp.example").data() == ["10.0.0.2"]
    assert daemon.zone("corp.example")["faults"] == 1
    assert "TTL is not a whole number" in daemon.ctl("zones", "corp.example", "--faults")


def test_large_zone(api, zone, synced):
    """10,000 sets, 34 pages: listed, and the questions meanwhile not held up."""
    for i in range(10_000 - 3):
        zone.put(f"n{i:05d}", "A", 60, [f"10.{i // 65536}.{i // 256 % 256}.{i % 256}"])
    daemon = synced(zones=[zone.id], rate=100.0, ready=False)
    slowest = 0.0
    while daemon.zone("corp.example").get("sets", 0) < 10_000:
        slowest = max(slowest, daemon.ask("localhost").took)
    assert slowest < 0.5
    assert daemon.ask("n09996.corp.example").data() == ["10.0.39.12"]
