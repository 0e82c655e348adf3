"""Zones found by VPC, dynamic sets, and who may be asked for them."""

from __future__ import annotations

import net
import pytest
from resolvers import answer, fail, negative, turns, silent
from standin.world import SOA

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")


@pytest.fixture
def zones(api):
    made = [api.world.add_zone(f"z{i}.example.", vpcs=[VPC]) for i in range(5)]
    for i, zone in enumerate(made):
        zone.put("www", "A", 60, [f"10.0.{i}.1"])
    return made


def test_by_vpc(api, zones, synced):
    """All pages of ListHostedZonesByVPC; zones of others are known and left to the resolver."""
    api.service.page_zones = 2
    api.world.add_zone("elsewhere.example.", vpcs=[("vpc-other", VPC[1])]).put("www", "A", 60, ["10.9.9.9"])
    daemon = synced(vpc=VPC[0])
    for i in range(5):
        assert daemon.ask(f"www.z{i}.example").data() == [f"10.0.{i}.1"]
        assert daemon.zone(f"z{i}.example")["associated"] is True
    assert daemon.ask("www.elsewhere.example").rcode == "NXDOMAIN"
    assert not daemon.zone("elsewhere.example")


def test_vpc_and_region_from_metadata(api, zones, synced, metadata):
    metadata.region = VPC[1]
    daemon = synced(vpc="auto", region="auto",
                    env={"AWS_EC2_METADATA_DISABLED": "false",
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url})
    assert daemon.ask("www.z3.example").data() == ["10.0.3.1"]
    call = next(c for c in api.calls if c.operation == "ListHostedZonesByVPC")
    assert (call.params["VPCId"], call.params["VPCRegion"]) == VPC


def test_zones_come_and_go(api, zones, synced):
    daemon = synced(vpc=VPC[0])
    fresh = api.world.add_zone("fresh.example.", vpcs=[VPC])
    fresh.put("www", "A", 60, ["10.1.1.1"])

    def looked(check):
        def look():
            daemon.ctl("sync", code=None)
            return check()
        return look
    net.wait_for(looked(lambda: daemon.ask("www.fresh.example").data() == ["10.1.1.1"]), 15, "the new zone",
                 every=0.3)
    zones[0].vpcs = []
    net.wait_for(looked(lambda: not daemon.ask("www.z0.example").aa), 15, "the zone that left", every=0.3)
    assert daemon.ask("www.z1.example").data() == ["10.0.1.1"]


def test_zones_by_tag(api, synced):
    """Found over several pages and calls, kept over a restart without the API, dropped when seen untagged twice."""
    zones = [api.world.add_zone(f"t{n}.example.") for n in range(25)]
    for n, zone in enumerate(zones):
        zone.put("www", "A", 60, [f"10.0.1.{n}"])
        zone.tags = {"owner": "dns", **({"dns": "horizond"} if n % 12 == 0 else {"dns": "other"})}
    api.world.add_zone("public.example.", private=False).tags = {"dns": "horizond"}
    daemon = synced(tags=["dns=horizond", "whatever"])
    assert {z["name"] for z in daemon.ctl_json("zones")["zones"]} == {"t0.example.", "t12.example.", "t24.example."}
    assert daemon.ask("www.t24.example").data() == ["10.0.1.24"]
    assert all(len(call.params["ResourceIds"]) <= 10 for call in api.calls if call.operation == "ListTagsForResources")
    zones[3].tags = {"whatever": "here"}
    daemon.ctl("sync")
    daemon.wait_answer("www.t3.example", "A", ["10.0.1.3"])
    net.wait_for(lambda: all(z["kept"] for z in daemon.ctl_json("zones")["zones"]), 5, "all are on disk")
    daemon.stop()
    api.faults.add(status=500, times=1_000_000)
    daemon.start()
    assert daemon.ask("www.t3.example").data() == ["10.0.1.3"]
    api.faults.clear()
    zones[0].tags = {}
    net.wait_for(lambda: len(daemon.ctl_json("zones")["zones"]) == 3, 20, "it is dropped")
    assert len(daemon.log("t0.example.*no longer tagged")) == 1
    assert daemon.ask("www.t12.example").data() == ["10.0.1.12"]


def test_failed_discovery_keeps_all(api, zones, synced):
    daemon = synced(vpc=VPC[0])
    api.faults.add(operation="ListHostedZonesByVPC", body=(
        b'<?xml version="1.0"?><html><body>captive</body></html>'))
    before = api.count("ListHostedZonesByVPC")
    for _ in range(3):
        daemon.ctl("sync", code=None)
    net.wait_for(lambda: api.count("ListHostedZonesByVPC") > before + 1, 10, "looks")
    for i in range(5):
        assert daemon.ask(f"www.z{i}.example").data() == [f"10.0.{i}.1"]


def test_zone_of_another_account(api, zones, synced, vpc):
    """Listed by VPC, but not ours to read: ready all the same, its names asked of the resolver."""
    efs = api.world.add_zone("efs.example.", vpcs=[VPC], owner={"OwningService": "efs.amazonaws.com"})
    efs.denied = True
    vpc.on("fs.efs.example", "A", answer("@ 60 A 10.8.8.8"))
    daemon = synced(vpc=VPC[0])
    assert daemon.ask("fs.efs.example").data() == ["10.8.8.8"]
    assert daemon.ask("www.z1.example").data() == ["10.0.1.1"]


@pytest.fixture
def dynamic(api):
    zone = api.world.add_zone("dyn.example.", vpcs=[VPC])
    zone.put("plain", "A", 60, ["10.0.0.1"])
    zone.alias("elb", "A", "lb-1.eu-west-1.elb.amazonaws.com.", zone_id="Z32O12XQLNTSW2")
    zone.put("health", "A", 60, ["10.0.0.2"], SetIdentifier="a", Weight=1,
             HealthCheckId="0f0e0d0c-0000-4000-8000-000000000000")
    zone.put("lat", "A", 60, ["10.0.0.3"], SetIdentifier="eu", Region="eu-west-1")
    zone.put("fail", "A", 60, ["10.0.0.4"], SetIdentifier="p", Failover="PRIMARY")
    zone.put("fail", "A", 60, ["10.0.0.5"], SetIdentifier="s", Failover="SECONDARY")
    zone.put("toelb", "CNAME", 60, ["elb.dyn.example."])
    return zone


def test_dynamic_sets_are_asked_of_the_resolver(api, dynamic, synced, vpc):
    """Under the record's own name, with AA, because only it knows health and region."""
    for i, name in enumerate(("elb", "health", "lat", "fail")):
        vpc.on(f"{name}.dyn.example", "A", answer(f"@ 60 A 10.70.0.{i}"))
    daemon = synced(vpc=VPC[0])
    for i, name in enumerate(("elb", "health", "lat", "fail")):
        answer_ = daemon.ask(f"{name}.dyn.example")
        assert answer_.data() == [f"10.70.0.{i}"] and answer_.aa, name
    assert daemon.ask("toelb.dyn.example").data("A") == ["10.70.0.0"]
    assert vpc.count("lb-1.eu-west-1.elb.amazonaws.com") == 0
    vpc.forget()
    assert daemon.ask("plain.dyn.example").data() == ["10.0.0.1"] and not vpc.names()
    assert daemon.ask("elb.dyn.example", "AAAA").soa == "dyn.example.", "an alias answers for its own type"


def test_dynamic_answers_outlive_the_resolver(api, dynamic, synced, vpc):
    """Last known good answers are kept."""
    vpc.on("elb.dyn.example", "A", turns(answer("@ 1 A 10.70.0.1"), silent()))
    daemon = synced(vpc=VPC[0])
    assert daemon.ask("elb.dyn.example").data() == ["10.70.0.1"]
    import time
    time.sleep(1.3)
    again = daemon.ask("elb.dyn.example")
    assert again.data() == ["10.70.0.1"] and again.took < 1.8


def test_not_associated_is_known(api, synced, vpc):
    """A zone by id that our VPC does not see."""
    zone = api.world.add_zone("far.example.", vpcs=[("vpc-far", "eu-west-1")])
    zone.put("www", "A", 60, ["10.0.0.1"])
    daemon = synced(vpc=VPC[0], zones=[zone.id])
    assert daemon.ask("www.far.example").data() == ["10.0.0.1"]
    assert daemon.zone("far.example")["associated"] is False


def test_association_by_soa(api, dynamic, synced, vpc):
    """Without the right to list by VPC the resolver's SOA decides."""
    api.service.deny_by_vpc = True
    vpc.on("dyn.example", "SOA", answer(f"@ 900 SOA {SOA}"))
    vpc.on("elb.dyn.example", "A", answer("@ 60 A 10.70.0.1"))
    daemon = synced(vpc=VPC[0], zones=[dynamic.id])
    net.wait_for(lambda: daemon.zone("dyn.example").get("associated"), 10, "associated")
    assert daemon.ask("elb.dyn.example").data() == ["10.70.0.1"]


def test_association_not_by_a_public_soa(api, dynamic, synced, vpc):
    api.service.deny_by_vpc = True
    vpc.on("dyn.example", "SOA", answer("@ 900 SOA ns1.public.test. root.public.test. 9 1 1 1 60"))
    daemon = synced(vpc=VPC[0], zones=[dynamic.id])
    assert daemon.ask("plain.dyn.example").data() == ["10.0.0.1"]
    assert daemon.zone("dyn.example")["associated"] is False


def test_delegated_name_is_the_resolvers(api, zones, synced, vpc):
    """NS below the apex: not ours to answer, not NXDOMAIN."""
    zones[0].put("deleg", "NS", 300, ["ns1.elsewhere.test."])
    vpc.on("host.deleg.z0.example", "A", answer("@ 60 A 10.6.6.6"))
    daemon = synced(vpc=VPC[0])
    assert daemon.ask("host.deleg.z0.example").data() == ["10.6.6.6"]


def test_servfail_of_the_resolver_is_told(api, dynamic, synced, vpc):
    vpc.on("elb.dyn.example", "A", fail("SERVFAIL"))
    daemon = synced(vpc=VPC[0])
    answer_ = daemon.ask("elb.dyn.example", edns=True)
    assert answer_.rcode == "SERVFAIL" and answer_.ede and answer_.took < 1.8
    vpc.on("health.dyn.example", "A", negative("dyn.example.", "NOERROR"))
    assert daemon.ask("health.dyn.example").rcode == "NOERROR"


CHECK = "0f0e0d0c-0000-4000-8000-00000000000"


@pytest.fixture
def far(api):
    """A zone of another VPC, with every kind of dynamic set."""
    zone = api.world.add_zone("far.example.", vpcs=[("vpc-far", "eu-west-1")])
    zone.put("www", "A", 60, ["10.0.0.1"])
    zone.alias("elb", "A", "lb-1.eu-west-1.elb.amazonaws.com.", zone_id="Z32O12XQLNTSW2")
    zone.alias("", "A", "lb-1.eu-west-1.elb.amazonaws.com.", zone_id="Z32O12XQLNTSW2")
    zone.alias("gone", "A", "lb-2.eu-west-1.elb.amazonaws.com.", zone_id="Z32O12XQLNTSW2")
    zone.put("fail", "A", 60, ["10.0.0.4"], SetIdentifier="p", Failover="PRIMARY", HealthCheckId=CHECK + "1")
    zone.put("fail", "A", 60, ["10.0.0.5"], SetIdentifier="s", Failover="SECONDARY")
    zone.put("both", "A", 60, ["10.0.1.1"], SetIdentifier="a", Weight=1, HealthCheckId=CHECK + "1")
    zone.put("both", "A", 60, ["10.0.1.2"], SetIdentifier="b", Weight=1, HealthCheckId=CHECK + "2")
    zone.put("lat", "A", 60, ["10.0.2.1"], SetIdentifier="us", Region="us-east-1")
    zone.put("lat", "A", 60, ["10.0.2.2"], SetIdentifier="uk", Region="eu-west-2")
    zone.put("geo", "A", 60, ["10.0.3.1"], SetIdentifier="eu", GeoLocation={"ContinentCode": "EU"})
    zone.put("geo", "A", 60, ["10.0.3.2"], SetIdentifier="any", GeoLocation={"CountryCode": "*"})
    zone.put("usa", "A", 60, ["10.0.3.3"], SetIdentifier="us", GeoLocation={"CountryCode": "US"})
    zone.put("deleg", "NS", 300, ["ns1.elsewhere.test."])
    api.world.health = {CHECK + "1": 0.1, CHECK + "2": 0.5}
    return zone


def test_not_associated_alias_is_reckoned(api, far, synced, vpc):
    """The target is asked of the resolver; its addresses come under the alias's own name, CNAMEs unseen."""
    target = "lb-1.eu-west-1.elb.amazonaws.com"
    vpc.on(target, "A", answer("@ 300 CNAME x.elb.amazonaws.com.", "x.elb.amazonaws.com. 40 A 10.70.0.1"))
    daemon = synced(vpc=VPC[0], zones=[far.id])
    for name in ("elb.far.example", "far.example"):
        got = daemon.ask(name)
        assert got.data() == ["10.70.0.1"] and got.aa and not got.data("CNAME")
    assert vpc.count("elb.far.example") == 0 and vpc.count(target, "A") == 1
    gone = daemon.ask("gone.far.example")
    assert gone.rcode == "NOERROR" and not gone.data() and gone.soa == "far.example."
    assert daemon.metric("horizond_answers_from_total", source="reckoned") == 3
    explained = daemon.ctl_json("explain", "elb.far.example")
    assert explained["source"] == "reckoned" and "alias" in explained["class"]


def test_not_associated_policies_are_reckoned(api, far, synced, vpc):
    """By the health that is known, and from the region in the settings."""
    daemon = synced(vpc=VPC[0], zones=[far.id])
    net.wait_for(lambda: daemon.metric("horizond_health_checks", state="unhealthy") == 1 and
                 daemon.metric("horizond_health_checks", state="healthy") == 1, 15, "the health of both checks")
    wanted = {"fail": ["10.0.0.5"], "both": ["10.0.1.2"], "lat": ["10.0.2.2"], "geo": ["10.0.3.1"], "usa": []}
    for name, data in wanted.items():
        got = daemon.ask(f"{name}.far.example")
        assert (got.rcode, got.data(), got.aa) == ("NOERROR", data, True), name
    assert not [name for name in vpc.names() if "far.example" in name]
    deleg = daemon.ask("host.deleg.far.example", edns=True)
    assert deleg.rcode == "SERVFAIL" and deleg.ede
    zone = daemon.ctl_json("zones", "far.example")["zones"][0]
    assert zone["reckoned"] and "ListHostedZonesByVPC" in zone["association"]
    assert {check["id"][-1]: check["health"] for check in zone["health_checks"]} == {
        "1": "not healthy", "2": "healthy"}
    text = daemon.ctl("zones", "far.example")
    assert "routing policy" in text and "reckoned" in text and "not healthy" in text


def test_health_is_not_asked_without_need(api, dynamic, synced):
    daemon = synced(vpc=VPC[0])
    net.wait_for(lambda: api.count("ListResourceRecordSets") > 2, 10, "looks")
    assert api.count("GetHealthCheckStatus") == 0
    zone = daemon.ctl_json("zones", "dyn.example")["zones"][0]
    assert not zone["reckoned"] and not zone["health_checks"]
    assert {row["class"]: row["count"] for row in zone["classes"]} == {
        "static": 4, "alias": 1, "health check": 1, "routing policy": 2, "fault": 0}


def test_health_without_the_right_is_healthy(api, far, synced):
    api.faults.add(operation="GetHealthCheckStatus", code="AccessDenied")
    daemon = synced(vpc=VPC[0], zones=[far.id])
    net.wait_for(lambda: api.count("GetHealthCheckStatus") > 0, 10, "a look at health")
    assert daemon.ask("fail.far.example").data() == ["10.0.0.4"]
    net.wait_for(lambda: daemon.log("counts? as healthy"), 5, "a line that says so")


def test_health_of_calculated_checks_is_a_metric(api, far, synced):
    """GetHealthCheckStatus refuses them; CloudWatch knows."""
    api.world.health = {CHECK + "1": None, CHECK + "2": None}
    api.world.metric = {CHECK + "1": 1.0, CHECK + "2": 0.0}
    daemon = synced(vpc=VPC[0], zones=[far.id])
    net.wait_for(lambda: daemon.metric("horizond_health_checks", state="unhealthy") == 1, 15, "the metric")
    assert daemon.ask("fail.far.example").data() == ["10.0.0.4"]
    assert daemon.ask("both.far.example").data() == ["10.0.1.1"]
