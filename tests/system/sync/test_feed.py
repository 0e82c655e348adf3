"""The change feed: an SQS queue with CloudTrail events from EventBridge."""

from __future__ import annotations

import json
import time

import net
import pytest

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")


def event(name: str, **detail) -> str:
    """As EventBridge delivers a CloudTrail record."""
    return json.dumps({
        "version": "0", "id": "6f87d04b-9f74-4f04-a780-7acf4b0a9b38", "source": "aws.route53",
        "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "region": "us-east-1",
        "detail": {"eventVersion": "1.08", "eventSource": "route53.amazonaws.com", "eventName": name,
                   "awsRegion": "us-east-1", **detail}})


def changed(zone_id: str, **more) -> str:
    return event("ChangeResourceRecordSets", requestParameters={
        "hostedZoneId": zone_id, "changeBatch": {"changes": [{"action": "UPSERT", "resourceRecordSet": {
            "name": "www.corp.example", "type": "A", "tTL": 60, "resourceRecords": [{"value": "6.6.6.6"}]}}]}},
        responseElements={"changeInfo": {"id": "/change/C0", "status": "PENDING",
                                         "submittedAt": "Jan 16, 2026 12:41:43 AM"}}, **more)


@pytest.fixture
def queue(api):
    return api.sqs.add(api.url + "/111122223333/changes")


@pytest.fixture
def fed(synced, queue):
    """A daemon that hears the queue, and would look at a zone once in 10 minutes by itself."""
    def make(**route53):
        daemon = synced(queue=queue.url, **{"interval": 600, "min_interval": 600, **route53})
        net.wait_for(lambda: daemon.log("change feed .* is heard"), 8, "the feed is heard")
        return daemon
    return make


def feed_count(daemon, kind: str) -> float:
    return daemon.metric("horizond_feed_messages_total", kind=kind)


def test_change_is_answered_at_once(api, zone, fed, queue):
    """Under 5 s beyond delivery; the record data of the event is not believed; the message goes after the look."""
    other = api.world.add_zone("quiet.example.", vpcs=[VPC])
    daemon = fed(zones=[zone.id, other.id])
    quiet = api.count("ListResourceRecordSets", HostedZoneId=other.id)
    zone.put("www", "A", 60, ["10.0.0.2"])
    began = time.monotonic()
    queue.send(changed(zone.id))
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.2"], 5)
    assert time.monotonic() - began < 5
    net.wait_for(lambda: queue.deleted and not queue.messages, 5, "the message is deleted")
    assert api.count("ListResourceRecordSets", HostedZoneId=other.id) == quiet, "just the touched zone"


def test_messages_wait_for_their_look(api, zone, fed, queue):
    """While the look lasts its message is not deleted; one that comes meanwhile has the zone listed once more."""
    daemon = fed(zones=[zone.id])
    before = api.count("ListResourceRecordSets")
    api.faults.add(operation="ListResourceRecordSets", delay=2.0, times=1)
    queue.send(changed(zone.id))
    net.wait_for(lambda: api.count("ListResourceRecordSets") > before, 5, "a look")
    zone.put("www", "A", 60, ["10.0.0.3"])
    queue.send(changed("/hostedzone/" + zone.id))
    time.sleep(1.0)
    assert not queue.deleted
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.3"], 6)
    net.wait_for(lambda: len(queue.deleted) == 2, 6, "both are deleted")


def test_many_events_are_few_looks(api, zone, fed, queue):
    daemon = fed(zones=[zone.id])
    before = api.count("ListResourceRecordSets")
    for _ in range(60):
        queue.send(changed(zone.id))
    net.wait_for(lambda: len(queue.deleted) == 60, 15, "all are deleted")
    assert api.count("ListResourceRecordSets") - before <= 20
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


def test_what_is_no_event(api, zone, fed, queue):
    """Deleted and counted; none costs a look, and the feed goes on."""
    daemon = fed(zones=[zone.id])
    before = api.count("ListResourceRecordSets"), api.count("ListHostedZonesByVPC")
    strange = ["", "rubbish", "[]", "{}", '{"detail": 7}', json.dumps({"detail": {"eventSource": "ec2.amazonaws.com"}}),
               "[" * 100_000, '{"detail":' * 5000, changed("../../etc"), changed(""), changed("Z" * 33),
               changed(zone.id, errorCode="AccessDenied"), "x" * 262_144, '"' * 260_000]
    for body in strange:
        queue.send(body)
    queue.send(changed("ZSOMEBODYELSE"))
    net.wait_for(lambda: len(queue.deleted) == len(strange) + 1, 20, "all are deleted")
    assert feed_count(daemon, "unknown") == len(strange) and feed_count(daemon, "other") == 1
    assert (api.count("ListResourceRecordSets"), api.count("ListHostedZonesByVPC")) == before
    zone.put("www", "A", 60, ["10.0.0.4"])
    queue.send(json.dumps({"Type": "Notification", "Message": changed(zone.id)}))  # by way of a topic
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.4"], 5)


def test_zones_come_and_go(api, zone, fed, queue):
    daemon = fed(vpc=VPC[0])
    new = api.world.add_zone("new.example.", vpcs=[VPC])
    new.put("www", "A", 60, ["10.0.0.5"])
    queue.send(event("AssociateVPCWithHostedZone", requestParameters={"hostedZoneId": new.id}))
    daemon.wait_answer("www.new.example", "A", ["10.0.0.5"], 5)
    new.vpcs.clear()
    queue.send(event("DisassociateVPCFromHostedZone", requestParameters={"hostedZoneId": new.id}))
    net.wait_for(lambda: daemon.log(f"{new.id}.*no longer in the VPC"), 15, "it is gone")


def test_silent_queue_falls_back_to_looks(api, zone, fed, queue):
    daemon = fed(zones=[zone.id], interval=1, min_interval=1)
    time.sleep(1.5)
    before = api.count("ListResourceRecordSets")
    time.sleep(2.5)
    assert api.count("ListResourceRecordSets") - before <= 1, "a quiet zone with a feed is left alone"
    api.faults.add(operation="ReceiveMessage", status=500)
    queue.send("wake up")  # the poll under way ends
    net.wait_for(lambda: daemon.log("change feed .* is silent: .*zones are looked at in their own time"), 25, "told")
    zone.put("www", "A", 60, ["10.0.0.6"])
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.6"], 5)
    assert daemon.metric("horizond_feed_heard") == 0
    api.faults.clear()
    net.wait_for(lambda: daemon.log("change feed .* is heard again"), 40, "back")


def test_no_such_queue(api, zone, synced):
    daemon = synced(zones=[zone.id], queue=api.url + "/111122223333/none")
    net.wait_for(lambda: daemon.log("is silent: .*QueueDoesNotExist|is silent: .*NonExistent"), 8, "told")
    zone.put("www", "A", 60, ["10.0.0.7"])
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.7"], 8)
    daemon.stop()


def test_reload_changes_the_queue(api, zone, fed, queue, vpc):
    daemon = fed(zones=[zone.id])
    second = api.sqs.add(api.url + "/111122223333/second")
    daemon.reload({"route53": {"interval": 600, "min_interval": 600, "rate": 20.0, "region": "eu-west-1", "vpc": "",
                               "zones": [zone.id], "queue": second.url}, "vpc_resolver": [vpc.target]})
    net.wait_for(lambda: daemon.log("change feed .*second is heard"), 8, "the other one is heard")
    zone.put("www", "A", 60, ["10.0.0.8"])
    second.send(changed(zone.id))
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.8"], 5)


def test_end_does_not_wait_for_the_poll(zone, fed):
    daemon = fed(zones=[zone.id])
    time.sleep(0.5)
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 5
