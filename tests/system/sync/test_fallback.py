"""Names that a zone lacks, asked of the public DNS; kept answers that a change of the zone makes old."""

from __future__ import annotations

import net
from resolvers import answer, negative, turns

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")


def test_public_fallback(api, zone, synced, vpc, corp):
    """Only for names, only in that zone; AA stays; a reload ends it."""
    other = api.world.add_zone("other.example.", vpcs=[VPC])
    corp.on("shop.corp.example", "A", answer("@ 60 A 198.51.100.1"))
    corp.on("nix.corp.example", "A", negative("example."))
    daemon = synced(zones=[zone.id, other.id], public_fallback=["corp.example"], public_resolver=[corp.target])
    got = daemon.ask("shop.corp.example")
    assert got.data() == ["198.51.100.1"] and got.aa
    assert daemon.ask("nix.corp.example").rcode == "NXDOMAIN"
    assert daemon.ask("www.corp.example", "AAAA").soa == "corp.example."
    assert daemon.ask("shop.other.example").rcode == "NXDOMAIN"
    assert vpc.count("shop.corp.example") == 0 and corp.count("shop.other.example") == 0
    assert "public resolver" in daemon.ctl("explain", "nix2.corp.example")
    assert any(u["rule"] == "public" for u in daemon.ctl_json("upstreams")["upstreams"])
    zone.put("shop", "A", 60, ["10.0.0.7"])
    daemon.wait_answer("shop.corp.example", "A", ["10.0.0.7"])


def test_added_dynamic_set_is_seen_at_once(api, synced, vpc):
    """The VPC resolver said no before the set was there."""
    elb = {"zone_id": "Z32O12XQLNTSW2"}
    zone = api.world.add_zone("dyn.example.", vpcs=[VPC])
    zone.alias("kept", "A", "lb-1.eu-west-1.elb.amazonaws.com.", **elb)
    zone.alias("comes", "A", "lb-2.eu-west-1.elb.amazonaws.com.", **elb)
    vpc.on("kept.dyn.example", "A", answer("@ 300 A 10.70.0.1"))
    vpc.on("comes.dyn.example", "A", turns(negative("dyn.example.", "NOERROR"), answer("@ 60 A 10.70.0.2")))
    daemon = synced(vpc=VPC[0])
    assert daemon.ask("kept.dyn.example").data() == ["10.70.0.1"]
    assert daemon.ask("comes.dyn.example").data() == []
    zone.remove("comes", "A")
    net.wait_for(lambda: daemon.ask("comes.dyn.example").rcode == "NXDOMAIN", 10, "the set is gone", every=0.1)
    zone.alias("comes", "A", "lb-2.eu-west-1.elb.amazonaws.com.", **elb)
    daemon.wait_answer("comes.dyn.example", "A", ["10.70.0.2"])
    assert daemon.ask("kept.dyn.example").data() == ["10.70.0.1"]
    assert vpc.count("kept.dyn.example", "A") == 1, "what has not changed stays kept"


def test_new_zone_forgets_public_answers(api, zone, synced, vpc):
    vpc.on("elb.fresh.example", "A", turns(answer("@ 300 A 198.51.100.1"), answer("@ 60 A 10.70.0.1")))
    daemon = synced(vpc=VPC[0])
    assert daemon.ask("elb.fresh.example").data() == ["198.51.100.1"]
    fresh = api.world.add_zone("fresh.example.", vpcs=[VPC])
    fresh.alias("elb", "A", "lb-1.eu-west-1.elb.amazonaws.com.", zone_id="Z32O12XQLNTSW2")
    daemon.wait_answer("elb.fresh.example", "A", ["10.70.0.1"])
