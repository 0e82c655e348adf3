"""Settings for a daemon that looks at the API often, and zones to look at."""

from __future__ import annotations

import horizon
import net
import pytest
from standin import Standin

FAST = {"interval": 1, "min_interval": 1, "rate": 20.0, "region": "eu-west-1"}
VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")


@pytest.fixture
def zone(api):
    made = api.world.add_zone("corp.example.", vpcs=[VPC])
    made.put("www", "A", 60, ["10.0.0.1"])
    return made


@pytest.fixture
def synced(launch, vpc, api):
    """Makes a daemon with these route53 settings (over FAST)."""
    def make(ready: bool = True, env: dict[str, str] | None = None, more: dict | None = None,
             **route53) -> horizon.Horizon:
        settings = {"route53": {**FAST, "vpc": "", **route53}, "vpc_resolver": [vpc.target], **(more or {})}
        return launch(settings, {**api.environment(), **(env or {})}, ready=ready)
    return make


def looks(api: Standin, zone_id: str, more: int = 1, seconds: float = 10.0) -> None:
    """Waits until so many more listings of the zone have been begun and ended."""
    before = api.count("ListResourceRecordSets", HostedZoneId=zone_id)
    net.wait_for(lambda: api.count("ListResourceRecordSets", HostedZoneId=zone_id) >= before + more + 1,
                 seconds, f"{more} more looks at {zone_id}")
