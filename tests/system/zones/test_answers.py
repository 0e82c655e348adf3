"""What a private zone says: RFC 1034 section 4.3.2, RFC 4592, RFC 2308, and Route 53's own kinds."""

from __future__ import annotations

import collections

import pytest
from resolvers import answer, negative
from standin import World

pytestmark = pytest.mark.quick
SOA = "ns.corp.example. root.corp.example. 1 7200 900 1209600 {minimum}"


@pytest.fixture(scope="module")
def world():
    made = World()
    zone = made.add_zone("corp.example.", apex=False)
    zone.put("", "SOA", 900, [SOA.format(minimum=40)])
    zone.put("", "NS", 172800, ["ns-0.awsdns-00.com.", "ns-512.awsdns-00.net."])
    zone.put("", "MX", 300, ["10 mail.corp.example."])
    zone.put("www", "A", 300, ["10.0.0.1"])
    zone.put("mail", "A", 120, ["10.0.0.25"])
    zone.put("mail", "AAAA", 120, ["fd00::25"])
    zone.put("many", "A", 60, [f"10.0.1.{i}" for i in range(20)])
    zone.put("deep.er.than", "A", 60, ["10.0.0.2"])
    zone.put("*.wild", "A", 60, ["10.0.0.3"])
    zone.put("*.wild", "MX", 60, ["5 mail.corp.example."])
    zone.put("exact.wild", "TXT", 60, ['"exact"'])
    zone.put("below.ent.wild", "A", 60, ["10.0.0.4"])
    zone.put("*.cwild", "CNAME", 60, ["www.corp.example."])
    zone.put("c1", "CNAME", 50, ["c2.corp.example."])
    zone.put("c2", "CNAME", 60, ["www.corp.example."])
    zone.put("cnone", "CNAME", 60, ["none.corp.example."])
    zone.put("loop1", "CNAME", 60, ["loop2.corp.example."])
    zone.put("loop2", "CNAME", 60, ["loop1.corp.example."])
    zone.put("tosub", "CNAME", 60, ["www.sub.corp.example."])
    zone.put("toother", "CNAME", 60, ["www.other.example."])
    zone.put("topublic", "CNAME", 60, ["public.test."])
    zone.put("tocorp", "CNAME", 60, ["www.onprem.test."])
    zone.put("tonone", "CNAME", 60, ["none.onprem.test."])
    zone.put("_sip._tcp", "SRV", 60, ["1 10 5060 mail.corp.example.", "2 10 5060 sip.onprem.test."])
    zone.put("mx2", "MX", 60, ["10 mail.corp.example.", "20 www.sub.corp.example.", "30 mx.public.test."])
    for i, weight in enumerate((0, 10, 30)):
        zone.put("weighted", "A", 60, [f"10.0.2.{i}"], SetIdentifier=f"w{i}", Weight=weight)
        zone.put("zero", "A", 60, [f"10.0.3.{i}"], SetIdentifier=f"z{i}", Weight=0)
    for i in range(12):
        zone.put("multi", "A", 60, [f"10.0.4.{i}"], SetIdentifier=f"m{i}", MultiValueAnswer=True)
    zone.alias("alias", "A", "www.corp.example")
    zone.alias("aliasalias", "A", "alias.corp.example")
    zone.alias("aliasmany", "A", "weighted.corp.example")
    zone.put("a.*.literal", "A", 60, ["10.0.0.7"])
    sub = made.add_zone("sub.corp.example.")
    sub.put("www", "A", 60, ["10.0.5.1"])
    other = made.add_zone("other.example.")
    other.put("www", "A", 60, ["10.0.6.1"])
    return made


@pytest.fixture(scope="module")
def onprem():
    from resolvers import Scripted
    server = Scripted(default=negative("onprem.test.", ttl=30))
    server.on("www.onprem.test", "A", answer("@ 77 A 10.200.0.1"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(launch_module, vpc_module, onprem, world, tmp_path_factory):
    vpc_module.on("public.test", "A", answer("@ 60 A 192.0.2.1"))
    folder = tmp_path_factory.mktemp("zones")
    return launch_module({
        "zone_files": [zone.save(folder / f"{zone.id}.json") for zone in world.zones.values()],
        "vpc_resolver": [vpc_module.target],
        "rules": [{"type": "FORWARD", "domains": ["onprem.test"], "targets": [onprem.target]}],
    })


def rrs(answer_) -> list[str]:
    return answer_.rrs()


def test_exact(server):
    answer_ = server.ask("www.corp.example")
    assert rrs(answer_) == ["www.corp.example. 300 A 10.0.0.1"] and answer_.aa
    assert not answer_.rrs("authority") and not answer_.rrs("additional")


def test_apex(server):
    assert server.ask("corp.example", "SOA").rrs() == \
        ["corp.example. 900 SOA " + SOA.format(minimum=40)]
    assert len(server.ask("corp.example", "NS").data()) == 2


@pytest.mark.parametrize("name, rtype, rcode", [
    ("www.corp.example", "AAAA", "NOERROR"),
    ("than.corp.example", "A", "NOERROR"),  # an empty non-terminal
    ("er.than.corp.example", "TXT", "NOERROR"),
    ("none.corp.example", "A", "NXDOMAIN"),
    ("x.www.corp.example", "A", "NXDOMAIN"),
    ("x.er.than.corp.example", "A", "NXDOMAIN"),
    ("_tcp.corp.example", "A", "NOERROR"),
])
def test_negative(server, name, rtype, rcode):
    answer_ = server.ask(name, rtype)
    assert answer_.rcode == rcode and not answer_.rrs() and answer_.aa
    # min(SOA TTL 900, minimum 40, max_negative_ttl 60)
    assert answer_.rrs("authority") == ["corp.example. 40 SOA " + SOA.format(minimum=40)]


def test_negative_ttl_is_capped(server):
    assert server.ask("none.sub.corp.example").negative_ttl == 60


@pytest.mark.parametrize("name, data", [
    ("x.wild.corp.example", ["10.0.0.3"]),
    ("x.y.z.wild.corp.example", ["10.0.0.3"]),
    ("*.wild.corp.example", ["10.0.0.3"]),
    ("x.exact.wild.corp.example", None),  # the closest encloser is exact.wild: no * below it
    ("x.ent.wild.corp.example", None),
    ("exact.wild.corp.example", []),
    ("ent.wild.corp.example", []),
    ("wild.corp.example", []),
])
def test_wildcards(server, name, data):
    answer_ = server.ask(name)
    assert answer_.aa
    assert answer_.rcode == ("NXDOMAIN" if data is None else "NOERROR")
    assert answer_.data() == (data or [])
    if data:
        assert rrs(answer_) == [f"{name}. 60 A 10.0.0.3"]
    else:
        assert answer_.soa == "corp.example."


def test_wildcard_other_type(server):
    assert server.ask("x.wild.corp.example", "TXT").rcode == "NOERROR"
    answer_ = server.ask("x.wild.corp.example", "MX")
    assert answer_.data() == ["5 mail.corp.example."] and len(answer_.rrs("additional")) == 2


def test_star_is_literal_in_the_middle(server):
    assert server.ask("a.*.literal.corp.example").data() == ["10.0.0.7"]
    assert server.ask("a.b.literal.corp.example").rcode == "NOERROR"  # the empty "*" counts (RFC 4592, 2.2.2)


def test_cname_chain_in_the_zone(server):
    assert rrs(server.ask("c1.corp.example")) == [
        "c1.corp.example. 50 CNAME c2.corp.example.", "c2.corp.example. 60 CNAME www.corp.example.",
        "www.corp.example. 300 A 10.0.0.1"]
    assert rrs(server.ask("c1.corp.example", "CNAME")) == ["c1.corp.example. 50 CNAME c2.corp.example."]
    assert rrs(server.ask("x.cwild.corp.example"))[0] == "x.cwild.corp.example. 60 CNAME www.corp.example."
    nodata = server.ask("c1.corp.example", "AAAA")
    assert nodata.rcode == "NOERROR" and len(rrs(nodata)) == 2 and nodata.soa == "corp.example."


def test_cname_to_nothing(server):
    answer_ = server.ask("cnone.corp.example")
    assert answer_.rcode == "NXDOMAIN" and answer_.soa == "corp.example."
    assert rrs(answer_) == ["cnone.corp.example. 60 CNAME none.corp.example."]


def test_cname_in_a_circle_is_answered(server):
    answer_ = server.ask("loop1.corp.example")
    assert answer_.rcode in ("SERVFAIL", "NOERROR") and answer_.took < 1.0


@pytest.mark.parametrize("name, last", [
    ("tosub", "www.sub.corp.example. 60 A 10.0.5.1"),
    ("toother", "www.other.example. 60 A 10.0.6.1"),
    ("topublic", "public.test. 60 A 192.0.2.1"),
    ("tocorp", "www.onprem.test. 77 A 10.200.0.1"),
])
@pytest.mark.parametrize("tcp", [False, True])
def test_cname_leaves_the_zone(server, name, last, tcp):
    answer_ = server.ask(f"{name}.corp.example", tcp=tcp)
    first, second = rrs(answer_)
    assert first.startswith(f"{name}.corp.example. 60 CNAME ")
    if "corp.example" in last or "other" in last:
        assert second == last
    else:  # from another: its life may have gone down in the cache
        assert second.split()[0::2] == last.split()[0::2] and int(second.split()[1]) <= int(last.split()[1])
    assert answer_.aa and answer_.rcode == "NOERROR"


def test_cname_leaves_for_nothing(server):
    answer_ = server.ask("tonone.corp.example")
    assert answer_.rcode == "NXDOMAIN" and answer_.soa == "onprem.test."
    assert rrs(answer_) == ["tonone.corp.example. 60 CNAME none.onprem.test."]


def test_additional_addresses(server):
    """Those that are ours, no others: nobody is asked for them."""
    answer_ = server.ask("mx2.corp.example", "MX")
    assert sorted(answer_.rrs("additional")) == sorted([
        "mail.corp.example. 120 A 10.0.0.25", "mail.corp.example. 120 AAAA fd00::25",
        "www.sub.corp.example. 60 A 10.0.5.1"])
    answer_ = server.ask("_sip._tcp.corp.example", "SRV")
    assert sorted(answer_.rrs("additional")) == [
        "mail.corp.example. 120 A 10.0.0.25", "mail.corp.example. 120 AAAA fd00::25"]


def test_values_in_random_order(server):
    first = collections.Counter(server.ask("many.corp.example").rrs()[0] for _ in range(200))
    assert len(first) >= 15 and max(first.values()) < 40
    assert len(server.ask("many.corp.example").data()) == 20


def test_weighted(server):
    drawn = collections.Counter(server.ask("weighted.corp.example").data()[0] for _ in range(400))
    assert drawn["10.0.2.0"] == 0, "weight 0 is never drawn beside others"
    assert 0.15 < drawn["10.0.2.1"] / 400 < 0.36, drawn
    assert all(len(server.ask("weighted.corp.example").data()) == 1 for _ in range(10))
    zero = collections.Counter(server.ask("zero.corp.example").data()[0] for _ in range(150))
    assert len(zero) == 3 and min(zero.values()) > 20, "all weights 0: equal shares"


def test_multivalue(server):
    seen = set()
    for _ in range(60):
        data = server.ask("multi.corp.example").data()
        assert len(data) == 8 and len(set(data)) == 8
        seen |= set(data)
    assert len(seen) == 12


def test_alias_in_the_zone(server):
    assert rrs(server.ask("alias.corp.example")) == ["alias.corp.example. 300 A 10.0.0.1"]
    assert rrs(server.ask("aliasalias.corp.example")) == ["aliasalias.corp.example. 300 A 10.0.0.1"]
    assert server.ask("alias.corp.example", "AAAA").soa == "corp.example."
    drawn = {server.ask("aliasmany.corp.example").data()[0] for _ in range(60)}
    assert drawn == {"10.0.2.1", "10.0.2.2"}


def test_most_specific_zone_without_fall_through(server, vpc_module):
    vpc_module.forget()
    answer_ = server.ask("mail.sub.corp.example")
    assert answer_.rcode == "NXDOMAIN" and answer_.soa == "sub.corp.example."
    assert vpc_module.names() == []


def test_asked_in_any_case(server):
    assert server.ask("WWW.Corp.EXAMPLE").data() == ["10.0.0.1"]
    assert server.ask("X.WILD.corp.example").data() == ["10.0.0.3"]
