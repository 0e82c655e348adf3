"""Corporate names pass through as they are: BIND and Unbound on the other side, one zone signed."""

from __future__ import annotations

import re

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import wire
from servers import Bind, Unbound, sign

pytestmark = pytest.mark.quick

ZONE = """$TTL 60
@ IN SOA ns.corp.test. root.corp.test. 1 3600 600 86400 60
@ IN NS ns
ns IN A 10.200.0.53
dc1 IN A 10.200.0.1
dc2 IN A 10.200.0.2
_ldap._tcp.dc._msdcs IN SRV 0 100 389 DC1.Corp.Test.
_ldap._tcp.dc._msdcs IN SRV 0 100 389 dc2.corp.test.
_kerberos._udp IN SRV 0 100 88 dc1
MixedCase IN CNAME Target.MixedCase
Target.MixedCase IN TXT "here"
odd IN TYPE65280 \\# 5 00ff2e40c0
under_score IN A 10.200.0.3
""" + "".join(f'large IN TXT "{i:03} {"x" * 200}"\n' for i in range(12)) + \
    "".join(f"_gc._tcp IN SRV 0 100 3268 controller-{i:03}.site-{i:03}.ad.corp.test.\n" for i in range(60))
REVERSE = """$TTL 60
@ IN SOA ns.corp.test. root.corp.test. 1 3600 600 86400 60
@ IN NS ns.corp.test.
1.0 IN PTR DC1.Corp.Test.
2.0 IN PTR dc2.corp.test.
"""
SIGNED = """$TTL 60
@ IN SOA ns.signed.test. root.signed.test. 1 3600 600 86400 60
@ IN NS ns
ns IN A 10.200.1.53
www IN A 10.200.1.1
alias IN CNAME www
bad IN A 10.200.1.2
"""


@pytest.fixture(scope="module")
def corporate(tmp_path_factory):
    """BIND with all zones; Unbound that validates the signed one, in which one record was changed afterwards."""
    folder = tmp_path_factory.mktemp("corporate")
    path, anchor = sign(folder / "keys", "signed.test", SIGNED)
    path.write_text(re.sub(r"10\.200\.1\.2\b", "10.200.1.66", path.read_text()))
    bind = Bind(folder / "bind", {"corp.test": ZONE, "200.10.in-addr.arpa": REVERSE, "signed.test": path}).start()
    stub = "\n".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {bind.address}@{bind.port}'
                     for zone in ("signed.test",))
    unbound = Unbound(folder / "unbound", "local.test", ["host.local.test. 60 A 10.200.2.1"],
                      f'  local-zone: "test." nodefault\n  trust-anchor: "{anchor}"\n{stub}')
    conf = folder / "unbound" / "unbound.conf"
    conf.write_text(conf.read_text().replace('module-config: "iterator"', 'module-config: "validator iterator"'))
    unbound.start()
    yield bind, unbound
    unbound.stop()
    bind.stop()


@pytest.fixture
def daemon(launch, vpc, corporate):
    """The signed zone directly (sub-domain of no rule) by BIND, and by the validating Unbound."""
    bind, unbound = corporate
    return launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test", "10.200.0.0/16"], "targets": [bind.target]},
        {"type": "FORWARD", "domains": ["signed.test"], "targets": [unbound.target]}]})


def raw(daemon, name: str, rtype: str, tcp: bool = False, **more) -> dns.message.Message:
    packet = wire.build(name, rtype, **more)
    reply = daemon.tcp(packet) if tcp else daemon.udp(packet)
    wire.check(packet, reply, udp=not tcp)
    return dns.message.from_wire(reply)


def test_directory_service_lookups(daemon):
    """What Windows hosts ask to find a domain controller; names in the data keep their case."""
    found = daemon.ask("_ldap._tcp.dc._msdcs.corp.test", "SRV")
    assert found.data() == ["0 100 389 DC1.Corp.Test.", "0 100 389 dc2.corp.test."]
    assert daemon.ask("_LDAP._TCP.DC._MSDCS.Corp.Test", "SRV").data() == found.data()
    assert daemon.ask("_kerberos._udp.corp.test", "SRV").data() == ["0 100 88 dc1.corp.test."]
    assert daemon.ask("under_score.corp.test").data() == ["10.200.0.3"]
    assert daemon.ask("1.0.200.10.in-addr.arpa", "PTR").data() == ["DC1.Corp.Test."]
    assert daemon.ask("3.0.200.10.in-addr.arpa", "PTR").rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["mixedcase.corp.test", "MIXEDcase.Corp.TEST"])
def test_case_of_records(daemon, name):
    for _ in range(2):  # from upstream, then from the cache
        found = raw(daemon, name, "TXT")
        assert str(found.question[0].name) == name + "."
        assert str(found.answer[0].name) == name + "."
        assert str(found.answer[0][0].target).startswith("Target.MixedCase.")
        assert [str(rr) for rr in found.answer[1]] == ['"here"']


def test_unknown_types(daemon):
    for _ in range(2):
        found = raw(daemon, "odd.corp.test", "TYPE65280")
        assert [rr.to_generic().data for rr in found.answer[0]] == [bytes.fromhex("00ff2e40c0")]
    assert daemon.ask("odd.corp.test", "TYPE65281").rcode == "NOERROR"


@pytest.mark.parametrize("name, rtype, count", [("large.corp.test", "TXT", 12), ("_gc._tcp.corp.test", "SRV", 60)])
def test_large_answers(daemon, name, rtype, count):
    """Over 1232 octets: TC, and whole by TCP; nothing is cut in half."""
    short = raw(daemon, name, rtype, edns=True, size=4096)
    assert short.flags & dns.flags.TC and len(short.answer) in (0, 1)
    whole = raw(daemon, name, rtype, tcp=True, edns=True)
    assert not whole.flags & dns.flags.TC and len(whole.answer[0]) == count
    assert len(raw(daemon, name, rtype, tcp=True).answer[0]) == count


def types(message: dns.message.Message) -> set[str]:
    return {dns.rdatatype.to_text(rrset.rdtype) for rrset in message.answer}


def test_signatures_with_do(daemon):
    for _ in range(2):
        assert types(raw(daemon, "www.signed.test", "A", do=True)) == {"A", "RRSIG"}
        assert types(raw(daemon, "alias.signed.test", "A", do=True)) == {"A", "CNAME", "RRSIG"}
        assert types(raw(daemon, "www.signed.test", "A", edns=True)) == {"A"}
    assert types(raw(daemon, "signed.test", "DNSKEY", do=True)) == {"DNSKEY", "RRSIG"}
    missing = raw(daemon, "none.signed.test", "A", do=True)
    assert missing.rcode() == 3 and {"NSEC", "RRSIG", "SOA"} == \
        {dns.rdatatype.to_text(rrset.rdtype) for rrset in missing.authority}


def test_ad_of_those_who_validate(daemon):
    """To clients who look at it: with DO or AD. From the cache as from upstream."""
    for _ in range(2):
        assert raw(daemon, "www.signed.test", "A", do=True).flags & dns.flags.AD
        assert raw(daemon, "www.signed.test", "A", ad=True).flags & dns.flags.AD
        assert not raw(daemon, "www.signed.test", "A").flags & dns.flags.AD
        assert not raw(daemon, "dc1.corp.test", "A", do=True).flags & dns.flags.AD


def test_cd_is_passed_on(daemon):
    """A record that was tampered with: refused, unless the client says that it checks for itself; never mixed up."""
    for _ in range(2):
        assert daemon.ask("bad.signed.test").rcode == "SERVFAIL"
        checked = raw(daemon, "bad.signed.test", "A", cd=True)
        assert [str(rr) for rr in checked.answer[0]] == ["10.200.1.66"]
        assert not checked.flags & dns.flags.AD and checked.flags & dns.flags.CD


def test_private_names_know_no_dnssec(launch, vpc, corporate, tmp_path):
    """As the VPC resolver has it: DO and CD change nothing, AD is never set, not for what a CNAME leads to either."""
    import json
    bind, unbound = corporate
    sets = [{"Name": "zone.test.", "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "a. b. 1 7200 900 1209600 86400"}]},
            {"Name": "www.zone.test.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]},
            {"Name": "to.zone.test.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "www.signed.test"}]}]
    (tmp_path / "zone.json").write_text(json.dumps({"ResourceRecordSets": sets}))
    daemon = launch({"vpc_resolver": [vpc.target], "zone_files": [str(tmp_path / "zone.json")], "rules": [
        {"type": "FORWARD", "domains": ["signed.test"], "targets": [unbound.target]}]})
    for name in ("www.zone.test", "none.zone.test", "to.zone.test"):
        plain = raw(daemon, name, "A", edns=True)
        for more in ({"do": True}, {"cd": True, "edns": True}, {"ad": True, "edns": True}):
            other = raw(daemon, name, "A", **more)
            assert not other.flags & dns.flags.AD and other.rcode() == plain.rcode()
            assert other.flags & dns.flags.AA == plain.flags & dns.flags.AA
            if name != "to.zone.test":
                assert other.answer == plain.answer
    assert types(raw(daemon, "to.zone.test", "A", do=True)) == {"CNAME", "A", "RRSIG"}
