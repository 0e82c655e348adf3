"""The table as zones and questions: each case under every type, at every place that a name can have."""

from __future__ import annotations

from dataclasses import dataclass

from standin import World, Zone

from answers import table
from answers.table import Case, Member

TTL = 60
TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "PTR", "SPF", "SRV", "SSHFP", "SVCB", "TLSA",
         "TXT")
ABSENT = "LOC"  # a type that no zone here has
NS_TEXT = frozenset({"ns-0.awsdns-00.com.", "ns-512.awsdns-00.net.", "ns-1024.awsdns-00.org.",
                     "ns-1536.awsdns-00.co.uk."})
NEGATIVE = "D2; NS and SOA records that Route 53 creates"
STAR = "D11; DNS domain name format"

# What stands where. CNAME has names of its own, since it stands alone (RFC 1034 section 3.6.2).
PLACES = {"apex": "", "plain": "plain", "wildcard": "*.wild", "ent": "below.an.ent", "alias": "aoa"}


@dataclass(frozen=True)
class Row:
    """A question, and all the answers it may have, each a set of (owner, type, data), with their shares."""

    case: str
    place: str
    name: str
    rtype: str
    says: dict[frozenset, float]
    rcode: str
    pages: str
    static: bool

    def __str__(self) -> str:
        return f"{self.name} {self.rtype} ({self.case}, {self.place})"

    def __hash__(self) -> int:
        return hash((self.name, self.rtype))


def origin(case: Case) -> str:
    return f"{case.name}.example."


def value(rtype: str, i: int, zone: str) -> str:
    return {
        "A": f"10.53.0.{i}", "AAAA": f"fd00:53::{i:x}", "CAA": f'0 issue "ca{i}.example"',
        "CNAME": f"t{i}.{zone}", "DS": f"{1000 + i} 8 2 " + f"{i:02x}" * 32,
        "HTTPS": f'{i + 1} . alpn="h2" port="{8000 + i}"', "MX": f"{i} mx{i}.elsewhere.test.",
        "NAPTR": f'{i} 50 "u" "E2U+sip" "!^.*$!sip:x{i}@y!" .', "PTR": f"host{i}.elsewhere.test.",
        "SPF": f'"v=spf1 {i}"', "SRV": f"{i} 1 5060 sip{i}.elsewhere.test.",
        "SSHFP": f"1 1 " + f"{i:02x}" * 20, "SVCB": f'{i + 1} svc{i}.elsewhere.test. port="53"',
        "TLSA": f"3 1 1 " + f"{i:02x}" * 32, "TXT": f'"value {i}" "and more"',
    }[rtype]


def aws_value(rtype: str, i: int) -> str:
    return f"10.99.0.{i}" if rtype == "A" else f"fd00:99::{i:x}"


def outside() -> dict[str, dict[str, tuple[int, list[str]]]]:
    """The load balancers that aliases mean (60 s: D12)."""
    return {
        table.LB: {t: (60, [aws_value(t, 0), aws_value(t, 1)]) for t in ("A", "AAAA")},
        table.LB_V4: {"A": (60, [aws_value("A", 2)])},
        table.LB_DOWN: {t: (60, [aws_value(t, 9)]) for t in ("A", "AAAA")},
    }


HEALTH = {**table.HEALTH, table.LB_DOWN: False}


def of_aws(case: Case) -> bool:
    members = case.members + [m for group in case.groups.values() for m in group]
    return any(member.aws for member in members)


def types(case: Case) -> list[str]:
    return [t for t in case.types or TYPES if case.cname or t != "CNAME"]


# --- zones ---

def put(zone: Zone, name: str, rtype: str, member: Member) -> None:
    if member.alias:
        zone.alias(name, rtype, f"{at(rtype, member.alias)}.{zone.name}", health=member.health, **member.more)
    elif member.aws:
        zone.alias(name, rtype, member.aws, zone_id=table.ELB_ZONE, health=member.health, **member.more)
    else:
        zone.put(name, rtype, TTL, [value(rtype, i, zone.name) for i in member.values], **member.more)


def at(rtype: str, name: str) -> str:
    """CNAME's own: c-plain, *.c-wild, below.an.c-ent."""
    if rtype != "CNAME" or name == "":
        return name
    head, dot, last = name.rpartition(".")
    return f"{head}{dot}c-{last}"


def fill(zone: Zone, case: Case) -> None:
    for rtype in types(case):
        for place, name in PLACES.items():
            if rtype == "CNAME" and place == "apex":
                continue
            if place == "alias":
                zone.alias(at(rtype, "aoa"), rtype, f"{at(rtype, 'aob')}.{zone.name}")
                zone.alias(at(rtype, "aob"), rtype, f"{at(rtype, 'plain')}.{zone.name}")
                continue
            for member in case.members:
                put(zone, at(rtype, name), rtype, member)
        for name, members in case.groups.items():
            for member in members:
                put(zone, at(rtype, name), rtype, member)
    for i in range(12):
        zone.put(f"t{i}", "A", TTL, [f"10.54.0.{i}"])


def world(vpcs: list[tuple[str, str]] | None = None) -> World:
    made = World()
    for case in table.CASES:
        fill(made.add_zone(origin(case), vpcs=vpcs), case)
    return made


# --- questions ---

def owners(place: str, name: str) -> list[str]:
    """What to ask of a place."""
    if place == "wildcard":
        below = name.removeprefix("*.")
        return [f"x.{below}", f"deep.er.{below}", name]
    return [name]


def records(case: Case, owner: str, rtype: str, values: tuple[int, ...]) -> frozenset:
    make = aws_value if of_aws(case) else lambda t, i: value(t, i, origin(case))
    return frozenset((owner, rtype, make(rtype, i)) for i in values)


def chain(case: Case, owner: str, values: tuple[int, ...]) -> frozenset:
    """The CNAME and where it leads, for a question of type A."""
    (i,) = values
    target = f"t{i}.{origin(case)}"
    return frozenset({(owner, "CNAME", target), (target, "A", f"10.54.0.{i}")})


def positive(case: Case, region: str) -> list[Row]:
    out = []
    for rtype in types(case):
        for place, name in PLACES.items():
            if rtype == "CNAME" and place == "apex":
                continue
            for relative in owners(place, at(rtype, name)):
                owner = f"{relative}.{origin(case)}".lstrip(".")
                shares = case.shares(region)
                says = {records(case, owner, rtype, values): share for values, share in shares.items()}
                out.append(Row(case.name, place, owner, rtype, says, "NOERROR", case.pages, case.static))
                if rtype == "CNAME" and () not in shares:
                    says = {chain(case, owner, values): share for values, share in shares.items()}
                    out.append(Row(case.name, place, owner, "A", says, "NOERROR", f"{case.pages}; RFC 1034 3.6.2",
                                   case.static))
    return out


def negative(case: Case) -> list[Row]:
    """Beside them: other types, names that are there for what lies below, and names that are not."""
    none = {frozenset(): 1.0}
    rows = [("apex", "", ABSENT, "NOERROR", NEGATIVE), ("plain", "plain", ABSENT, "NOERROR", NEGATIVE),
            ("wildcard", "x.wild", ABSENT, "NOERROR", STAR), ("wildcard", "wild", "A", "NOERROR", STAR),
            ("ent", "ent", "A", "NOERROR", NEGATIVE), ("ent", "an.ent", "TXT", "NOERROR", NEGATIVE),
            ("alias", "aoa", ABSENT, "NOERROR", table.ALIAS), ("plain", "missing", "A", "NXDOMAIN", NEGATIVE),
            ("plain", "x.plain", "A", "NXDOMAIN", NEGATIVE), ("ent", "x.an.ent", "A", "NXDOMAIN", NEGATIVE)]
    if case.types == ("A",):
        rows += [("alias", "aoa", "AAAA", "NOERROR", table.ALIAS), ("plain", "plain", "AAAA", "NOERROR", table.ALIAS),
                 ("apex", "", "AAAA", "NOERROR", table.ALIAS)]
    return [Row(case.name, place, f"{name}.{origin(case)}".lstrip("."), rtype, none, rcode, pages, True)
            for place, name, rtype, rcode, pages in rows]


def apex(case: Case) -> Row:
    name = origin(case)
    return Row(case.name, "apex", name, "NS", {frozenset((name, "NS", ns) for ns in NS_TEXT): 1.0}, "NOERROR",
               "D8; Working with private hosted zones", True)


def rows(region: str) -> list[Row]:
    out = []
    for case in table.CASES:
        out += [*positive(case, region), *negative(case), apex(case)]
    return out
