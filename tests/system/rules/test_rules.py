"""Which way a name goes: rules, zones and autodefined names by longest match (facts: D1 to D7)."""

from __future__ import annotations

import dns.reversename
import pytest
from resolvers import Scripted, answer
from servers import Dnsmasq, Unbound
from standin import World

pytestmark = pytest.mark.quick


def says(address: str) -> Scripted:
    """A server that answers every A with its own address, every other question with a TXT of it."""
    server = Scripted(default=answer(f'@ 60 TXT "{address}"'))
    server.default = lambda seen: answer(
        f"@ 60 A {address}" if seen.rtype == "A" else f"@ 60 PTR host-{address}.test."
        if seen.rtype == "PTR" else f'@ 60 TXT "{address}"')(seen)
    return server


@pytest.fixture(scope="module")
def servers():
    made = {name: says(f"10.99.0.{i}") for i, name in enumerate(("vpc", "corp", "lab", "rev", "dot", "zone"))}
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def daemon(launch_module, servers, tmp_path_factory):
    world = World()
    aws = world.add_zone("aws.corp.test.")
    aws.put("www", "A", 60, ["10.0.0.1"])
    same = world.add_zone("same.test.")
    same.put("www", "A", 60, ["10.0.0.2"])
    under = world.add_zone("under.corp.test.")
    under.put("www", "A", 60, ["10.0.0.3"])
    folder = tmp_path_factory.mktemp("zones")
    to = {name: [server.target] for name, server in servers.items()}
    return launch_module({
        "zone_files": [z.save(folder / f"{z.id}.json") for z in world.zones.values()],
        "vpc_resolver": to["vpc"], "vpc_cidrs": ["10.20.0.0/16", "100.64.0.0/20"],
        "rules": [
            {"type": "FORWARD", "domains": ["corp.test", "10.0.0.0/8", "172.16.0.0/12", "192.0.2.128/26",
                                            "198.51.96.0/19", "fd00:1234::/33"], "targets": to["corp"]},
            {"type": "FORWARD", "domains": ["lab.corp.test", "10.7.0.0/16"], "targets": to["lab"]},
            {"type": "SYSTEM", "domains": ["sys.corp.test"]},
            {"type": "FORWARD", "domains": ["deep.sys.corp.test"], "targets": to["lab"]},
            {"type": "FORWARD", "domains": ["same.test"], "targets": to["zone"]},
            {"type": "SYSTEM", "domains": ["under.corp.test"]},
        ]})


def who(daemon, servers, name: str, rtype: str = "A") -> str:
    """Which server was asked; "" when none."""
    for server in servers.values():
        server.forget()
    daemon.ask(name, rtype)
    asked = [key for key, server in servers.items() if server.count(name)]
    assert len(asked) <= 1, f"{name} went to {asked}"
    return asked[0] if asked else ""


@pytest.mark.parametrize("name, where", [
    ("www.public.test", "vpc"),
    ("corp.test", "corp"),
    ("www.corp.test", "corp"),
    ("CASE.Corp.TEST", "corp"),
    ("notcorp.test", "vpc"),  # whole labels only
    ("lab.corp.test", "lab"),
    ("a.b.lab.corp.test", "lab"),
    ("xlab.corp.test", "corp"),
    ("sys.corp.test", "vpc"),
    ("a.sys.corp.test", "vpc"),
    ("b.deep.sys.corp.test", "lab"),
    ("www.aws.corp.test", ""),  # the zone is more specific than the rule
    ("none.aws.corp.test", ""),
    ("www.same.test", "zone"),  # for one name the rule beats the zone (D3)
    ("www.under.corp.test", ""),  # SYSTEM gives it back to the zone
])
def test_longest_match(daemon, servers, name, where):
    assert who(daemon, servers, name) == where


def test_answers_of_zones_among_rules(daemon):
    assert daemon.ask("www.aws.corp.test").data() == ["10.0.0.1"] and daemon.ask("www.aws.corp.test").aa
    assert daemon.ask("www.same.test").data() == ["10.99.0.5"] and not daemon.ask("www.same.test").aa
    assert daemon.ask("www.under.corp.test").data() == ["10.0.0.3"]


@pytest.mark.parametrize("address, where", [
    ("10.1.2.3", "corp"),
    ("10.7.2.3", "lab"),  # a longer prefix
    ("10.20.2.3", "vpc"),  # the VPC's own CIDR is autodefined, and more specific
    ("10.21.2.3", "corp"),
    ("100.64.15.1", "vpc"),
    ("172.15.0.1", "vpc"),  # /12: 16 to 31
    ("172.16.0.1", "corp"),
    ("172.31.255.254", "corp"),
    ("172.32.0.1", "vpc"),
    ("192.0.2.127", "vpc"),  # /26: single addresses
    ("192.0.2.128", "corp"),
    ("192.0.2.191", "corp"),
    ("192.0.2.192", "vpc"),
    ("198.51.95.1", "vpc"),  # /19
    ("198.51.96.1", "corp"),
    ("198.51.127.1", "corp"),
    ("198.51.128.1", "vpc"),
    ("fd00:1234::1", "corp"),  # /33: half a nibble
    ("fd00:1234:7fff::1", "corp"),
    ("fd00:1234:8000::1", "vpc"),
    ("192.168.1.1", "vpc"),
])
def test_reverse_names_by_cidr(daemon, servers, address, where):
    name = str(dns.reversename.from_address(address))
    assert who(daemon, servers, name, "PTR") == where


def test_two_rules_meet_in_a_chain(launch, tmp_path):
    """A CNAME over three rules comes back whole, each part from who speaks for it."""
    first, second, vpc = Scripted(), Scripted(), Scripted()
    first.on("a.one.test", "A", answer("@ 60 CNAME b.two.test."))
    second.on("b.two.test", "A", answer("@ 50 CNAME c.zone.test."))
    vpc.on("c.pub.test", "A", answer("@ 40 A 192.0.2.9"))
    zone = World().add_zone("zone.test.")
    zone.put("c", "CNAME", 30, ["c.pub.test."])
    daemon = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["one.test"], "targets": [first.target]},
        {"type": "FORWARD", "domains": ["two.test"], "targets": [second.target]}]})
    assert daemon.ask("a.one.test").rrs() == [
        "a.one.test. 60 CNAME b.two.test.", "b.two.test. 50 CNAME c.zone.test.",
        "c.zone.test. 30 CNAME c.pub.test.", "c.pub.test. 40 A 192.0.2.9"]
    assert not daemon.ask("a.one.test").aa
    for server in (first, second, vpc):
        server.stop()


def test_dot_rule_spares_zones_and_autodefined(launch, servers, tmp_path):
    """D5: a rule for "." takes neither private zones nor the VPC's own names."""
    zone = World().add_zone("aws.corp.test.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    daemon = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_cidrs": ["10.20.0.0/16"],
                     "vpc_resolver": [servers["vpc"].target],
                     "route53": {"vpc": "", "region": "eu-west-1", "zones": []},
                     "rules": [{"type": "FORWARD", "domains": ["."], "targets": [servers["dot"].target]}]},
                    {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                     "AWS_ENDPOINT_URL_ROUTE_53": "http://127.0.0.1:1"}, ready=False)
    assert who(daemon, servers, "www.public.test") == "dot"
    assert who(daemon, servers, "www.aws.corp.test") == ""
    assert who(daemon, servers, "ip-10-20-0-1.eu-west-1.compute.internal") == "vpc"
    assert who(daemon, servers, "1.0.20.10.in-addr.arpa", "PTR") == "vpc"
    assert daemon.ask("localhost").data() == ["127.0.0.1"]


def test_real_corporate_servers(launch, vpc, tmp_path):
    """Unbound and dnsmasq as they come from Debian."""
    unbound = Unbound(tmp_path / "unbound", "corp.test.", [
        "www.corp.test. 300 A 10.200.0.1", "www.corp.test. 300 TXT \"hello\"",
        "alias.corp.test. 300 CNAME www.corp.test.", "1.0.200.10.in-addr.arpa. 300 PTR www.corp.test."]).start()
    dnsmasq = Dnsmasq(tmp_path / "dnsmasq", "host.lab.test", [
        "local=/lab.test/", "host-record=host.lab.test,10.201.0.1", "local-ttl=60",
        "cname=other.lab.test,host.lab.test", "local=/201.10.in-addr.arpa/"]).start()
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test", "10.200.0.0/16"], "targets": [unbound.target]},
        {"type": "FORWARD", "domains": ["lab.test", "10.201.0.0/16"], "targets": [dnsmasq.target]}]})
    for tcp in (False, True):
        assert daemon.ask("www.corp.test", tcp=tcp).data() == ["10.200.0.1"]
        assert daemon.ask("alias.corp.test", tcp=tcp).data("A") == ["10.200.0.1"]
        assert daemon.ask("1.0.200.10.in-addr.arpa", "PTR", tcp=tcp).data() == ["www.corp.test."]
        assert daemon.ask("none.corp.test", tcp=tcp).rcode == "NXDOMAIN"
        assert daemon.ask("host.lab.test", tcp=tcp).data() == ["10.201.0.1"]
        assert daemon.ask("other.lab.test", tcp=tcp).data("A") == ["10.201.0.1"]
        assert daemon.ask("1.0.201.10.in-addr.arpa", "PTR", tcp=tcp).data() == ["host.lab.test."]
        assert daemon.ask("none.lab.test", tcp=tcp).rcode == "NXDOMAIN"
    unbound.stop()
    dnsmasq.stop()
