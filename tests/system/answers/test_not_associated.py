"""A VPC that is not associated with the zones: what horizond may answer from memory it answers all the same, and
the rest it reckons: aliases by their targets, policies by the Region in the settings and the health that the API tells.

The VPC resolver here knows none of the private zones, only the names outside.
"""

from __future__ import annotations

import net
import pytest
from horizon import Horizon
from standin import Standin, World
from vpc import VpcResolver

from answers import corpus, table
from answers.test_corpus import VPC_ID, ask, fault, records_of, report

pytestmark = pytest.mark.quick


class Far:
    """The zones that horizond holds, and a resolver beside it that has none of them."""

    def __init__(self, daemon: Horizon, reckoner: VpcResolver):
        self.daemon, self.reckoner, self.region = daemon, reckoner, reckoner.region


@pytest.fixture(scope="module", params=table.REGIONS)
def far(request, launch_module):
    """Zones by id. Checks are known from the API; of load balancers nobody tells, so they count as healthy."""
    world = corpus.world(vpcs=[("vpc-far", "ap-southeast-2")])
    world.health = {check: float(healthy) for check, healthy in table.HEALTH.items()}
    api = Standin(world).start()
    asked = VpcResolver(World(), request.param, outside=corpus.outside()).serve()
    daemon = launch_module({
        "vpc_resolver": [asked.target], "vpc_packet_rate": 1000000,
        "route53": {"vpc": VPC_ID, "region": request.param, "rate": 500.0, "interval": 600,
                    "zones": list(world.zones)}}, api.environment())
    net.wait_for(lambda: daemon.metric("horizond_health_checks", state="healthy") == 1 and
                 daemon.metric("horizond_health_checks", state="unhealthy") == 2, 15, "the health of all checks")
    yield Far(daemon, VpcResolver(world, request.param, table.HEALTH, corpus.outside()))
    daemon.stop()
    asked.stop()
    api.stop()


def test_not_associated(far):
    assert all(zone["reckoned"] for zone in far.daemon.ctl_json("zones")["zones"])


def test_static(far):
    rows = [row for row in corpus.rows(far.region) if row.static]
    report(list(filter(None, map(fault, rows, ask(far, rows)))))


@pytest.mark.parametrize("name", table.NEEDS_RECKONING)
def test_reckoned(far, name):
    """As the resolver would say it, were the zone associated."""
    rows = [row for row in corpus.rows(far.region) if row.case == name and not row.static]
    faults = []
    for row, answer in zip(rows, ask(far, rows)):
        options = far.reckoner.options(row.name, row.rtype)
        got = records_of(answer)
        if not answer.aa or not any(got == one.records and answer.rcode == one.rcode for one in options):
            faults.append(f"{row}: {answer.rcode} aa={answer.aa} {sorted(got)}, wanted one of {list(options)[:3]}")
    report(faults)
    assert far.daemon.metric("horizond_answers_from_total", source="reckoned") > 0
