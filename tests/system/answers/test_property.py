"""Random zones and questions: horizond's answers against vpc.py's, which is written apart from it.

200 zones with 500 questions each against the release build; a tenth with sanitizers. More, or another seed:

    HORIZON_PROPERTY_ZONES=2000 HORIZON_PROPERTY_SEED=7 pytest answers/test_property.py
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field

import dns.rdata
import fast
import horizon
import pytest
import vpc
from standin import World, Zone
from vpc import Answer, VpcResolver

pytestmark = pytest.mark.quick
SEED = int(os.environ.get("HORIZON_PROPERTY_SEED", "1034"))
ZONES = int(os.environ.get("HORIZON_PROPERTY_ZONES", "0"))  # 0: 200, with sanitizers 20
QUESTIONS = 500
TYPES = ["A", "A", "A", "AAAA", "TXT", "MX", "CNAME", "NS", "DS", "PTR", "SRV"]
SET_TYPES = ["A", "A", "A", "AAAA", "TXT", "MX", "PTR", "SRV", "DS"]
LABELS = [b"a", b"b", b"c", b"*", b"a-b", b"_x"]
FOREIGN = "host.elsewhere.test."
LB = "lb.elb.test."
DOWN = "0f0e0d0c-0000-4000-8000-000000000002"
UP = "0f0e0d0c-0000-4000-8000-000000000001"
REGIONS = ("eu-west-1", "us-west-2", "eu-central-1")


@dataclass
class Maker:
    """One random zone. Its names crowd: few labels, up to five deep, so that they meet."""

    rng: random.Random
    zone: Zone
    names: list[str] = field(default_factory=list)

    def fill(self) -> None:
        rng = self.rng
        labels = len(self.zone.name.rstrip(".").split("."))
        self.zone.put("", "SOA", rng.choice([30, 60, 900]), [f"ns. root. 1 2 3 4 {rng.choice([5, 60, 86400])}"])
        self.zone.put("", "NS", 300, ["ns-0.awsdns-00.com."])
        for _ in range(rng.randrange(4, 45)):
            name = self._name(5 - labels // 4)
            self._group(name)
            self.names.append(name)

    def _name(self, deepest: int) -> str:
        rng = self.rng
        if self.names and rng.random() < 0.3:  # beside or below one that is there
            name = rng.choice(self.names)
            return name if rng.random() < 0.6 else f"{self._label()}.{name}".rstrip(".")
        depth = 0 if rng.random() < 0.06 else rng.randrange(1, deepest)
        return ".".join(self._label() for _ in range(depth))

    def _label(self) -> str:
        return self.rng.choice(LABELS).decode()

    def _full(self, name: str) -> str:
        return f"{name}.{self.zone.name}".lstrip(".")

    def _types_at(self, name: str) -> set[str]:
        full = self.zone.full(name)
        return {key[1] for key in self.zone.sets if key[0] == full}

    def _group(self, name: str) -> None:
        """All the sets of one name and type, as the API would take them: nothing that contradicts itself."""
        rng, there = self.rng, self._types_at(name)
        if "CNAME" in there:
            return
        if not there and name and rng.random() < 0.15:
            return self._sets(name, "CNAME")
        if name and rng.random() < 0.03 and "NS" not in there:
            self.zone.put(name, "NS", 60, ["ns.elsewhere.test."])
            return
        rtype = rng.choice(SET_TYPES)
        if rtype not in there:
            self._sets(name, rtype)

    def _sets(self, name: str, rtype: str) -> None:
        rng = self.rng
        ttl, how = rng.choice([0, 1, 60, 299, 300]), rng.random()
        if how < 0.55:
            self._simple(name, rtype, ttl)
        elif how < 0.75:
            self._alias(name, rtype)
        elif how < 0.90:
            for i in range(rng.randrange(1, 5)):
                self._member(name, rtype, ttl, SetIdentifier=f"w{i}", Weight=rng.choice([0, 0, 1, 5, 255]))
        elif how < 0.96 and rtype != "CNAME":
            for i in range(rng.choice([1, 2, 3, 9])):
                self._values(name, rtype, ttl, [i], SetIdentifier=f"m{i}", MultiValueAnswer=True)
        elif how < 0.98:
            for role in ("PRIMARY", "SECONDARY"):
                self._member(name, rtype, ttl, SetIdentifier=role, Failover=role,
                             HealthCheckId=rng.choice([UP, DOWN]))
        else:
            for region in REGIONS[:rng.randrange(1, 4)]:
                self._member(name, rtype, ttl, SetIdentifier=region, Region=region)

    def _simple(self, name: str, rtype: str, ttl: int) -> None:
        count = 1 if rtype == "CNAME" else self.rng.choice([1, 1, 2, 3, 10])
        self._values(name, rtype, ttl, self.rng.sample(range(40), count))

    def _member(self, name: str, rtype: str, ttl: int, **more) -> None:
        if self.rng.random() < 0.3:
            self._alias(name, rtype, **more)
        else:
            self._values(name, rtype, ttl, [self.rng.randrange(40)], **more)

    def _values(self, name: str, rtype: str, ttl: int, numbers: list[int], **more) -> None:
        self.zone.put(name, rtype, ttl, [self._value(rtype, i) for i in numbers], **more)

    def _value(self, rtype: str, i: int) -> str:
        return {"A": f"10.0.0.{i}", "AAAA": f"fd00::{i:x}", "TXT": f'"text {i}" "\\{i:03o}\\052"',
                "MX": f"{i} {FOREIGN}", "SRV": f"{i} 1 53 {FOREIGN}", "PTR": FOREIGN.replace("host", f"h{i}"),
                "DS": f"{i} 8 1 " + f"{i:02x}" * 20, "CNAME": self._target()}[rtype]

    def _target(self) -> str:
        rng = self.rng
        if rng.random() < 0.1:
            return FOREIGN
        return self._full(rng.choice(self.names) if self.names and rng.random() < 0.7 else self._name(3))

    def _alias(self, name: str, rtype: str, **more) -> None:
        rng = self.rng
        if rng.random() < 0.08:
            self.zone.alias(name, rtype, LB, zone_id="ZELB", **more)
            return
        target = rng.choice(self.names) if self.names and rng.random() < 0.8 else self._name(4)
        self.zone.alias(name, rtype, self._full(target), health=rng.random() < 0.3, **more)

    # --- questions ---

    def question(self) -> tuple[tuple[bytes, ...], str]:
        rng, how = self.rng, self.rng.random()
        name = rng.choice(self.names) if self.names and how < 0.8 else self._name(6)
        if how < 0.25:
            name = name.replace("*", rng.choice("abcq"))
        elif how < 0.35:
            name = name.partition(".")[2]
        elif how < 0.5:
            name = f"{rng.choice('abcq*')}.{name}"
        labels = vpc.labels_of(self._full(name.strip(".")))
        types = sorted(self._types_at(name)) if rng.random() < 0.6 else []
        rtype = rng.choice([t for t in types if t in fast.NUMBERS] or TYPES)
        return labels, rtype


def make(seed: int, count: int) -> tuple[World, list[Maker]]:
    """Zones beside and below each other: z0.test, b.z0.test, ..."""
    world, makers = World(), []
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        below = i % 4 == 3
        name = f"{rng.choice('abc')}.z{i - 1}.test." if below else f"z{i}.test."
        makers.append(Maker(rng, world.add_zone(name, apex=False)))
        makers[-1].fill()
    return world, makers


# --- comparing ---

class Judge:
    """Holds replies to the options; the same question is looked up once."""

    def __init__(self, resolver: VpcResolver):
        self.resolver = resolver
        self.known: dict[tuple, dict[tuple, list[Answer]]] = {}
        self.kinds: dict[str, int] = {}
        self.shorter: set[str] = set()  # names whose TTL was less than the resolver's

    def options(self, labels: tuple[bytes, ...], rtype: str) -> dict[tuple, list[Answer]]:
        """By rcode and records; several may differ in their TTLs."""
        key = labels, rtype
        if key not in self.known:
            found = self.known[key] = {}
            for answer in self.resolver.options(labels, rtype):
                records = frozenset((owner, kind, data_hex(kind, data)) for owner, kind, data in answer.records)
                found.setdefault((answer.rcode, records), []).append(answer)
        return self.known[key]

    def fault(self, labels: tuple[bytes, ...], rtype: str, reply: bytes) -> str:
        got = fast.View(reply)
        records = frozenset((owner, kind, data) for owner, kind, _, data in got.answer)
        options = self.options(labels, rtype)
        wanted = options.get((got.rcode, records))
        asked = f"{vpc.text_of(labels)} {rtype}"
        if wanted is None or not got.aa or got.tc or len(records) != len(got.answer):
            return f"{asked}: {got.rcode} aa={got.aa} {sorted(got.answer)}, wanted {list(options)[:4]}"
        zone = wanted[0].zone
        if zone and [one[:2] for one in got.authority] != [(zone, "SOA")]:
            return f"{asked}: {got.rcode} with {got.authority}, wanted the SOA of {zone}"
        kind = f"{got.rcode} {'chain' if len(wanted[0].ttls) > 1 else 'data' if records else 'none'}"
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        return self._lives(asked, got, wanted)

    def _lives(self, asked: str, got: fast.View, wanted: list[Answer]) -> str:
        """Each TTL as it should be; less for what was kept a while."""
        shorter: list[set[str]] = []
        for want in wanted:
            pairs = [(owner, ttl, want.ttl(owner, kind)) for owner, kind, ttl, _ in got.answer]
            if want.zone:
                owner = want.ttls[-1][0].split()[0]
                pairs.append((owner, got.authority[0][2], want.ttls[-1][1]))
            if all(ttl <= most for _, ttl, most in pairs):
                shorter.append({owner for owner, ttl, most in pairs if ttl < most})
        if shorter:
            self.shorter |= min(shorter, key=len)
            return ""
        return f"{asked}: TTLs of {got.answer} {got.authority}, wanted {[want.ttls for want in wanted]}"


_hex: dict[tuple[str, str], str] = {}


def data_hex(rtype: str, text: str) -> str:
    """As fast.View has it."""
    if rtype in ("CNAME", "NS", "PTR", "MX", "SOA"):
        return text
    if (rtype, text) not in _hex:
        _hex[rtype, text] = dns.rdata.from_text("IN", rtype, text).to_wire().hex()
    return _hex[rtype, text]


def test_random_zones(launch, tmp_path):
    count = ZONES or (20 if horizon.sanitized() else 200)
    print(f"HORIZON_PROPERTY_SEED={SEED} HORIZON_PROPERTY_ZONES={count}")
    began = time.monotonic()
    world, makers = make(SEED, count)
    resolver = VpcResolver(world, "eu-west-1", {DOWN: False}, {
        LB: {"A": (60, ["10.99.0.1", "10.99.0.2"])}, FOREIGN: {"A": (60, ["192.0.2.1"])}}, below_cut="192.0.2.53",
                           ttl_max=1 << 31)
    asked = resolver.serve()
    daemon = launch({
        "vpc_resolver": [asked.target], "vpc_packet_rate": 1000000, "cache": {"max_negative_ttl": 3600},
        "zone_files": [maker.zone.save(tmp_path / f"{i}.json") for i, maker in enumerate(makers)]})
    judge, faults, compared = Judge(resolver), [], 0
    for maker in makers:
        questions = [maker.question() for _ in range(QUESTIONS)]
        replies = fast.ask_all(daemon.where, [fast.question(*one) for one in questions], window=60)
        faults += [f"{maker.zone.name}: {fault}" for (labels, rtype), reply in zip(questions, replies)
                   if (fault := judge.fault(labels, rtype, reply))]
        compared += len(questions)
    print(f"{compared} compared in {time.monotonic() - began:.1f} s, {judge.kinds}, "
          f"{len(asked.names())} asked of the resolver")
    names = {name.lower() for name in asked.names()}
    asked.stop()
    assert not faults, f"seed {SEED}: {len(faults)} differences\n" + "\n".join(faults[:12])
    assert judge.shorter <= names, "what comes from memory has its whole TTL"
    assert compared >= count * QUESTIONS
    assert judge.kinds.keys() >= {"NOERROR data", "NOERROR none", "NXDOMAIN none", "NOERROR chain"}
