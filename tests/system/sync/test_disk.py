"""Copies on disk: served before the API answers, whole whatever ends a write, never from what is damaged."""

from __future__ import annotations

import os
import random
import subprocess
import time

import net
import pytest

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")


def copies(daemon) -> dict:
    return {path.name: path for path in (daemon.folder / "state" / "zones").iterdir()}


def source(daemon, name: str = "corp.example.") -> str:
    return daemon.ctl_json("zones", name)["zones"][0]["source"]


def kept(daemon, zone) -> None:
    net.wait_for(lambda: daemon.ctl_json("zones", zone.id)["zones"][0]["kept"], 5, "the zone is on disk")


def again(daemon, api, ready: bool = True):
    """The daemon once more, with an API that only fails."""
    api.faults.add(status=500, times=1_000_000)
    return daemon.start(ready=ready)


def test_served_without_the_api(api, zone, synced):
    elb = {"zone_id": "Z32O12XQLNTSW2"}
    zone.alias("lb", "A", "lb-1.eu-west-1.elb.amazonaws.com.", **elb)
    daemon = synced(vpc=VPC[0])
    kept(daemon, zone)
    daemon.stop()
    again(daemon, api)
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert source(daemon) == "disk"
    found = daemon.ctl_json("zones", "corp.example.")["zones"][0]
    assert found["associated"] and found["age"] < 60
    net.wait_for(lambda: "status 500" in daemon.ctl("zones"), 10, "the trouble is shown")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    api.faults.clear()
    net.wait_for(lambda: source(daemon) == "api", 10, "the API has confirmed it")


def test_killed_at_any_moment(api, zone, synced):
    """What is there afterwards is one of the states that were, and whole."""
    draw = random.Random(7)
    for n in range(40):
        zone.put(f"h{n:02d}", "A", 60, ["10.1.0.0"])
    daemon = synced(zones=[zone.id])
    kept(daemon, zone)
    for generation in range(1, 6):
        for n in range(40):
            zone.put(f"h{n:02d}", "A", 60, [f"10.1.0.{generation}"])
        daemon.ctl("sync", zone.id)
        time.sleep(draw.random() * 0.08)
        daemon.kill()
        again(daemon, api)
        assert source(daemon) == "disk"
        found = {tuple(daemon.ask(f"h{n:02d}.corp.example").data()) for n in range(0, 40, 3)}
        assert len(found) == 1, found
        assert found.pop()[0] in {f"10.1.0.{g}" for g in range(generation + 1)}
        api.faults.clear()
        daemon.ctl("sync")
        net.wait_for(lambda: source(daemon) == "api", 10, "the API is back")
        kept(daemon, zone)
    assert all(name.endswith(".zone") for name in copies(daemon))


@pytest.mark.parametrize("harm", ["cut", "flipped", "older"])
def test_damaged_copy_is_set_aside(api, zone, synced, harm):
    other = api.world.add_zone("other.example.", vpcs=[VPC])
    other.put("www", "A", 60, ["10.0.0.2"])
    daemon = synced(zones=[zone.id, other.id])
    kept(daemon, zone)
    kept(daemon, other)
    daemon.stop()
    path = copies(daemon)[f"{zone.id}.zone"]
    good = bytearray(path.read_bytes())
    flipped = good.copy()
    flipped[len(good) * 2 // 3] ^= 1
    older = good.copy()
    older[8] = 0
    path.write_bytes({"cut": good[:-100], "flipped": flipped, "older": older}[harm])
    again(daemon, api, ready=False)
    net.wait_for(lambda: daemon.ask("www.other.example").data() == ["10.0.0.2"], 5, "the other zone is served")
    assert f"{zone.id}.zone.damaged" in copies(daemon) and f"{zone.id}.zone" not in copies(daemon)
    lines = daemon.log("set aside")
    assert len(lines) == 1 and f"{zone.id}.zone" in lines[0] and "listed anew" in lines[0]
    assert source(daemon, zone.id) == "none"
    api.faults.clear()
    daemon.ctl("sync", zone.id)
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.1"])


def mounted(folder, options: str):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own for state_dir."""
    folder = tmp_path / "disk"
    try:
        mounted(folder, "size=64k,mode=700")
    except subprocess.CalledProcessError:
        pytest.skip("no right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def last_good(daemon, api, old: list[str], new: list[str]) -> None:
    """The new state is served from memory; after a restart without the API the last one that was kept."""
    daemon.wait_answer("www.corp.example", "A", new)
    net.wait_for(lambda: daemon.log("cannot be kept"), 5, "the log says so")
    assert not daemon.ctl_json("zones", "corp.example.")["zones"][0]["kept"]
    daemon.kill()
    again(daemon, api)
    assert daemon.ask("www.corp.example").data() == old
    daemon.stop()


@root_only
def test_disk_full(api, zone, synced, disk):
    daemon = synced(zones=[zone.id], more={"state_dir": str(disk), "cache": {"persist": False}})
    kept(daemon, zone)
    for n in range(1000):
        zone.put(f"h{n:03d}", "TXT", 60, ['"' + "x" * 200 + '"'])
    zone.put("www", "A", 60, ["10.0.0.9"])
    last_good(daemon, api, ["10.0.0.1"], ["10.0.0.9"])
    assert daemon.log("No space left on device")


@root_only
def test_disk_read_only(api, zone, synced, disk):
    daemon = synced(zones=[zone.id], more={"state_dir": str(disk), "cache": {"persist": False}})
    kept(daemon, zone)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    zone.put("www", "A", 60, ["10.0.0.9"])
    last_good(daemon, api, ["10.0.0.1"], ["10.0.0.9"])
    assert daemon.log("Read-only file system")


def test_deleted_zone_leaves_no_copy(api, zone, synced):
    daemon = synced(vpc=VPC[0])
    kept(daemon, zone)
    del api.world.zones[zone.id]
    net.wait_for(lambda: not copies(daemon), 20, "its copy is gone")
    net.wait_for(lambda: daemon.ctl_json("zones")["zones"] == [], 5, "it is not served any more")
    daemon.stop()
    daemon.start()
    assert daemon.ctl_json("zones")["zones"] == []


def test_held_back(api, zone, synced):
    """Half of a zone gone in one listing: the zone stays until that is seen twice, or accepted."""
    for n in range(20):
        zone.put(f"h{n:02d}", "A", 60, ["10.1.0.1"])
    daemon = synced(zones=[zone.id], interval=600, min_interval=600)
    for n in range(10):
        zone.remove(f"h{n:02d}", "A")
    daemon.ctl("sync", zone.id)
    net.wait_for(lambda: daemon.metric("horizond_zone_held_back", id=zone.id) == 1, 5, "it is held back")
    assert daemon.ask("h03.corp.example").data() == ["10.1.0.1"]
    said = daemon.ctl("zones")
    assert "HELD BACK" in said and "10 of 23 sets" in said
    assert daemon.log("HELD BACK")
    assert "accept" not in daemon.ctl("sync", zone.id, "--accept")
    net.wait_for(lambda: daemon.ask("h03.corp.example").rcode == "NXDOMAIN", 5, "it is served")
    assert daemon.metric("horizond_zone_held_back", id=zone.id) == 0
    assert "nothing is held back" in daemon.ctl("sync", zone.id, "--accept", code=1)


def test_emptied_zone_is_seen_twice(api, zone, synced):
    for n in range(20):
        zone.put(f"h{n:02d}", "A", 60, ["10.1.0.1"])
    daemon = synced(zones=[zone.id], interval=600, min_interval=1)
    zone.replace({key: found for key, found in zone.sets.items() if key[1] in ("NS", "SOA")})
    daemon.ctl("sync", zone.id)
    net.wait_for(lambda: daemon.log("HELD BACK"), 5, "it is held back")
    net.wait_for(lambda: daemon.ask("h03.corp.example").rcode == "NXDOMAIN", 10, "the second look confirms it")
    assert daemon.log("listed twice")


def test_two_zones_of_one_name(api, zone, synced):
    """That of our VPC is served, after a restart without the API too."""
    twin = api.world.add_zone("corp.example.", vpcs=[("vpc-0ffffffffffffffff", "eu-west-1")])
    twin.put("www", "A", 60, ["10.9.9.9"])
    daemon = synced(vpc=VPC[0], zones=[twin.id, zone.id])
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.1"])
    kept(daemon, zone)
    kept(daemon, twin)
    daemon.stop()
    again(daemon, api)
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
