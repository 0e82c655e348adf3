"""A horizond on the same machine answers for a record as soon as it is registered."""

from __future__ import annotations

import time

import fleet
import net


def test_visible_at_once(launch, vpc, api, tmp_path, metadata, machine, private, records):
    daemon = launch({"route53": {"interval": 3600, "min_interval": 3600, "region": "eu-west-1", "vpc": "",
                                 "zones": [private.id]}, "vpc_resolver": [vpc.target]}, api.environment())
    tool = fleet.Tool(tmp_path / "aws", api, metadata, {
        "records": records[:1], "control": str(daemon.folder / "control")})
    name = f"{machine.id}.web.corp.example"
    assert daemon.ask(name).rcode == "NXDOMAIN"
    tool("register")
    began = time.monotonic()
    net.wait_for(lambda: daemon.ask(name).rcode == "NOERROR", 5, "the record to be there")
    assert time.monotonic() - began < 3
    tool("deregister")
    net.wait_for(lambda: daemon.ask(name).rcode == "NXDOMAIN", 5, "the record to be gone")
