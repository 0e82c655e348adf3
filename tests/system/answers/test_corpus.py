"""Every policy, record type and place: horizond's answer, the stand-in resolver's, and the documentation's."""

from __future__ import annotations

import collections

import dns.rdatatype
import fast
import pytest
import wire
from horizon import Horizon
from resolvers import Scripted
from standin import Standin
from vpc import VpcResolver, labels_of, rdata

from answers import corpus, table

pytestmark = pytest.mark.quick
VPC_ID = "vpc-0a1b2c3d4e5f60718"
DRAWS = 4  # of each question with more than one answer
SHARE_WIDTH = 1e-9


class Setting:
    """A daemon beside a VPC resolver in one Region, both with the same zones. asked: its questions."""

    def __init__(self, region: str, resolver: VpcResolver, asked: Scripted, daemon: Horizon):
        self.region, self.resolver, self.asked, self.daemon = region, resolver, asked, daemon

    def rows(self) -> list[corpus.Row]:
        return corpus.rows(self.region)


@pytest.fixture(scope="module", params=[("file", table.OREGON), ("api", table.IRELAND)], ids="-".join)
def setting(request, launch_module, tmp_path_factory):
    how, region = request.param
    world = corpus.world(vpcs=[(VPC_ID, region)])
    resolver = VpcResolver(world, region, corpus.HEALTH, corpus.outside())
    asked, api, env = resolver.serve(), Standin(world).start(), {}
    settings = {"vpc_resolver": [asked.target], "vpc_packet_rate": 1000000}
    if how == "file":
        folder = tmp_path_factory.mktemp("corpus")
        settings["zone_files"] = [zone.save(folder / f"{zone.name}json") for zone in world.zones.values()]
    else:
        settings["route53"] = {"vpc": VPC_ID, "region": region, "rate": 500.0, "interval": 600}
        env = api.environment()
    daemon = launch_module(settings, env)
    yield Setting(region, resolver, asked, daemon)
    daemon.stop()
    asked.stop()
    api.stop()
    assert not api.bad_signatures


def demanded(row: corpus.Row) -> dict[frozenset, float]:
    return {frozenset((owner, rtype, rdata(rtype, text)) for owner, rtype, text in records): share
            for records, share in row.says.items()}


def records_of(answer: wire.Answer) -> frozenset:
    return frozenset((str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), one.to_text())
                     for rrset in answer.msg.answer for one in rrset)


def ask(setting, rows: list[corpus.Row]) -> list[wire.Answer]:
    packets = [wire.build(row.name, row.rtype) for row in rows]
    replies = fast.ask_all(setting.daemon.where, packets, window=200)
    return [wire.parse(i.to_bytes(2, "big") + packet[2:], reply, udp=False)
            for i, (packet, reply) in enumerate(zip(packets, replies))]


def fault(row: corpus.Row, answer: wire.Answer) -> str:
    """"" when the answer is one of those demanded."""
    says = demanded(row)
    got = records_of(answer)
    if answer.rcode != row.rcode or not answer.aa:
        return f"{row}: {answer.rcode} aa={answer.aa}, wanted {row.rcode}; {row.pages}"
    if got not in says:
        return f"{row}: {sorted(got)}, wanted one of {[sorted(one) for one in list(says)[:3]]}; {row.pages}"
    ttls = {rrset.ttl for rrset in answer.msg.answer if rrset.rdtype != dns.rdatatype.NS}
    if any(ttl > corpus.TTL or (row.static and ttl != corpus.TTL) for ttl in ttls):
        return f"{row}: TTLs {ttls}"
    if row.static and not got and answer.soa != row.name[row.name.index(f"{row.case}.example."):]:
        return f"{row}: the SOA is that of {answer.soa}"
    return ""


def report(faults: list[str]) -> None:
    assert not faults, f"{len(faults)} wrong\n" + "\n".join(faults[:15])


@pytest.mark.parametrize("region", table.REGIONS)
def test_resolver_says_what_the_pages_say(region):
    """The reference, held to the table: the same answers with the same shares."""
    resolver = VpcResolver(corpus.world(), region, corpus.HEALTH, corpus.outside())
    faults = []
    for row in corpus.rows(region):
        options = resolver.options(row.name, row.rtype)
        got = {answer.records: share for answer, share in options.items()}
        want = demanded(row)
        same = got.keys() == want.keys() and all(abs(got[one] - want[one]) < SHARE_WIDTH for one in want)
        if not same or {answer.rcode for answer in options} != {row.rcode}:
            faults.append(f"{row}: {options}, wanted {want}; {row.pages}")
    report(faults)


def test_corpus_is_whole():
    """Every policy at every place under every type."""
    rows = corpus.rows(table.IRELAND)
    assert len({case.name for case in table.CASES}) == len(table.CASES) >= 50
    assert len(rows) > 5000 and all(row.pages for row in rows)
    seen = collections.Counter((row.case, row.place) for row in rows)
    assert all(seen[case.name, place] for case in table.CASES for place in corpus.PLACES)


def test_answers(setting):
    """What the pages demand, for each draw."""
    rows = setting.rows()
    drawn = [row for row in rows if len(row.says) > 1]
    asked = rows + drawn * DRAWS
    report(list(filter(None, map(fault, asked, ask(setting, asked)))))


def test_same_as_the_resolver(setting):
    """For every name and type what the VPC resolver may say, and nothing else."""
    rows = setting.rows()
    faults = []
    for row, answer in zip(rows, ask(setting, rows)):
        options = setting.resolver.options(labels_of(row.name.rstrip(".")), row.rtype)
        got = records_of(answer)
        if not any(got == one.records and answer.rcode == one.rcode for one in options):
            faults.append(f"{row}: {answer.rcode} {sorted(got)}, the resolver {list(options)[:3]}")
    report(faults)


def test_static_sets_ask_nobody(setting):
    rows = [row for row in setting.rows() if row.static]
    setting.asked.forget()
    ask(setting, rows)
    assert setting.asked.names() == []


def test_classes(setting):
    """horizonctl zones counts the same (name, type) pairs as the table; nothing is at fault."""
    for case in table.CASES:
        zone = setting.daemon.zone(corpus.origin(case))
        assert zone["faults"] == 0, zone
        assert zone["associated"] is True
        assert (zone["dynamic"] == 0) == case.static, f"{case.name}: {zone}"
