"""What the stand-in knows: hosted zones, their record sets, and the rules by which they change."""

from __future__ import annotations

import copy
import datetime
import ipaddress
import itertools
import json
import re
import threading
from pathlib import Path

from . import names
from .errors import ApiError

NS = ["ns-0.awsdns-00.com.", "ns-512.awsdns-00.net.", "ns-1024.awsdns-00.org.",
      "ns-1536.awsdns-00.co.uk."]
SOA = "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
POLICY = ("Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer", "CidrRoutingConfig",
          "GeoProximityLocation")
VALUES_MAX = 32_000
RECORDS_MAX = 1_000

Key = tuple[str, str, str]  # name, type, set identifier


def identity(record_set: dict) -> Key:
    return record_set["Name"], record_set["Type"], record_set.get("SetIdentifier", "")


def sort_key(key: Key) -> Key:
    return names.order(key[0]), key[1], key[2]


class Zone:
    """One hosted zone. Record sets are kept as botocore's dictionaries, names in escaped form."""

    def __init__(self, world: "World", zone_id: str, name: str, private: bool,
                 vpcs: list[tuple[str, str]], owner: dict, apex: bool = True):
        self.world = world
        self.id = zone_id
        self.name = names.escape(name)
        self.private = private
        self.vpcs = vpcs
        self.owner = owner
        self.sets: dict[Key, dict] = {}
        self._sorted: list[Key] | None = None
        self.busy = threading.Lock()  # a change is being worked on
        self.tags: dict[str, str] = {}
        self.readers: set[str] = set()  # accounts that may see what is in it; none: all
        self.denied = False  # the caller may see that it is there, not what is in it
        if apex:
            self.put("", "NS", 172800, NS)
            self.put("", "SOA", 900, [SOA])

    def full(self, name: str) -> str:
        """A name relative to the zone, or absolute when it ends in a dot, in escaped form."""
        if name == "":
            return self.name
        return names.escape(name if name.endswith(".") else f"{name}.{self.name}")

    def put(self, name: str, rtype: str, ttl: int | None, values: list[str] | None = None,
            **more) -> dict:
        """Writes one set as it would stand in the listing, past all checks; more: further members."""
        record_set: dict = {"Name": self.full(name), "Type": rtype, **more}
        if ttl is not None:
            record_set["TTL"] = ttl
        if values is not None:
            record_set["ResourceRecords"] = [{"Value": value} for value in values]
        with self.world.lock:
            self.sets[identity(record_set)] = record_set
            self._sorted = None
        return record_set

    def alias(self, name: str, rtype: str, target: str, zone_id: str = "", health: bool = False,
              **more) -> dict:
        """An alias; to this same zone unless zone_id says otherwise."""
        return self.put(name, rtype, None, None, **more, AliasTarget={
            "HostedZoneId": zone_id or self.id, "DNSName": names.escape(target),
            "EvaluateTargetHealth": health})

    def remove(self, name: str, rtype: str, identifier: str = "") -> None:
        with self.world.lock:
            del self.sets[(self.full(name), rtype, identifier)]
            self._sorted = None

    def replace(self, sets: dict[Key, dict]) -> None:
        self.sets = sets
        self._sorted = None

    def listing(self) -> list[Key]:
        with self.world.lock:
            if self._sorted is None:
                self._sorted = sorted(self.sets, key=sort_key)
            return self._sorted

    def saved(self) -> dict:
        """As `aws route53 list-resource-record-sets` prints it."""
        return {"ResourceRecordSets": [self.sets[key] for key in self.listing()]}

    def save(self, path: Path) -> str:
        """Writes the same to a file, for zone_files."""
        path.write_text(json.dumps(self.saved(), indent=1), encoding="utf-8")
        return str(path)

    def summary(self) -> dict:
        config = {"Comment": "", "PrivateZone": self.private}
        return {"Id": f"/hostedzone/{self.id}", "Name": self.name, "CallerReference": self.id,
                "Config": config, "ResourceRecordSetCount": len(self.sets)}

    def change(self, batch: dict) -> None:
        """One ChangeBatch: all of it or nothing."""
        with self.world.lock:
            _check_size(batch["Changes"])
            sets = dict(self.sets)
            problems: list[str] = []
            touched: set[tuple[Key, str]] = set()
            for change in batch["Changes"]:
                problems += self._apply(sets, touched, change)
            if not problems:
                problems = _conflicts(sets, {key for key, _ in touched})
            if problems:
                raise ApiError("InvalidChangeBatch", problems)
            self.replace(sets)

    def _apply(self, sets: dict[Key, dict], touched: set, change: dict) -> list[str]:
        record_set = copy.deepcopy(change["ResourceRecordSet"])
        record_set["Name"] = names.escape(record_set["Name"])
        if "AliasTarget" in record_set:
            alias = record_set["AliasTarget"]
            alias["DNSName"] = names.escape(alias["DNSName"])
        key, action = identity(record_set), change["Action"]
        text = f"[name='{key[0]}', type='{key[1]}'" + (f", set identifier='{key[2]}']" if key[2] else "]")
        if not names.within(key[0], self.name):
            return [f"RRSet with DNS name {key[0]} is not permitted in zone {self.name}"]
        if (key, action) in touched:
            return [f"The request contains an invalid set of changes for a resource record set {text}"]
        touched.add((key, action))
        if action == "DELETE":
            return self._delete(sets, key, record_set, text)
        if action == "CREATE" and key in sets:
            return [f"Tried to create resource record set {text} but it already exists"]
        problem = _malformed(record_set)
        if problem:
            return [f"Invalid resource record set {text}: {problem}"]
        sets[key] = record_set
        return []

    def _delete(self, sets: dict[Key, dict], key: Key, record_set: dict, text: str) -> list[str]:
        if key not in sets:
            return [f"Tried to delete resource record set {text} but it was not found"]
        if key[0] == self.name and key[1] in ("NS", "SOA"):
            return [f"A HostedZone must contain exactly one {key[1]} record"]
        if _comparable(sets[key]) != _comparable(record_set):
            return [f"Tried to delete resource record set {text} but the values provided do not match "
                    "the current values"]
        del sets[key]
        return []


def _comparable(record_set: dict) -> dict:
    out = dict(record_set)
    if "ResourceRecords" in out:
        out["ResourceRecords"] = sorted(r["Value"] for r in out["ResourceRecords"])
    return out


def _check_size(changes: list[dict]) -> None:
    records = values = 0
    for change in changes:
        factor = 2 if change["Action"] == "UPSERT" else 1
        listed = change["ResourceRecordSet"].get("ResourceRecords", [])
        records += factor * max(1, len(listed))
        values += factor * sum(len(record["Value"]) for record in listed)
    if records > RECORDS_MAX:
        raise ApiError("InvalidChangeBatch", f"Number of records limit of {RECORDS_MAX} exceeded.")
    if values > VALUES_MAX:
        raise ApiError("InvalidChangeBatch", f"Number of characters limit of {VALUES_MAX} exceeded.")


def _malformed(record_set: dict) -> str:
    records = record_set.get("ResourceRecords")
    if "AliasTarget" in record_set:
        return "an alias has no TTL and no values" if "TTL" in record_set or records else ""
    if not records or "TTL" not in record_set:
        return "expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]"
    if len(records) > 400 or any(len(record["Value"]) > 4000 for record in records):
        return "too many values, or too long"
    if record_set["Type"] in ("CNAME", "SOA") and len(records) != 1:
        return "exactly one value"
    problem = _values(record_set["Type"], [record["Value"] for record in records])
    if problem:
        return problem
    if record_set.get("MultiValueAnswer") and record_set["Type"] in ("CNAME", "NS", "SOA"):
        return f"multivalue answer records cannot be of type {record_set['Type']}"
    if len(record_set.get("SetIdentifier", "x")) not in range(1, 129):
        return "a set identifier has 1 to 128 characters"
    if not 0 <= record_set.get("TTL", 0) <= 2147483647:
        return "TTL out of range"
    has_policy = any(member in record_set for member in POLICY)
    if has_policy != ("SetIdentifier" in record_set):
        return "a set identifier goes with a routing policy, and the other way round"
    if not 0 <= record_set.get("Weight", 0) <= 255:
        return "weight must be 0 to 255"
    return ""


def _values(rtype: str, values: list[str]) -> str:
    """What the API finds wrong with the text of values, for the types that instances write."""
    if len(values) != len(set(values)):
        return "Duplicate Resource Record"
    for value in values:
        try:
            if rtype == "A":
                ipaddress.IPv4Address(value)
            elif rtype == "AAAA":
                ipaddress.IPv6Address(value)
            elif rtype in ("CNAME", "PTR", "NS"):
                names.labels(value)
        except (ValueError, ApiError):
            return f"FATAL problem: Value is not a valid {rtype} value encountered with '{value}'"
        if rtype == "TXT" and not re.fullmatch(r'("([^"\\]|\\.){0,255}"\s*)+', value):
            return f"CharacterStringTooLong or InvalidCharacterString encountered with '{value[:40]}'"
        if rtype == "SRV" and not re.fullmatch(r"\d{1,5} \d{1,5} \d{1,5} \S+", value):
            return f"FATAL problem: SRVRRDATANotFourFields encountered with '{value}'"
    return ""


def _conflicts(sets: dict[Key, dict], touched: set[Key]) -> list[str]:
    by_name: dict[str, list[Key]] = {}
    wanted = {key[0] for key in touched}
    for key in sets:
        if key[0] in wanted:
            by_name.setdefault(key[0], []).append(key)
    problems = []
    for name, keys in by_name.items():
        types = {key[1] for key in keys}
        if "CNAME" in types and len(types) > 1:
            problems.append(f"RRSet of type CNAME with DNS name {name} is not permitted as it "
                            "conflicts with other records with the same DNS name")
        for rtype in types:
            same = [key for key in keys if key[1] == rtype]
            if len(same) > 1 and any(not key[2] for key in same):
                problems.append(_mixed(name, rtype, same, touched, sets))
            elif len({_policy(sets[key]) for key in same}) > 1:
                problems.append(f"RRSet with DNS name {name}, type {rtype} cannot mix routing policies")
    return problems


def _mixed(name: str, rtype: str, same: list[Key], touched: set[Key], sets: dict[Key, dict]) -> str:
    """A simple set beside one with an identifier; the newcomer is named."""
    for key in same:
        if key in touched and key[2]:
            kind = "multivalue answer" if sets[key].get("MultiValueAnswer") else "weighted"
            return (f"RRSet with DNS name {name}, type {rtype}, SetIdentifier {key[2]} cannot be created "
                    f"because a non {kind} rrset exists with the same name and type.")
    return (f"RRSet with DNS name {name}, type {rtype} cannot be created as other RRSets exist with the "
            "same name and type.")


def _policy(record_set: dict) -> str:
    return next((member for member in POLICY if member in record_set), "")


class World:
    """Every zone of the account, and of others that the VPC sees."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.zones: dict[str, Zone] = {}
        self.changes: dict[str, dict] = {}
        self.health: dict[str, float | None] = {}
        self.metric: dict[str, float] = {}  # HealthCheckStatus of CloudWatch by check
        self._count = itertools.count(1)

    def add_zone(self, name: str, zone_id: str = "", private: bool = True,
                 vpcs: list[tuple[str, str]] | None = None, owner: dict | None = None,
                 apex: bool = True) -> Zone:
        with self.lock:
            zone_id = zone_id or f"Z{next(self._count):019d}"
            zone = Zone(self, zone_id, name, private, list(vpcs or []),
                        owner or {"OwningAccount": "111122223333"}, apex)
            self.zones[zone_id] = zone
            return zone

    def load(self, name: str, saved: dict, zone_id: str = "",
             vpcs: list[tuple[str, str]] | None = None) -> Zone:
        """A zone from the saved output of list-resource-record-sets."""
        zone = self.add_zone(name, zone_id, vpcs=vpcs, apex=False)
        with self.lock:
            zone.replace({identity(s): s for s in saved["ResourceRecordSets"]})
        return zone

    def find(self, zone_id: str) -> Zone:
        with self.lock:
            zone = self.zones.get(zone_id.removeprefix("/hostedzone/"))
        if zone is None:
            raise ApiError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
        return zone

    def record_change(self, comment: str = "") -> dict:
        with self.lock:
            info = {"Id": f"/change/C{next(self._count):013d}", "Status": "PENDING",
                    "SubmittedAt": datetime.datetime.now(datetime.timezone.utc)}
            if comment:
                info["Comment"] = comment
            self.changes[info["Id"].removeprefix("/change/")] = info
            return info
