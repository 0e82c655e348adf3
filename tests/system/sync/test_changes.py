"""Changes are picked up, from the API and only from good listings."""

from __future__ import annotations

import json

import net
import pytest

from pathlib import Path

BOMB = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' +
        b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(8)) +
        b']><ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">&i;'
        b"</ListResourceRecordSetsResponse>")
EMPTY = (b'<?xml version="1.0"?><ListResourceRecordSetsResponse '
         b'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets/>'
         b"<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>")

# What a listing may come back as, and must never be taken for the zone (T35).
BAD = {
    "500": {"status": 500},
    "503 with a page": {"status": 503, "body": b"<html>busy</html>", "content_type": "text/html"},
    "a portal's page, 200": {"body": b"<html><body>Sign in</body></html>", "content_type": "text/html"},
    "nothing, 200": {"body": b""},
    "another document, 200": {"body": b'<?xml version="1.0"?><ListHostedZonesResponse/>'},
    "an empty zone, 200": {"body": EMPTY},
    "an error in a 200": {"body": b"<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>"},
    "a redirect": {"status": 302, "body": b"", "headers": {"Location": "http://127.0.0.1:1/"}},
    "denied": {"code": "AccessDenied", "status": 403},
    "throttled": {"code": "Throttling", "status": 400, "message": "Rate exceeded"},
    "throttled, bare shape": {"code": "Throttling", "status": 400, "shape": "bare"},
    "prior request": {"code": "PriorRequestNotComplete", "status": 400, "shape": "messages"},
    "an entity bomb": {"body": BOMB},
    "no such zone, once": {"code": "NoSuchHostedZone", "status": 404, "times": 1},
    "cut, Content-Length known": {"cut": 700},
    "cut, HTTP sees nothing": {"cut": 700, "cut_quietly": True},
    "no answer": {"drop": True},
    "cut within the XML": {"edit": lambda body: body[:len(body) // 2]},
    "last element missing": {"edit": lambda body: body[:-40]},
    "not UTF-8": {"edit": lambda body: body.replace(b"10.0.0.", b"\xff\xfe")},
    "IsTruncated missing": {"edit": lambda body: body.replace(b"<IsTruncated>false</IsTruncated>", b"")
                            .replace(b"<IsTruncated>true</IsTruncated>", b"")},
    "truncated without a marker": {"edit": lambda body: body.replace(
        b"<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated>")},
    "another namespace": {"edit": lambda body: body.replace(b"route53.amazonaws.com", b"elsewhere.test")},
    "SOA unreadable": {"edit": lambda body: body.replace(b"awsdns-hostmaster.amazon.com.", b"..")},
}


@pytest.fixture
def filled(zone):
    for i in range(40):
        zone.put(f"h{i:02d}", "A", 60, [f"10.0.0.{i}"])
    return zone


@pytest.mark.parametrize("group", range(6))
def test_a_bad_listing_never_replaces_good_data(group, api, filled, synced):
    """Under each of these the old data is served, and the change is seen once the API is well again."""
    daemon = synced(zones=[filled.id])
    api.service.page_sets = 15  # three pages
    for number, (what, fault) in enumerate(list(BAD.items())[group::6]):
        for after in (0, 1):
            _one_bad_listing(api, filled, daemon, what, {"after": after, "times": 2, **fault}, number * 2 + after)


def _one_bad_listing(api, zone, daemon, what: str, fault: dict, number: int) -> None:
    made = api.faults.add(operation="ListResourceRecordSets", **fault)
    old, new = [f"10.0.0.{number}"], f"10.77.{number}.1"
    zone.put(f"h{number:02d}", "A", 60, [new])
    zone.put(f"new{number}", "A", 60, [new])

    def tried():
        daemon.ctl("sync", code=None)
        return made.hits >= 1
    net.wait_for(tried, 15, f"{what}: the daemon looks", every=0.2)
    answer = daemon.ask(f"h{number:02d}.corp.example")
    # It may have looked once more, rightly, in between: then all of the change is there.
    if answer.data() == old:
        assert daemon.ask(f"h{39 - number:02d}.corp.example").data() == [f"10.0.0.{39 - number}"], what
    else:
        assert answer.data() == [new] and daemon.ask(f"new{number}.corp.example").data() == [new], what
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"], what
    api.faults.clear()

    def seen():
        daemon.ctl("sync", code=None)
        return daemon.ask(f"new{number}.corp.example").data() == [new]
    net.wait_for(seen, 15, f"{what}: the change is seen after the fault is gone", every=0.3)
    assert daemon.ask("h30.corp.example").data() == ["10.0.0.30"], what


def test_change_is_picked_up(api, zone, synced):
    daemon = synced(zones=[zone.id])
    zone.put("www", "A", 30, ["10.0.0.2", "10.0.0.3"])
    zone.put("new", "TXT", 60, ['"x"'])
    assert daemon.wait_answer("www.corp.example", "A", ["10.0.0.2", "10.0.0.3"], 6).ttl == 30
    daemon.wait_answer("new.corp.example", "TXT", ['"x"'], 6)
    zone.remove("new", "TXT")
    net.wait_for(lambda: daemon.ask("new.corp.example", "TXT").rcode == "NXDOMAIN", 6, "the name is gone")


def test_sync_at_once(api, zone, synced):
    """horizonctl sync looks now, however long the interval."""
    daemon = synced(zones=[zone.id], interval=3600, min_interval=5)
    zone.put("www", "A", 60, ["10.0.0.9"])
    daemon.ctl("sync", "corp.example")
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.9"], 5)
    assert daemon.ctl("sync", "nothing.example", code=1)


def test_throttled_api(api, filled, synced):
    """At 5 requests/s for all callers the zones come, only later, and our own rate holds."""
    others = [api.world.add_zone(f"z{i}.example.") for i in range(12)]
    api.throttle(5)
    daemon = synced(zones=[filled.id, *[z.id for z in others]], ready=False, rate=2.0, interval=60,
                    min_interval=5)
    net.wait_for(lambda: daemon.http("/readyz")[0] == 200, 25, "all zones are loaded", every=0.2)
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    calls = [c.at for c in api.calls]
    for i in range(len(calls)):
        within = [at for at in calls if calls[i] <= at < calls[i] + 3]
        assert len(within) <= 10 + 2 * 3 + 1, "rate 2/s, burst 10"


def test_a_stuck_listing_ends(api, zone, synced):
    """Markers that do not advance: the listing is given up, not followed for ever."""
    daemon = synced(zones=[zone.id])
    before = api.count("ListResourceRecordSets")
    first = zone.listing()[0][0].encode()
    api.faults.add(operation="ListResourceRecordSets", times=50, edit=lambda body: body.replace(
        b"<IsTruncated>false</IsTruncated>",
        b"<IsTruncated>true</IsTruncated><NextRecordName>" + first + b"</NextRecordName>"
        b"<NextRecordType>NS</NextRecordType>"))
    daemon.ctl("sync", code=None)
    net.wait_for(lambda: api.count("ListResourceRecordSets") > before, 5, "a look")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    net.wait_for(lambda: daemon.log("corp.example|" + zone.id), 5, "a line in the log")
    assert api.count("ListResourceRecordSets") - before < 50


def test_slow_api_holds_up_no_question(api, zone, synced):
    daemon = synced(zones=[zone.id])
    api.faults.add(operation="ListResourceRecordSets", trickle=100.0)
    daemon.ctl("sync", code=None)
    for _ in range(100):
        assert daemon.ask("www.corp.example").took < 0.3


def test_not_ready_while_the_api_is_silent(api, zone, synced, vpc):
    """Never loaded, no copy: not ready, and its names are the VPC resolver's (CONTRACT, Answers)."""
    from resolvers import answer
    api.faults.add(status=503)
    vpc.on("www.corp.example", "A", answer("@ 60 A 10.5.5.5"))
    daemon = synced(zones=[zone.id], ready=False)
    net.wait_for(lambda: api.calls, 5, "the API is asked")
    assert daemon.http("/readyz")[0] == 503 and daemon.http("/healthz")[0] == 200
    answer_ = daemon.ask("www.corp.example")
    assert answer_.data() == ["10.5.5.5"] and not answer_.aa
    api.faults.clear()
    net.wait_for(lambda: daemon.http("/readyz")[0] == 200, 15, "ready")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


def test_zone_deleted(api, zone, synced, vpc):
    """A confirmed NoSuchHostedZone: the zone goes, and the daemon stays ready."""
    daemon = synced(zones=[zone.id])
    del api.world.zones[zone.id]

    def gone():
        daemon.ctl("sync", code=None)
        return not daemon.ask("www.corp.example").aa
    net.wait_for(gone, 15, "the zone is gone", every=0.3)
    assert daemon.http("/readyz")[0] == 200


def test_zone_file_and_its_reload(launch, vpc, api, tmp_path):
    zone = api.world.add_zone("file.example.", zone_id="Z0FILE")
    zone.put("www", "A", 60, ["10.0.0.1"])
    settings = {"zone_files": ["z.json"], "vpc_resolver": [vpc.target]}
    daemon = launch(settings, start=False)
    zone.save(daemon.folder / "z.json")
    daemon.start()
    assert daemon.ask("www.file.example").data() == ["10.0.0.1"]
    assert daemon.zone("file.example")["source"] == "file"
    zone.put("www", "A", 60, ["10.0.0.2"])
    zone.save(daemon.folder / "z.json")
    daemon.reload()
    daemon.wait_answer("www.file.example", "A", ["10.0.0.2"], 3)
    for bad in ("{", "[]", json.dumps({"ResourceRecordSets": []}), json.dumps({**zone.saved(), "NextRecordName": "x."})):
        Path(daemon.folder / "z.json").write_text(bad, encoding="utf-8")
        daemon.reload(good=False)
        assert daemon.ask("www.file.example").data() == ["10.0.0.2"]
