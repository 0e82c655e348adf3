"""Which of the sets of one name and type Route 53 answers with: the routing policies, each by its page."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any, Callable, Sequence

Pick = Callable[[Sequence[tuple[float, Any]]], Any]  # one of (share, thing), by share

MULTI_MAX = 8
EARTH_KM = 6371.0
# latitude, longitude, country, continent, subdivision: where a Region is (D16: the VPC's Region decides).
REGIONS = {
    "us-east-1": (38.9, -77.4, "US", "NA", "VA"),
    "us-west-2": (45.8, -119.7, "US", "NA", "OR"),
    "ca-central-1": (45.5, -73.6, "CA", "NA", ""),
    "eu-west-1": (53.3, -6.3, "IE", "EU", ""),
    "eu-central-1": (50.1, 8.7, "DE", "EU", ""),
    "ap-northeast-1": (35.7, 139.7, "JP", "AS", ""),
    "ap-southeast-2": (-33.9, 151.2, "AU", "OC", ""),
    "sa-east-1": (-23.5, -46.6, "BR", "SA", ""),
}


# --- drawing ---

def drawn(rng: random.Random) -> Pick:
    return lambda items: rng.choices([thing for _, thing in items], [share for share, _ in items])[0]


def every(run: Callable[[Pick], Any]) -> dict[Any, float]:
    """Runs it once for each way that its draws can fall; what came, and with which share."""
    out: dict[Any, float] = {}
    path: list[int] = []
    while True:
        taken: list[tuple[int, int]] = []  # the choice, of how many
        share = 1.0

        def pick(items):
            nonlocal share
            n = path[len(taken)] if len(taken) < len(path) else 0
            taken.append((n, len(items)))
            share *= items[n][0] / sum(part for part, _ in items)
            return items[n][1]

        result = run(pick)
        out[result] = out.get(result, 0.0) + share
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return out
        path = [n for n, _ in taken[:-1]] + [taken[-1][0] + 1]


# --- choosing ---

def kind(one: dict) -> str:
    for member in ("Weight", "MultiValueAnswer", "Failover", "Region", "GeoLocation", "GeoProximityLocation"):
        if member in one:
            return member
    return "simple"


def choose(sets: list[dict], region: str, healthy: Callable[[dict], bool], pick: Pick) -> list[dict]:
    """The sets whose values are the answer; none: no data. One alone, or several of a multivalue group."""
    how = kind(sets[0])
    if how == "simple":
        return sets[:1]  # one set with all its values; health plays no part (D12, D18)
    if how == "GeoLocation":
        return _geolocation(sets, region, healthy)
    if how == "Failover":
        return _failover(sets, healthy)
    # No healthy one: all are treated as healthy (D17).
    usable = [one for one in sets if healthy(one)] or sets
    if how == "Weight":
        return [pick(_weights(usable))]
    if how == "MultiValueAnswer":
        return _multivalue(usable, pick)
    distance = _latency if how == "Region" else _geoproximity
    return [min(usable, key=lambda one: distance(one, region))]


def _weights(usable: list[dict]) -> list[tuple[float, dict]]:
    """D13: share = weight/sum; those of weight 0 when there are no others, then equally."""
    weighted = [(one["Weight"], one) for one in usable if one["Weight"] > 0]
    return weighted or [(1, one) for one in usable]


def _multivalue(usable: list[dict], pick: Pick) -> list[dict]:
    """D14: up to eight of the healthy, drawn anew for each question."""
    if len(usable) <= MULTI_MAX:
        return usable
    return list(pick([(1, chosen) for chosen in itertools.combinations(usable, MULTI_MAX)]))


def _failover(sets: list[dict], healthy: Callable[[dict], bool]) -> list[dict]:
    """D15: the primary when healthy, else the secondary when healthy, else the primary."""
    for role in ("PRIMARY", "SECONDARY"):
        for one in sets:
            if one["Failover"] == role and healthy(one):
                return [one]
    return [one for one in sets if one["Failover"] == "PRIMARY"] or sets[:1]


def _places(one: dict) -> tuple:
    where = one["GeoLocation"]
    return where.get("ContinentCode"), where.get("CountryCode"), where.get("SubdivisionCode")


def _geolocation(sets: list[dict], region: str, healthy: Callable[[dict], bool]) -> list[dict]:
    """D16: subdivision, country, continent, default; the next larger when one is unhealthy; else none."""
    _, _, country, continent, subdivision = REGIONS[region]
    wanted = [(None, country, None), (continent, None, None), (None, "*", None)]
    if subdivision:
        wanted.insert(0, (None, country, subdivision))
    matching = [one for place in wanted for one in sets if _places(one) == place]
    return [one for one in matching if healthy(one)][:1] or matching[:1]


def _km(here: tuple[float, float], there: tuple[float, float]) -> float:
    a, b = (tuple(map(math.radians, place)) for place in (here, there))
    h = math.sin((b[0] - a[0]) / 2) ** 2 + \
        math.cos(a[0]) * math.cos(b[0]) * math.sin((b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def _latency(one: dict, region: str) -> float:
    """D16: the same Region, else the closest (Latency-based routing in private hosted zones)."""
    return _km(REGIONS[region][:2], REGIONS[one["Region"]][:2])


def _geoproximity(one: dict, region: str) -> float:
    """Geoproximity routing: the distance, made smaller or larger by the bias."""
    where = one["GeoProximityLocation"]
    if "AWSRegion" in where:
        there = REGIONS[where["AWSRegion"]][:2]
    else:
        there = float(where["Coordinates"]["Latitude"]), float(where["Coordinates"]["Longitude"])
    km, bias = _km(REGIONS[region][:2], there), where.get("Bias", 0)
    return km * (1 - bias / 100) if bias > 0 else km / (1 + bias / 100)
