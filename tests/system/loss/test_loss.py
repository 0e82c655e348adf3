"""The API, a corporate server, or the VPC resolver dies during a run: nothing that can still be given is lost."""

from __future__ import annotations

import time

import net
import pytest
from load import Steady
from resolvers import answer
from servers import Unbound

pytestmark = pytest.mark.quick


@pytest.fixture
def scene(launch, api, vpc, tmp_path):
    """A zone from the API, two corporate servers (real ones), a VPC resolver; some answers in the cache."""
    zone = api.world.add_zone("zone.test.")
    for i in range(20):
        zone.put(f"h{i}", "A", 60, [f"10.0.0.{i}"])
    records = [f"n{i}.corp.test. 2 A 10.200.0.{i}" for i in range(200)]
    servers = [Unbound(tmp_path / f"corp{i}", "corp.test.", records).start() for i in range(2)]
    vpc.default = answer("@ 600 A 192.0.2.1")
    daemon = launch({"vpc_resolver": [vpc.target],
                     "route53": {"vpc": "", "zones": [zone.id], "interval": 1, "min_interval": 1, "rate": 20.0,
                                 "region": "eu-west-1"},
                     "rules": [{"type": "FORWARD", "domains": ["corp.test"],
                                "targets": [server.target for server in servers]}]}, api.environment())
    for i in range(20):
        assert daemon.ask(f"c{i}.pub.test").data() == ["192.0.2.1"]
    yield daemon, api, vpc, servers, zone
    for server in servers:
        server.stop()


ZONE = {f"h{i}.zone.test": [f"10.0.0.{i}"] for i in range(20)}
CORP = {f"n{i}.corp.test": [f"10.200.0.{i}"] for i in range(200)}
CACHED = {f"c{i}.pub.test": ["192.0.2.1"] for i in range(20)}


def test_api_dies(scene):
    daemon, api, _, _, zone = scene
    with Steady(daemon, ZONE | CORP | CACHED, pause=0.003) as load:
        time.sleep(0.5)
        api.stop()
        time.sleep(2.5)
        api.start()
        time.sleep(0.5)
    assert not load.wrong, load.wrong[:5]
    assert load.asked > 300 and load.slowest < 1.0
    zone.put("h0", "A", 60, ["10.0.9.9"])
    daemon.ctl("sync", code=None)
    daemon.wait_answer("h0.zone.test", "A", ["10.0.9.9"], 20)


def test_one_corporate_server_dies(scene):
    """And comes back, while the other dies."""
    daemon, _, _, servers, _ = scene
    with Steady(daemon, ZONE | CORP | CACHED, pause=0.003) as load:
        time.sleep(0.5)
        servers[0].stop()
        time.sleep(2.0)
        servers[0].start()
        time.sleep(1.0)
        servers[1].stop()
        time.sleep(2.0)
    assert not load.wrong, load.wrong[:5]
    assert load.slowest < 1.8


def test_vpc_resolver_dies(scene):
    """Zones and corporate names go on; what is in the cache too; only new public names fail, and in time."""
    daemon, _, vpc, _, _ = scene
    with Steady(daemon, ZONE | CORP | CACHED, pause=0.003) as load:
        time.sleep(0.3)
        vpc.mute = True
        for i in range(3):
            failed = daemon.ask(f"new{i}.pub.test", edns=True)
            assert failed.rcode == "SERVFAIL" and failed.ede and failed.took < 1.8
        vpc.stop()
        for i in range(3):
            assert daemon.ask(f"more{i}.pub.test").took < 1.8
        vpc.mute = False
        vpc.start()
        net.wait_for(lambda: daemon.ask(f"again{time.monotonic()}.pub.test").rcode == "NOERROR", 15, "public names again")
    assert not load.wrong, load.wrong[:5]
    assert load.slowest < 1.0


def test_everything_dies(scene):
    """API, both corporate servers and the VPC resolver at once: the zone and what is known are still given."""
    daemon, api, vpc, servers, _ = scene
    known = dict(list(CORP.items())[:10])
    for name, data in known.items():
        assert daemon.ask(name).data() == data
    api.stop()
    for server in servers:
        server.stop()
    vpc.stop()
    time.sleep(2.5)
    with Steady(daemon, ZONE | CACHED, pause=0.003) as load:
        for name, data in known.items():
            stale = daemon.ask(name)
            assert stale.data() == data and stale.took < 1.8, name
    assert not load.wrong, load.wrong[:5]


def test_killed_and_started_again(scene):
    """After SIGKILL, with 20 connections open: it starts on the same sockets and gives the same answers."""
    daemon, _, _, _, _ = scene
    held = [daemon.connect() for _ in range(20)]
    daemon.kill()
    began = time.monotonic()
    daemon.start()
    assert time.monotonic() - began < 8
    for name, data in (ZONE | dict(list(CORP.items())[:20])).items():
        assert daemon.ask(name).data() == data
    for tcp in held:
        tcp.sock.close()
