"""Record sets that contradict themselves or cannot be read: named, counted, asked of the VPC resolver.

The rest of the zone serves. Each set of BAD is one that the API ought never to list (facts: Route 53, section
1.5); what AWS would answer for it is known to the VPC resolver alone.
"""

from __future__ import annotations

import json

import net
import pytest
from horizon import Horizon
from resolvers import answer, negative
from standin import Standin, World, Zone

pytestmark = pytest.mark.quick
VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")
ZONE = "bad.example."
MANY = [f"10.1.{i // 250}.{i % 250}" for i in range(401)]


def values(*texts: str, ttl: int | None = 60, **more) -> dict:
    out = {"ResourceRecords": [{"Value": text} for text in texts], **more}
    return out if ttl is None else {**out, "TTL": ttl}


def alias(name: str, **more) -> dict:
    return {"AliasTarget": {"HostedZoneId": "ZBAD", "DNSName": f"{name}.{ZONE}", "EvaluateTargetHealth": False},
            **more}


# name, type, the sets, and what the reason must speak of
BAD = [
    ("address", "A", [values("10.0.0.999")], "10.0.0.999"),
    ("one-of-two", "A", [values("10.0.0.1", "nonsense")], "nonsense"),
    ("text", "TXT", [values('"open')], "open"),
    ("mail", "MX", [values("mail.bad.example.")], "mail.bad.example"),
    ("service", "SRV", [values("1 2 99999 host.bad.example.")], "99999"),
    ("escape", "TXT", [values('"\\777"')], "777"),
    ("nothing", "A", [{"TTL": 60}], "neither"),
    ("empty", "A", [values()], "neither"),
    ("both", "A", [{**values("10.0.0.1"), **alias("www")}], "both"),
    ("many", "A", [values(*MANY)], "400"),
    ("cname", "CNAME", [values("www.bad.example.", "mail.bad.example.")], "more than one"),
    ("beside", "CNAME", [values("www.bad.example.")], "beside"),
    ("", "CNAME", [values("www.bad.example.")], "apex"),
    ("no-ttl", "A", [values("10.0.0.1", ttl=None)], "TTL"),
    ("long-ttl", "A", [values("10.0.0.1", ttl=2147483648)], "TTL"),
    ("heavy", "A", [values("10.0.0.1", SetIdentifier="a", Weight=256)], "255"),
    ("unnamed", "A", [values("10.0.0.1", Weight=1)], "identifier"),
    ("named", "A", [values("10.0.0.1", SetIdentifier="a")], "identifier"),
    ("two-policies", "A", [values("10.0.0.1", SetIdentifier="a", Weight=1, Failover="PRIMARY")], "policy"),
    ("third", "A", [values("10.0.0.1", SetIdentifier="a", Failover="THIRD")], "PRIMARY"),
    ("mixed", "A", [values("10.0.0.1", SetIdentifier="a", Weight=1),
                    values("10.0.0.2", SetIdentifier="b", MultiValueAnswer=True)], "two routing policies"),
    ("half", "A", [values("10.0.0.1"), values("10.0.0.2", SetIdentifier="b", Weight=1)], "with and without"),
    ("multi-alias", "A", [alias("www", SetIdentifier="a", MultiValueAnswer=True)], "multivalue"),
    ("ns-alias", "NS", [alias("www")], "NS"),
    ("circle", "A", [alias("circle2")], "alias"),
    ("circle2", "A", [alias("circle")], "alias"),
    ("self", "A", [alias("self")], "circle"),
    ("no-type", "AAAA", [alias("www")], "type"),
    ("to-bad", "A", [alias("address")], "fault"),
    ("*.wild", "A", [values("10.0.0.256")], "10.0.0.256"),
]
# Listed, but with no place in the zone: counted and named, and there is nothing that could be asked for.
LOST = [("www.other.example.", "A", [values("10.0.0.1")], "outside"),
        ("odd", "BOGUS", [values("10.0.0.1")], "type"),
        ("meta", "OPT", [values("x")], "type")]
API_ONLY = [("below", "SOA", [values("a. b. 1 2 3 4 5")], "apex")]  # a file has its name from its only SOA
FILE_ONLY = [("twice", "A", [values("10.0.0.1"), values("10.0.0.2")], "two sets"),
             ("same-id", "A", [values("10.0.0.1", SetIdentifier="a", Weight=1)] * 2, "twice")]


def full(name: str) -> str:
    return name if name.endswith(".") else f"{name}.{ZONE}".lstrip(".")


@pytest.fixture(scope="module")
def world():
    made = World()
    zone = made.add_zone(ZONE, "ZBAD", vpcs=[VPC])
    zone.put("www", "A", 60, ["10.0.0.80"])
    zone.put("beside", "TXT", 60, ['"serves"'])
    zone.put("address", "TXT", 60, ['"serves"'])
    put(zone, BAD + LOST)
    return made


def put(zone: Zone, bad: list) -> None:
    for name, rtype, sets, _ in bad:
        for one in sets:
            zone.put(full(name), rtype, None, None, **one)


class Setting:
    """A daemon, and the bad sets that its zone has."""

    def __init__(self, daemon: Horizon, bad: list):
        self.daemon, self.bad = daemon, bad


@pytest.fixture(scope="module", params=["file", "api"])  # in this order: the second adds to the zone
def setting(request, world, launch_module, vpc_module, tmp_path_factory):
    vpc_module.default = negative(".")
    bad, env, api = list(BAD), {}, Standin(world).start()
    settings = {"vpc_resolver": [vpc_module.target], "vpc_packet_rate": 1000000}
    if request.param == "api":
        bad += API_ONLY
        put(world.zones["ZBAD"], API_ONLY)
        settings["route53"] = {"vpc": VPC[0], "region": VPC[1], "rate": 100.0, "interval": 600}
        env = api.environment()
    else:
        bad += FILE_ONLY
        saved = world.zones["ZBAD"].saved()
        for name, rtype, sets, _ in FILE_ONLY:
            saved["ResourceRecordSets"] += [{"Name": full(name), "Type": rtype, **one} for one in sets]
        file = tmp_path_factory.mktemp("bad") / "bad.json"
        file.write_text(json.dumps(saved), encoding="utf-8")
        settings["zone_files"] = [str(file)]
    daemon = launch_module(settings, env)
    yield Setting(daemon, bad)
    daemon.stop()
    api.stop()


def listed(setting) -> dict[tuple[str, str], list[str]]:
    zone = setting.daemon.ctl_json("zones", ZONE, "--faults")["zones"][0]
    out: dict[tuple[str, str], list[str]] = {}
    for fault in zone["fault_list"]:
        out.setdefault((fault["name"], fault["type"]), []).append(fault["why"])
    return out


def test_every_fault_is_listed(setting):
    """By name and type, with a reason that speaks of what is wrong; nothing else is listed."""
    faults = listed(setting)
    wrong = [f"{full(name)} {rtype}: {faults.get((full(name), rtype))}, should speak of {word}"
             for name, rtype, _, word in setting.bad + LOST
             if not any(word in why for why in faults.get((full(name), rtype), []))]
    assert not wrong, "\n".join(wrong)
    known = {(full(name), rtype) for name, rtype, _, _ in setting.bad + LOST}
    assert set(faults) <= known, set(faults) - known


def test_text_of_horizonctl(setting):
    text = setting.daemon.ctl("zones", ZONE, "--faults")
    for name, rtype, _, _ in setting.bad + LOST:
        assert any(full(name) in line and rtype in line.split() for line in text.splitlines()), f"{name} {rtype}"


def test_faults_are_counted(setting):
    count = sum(map(len, listed(setting).values()))
    assert setting.daemon.zone(ZONE)["faults"] == count >= len(setting.bad + LOST)
    assert setting.daemon.metric("horizond_zone_faults") == count


def test_faults_are_logged(setting):
    """The first twenty by name and reason, and how many more there are."""
    lines = setting.daemon.log(r"warn .*fault in ")
    assert len(lines) == 20 and all(ZONE in line for line in lines)
    assert any("address.bad.example. A: value \"10.0.0.999\"" in line for line in lines), lines
    count = setting.daemon.zone(ZONE)["faults"]
    assert setting.daemon.log(rf"warn .*{count - 20} more faults")


def test_faults_are_asked_of_the_resolver(setting, vpc_module):
    """What AWS made of them, with AA: they are names of ours."""
    data = {"A": "192.0.2.9", "AAAA": "2001:db8::9", "TXT": '"aws"', "MX": "9 aws.test.", "SRV": "1 1 1 aws.test.",
            "CNAME": "aws.test.", "SOA": "aws. aws. 1 2 3 4 5"}
    for name, rtype, _, _ in setting.bad:
        if rtype == "NS":
            continue  # a cut: below
        asked = full(name).replace("*", "any")
        vpc_module.on(asked, rtype, answer(f"@ 7 {rtype} {data[rtype]}"))
        got = setting.daemon.ask(asked, rtype)
        assert got.aa and got.rcode == "NOERROR" and got.data(rtype) == [data[rtype]], f"{asked} {rtype}\n{got}"


def test_faulty_cut_hides_what_is_below(setting, vpc_module):
    """An NS set that cannot be read is a cut all the same."""
    vpc_module.on("x.ns-alias.bad.example", "A", answer("@ 7 A 192.0.2.10"))
    assert setting.daemon.ask("x.ns-alias.bad.example").data() == ["192.0.2.10"]


def test_the_rest_serves(setting, vpc_module):
    """Other names, and other types of the same names, without a question to anybody."""
    vpc_module.forget()
    daemon = setting.daemon
    assert daemon.ask("www.bad.example").data() == ["10.0.0.80"]
    for name in ("beside", "address"):
        assert daemon.ask(f"{name}.bad.example", "TXT").data() == ['"serves"']
    assert daemon.ask("none.bad.example").rcode == "NXDOMAIN"
    assert daemon.ask("odd.bad.example").rcode == "NOERROR", "the name is there, whatever its type is"
    assert daemon.ask("bad.example", "NS").data()
    assert vpc_module.names() == []


def test_a_mended_set_serves(launch, api, vpc):
    """As soon as the listing has it right."""
    zone = api.world.add_zone("mend.example.", vpcs=[VPC])
    zone.put("www", "A", 60, ["10.0.0.300"])
    route53 = {"vpc": VPC[0], "region": VPC[1], "rate": 20.0, "interval": 1, "min_interval": 1}
    daemon = launch({"vpc_resolver": [vpc.target], "route53": route53}, api.environment())
    assert daemon.zone("mend.example.")["faults"] == 1
    zone.put("www", "A", 60, ["10.0.0.30"])
    net.wait_for(lambda: daemon.zone("mend.example.")["faults"] == 0, 10, "the mended zone")
    daemon.wait_answer("www.mend.example", "A", ["10.0.0.30"])
