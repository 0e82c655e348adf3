"""Draws by the hundred thousand: the shares are those of the weights, and multivalue is even (D13, D14).

The daemon's draws are random, so each bound is five standard deviations wide: a right program fails one of
these about once in a million runs.
"""

from __future__ import annotations

import collections
import itertools
import math

import load
import pytest
import wire
from standin import World

pytestmark = pytest.mark.quick
DRAWS = 100_000
FEWER = 20_000
SIGMAS = 5
RECORD = 16  # octets of an A record whose owner is a pointer

WEIGHTS = [0, 1, 3, 10, 50, 128, 255, 255]
MANY = [(7 * i * i + 3 * i) % 256 for i in range(100)]  # 100 sets: the most of one name and type


@pytest.fixture(scope="module")
def daemon(launch_module, vpc_module, tmp_path_factory):
    zone = World().add_zone("draw.example.")
    for name, weights in {"w": WEIGHTS, "many": MANY, "zeros": [0] * 5, "*.wild": [1, 2, 5]}.items():
        for i, weight in enumerate(weights):
            zone.put(name, "A", 60, [f"10.0.0.{i}"], SetIdentifier=f"s{i}", Weight=weight)
    for i, (target, weight) in enumerate((("w", 1), ("zeros", 3), ("one", 4), ("other", 0))):
        zone.alias("tree", "A", f"{target}.draw.example", SetIdentifier=f"t{i}", Weight=weight)
    zone.put("one", "A", 60, ["10.0.1.1"])
    zone.put("other", "A", 60, ["10.0.1.2"])
    zone.alias("alias", "A", "w.draw.example")
    for name, count in (("multi", 12), ("eight", 8), ("nine", 9), ("hundred", 100)):
        for i in range(count):
            zone.put(name, "A", 60, [f"10.0.0.{i}"], SetIdentifier=f"m{i}", MultiValueAnswer=True)
    file = zone.save(tmp_path_factory.mktemp("draw") / "draw.json")
    return launch_module({"zone_files": [file], "vpc_resolver": [vpc_module.target]})


def draws(daemon, name: str, count: int) -> list[tuple[tuple[int, int], ...]]:
    """The last two octets of each address, in order, of each answer."""
    packet = wire.build(name)
    out = []
    for reply in load.flood(daemon, [packet] * count, seconds=120):
        found = wire.counts_of(reply)[1]
        at = len(reply) - found * RECORD
        assert wire.rcode_of(reply) == 0 and at == len(packet), reply
        out.append(tuple((reply[i + 14], reply[i + 15]) for i in range(at, len(reply), RECORD)))
    return out


def hold(counts: collections.Counter, shares: dict, draws_made: int) -> None:
    """Each count within its bound; what has no share does not come; chi-square over all that do."""
    assert set(counts) <= {key for key, share in shares.items() if share}, counts
    chi, degrees = 0.0, -1
    for key, share in shares.items():
        mean, sigma = draws_made * share, math.sqrt(draws_made * share * (1 - share))
        assert abs(counts[key] - mean) <= SIGMAS * sigma, f"{key}: {counts[key]}, {mean:.0f} expected"
        if share:
            chi += (counts[key] - mean) ** 2 / mean
            degrees += 1
    assert chi <= degrees + SIGMAS * math.sqrt(2 * degrees) + SIGMAS ** 2, (chi, degrees)


def weighted(weights: list[int], third: int = 0) -> dict:
    """D13: weight by sum; all 0: all alike."""
    weights = weights if sum(weights) else [1] * len(weights)
    return {(third, i): weight / sum(weights) for i, weight in enumerate(weights)}


def drawn_one(daemon, name: str, count: int) -> collections.Counter:
    answers = draws(daemon, name, count)
    assert all(len(answer) == 1 for answer in answers), "one set is drawn"
    return collections.Counter(answer[0] for answer in answers)


def test_weights(daemon):
    hold(drawn_one(daemon, "w.draw.example", DRAWS), weighted(WEIGHTS), DRAWS)


@pytest.mark.parametrize("name, shares", [
    ("many.draw.example", weighted(MANY)),
    ("zeros.draw.example", weighted([0] * 5)),
    ("x.wild.draw.example", weighted([1, 2, 5])),
    ("alias.draw.example", weighted(WEIGHTS)),
])
def test_other_weights(daemon, name, shares):
    hold(drawn_one(daemon, name, FEWER), shares, FEWER)


def test_tree_of_weights(daemon):
    """A branch is drawn by its weight, then within it."""
    shares: collections.Counter = collections.Counter({(1, 1): 4 / 8, (1, 2): 0.0})
    for branch, share in ((weighted(WEIGHTS), 1 / 8), (weighted([0] * 5), 3 / 8)):
        for key, part in branch.items():
            shares[key] += share * part
    hold(drawn_one(daemon, "tree.draw.example", FEWER), dict(shares), FEWER)


@pytest.mark.parametrize("name, count", [("multi", 12), ("nine", 9), ("hundred", 100)])
def test_multivalue(daemon, name, count):
    """Never more than eight, all different; every one, every pair, and every first place as often."""
    answers = draws(daemon, f"{name}.draw.example", FEWER)
    assert all(len(answer) == len(set(answer)) == 8 for answer in answers)
    ones = collections.Counter(one for answer in answers for one in answer)
    firsts = collections.Counter(answer[0] for answer in answers)
    for i in range(count):
        for counter, share in ((ones, 8 / count), (firsts, 1 / count)):
            sigma = math.sqrt(FEWER * share * (1 - share))
            assert abs(counter[0, i] - FEWER * share) <= SIGMAS * sigma, (i, counter[0, i], FEWER * share)
    if count <= 12:
        _pairs(answers, count)


def _pairs(answers: list, count: int) -> None:
    pairs = collections.Counter(pair for answer in answers for pair in itertools.combinations(sorted(answer), 2))
    share = 8 * 7 / (count * (count - 1))
    sigma = math.sqrt(FEWER * share * (1 - share))
    assert len(pairs) == count * (count - 1) // 2
    for pair, seen in pairs.items():
        assert abs(seen - FEWER * share) <= SIGMAS * sigma, (pair, seen, FEWER * share)


def test_eight_are_all_answered(daemon):
    answers = draws(daemon, "eight.draw.example", 2000)
    assert all(len(set(answer)) == 8 for answer in answers)
    assert len({answer for answer in answers}) > 1900, "in another order each time"
