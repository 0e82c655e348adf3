"""sweep, restore, purge: what goes, what stays, and what makes it all stay."""

from __future__ import annotations

import json
import re
import time

import fleet
import pytest

OLD = int(time.time()) - 7200
DEAD = "i-0dead00000000000{:x}"


@pytest.fixture
def broom(tool, records):
    """A sweeper that may delete, with looks that may follow one another at once."""
    def write(**sweep):
        tool.write({"records": records, "sweep": {"apply": True, "grace": 900, "second_look": 0,
                                                  "max_share": 100, "max_number": 100, **sweep}})
    tool.sweep = write
    write()
    return tool


def identifier(instance: str, boot: int = OLD, owner: str = "web", account: str = fleet.ACCOUNT,
               region: str = "eu-west-1") -> str:
    return f"hz1/{owner}/{account}/{region}/{instance}/{boot}"


def put_set(zone, instance: str, value: str = "10.0.9.9", name: str = "", ttl: int = 60, **more) -> str:
    name = name or f"{instance}.web"
    zone.put(name, "A", ttl, [value], SetIdentifier=identifier(instance, **more), MultiValueAnswer=True)
    return name


def put_txt(zone, instance: str, value: str, boot: int = OLD) -> None:
    zone.put(f"{instance}.txt", "A", 60, [value])
    zone.put(f"_hz.{instance}.txt", "TXT", 60, [
        f'"heritage=horizon,v=1,fleet=web,account={fleet.ACCOUNT},region=eu-west-1,instance={instance},boot={boot}"'])


def deleted(done) -> int:
    return sum(line.startswith("- ") for line in done.out.splitlines())


def test_two_looks_then_gone(broom, api, private):
    broom("register")
    alive = fleet.own(private)
    put_set(private, DEAD.format(1))
    put_txt(private, DEAD.format(2), "10.0.9.2")
    done = broom("sweep", "--apply")
    assert deleted(done) == 0 and "second-look 2" in done.out
    done = broom("sweep", status=3)
    assert deleted(done) == 2 and DEAD.format(1) in done.out and "10.0.9.9" in done.out and "absent" in done.out
    assert re.search(r"^plan: [0-9a-f]{64}$", done.out, re.M) and re.search(r"^run: \S+$", done.out, re.M)
    assert len(fleet.own(private)) == 4
    done = broom("sweep", "--apply")
    assert fleet.own(private) == alive
    run = re.search(r"^run: (\S+)$", done.out, re.M)[1]
    broom("sweep", "--apply")
    # Every deletion can be taken back, record and mark.
    broom("restore", run)
    assert len(fleet.own(private)) == 4
    fleet.check_marks(private)
    broom("restore", run)
    broom("restore", "20200101T000000Z-00000000", status=1)


def test_first_switch(broom, private):
    put_set(private, DEAD.format(1))
    broom.sweep(apply=False)
    broom("sweep")
    done = broom("sweep", "--apply", status=3)
    assert "sweep.apply" in done.err and fleet.own(private)


def test_approved_plan_only(broom, private):
    put_set(private, DEAD.format(1))
    broom("sweep")
    done = broom("sweep", status=3)
    approved = re.search(r"^plan: (\S+)$", done.out, re.M)[1]
    put_set(private, DEAD.format(2))
    broom("sweep", status=3)
    broom("sweep", "--apply", "--plan-sum", approved, status=1)
    assert len(fleet.own(private)) == 2
    private.remove(f"{DEAD.format(2)}.web", "A", identifier(DEAD.format(2)))
    broom("sweep", "--apply", "--plan-sum", approved)
    assert not fleet.own(private)


def test_json(broom, private):
    put_set(private, DEAD.format(1))
    broom("sweep")
    told = json.loads(broom("sweep", "--json", status=3).out)
    assert re.fullmatch(r"[0-9a-f]{64}", told["plan"]) and told["run"] and told["result"] == "pending"
    [one] = told["deletions"]
    assert one["name"] == f"{DEAD.format(1)}.web.corp.example." and one["values"] == ["10.0.9.9"]
    assert one["ttl"] == 60 and one["type"] == "A" and one["reason"] == "absent" and one["age"] > 7000


def test_public_digest(broom, another, api, public, metadata, machine):
    """A public mark names nobody, and still tells the dead from the living."""
    broom.sweep(grace=0)
    settings = {"records": ({**fleet.record(public, "{instance_id}.web.example.com", ["{public_ipv4}"]),
                             "mark": "txt", "ttl": 0},)}
    living = another(settings, public="203.0.113.20")
    dying = another(settings, public="203.0.113.21")
    living("register")
    dying("register")
    api.ec2.forget(dying.instance.id)
    broom("sweep", "--apply")
    broom("sweep", "--apply")
    assert {key[0] for key in fleet.own(public)} == {
        f"{living.instance.id}.web.example.com.", f"_hz.{living.instance.id}.web.example.com."}


def test_stopped(broom, api, private, public):
    """Stopped: the private record stays, the public one goes, unless its address is an Elastic IP."""
    plain = api.ec2.launch(state="stopped", public="203.0.113.30")
    elastic = api.ec2.launch(state="stopped", public="203.0.113.31", elastic=True)
    for instance in (plain, elastic):
        put_set(private, instance.id, instance.private)
        put_set(public, instance.id, instance.public)
    broom("sweep", "--apply")
    broom("sweep", "--apply")
    assert len(fleet.own(private)) == 2
    assert [key[0] for key in fleet.own(public)] == [f"{elastic.id}.web.example.com."]


def test_lease(broom, private):
    put_set(private, DEAD.format(1))
    broom("sweep")
    lease = private.put("_hz-sweep.web", "TXT", 60, [
        f'"heritage=horizon-sweep,v=1,fleet=web,run=another,until={int(time.time()) + 300}"'])
    done = broom("sweep", "--apply", status=1)
    assert "another" in done.err and len(fleet.own(private)) == 2
    lease["ResourceRecords"] = [{"Value": f'"heritage=horizon-sweep,v=1,fleet=web,run=another,until={OLD}"'}]
    broom("sweep", "--apply")
    assert not fleet.own(private)


def test_owner_that_comes_back(broom, api, private):
    """Between the listing and the deletion its owner registers again: the deletion fails, the record stays."""
    name = put_set(private, DEAD.format(1))
    put_set(private, DEAD.format(2))
    broom("sweep")

    def reborn(params):
        private.remove(name, "A", identifier(DEAD.format(1)))
        put_set(private, DEAD.format(1), "10.0.9.77", boot=OLD + 60)
        return True
    api.faults.add(operation="DescribeInstances", times=1, when=reborn)
    broom("sweep", "--apply")
    assert list(fleet.own(private).values()) == [["10.0.9.77"]]


def test_changed_by_hand(broom, api, private):
    name = put_set(private, DEAD.format(1))
    broom("sweep")

    def edit(params):
        private.sets[(private.full(name), "A", identifier(DEAD.format(1)))]["TTL"] = 61
        return True
    api.faults.add(operation="DescribeInstances", times=1, when=edit)
    done = broom("sweep", "--apply", status=1)
    assert "changed since" in done.err and len(fleet.own(private)) == 1


def test_purge(broom, private, public, reverse):
    broom("register")
    put_set(private, DEAD.format(1), owner="other")
    foreign = fleet.own(private)
    broom("purge", "--owner", "web", status=3)
    assert fleet.own(public)
    done = broom("purge", "--owner", "web", "--apply")
    assert not fleet.own(public) and not fleet.own(reverse) and len(fleet.own(private)) == 1
    broom("purge", "--owner", "web", "--apply")
    broom("restore", re.search(r"^run: (\S+)$", done.out, re.M)[1])
    assert fleet.own(private) == foreign and fleet.own(public)
    broom("purge", status=2)


# --- Outages of others, replayed: whatever they did, none of it deletes anything here ---

def slow(api, broom):
    api.faults.add(operation="DescribeInstances", delay=30)


def throttled(api, broom):
    api.faults.add(operation="DescribeInstances", code="RequestLimitExceeded", status=503, message="limit")


def listing_throttled(api, broom):
    api.faults.add(operation="ListResourceRecordSets", code="Throttling", status=400)


def empty(api, broom):
    api.ec2.instances.clear()


def without_us(api, broom):
    del api.ec2.instances[broom.metadata.paths["instance-id"]]


def half_a_page(api, broom):
    api.faults.add(operation="DescribeInstances", cut=700)


def half_a_page_quietly(api, broom):
    api.faults.add(operation="DescribeInstances", cut=700, cut_quietly=True)


def half_a_listing(api, broom):
    api.faults.add(operation="ListResourceRecordSets", cut=500, cut_quietly=True)


def second_page_missing(api, broom):
    api.ec2.page = 5
    api.faults.add(operation="DescribeInstances", after=1, code="InternalError", status=500)


def denied(api, broom):
    api.faults.add(operation="DescribeInstances", code="UnauthorizedOperation", status=403)


def identity_denied(api, broom):
    api.faults.add(operation="GetCallerIdentity", code="AccessDenied", status=403)


def no_page_at_all(api, broom):
    api.faults.add(operation="DescribeInstances", body=b"", status=200)


def login_page(api, broom):
    api.faults.add(operation="DescribeInstances", body=b"<html><body>sign in</body></html>", status=200)


def wrong_account(api, broom):
    api.keys["AKIDEXAMPLE"].account = "999988887777"
    for instance in api.ec2.instances.values():
        instance.account = "999988887777"


@pytest.mark.parametrize("outage", [
    slow, throttled, listing_throttled, empty, without_us, half_a_page, half_a_page_quietly, half_a_listing,
    second_page_missing, denied, identity_denied, no_page_at_all, login_page, wrong_account],
    ids=lambda outage: outage.__name__)
def test_outage(broom, api, private, public, outage):
    """Ten dead records seen gone before, and living ones; with the outage, nothing is deleted: exit 5."""
    living = [api.ec2.launch() for _ in range(12)]
    for instance in living:
        put_set(private, instance.id, instance.private)
    for i in range(10):
        put_set(private, DEAD.format(i))
    broom("register")
    broom("sweep")
    before = fleet.own(private), fleet.own(public)
    outage(api, broom)
    broom.write(broom.file.read_text().replace("deadline = 20", "deadline = 1"))
    done = broom("sweep", "--apply", status=5)
    assert "evidence unknown" in done.err
    assert (fleet.own(private), fleet.own(public)) == before
    assert not api.count("ChangeResourceRecordSets", HostedZoneId="Z0PRIVATE") > 1


def test_hidden_instances(broom, api, private):
    """The account hides instances that services manage: they are asked for, and found."""
    managed = [api.ec2.launch(managed=True) for _ in range(5)]
    for instance in managed:
        put_set(private, instance.id, instance.private)
    before = fleet.own(private)
    api.ec2.hide_managed = True
    for _ in range(3):
        broom("sweep", "--apply")
    assert fleet.own(private) == before


def test_many_thin_pages(broom, api, private):
    """Pages with nothing on them, and more to come, end in the same picture."""
    living = [api.ec2.launch() for _ in range(12)]
    for instance in living:
        put_set(private, instance.id, instance.private)
    put_set(private, DEAD.format(1))
    api.ec2.page, api.ec2.thin = 5, 2
    broom("sweep", "--apply")
    broom("sweep", "--apply")
    assert len(fleet.own(private)) == 12
