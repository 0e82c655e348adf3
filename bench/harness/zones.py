"""Zones of any size in the formats of the servers, and lists of questions about them.

The same size and seed give the same bytes, on every machine.
"""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

ORIGIN = "bench.example"
FORWARD = "fwd.example"
TTL = 300
MAGIC = b"HZBENCH1"
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
ROLES = ("web", "db", "cache", "queue", "worker", "api", "build", "log")
SITES = ("eu1a", "eu1b", "eu1c", "us2a", "us2b", "prod", "test")
NAMESERVERS = ("ns-0.awsdns-00.com.", "ns-512.awsdns-00.net.", "ns-1024.awsdns-00.org.", "ns-1536.awsdns-00.co.uk.")
SOA = f"{NAMESERVERS[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 300"
#: Of the record sets; the rest are MX, TXT and SRV.
SHARES = {"A": 0.72, "AAAA": 0.10, "CNAME": 0.07, "wildcard": 0.07}
#: Of the questions.
MIX = {"A": 0.70, "AAAA": 0.10, "CNAME": 0.05, "wildcard": 0.05, "nxdomain": 0.05, "nodata": 0.05}


@dataclass
class Set:
    """A record set as Route 53 has it."""

    name: str  # without the last dot; "*" at the left is a wildcard
    type: str
    values: list[str]
    extra: dict = field(default_factory=dict)  # SetIdentifier and so on


def host(number: int) -> str:
    return f"{ROLES[number % 8]}-{number:05d}.{SITES[number // 8 % 7]}.{ORIGIN}"


def ipv4(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def ipv6(number: int) -> str:
    return f"fd00:ec2::{number >> 16:x}:{number & 0xffff:x}"


def group_sets(name: str, number: int, multivalue: bool) -> list[Set]:
    """Four multivalue sets or two weighted ones of one name."""
    if multivalue:
        marks = [{"SetIdentifier": f"i-{number:08x}{i}", "MultiValueAnswer": True} for i in range(4)]
    else:
        marks = [{"SetIdentifier": f"side-{i}", "Weight": 100 - 60 * i} for i in range(2)]
    return [Set(name, "A", [ipv4(number * 4 + i)], mark) for i, mark in enumerate(marks)]


class Zone:
    """SOA and NS, then `size` sets; `groups` is the share that is weighted or multivalue."""

    def __init__(self, size: int, groups: float = 0.0):
        self.size = size
        counts = {kind: int(size * share) for kind, share in SHARES.items()}
        self.hosts = counts["A"]
        self.with_ipv6 = counts["AAAA"]
        self.aliases = counts["CNAME"]
        self.wildcards = counts["wildcard"]
        self.sets = [Set(ORIGIN, "NS", list(NAMESERVERS)), Set(ORIGIN, "SOA", [SOA])]
        self.addresses(int(size * groups))
        self.sets += [Set(host(i), "AAAA", [ipv6(i)]) for i in range(self.with_ipv6)]
        self.sets += [Set(self.alias(i), "CNAME", [host(i % self.hosts) + "."]) for i in range(self.aliases)]
        self.sets += [Set("*." + self.wild(i), "A", [ipv4(i)]) for i in range(self.wildcards)]
        self.others(size + 2 - len(self.sets))

    def addresses(self, grouped: int) -> None:
        """A sets of names 0, 1, 2...: groups first, as many sets as asked, single ones after."""
        sets: list[Set] = []
        number = 0
        while len(sets) + 4 <= grouped:
            sets += group_sets(host(number), number, multivalue=number % 3 == 0)
            number += 1
        rest = self.hosts - len(sets)
        sets += [Set(host(i), "A", [ipv4(i)]) for i in range(number, number + rest)]
        self.hosts = number + rest
        self.sets += sets

    def others(self, count: int) -> None:
        for i in range(count):
            name = f"svc{i}.{SITES[i % 7]}.{ORIGIN}"
            kind = ("MX", "TXT", "SRV")[i % 3]
            target = host(i % self.hosts) + "."
            value = {"MX": f"10 {target}", "TXT": f'"service {i}"', "SRV": f"0 5 443 {target}"}[kind]
            self.sets.append(Set(name, kind, [value]))

    @staticmethod
    def alias(number: int) -> str:
        return f"www{number}.{SITES[number % 7]}.{ORIGIN}"

    @staticmethod
    def wild(number: int) -> str:
        return f"app{number}.{ORIGIN}"

    # --- Formats ---

    def write_route53(self, path: Path) -> None:
        """As `aws route53 list-resource-record-sets` prints it."""
        def entry(item: Set) -> dict:
            name = item.name.replace("*", "\\052") + "."
            ttl = {"NS": 172800, "SOA": 900}.get(item.type, TTL)
            return {"Name": name, "Type": item.type, **item.extra, "TTL": ttl,
                    "ResourceRecords": [{"Value": value} for value in item.values]}
        sets = [entry(item) for item in self.sets]
        path.write_text(json.dumps({"ResourceRecordSets": sets}, indent=4) + "\n")

    def records(self):
        """Single records: the SOA first."""
        for item in sorted(self.sets, key=lambda item: item.type != "SOA"):
            for value in item.values:
                yield item.name, item.type, value

    def write_master(self, path: Path) -> None:
        lines = [f"{name}. {TTL} IN {kind} {value}\n" for name, kind, value in self.records()]
        path.write_text("".join(lines))

    def write_unbound(self, path: Path) -> None:
        lines = [f'local-zone: "{ORIGIN}." static\n']
        for name, kind, value in self.records():
            if name.startswith("*."):
                name = name[2:]
                lines.append(f'local-zone: "{name}." redirect\n')
            lines.append(f"local-data: '{name}. {TTL} IN {kind} {value}'\n")
        path.write_text("".join(lines))

    def write_dnsmasq(self, path: Path) -> None:
        lines = [f"local=/{ORIGIN}/\n", f"local-ttl={TTL}\n"]
        for item in self.sets:
            if item.type == "CNAME":
                lines.append(f"cname={item.name},{item.values[0][:-1]}\n")
            elif item.name.startswith("*."):
                lines.append(f"address=/{item.name[2:]}/{item.values[0]}\n")
            elif item.type in ("A", "AAAA"):
                lines.append(f"host-record={item.name},{item.values[0]}\n")
        path.write_text("".join(lines))

    # --- Questions ---

    def ask(self, kind: str, rng: random.Random) -> "Question":
        if kind == "A":
            return Question(host(rng.randrange(self.hosts)), "A")
        if kind == "AAAA":
            return Question(host(rng.randrange(self.with_ipv6)), "AAAA")
        if kind == "CNAME":
            return Question(self.alias(rng.randrange(self.aliases)), "A")
        if kind == "wildcard":
            return Question(f"u{rng.randrange(100000)}.{self.wild(rng.randrange(self.wildcards))}", "A")
        if kind == "nodata":
            return Question(host(rng.randrange(self.with_ipv6, self.hosts)), "AAAA", least=0)
        return Question(f"nx{rng.randrange(100000)}.{rng.choice(SITES)}.{ORIGIN}", "A", rcode=3, least=0)


@dataclass
class Question:
    name: str
    type: str
    rcode: int = 0
    least: int = 1
    fresh: bool = False  # the first label is new each time

    def message(self, edns: bool) -> bytes:
        labels = b"".join(bytes([len(part)]) + part.encode() for part in self.name.split("."))
        head = struct.pack(">HHHHHH", 0, 0x0100, 1, 0, 0, int(edns))
        opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0) if edns else b""
        return head + labels + struct.pack(">BHH", 0, TYPES[self.type], 1) + opt

    def pack(self, edns: bool) -> bytes:
        message = self.message(edns)
        end = len(message) - (11 if edns else 0)
        return struct.pack("<HHBBBB", len(message), end, self.rcode, self.least, 13 if self.fresh else 0, 0) + message


def zone_questions(zone: Zone, count: int, rng: random.Random) -> list[Question]:
    out = []
    for kind, share in MIX.items():
        out += [zone.ask(kind, rng) for _ in range(round(count * share))]
    return out


def cached_questions(names: int) -> list[Question]:
    """Forwarded names, each once: nine A, then one AAAA."""
    return [Question(f"{ROLES[i % 8]}{i}.shop.{FORWARD}", "AAAA" if i % 10 == 9 else "A") for i in range(names)]


def fresh_questions(count: int) -> list[Question]:
    return [Question(f"{'0' * 12}.{ROLES[i % 8]}{i % 64}.{FORWARD}", "A", fresh=True) for i in range(count)]


def write_questions(path: Path, questions: list[Question], edns: bool = False) -> None:
    path.write_bytes(MAGIC + struct.pack("<I", len(questions)) + b"".join(q.pack(edns) for q in questions))


def mixed(work: str, zone: Zone | None, count: int, edns: bool = False) -> list[Question]:
    """The questions of a workload, in random order."""
    rng = random.Random(f"{work} {zone.size if zone else 0}")
    if work in ("W1", "W5", "W6"):
        out = zone_questions(zone, count, rng)
    elif work == "W2":
        out = cached_questions(count)
    elif work == "W3":
        out = fresh_questions(count)
    else:
        cached = cached_questions(10000)
        out = zone_questions(zone, count * 6 // 10, rng)
        out += [rng.choice(cached) for _ in range(count * 3 // 10)]
        out += fresh_questions(count // 10)
    rng.shuffle(out)
    return out
