"""A VPC resolver that holds the zones of a World and knows health and region: what the documentation demands.

Written apart from horizond, to be believed rather than to be fast: names by RFC 1034 section 4.3.2 and RFC
4592, policies by policy.py, each rule with its page (D..: facts, peers-and-semantics; otherwise the page's
name in the Developer Guide).

    resolver = VpcResolver(world, region="eu-west-1", health={"0f0e...": False}, outside={...})
    resolver.options("www.corp.example", "A")      # every answer it may give, each with its share
    server = resolver.serve()                      # a Scripted server that draws among them
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rrset
import policy
from resolvers import Scripted, Seen
from standin import World, Zone, names

Labels = tuple[bytes, ...]  # lower case, without the root
TTL_MAX = 300  # what the VPC resolver lets live longest (facts: Route 53, section 7.3)
LINKS_MAX = 16


@dataclass(frozen=True)
class Answer:
    rcode: str = "NOERROR"
    records: frozenset[tuple[str, str, str]] = frozenset()  # owner, type, data, as dnspython writes them
    zone: str = ""  # the owner of the SOA in a negative answer
    ttls: tuple[tuple[str, int], ...] = ()  # by owner and type

    def ttl(self, owner: str, rtype: str) -> int:
        return dict(self.ttls)[f"{owner} {rtype}"]


@dataclass
class Found:
    """What one zone says of one name and type."""

    kind: str  # SET, CNAME, NODATA, NXDOMAIN, CUT
    group: list[dict] | None = None


@lru_cache(maxsize=200_000)
def labels_of(text: str) -> Labels:
    """From the API's form, octal escapes and all."""
    return tuple(names.labels(text))


@lru_cache(maxsize=200_000)
def text_of(labels: Labels) -> str:
    return dns.name.Name((*labels, b"")).to_text().lower()


def decimal(text: str) -> str:
    """Octal escapes of the API as the decimal ones of master files (Supported DNS record types)."""
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\" and text[i + 1:i + 4].isdigit():
            out.append(f"\\{int(text[i + 1:i + 4], 8):03d}")
            i += 4
        else:
            step = 2 if text[i] == "\\" else 1
            out.append(text[i:i + step])
            i += step
    return "".join(out)


@lru_cache(maxsize=200_000)
def rdata(rtype: str, value: str) -> str:
    """As dnspython writes it once it has been on the wire."""
    one = dns.rdata.from_text("IN", rtype, decimal(value), dns.name.root, relativize=False)
    wire = one.to_wire()
    return dns.rdata.from_wire(one.rdclass, one.rdtype, wire, 0, len(wire)).to_text()


class View:
    """One zone's sets by name and type."""

    def __init__(self, zone: Zone):
        self.keys = zone.listing()
        self.id = zone.id
        self.origin = labels_of(zone.name)
        self.owners: dict[Labels, dict[str, list[dict]]] = {}
        for key in self.keys:
            owner = labels_of(key[0])
            self.owners.setdefault(owner, {}).setdefault(key[1], []).append(zone.sets[key])
        self.existing = {owner[i:] for owner in self.owners for i in range(len(owner) - len(self.origin) + 1)}

    def cut(self, name: Labels) -> Labels | None:
        """The cut nearest to the apex at or above name."""
        for i in range(len(name) - len(self.origin) - 1, -1, -1):
            if "NS" in self.owners.get(name[i:], {}):
                return name[i:]
        return None

    def owner(self, name: Labels) -> Labels | None:
        """The name whose sets answer: itself, or the wildcard at the closest encloser (RFC 4592; D11)."""
        if name in self.existing:
            return name
        while name not in self.existing:
            name = name[1:]
        wildcard = (b"*", *name)
        return wildcard if wildcard in self.existing else None

    def find(self, name: Labels, rtype: str) -> Found:
        cut = self.cut(name)
        if cut is not None and not (cut == name and rtype == "DS"):
            return Found("CUT")
        owner = self.owner(name)
        if owner is None:
            return Found("NXDOMAIN")
        sets = self.owners.get(owner, {})
        if rtype in sets and not (rtype == "NS" and owner != name):  # never a wildcard NS (D11)
            return Found("SET", sets[rtype])
        if "CNAME" in sets:
            return Found("CNAME", sets["CNAME"])
        return Found("NODATA")

    def soa_ttl(self) -> int:
        record_set = self.owners[self.origin]["SOA"][0]
        minimum = int(record_set["ResourceRecords"][0]["Value"].split()[-1])
        return min(record_set["TTL"], minimum)  # D10


class VpcResolver:
    """outside: what it would get elsewhere, AWS names among it: {name: {type: (ttl, [data])}}."""

    def __init__(self, world: World, region: str = "eu-west-1", health: dict[str, bool] | None = None,
                 outside: dict[str, dict[str, tuple[int, list[str]]]] | None = None,
                 vpc: tuple[str, str] | None = None, below_cut: str = "", ttl_max: int = TTL_MAX):
        self.world = world
        self.region = region
        self.health = health or {}
        self.outside = {labels_of(name): sets for name, sets in (outside or {}).items()}
        self.vpc = vpc  # None: all zones are associated
        self.below_cut = below_cut  # an address for what lies below a delegation; "": SERVFAIL (D9)
        self.ttl_max = ttl_max
        self.rng = random.Random(53)
        self._views: dict[str, View] = {}

    # --- zones ---

    def view(self, zone: Zone) -> View:
        view = self._views.get(zone.id)
        if view is None or view.keys is not zone.listing():
            view = self._views[zone.id] = View(zone)
        return view

    def zone_of(self, name: Labels) -> View | None:
        """The most specific zone that the VPC is associated with (D1, D2)."""
        best = None
        for zone in self.world.zones.values():
            if zone.private and (self.vpc is None or self.vpc in zone.vpcs):
                origin = labels_of(zone.name)
                if name[len(name) - len(origin):] == origin and (best is None or len(origin) > len(best[0])):
                    best = origin, zone
        return self.view(best[1]) if best else None

    # --- answers ---

    def answer(self, name: str | Labels, rtype: str, pick: policy.Pick) -> Answer:
        """A CNAME starts again for its target, over zones and out of them."""
        at = labels_of(name) if isinstance(name, str) else name
        records: list[tuple[str, str, str]] = []
        ttls: dict[str, int] = {}
        seen: set[Labels] = set()
        while at not in seen and len(seen) < LINKS_MAX:
            seen.add(at)
            rcode, zone, ttl, found, values = self._one(at, rtype, pick)
            owner = text_of(at)
            records += [(owner, found, value) for value in values]
            ttls[f"{owner} {found}"] = min(ttl, self.ttl_max)
            if found != "CNAME" or rtype == "CNAME" or not values:
                return Answer(rcode, frozenset(records), zone, tuple(ttls.items()))
            target = dns.name.from_text(values[0]).labels[:-1]
            at = tuple(label.lower() for label in target)
        return Answer("SERVFAIL")  # a circle, or without end

    def _one(self, name: Labels, rtype: str, pick: policy.Pick):
        """rcode, zone of the SOA, TTL, type found, data."""
        view = self.zone_of(name)
        if view is None:
            return self._outside(name, rtype)
        origin = text_of(view.origin)
        found = view.find(name, rtype)
        if found.kind == "CUT":
            return self._below_cut(origin, rtype)
        if found.kind in ("NXDOMAIN", "NODATA"):
            rcode = "NXDOMAIN" if found.kind == "NXDOMAIN" else "NOERROR"  # NS and SOA records (D2)
            return rcode, origin, view.soa_ttl(), rtype, []
        kind = rtype if found.kind == "SET" else "CNAME"
        drawn = Draw(self, view, kind, pick).group(found.group, ())
        if drawn is None:
            return "NOERROR", origin, view.soa_ttl(), rtype, []
        ttl, values = drawn
        return "NOERROR", "", ttl, kind, values

    def _outside(self, name: Labels, rtype: str):
        sets = self.outside.get(name)
        if sets is None:
            return "NXDOMAIN", ".", 60, rtype, []
        for kind in (rtype, "CNAME"):
            if kind in sets:
                ttl, values = sets[kind]
                return "NOERROR", "", ttl, kind, [rdata(kind, value) for value in values]
        return "NOERROR", ".", 60, rtype, []

    def _below_cut(self, origin: str, rtype: str):
        if not self.below_cut:
            return "SERVFAIL", "", 0, rtype, []
        if rtype == "A":
            return "NOERROR", "", 60, "A", [self.below_cut]
        return "NOERROR", origin, 60, rtype, []

    def options(self, name: str | Labels, rtype: str) -> dict[Answer, float]:
        """Every answer that may be given, with its share."""
        return policy.every(lambda pick: self.answer(name, rtype, pick))

    # --- the server ---

    def serve(self, address: str = "") -> Scripted:
        return Scripted(address, default=self.reply)

    def reply(self, seen: Seen) -> list[tuple[float, bytes]]:
        asked = tuple(label.lower() for label in seen.msg.question[0].name.labels[:-1])
        answer = self.answer(asked, seen.rtype, policy.drawn(self.rng))
        msg = dns.message.make_response(seen.msg, recursion_available=True)
        msg.set_rcode(dns.rcode.from_text(answer.rcode))
        msg.answer = _rrsets(answer, text_of(asked))
        if answer.zone:
            ttl = answer.ttls[-1][1]
            soa = f"ns.invalid. root.invalid. 1 2 3 4 {ttl}"
            msg.authority.append(dns.rrset.from_text(answer.zone, ttl, "IN", "SOA", soa))
        wire = msg.to_wire(max_size=65535)
        size = max(512, seen.msg.payload) if seen.msg.edns >= 0 else 512
        if seen.proto == "udp" and len(wire) > size:
            msg.answer, msg.authority = [], []
            msg.flags |= dns.flags.TC
            wire = msg.to_wire()
        return [(0.0, wire)]


def _rrsets(answer: Answer, asked: str) -> list[dns.rrset.RRset]:
    """In the order of the chain, the question's name first."""
    by_owner: dict[tuple[str, str], list[str]] = {}
    for owner, rtype, value in answer.records:
        by_owner.setdefault((owner, rtype), []).append(value)
    out, at = [], asked
    while True:
        here = [key for key in by_owner if key[0] == at]
        if not here:
            return out
        values = by_owner.pop(here[0])
        out.append(dns.rrset.from_text_list(at, answer.ttl(*here[0]), "IN", here[0][1], values))
        at = values[0] if here[0][1] == "CNAME" else at


class Draw:
    """One answer of one group of sets: their policy, and the aliases that they are."""

    def __init__(self, resolver: VpcResolver, view: View, rtype: str, pick: policy.Pick):
        self.resolver = resolver
        self.view = view
        self.rtype = rtype
        self.pick = pick

    def group(self, sets: list[dict], path: tuple[int, ...]) -> tuple[int, list[str]] | None:
        """TTL and data; None: no data. path: the groups that led here, for circles."""
        if id(sets) in path or self._contradicts(sets):
            return None
        path = (*path, id(sets))
        chosen = policy.choose(sets, self.resolver.region, lambda one: self.healthy(one, path), self.pick)
        if not chosen:
            return None
        if "AliasTarget" in chosen[0]:
            return self._alias(chosen[0], path)
        values = [rdata(self.rtype, record["Value"]) for one in chosen for record in one["ResourceRecords"]]
        return chosen[0]["TTL"], values

    def _contradicts(self, sets: list[dict]) -> bool:
        """What the API would never have taken; nothing is documented of it, and no data is what we say."""
        return len({policy.kind(one) for one in sets}) > 1

    def _alias(self, one: dict, path: tuple[int, ...]) -> tuple[int, list[str]] | None:
        """The target's data under the alias's name, for its own type alone (D12)."""
        target = one["AliasTarget"]
        if target["HostedZoneId"] != self.view.id:
            rcode, _, ttl, kind, values = self.resolver._outside(labels_of(target["DNSName"]), self.rtype)
            return (ttl, values) if rcode == "NOERROR" and kind == self.rtype and values else None
        sets = self.target(target)
        return self.group(sets, path) if sets is not None else None

    def target(self, target: dict) -> list[dict] | None:
        name = labels_of(target["DNSName"])
        if name[len(name) - len(self.view.origin):] != self.view.origin:
            return None
        found = self.view.find(name, self.rtype)
        return found.group if found.kind == "SET" else None

    def healthy(self, one: dict, path: tuple[int, ...]) -> bool:
        """Its own check, and with EvaluateTargetHealth its target's (facts: Route 53, section 6.2)."""
        if not self.resolver.health.get(one.get("HealthCheckId", ""), True):
            return False  # without a check: always healthy (D17)
        target = one.get("AliasTarget")
        if target is None or not target["EvaluateTargetHealth"]:
            return True
        if target["HostedZoneId"] != self.view.id:
            return self.resolver.health.get(target["DNSName"], True)
        sets = self.target(target)
        if sets is None or id(sets) in path:
            return False
        return any(self.healthy(other, (*path, id(sets))) for other in sets)
