"""The corpus: every routing policy and kind of alias, and what the documentation says it answers.

A case is one kind of group; corpus.py puts it at every place a name can have (apex, plain, wildcard, below an
empty non-terminal, alias of alias) and under every type. Values are numbers here: corpus.value() makes data of
them. `says` is written by hand from the pages, for a healthy and an unhealthy world, per Region where that
matters: {the values of one answer: its share}. Nothing in it comes from a program.

Pages: D.. are the rows of the facts sheet on semantics; the rest are titles in the Route 53 Developer Guide.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

UP = "0f0e0d0c-0000-4000-8000-000000000001"
DOWN = "0f0e0d0c-0000-4000-8000-000000000002"
DOWN2 = "0f0e0d0c-0000-4000-8000-000000000003"
HEALTH = {UP: True, DOWN: False, DOWN2: False}

IRELAND, OREGON = "eu-west-1", "us-west-2"
REGIONS = (IRELAND, OREGON)

ADDRESS = ("A", "AAAA")
LB, LB_V4, LB_DOWN = ("lb-1.eu-west-1.elb.amazonaws.com.", "lb-2.eu-west-1.elb.amazonaws.com.",
                      "lb-3.eu-west-1.elb.amazonaws.com.")
ELB_ZONE = "Z32O12XQLNTSW2"

Shares = dict[tuple[int, ...], float]
NOTHING: Shares = {(): 1.0}  # the name is there, and there are no data


@dataclass(frozen=True)
class Member:
    """One record set: values by number, or an alias to a group of the same zone or to an AWS name."""

    values: tuple[int, ...] = ()
    alias: str = ""
    aws: str = ""
    health: bool = False  # EvaluateTargetHealth
    more: dict = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Case:
    name: str
    pages: str
    members: list[Member]
    says: Shares | dict[str, Shares]  # or by Region
    static: bool = False  # horizond may answer it from memory
    groups: dict[str, list[Member]] = field(default_factory=dict)  # that aliases lead to
    types: tuple[str, ...] = ()  # these only
    cname: bool = True  # may it have the type CNAME?

    def shares(self, region: str) -> Shares:
        return self.says[region] if region in self.says else self.says  # type: ignore[return-value]


def v(*values: int, **more) -> Member:
    return Member(values, more=more)


def to(group: str, health: bool = False, **more) -> Member:
    return Member(alias=group, health=health, more=more)


def aws(name: str, health: bool = False, **more) -> Member:
    return Member(aws=name, health=health, more=more)


def w(weight: int, value: int, check: str = "") -> Member:
    return v(value, **_policy(f"w{value}", check, Weight=weight))


def mv(value: int, check: str = "") -> Member:
    return v(value, **_policy(f"m{value:02d}", check, MultiValueAnswer=True))


def fo(role: str, value: int, check: str = "") -> Member:
    return v(value, **_policy(role.lower(), check, Failover=role))


def lat(region: str, value: int, check: str = "") -> Member:
    return v(value, **_policy(region, check, Region=region))


def geo(value: int, check: str = "", **where: str) -> Member:
    return v(value, **_policy("-".join(where.values()), check, GeoLocation=where))


def prox(value: int, check: str = "", **where) -> Member:
    return v(value, **_policy(f"p{value}", check, GeoProximityLocation=where))


def _policy(identifier: str, check: str, **members) -> dict:
    return {"SetIdentifier": identifier, **members, **({"HealthCheckId": check} if check else {})}


def eights(values: list[int]) -> Shares:
    """Any eight of these, each eight as likely."""
    found = list(itertools.combinations(values, 8))
    return {eight: 1 / len(found) for eight in found}


SIMPLE = "D18; Simple routing"
WEIGHTED = "D13; Weighted routing"
CHECKED = "D13, D17; How Route 53 chooses records when health checking is configured"
MULTI = "D14; Multivalue answer routing"
FAILOVER = "D15; Failover routing; Configuring failover in a private hosted zone"
LATENCY = "D16; Latency-based routing in private hosted zones"
GEO = "D16; Geolocation routing; Geolocation routing in private hosted zones"
PROX = "D19; Geoproximity routing"
ALIAS = "D12; Choosing between alias and non-alias records"
TREE = "D12, D17; How Route 53 chooses records in complex configurations"

PLAIN = [
    Case("simple", SIMPLE, [v(0)], {(0,): 1.0}, static=True),
    Case("simple-many", SIMPLE + ": all values, in any order", [v(0, 1, 2)], {(0, 1, 2): 1.0}, static=True,
         cname=False),
    Case("weighted", WEIGHTED + ": weight by sum", [w(10, 0), w(30, 1)], {(0,): 0.25, (1,): 0.75}, static=True),
    Case("weighted-one", WEIGHTED, [w(7, 0)], {(0,): 1.0}, static=True),
    Case("weighted-zero", WEIGHTED + ": 0 is never drawn", [w(0, 0), w(255, 1), w(255, 2)],
         {(1,): 0.5, (2,): 0.5}, static=True),
    Case("weighted-zeros", WEIGHTED + ": all 0, all alike", [w(0, 0), w(0, 1), w(0, 2), w(0, 3)],
         {(0,): 0.25, (1,): 0.25, (2,): 0.25, (3,): 0.25}, static=True),
    Case("multi", MULTI, [mv(0), mv(1), mv(2)], {(0, 1, 2): 1.0}, static=True, cname=False),
    Case("multi-many", MULTI + ": up to eight", [mv(i) for i in range(9)], eights(list(range(9))), static=True,
         cname=False),
]

HEALTHY = [
    Case("weighted-up", CHECKED, [w(10, 0, UP), w(30, 1, UP)], {(0,): 0.25, (1,): 0.75}),
    Case("weighted-down", CHECKED, [w(10, 0, UP), w(30, 1, DOWN), w(30, 2)], {(0,): 0.25, (2,): 0.75}),
    Case("weighted-rescue", CHECKED + ": weight 0 when all others are unhealthy",
         [w(10, 0, DOWN), w(0, 1, UP), w(0, 2)], {(1,): 0.5, (2,): 0.5}),
    Case("weighted-all-down", CHECKED + ": none healthy, all healthy",
         [w(10, 0, DOWN), w(30, 1, DOWN2), w(0, 2, DOWN)], {(0,): 0.25, (1,): 0.75}),
    Case("multi-down", MULTI + "; D17", [mv(0, UP), mv(1, DOWN), mv(2)], {(0, 2): 1.0}, cname=False),
    Case("multi-all-down", MULTI + ": none healthy, up to eight of the unhealthy",
         [mv(0, DOWN), mv(1, DOWN), mv(2, DOWN2)], {(0, 1, 2): 1.0}, cname=False),
    Case("multi-many-down", MULTI + "; D17", [mv(i, DOWN if i < 2 else UP) for i in range(11)],
         eights(list(range(2, 11))), cname=False),
]

FAILOVERS = [
    Case("failover-up", FAILOVER, [fo("PRIMARY", 0, UP), fo("SECONDARY", 1, UP)], {(0,): 1.0}),
    Case("failover-down", FAILOVER, [fo("PRIMARY", 0, DOWN), fo("SECONDARY", 1, UP)], {(1,): 1.0}),
    Case("failover-unchecked", FAILOVER + ": a secondary without a check is used",
         [fo("PRIMARY", 0, DOWN), fo("SECONDARY", 1)], {(1,): 1.0}),
    Case("failover-no-check", FAILOVER + ": a primary without a check is healthy",
         [fo("PRIMARY", 0), fo("SECONDARY", 1)], {(0,): 1.0}),
    Case("failover-both-down", FAILOVER + ": both unhealthy, the primary",
         [fo("PRIMARY", 0, DOWN), fo("SECONDARY", 1, DOWN2)], {(0,): 1.0}),
    Case("failover-alone", FAILOVER, [fo("SECONDARY", 0, UP)], {(0,): 1.0}),
]

PLACES = [
    Case("latency", LATENCY + ": the same Region", [lat(IRELAND, 0), lat(OREGON, 1), lat("ap-northeast-1", 2)],
         {IRELAND: {(0,): 1.0}, OREGON: {(1,): 1.0}}),
    Case("latency-near", LATENCY + ": the closest Region",
         [lat("eu-central-1", 0), lat("us-east-1", 1), lat("ap-southeast-2", 2)],
         {IRELAND: {(0,): 1.0}, OREGON: {(1,): 1.0}}),
    Case("latency-down", LATENCY + ": the next best when unhealthy",
         [lat(IRELAND, 0, DOWN), lat("eu-central-1", 1, UP), lat(OREGON, 2, DOWN), lat("us-east-1", 3)],
         {IRELAND: {(1,): 1.0}, OREGON: {(3,): 1.0}}),
    Case("latency-all-down", LATENCY + "; D17", [lat(IRELAND, 0, DOWN), lat(OREGON, 1, DOWN2)],
         {IRELAND: {(0,): 1.0}, OREGON: {(1,): 1.0}}),
    Case("geo", GEO + ": the smallest place wins",
         [geo(0, CountryCode="*"), geo(1, ContinentCode="EU"), geo(2, CountryCode="IE"),
          geo(3, ContinentCode="NA"), geo(4, CountryCode="US"), geo(5, CountryCode="US", SubdivisionCode="OR")],
         {IRELAND: {(2,): 1.0}, OREGON: {(5,): 1.0}}),
    Case("geo-country", GEO, [geo(0, CountryCode="*"), geo(1, ContinentCode="EU"), geo(2, CountryCode="FR"),
                              geo(3, CountryCode="US"), geo(4, CountryCode="US", SubdivisionCode="CA")],
         {IRELAND: {(1,): 1.0}, OREGON: {(3,): 1.0}}),
    Case("geo-default", GEO + ": the default", [geo(0, CountryCode="*"), geo(1, CountryCode="JP")], {(0,): 1.0}),
    Case("geo-none", GEO + ": no match and no default is \"no answer\"",
         [geo(0, CountryCode="JP"), geo(1, ContinentCode="AF")], NOTHING),
    Case("geo-down", GEO + ": the next larger place when unhealthy",
         [geo(0, CountryCode="*"), geo(1, DOWN, CountryCode="IE"), geo(2, DOWN, CountryCode="US")], {(0,): 1.0}),
    Case("geo-all-down", GEO + ": none healthy, the smallest that matches",
         [geo(0, DOWN, CountryCode="*"), geo(1, DOWN2, CountryCode="IE"), geo(2, DOWN, CountryCode="US")],
         {IRELAND: {(1,): 1.0}, OREGON: {(2,): 1.0}}),
    Case("proximity", PROX, [prox(0, AWSRegion=IRELAND), prox(1, AWSRegion=OREGON)],
         {IRELAND: {(0,): 1.0}, OREGON: {(1,): 1.0}}),
    Case("proximity-bias", PROX + ": a bias moves the border",
         [prox(0, AWSRegion="eu-central-1", Bias=-90),
          prox(1, Coordinates={"Latitude": "40.70", "Longitude": "-74.00"}, Bias=50)], {(1,): 1.0}),
    Case("proximity-down", PROX + "; D17",
         [prox(0, DOWN, AWSRegion=IRELAND), prox(1, DOWN, AWSRegion=OREGON), prox(2, AWSRegion="sa-east-1")],
         {(2,): 1.0}),
]

ALIASES = [
    Case("alias", ALIAS + ": a record of the same zone", [to("pool")], {(0,): 1.0}, static=True,
         groups={"pool": [v(0)]}),
    Case("alias-many", ALIAS, [to("pool")], {(0, 1): 1.0}, static=True, groups={"pool": [v(0, 1)]}, cname=False),
    Case("alias-weighted", ALIAS + ": the target's routing", [to("pool")], {(0,): 0.25, (1,): 0.75}, static=True,
         groups={"pool": [w(1, 0), w(3, 1)]}),
    Case("alias-multi", ALIAS, [to("pool")], {(0, 1, 2): 1.0}, static=True, groups={"pool": [mv(0), mv(1), mv(2)]},
         cname=False),
    Case("alias-wildcard", ALIAS + "; D11", [to("any.star")], {(0,): 1.0}, static=True,
         groups={"*.star": [v(0)]}, cname=False),
    Case("alias-health", ALIAS + ": EvaluateTargetHealth on a lone record has no effect",
         [to("pool", health=True)], {(0,): 1.0}, static=True, groups={"pool": [v(0)]}),
    Case("alias-checked", ALIAS + "; D17", [to("pool")], {(1,): 1.0}, groups={"pool": [w(5, 0, DOWN), w(5, 1, UP)]}),
    Case("alias-failover", ALIAS, [to("pool")], {(1,): 1.0},
         groups={"pool": [fo("PRIMARY", 0, DOWN), fo("SECONDARY", 1)]}),
    Case("alias-latency", ALIAS, [to("pool")], {IRELAND: {(0,): 1.0}, OREGON: {(1,): 1.0}},
         groups={"pool": [lat(IRELAND, 0), lat(OREGON, 1)]}),
    Case("alias-chain", ALIAS + ": chains inside a zone", [to("one")], {(0,): 1.0}, static=True,
         groups={"one": [to("two")], "two": [to("three")], "three": [v(0)]}),
    Case("alias-aws", ALIAS + ": a load balancer", [aws(LB)], {(0, 1): 1.0}, types=ADDRESS),
    Case("alias-aws-v4", ALIAS + ": a target without this type has no data", [aws(LB_V4)], {(2,): 1.0},
         types=("A",)),
    Case("alias-to-aws", ALIAS + ": an alias to an alias to a load balancer", [to("one")], {(0, 1): 1.0},
         groups={"one": [aws(LB)]}, types=ADDRESS),
]

TREES = [
    Case("weighted-aliases", TREE, [to("a", **_policy("a", "", Weight=1)), to("b", **_policy("b", "", Weight=1))],
         {(0,): 0.5, (1,): 0.125, (2,): 0.375}, static=True,
         groups={"a": [v(0)], "b": [w(1, 1), w(3, 2)]}),
    Case("weighted-alias-health", TREE + ": a branch without a healthy record is left",
         [to("a", True, **_policy("a", "", Weight=1)), to("b", True, **_policy("b", "", Weight=1))],
         {(2,): 1.0}, groups={"a": [w(1, 0, DOWN), w(1, 1, DOWN2)], "b": [v(2)]}),
    Case("weighted-alias-no-health", TREE + ": without evaluation a dead branch is drawn too",
         [to("a", False, **_policy("a", "", Weight=1)), to("b", False, **_policy("b", "", Weight=3))],
         {(0,): 0.25, (1,): 0.75}, groups={"a": [w(1, 0, DOWN)], "b": [w(1, 1, UP)]}),
    Case("failover-alias", TREE,
         [to("a", True, **_policy("p", "", Failover="PRIMARY")),
          to("b", True, **_policy("s", "", Failover="SECONDARY"))],
         {(1,): 1.0}, groups={"a": [w(1, 0, DOWN)], "b": [v(1)]}),
    Case("failover-alias-check", TREE + ": a check and evaluation must both pass",
         [to("a", True, **_policy("p", DOWN, Failover="PRIMARY")),
          to("b", True, **_policy("s", "", Failover="SECONDARY"))],
         {(1,): 1.0}, groups={"a": [v(0)], "b": [v(1)]}),
    Case("failover-aws", TREE, [aws(LB_DOWN, True, **_policy("p", "", Failover="PRIMARY")),
                                aws(LB, True, **_policy("s", "", Failover="SECONDARY"))],
         {(0, 1): 1.0}, types=ADDRESS),
    Case("latency-alias", TREE, [to("eu", True, **_policy("eu", "", Region=IRELAND)),
                                 to("us", True, **_policy("us", "", Region=OREGON))],
         {IRELAND: {(1,): 1.0}, OREGON: {(3,): 1.0}},
         groups={"eu": [w(1, 0, DOWN), w(1, 1, UP)], "us": [w(1, 2, DOWN), w(1, 3, UP)]}),
    Case("latency-weighted-down", TREE + ": a Region without a healthy record is left for the next",
         [to("eu", True, **_policy("eu", "", Region=IRELAND)), to("us", True, **_policy("us", "", Region=OREGON))],
         {(2,): 1.0}, groups={"eu": [w(1, 0, DOWN), w(1, 1, DOWN2)], "us": [w(1, 2, UP)]}),
]

CASES = PLAIN + HEALTHY + FAILOVERS + PLACES + ALIASES + TREES

# What horizond must reckon when its VPC is not associated with the zone: every case that it may not answer
# from memory, by name. test_not_associated.py asks them once lib/query can (RECKONED below).
NEEDS_RECKONING = tuple(case.name for case in CASES if not case.static)
# Of these, the ones that are switched on.
RECKONED: tuple[str, ...] = ()
# Never: which Region is the closest is not published, and horizond need not guess as the stand-in does.
NOT_RECKONABLE = ("latency-near", "proximity-bias")
