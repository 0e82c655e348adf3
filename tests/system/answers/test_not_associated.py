"""A VPC that is not associated with the zones: what horizond may answer from memory it answers all the same.

The VPC resolver here knows none of the private zones, only the names outside. Dynamic cases need reckoning;
table.RECKONED says which are switched on, table.NEEDS_RECKONING which there are.
"""

from __future__ import annotations

import pytest
from standin import World
from vpc import VpcResolver

from answers import corpus, table
from answers.test_corpus import ask, fault, records_of, report

pytestmark = pytest.mark.quick


class Far:
    """The zones that horizond holds, and a resolver beside it that has none of them."""

    def __init__(self, daemon, reckoner: VpcResolver):
        self.daemon, self.reckoner = daemon, reckoner


@pytest.fixture(scope="module", params=table.REGIONS)
def far(request, launch_module, tmp_path_factory):
    """The reckoner has the zones, and no health to go by: all is healthy."""
    world = corpus.world()
    folder = tmp_path_factory.mktemp("far")
    asked = VpcResolver(World(), request.param, outside=corpus.outside()).serve()
    daemon = launch_module({
        "vpc_resolver": [asked.target], "vpc_packet_rate": 1000000, "route53": {"vpc": "", "region": request.param},
        "zone_files": [zone.save(folder / f"{zone.name}json") for zone in world.zones.values()]})
    yield Far(daemon, VpcResolver(world, request.param, outside=corpus.outside()))
    daemon.stop()
    asked.stop()


def test_lists_name_cases():
    names = {case.name for case in table.CASES}
    assert set(table.RECKONED) <= set(table.NEEDS_RECKONING) <= names
    assert set(table.NOT_RECKONABLE) <= set(table.NEEDS_RECKONING) - set(table.RECKONED)


def test_not_associated(far):
    assert not far.daemon.zone("simple.example.")["associated"]


def test_static(far):
    rows = [row for row in corpus.rows(table.IRELAND) if row.static]
    report(list(filter(None, map(fault, rows, ask(far, rows)))))


@pytest.mark.parametrize("name", table.RECKONED or [pytest.param("", marks=pytest.mark.skip(
    reason=f"nothing in RECKONED; these need it: {', '.join(table.NEEDS_RECKONING)}"))])
def test_reckoned(far, name):
    """As the resolver would say it, were all healthy."""
    rows = [row for row in corpus.rows(table.IRELAND) if row.case == name and not row.static]
    faults = []
    for row, answer in zip(rows, ask(far, rows)):
        options = far.reckoner.options(row.name, row.rtype)
        got = records_of(answer)
        if not answer.aa or not any(got == one.records and answer.rcode == one.rcode for one in options):
            faults.append(f"{row}: {answer.rcode} aa={answer.aa} {sorted(got)}, wanted one of {list(options)[:3]}")
    report(faults)
    assert far.daemon.metric("horizond_answers_from_total", source="reckoned") > 0
