"""The parity watch: our copies beside what the VPC resolver says."""

from __future__ import annotations

import time

import net
import pytest
from resolvers import answer, negative, silent
from standin import World


@pytest.fixture
def zone(tmp_path):
    made = World().add_zone("zone.test.")
    for i in range(4):
        made.put(f"n{i}", "A", 60, [f"10.0.0.{i}"])
    made.put("w", "A", 60, ["10.0.1.1"], SetIdentifier="a", Weight=1)
    made.put("w", "A", 60, ["10.0.1.2"], SetIdentifier="b", Weight=1)
    made.alias("lb", "A", "internal-1.eu-west-1.elb.amazonaws.com.", "Z0ELB")
    made.file = made.save(tmp_path / "z.json")
    return made


def resolver_agrees(vpc, zone):
    """The VPC resolver says what the zone holds."""
    vpc.default = negative("zone.test.")
    for (name, rtype, _), record_set in zone.sets.items():
        if "ResourceRecords" in record_set:
            values = [v["Value"] for v in record_set["ResourceRecords"]]
            vpc.on(name.rstrip("."), rtype, answer(*(f"@ 60 {rtype} {value}" for value in values)))


@pytest.fixture
def daemon(launch, vpc, zone):
    resolver_agrees(vpc, zone)

    def make(**parity):
        return launch({"zone_files": [zone.file], "vpc_resolver": [vpc.target],
                       "parity": {"enabled": True, "rate": 10.0, **parity}})
    return make


def sampled(made, result: str) -> float:
    return made.metric("horizond_parity_total", zone="zone.test.", result=result)


@pytest.mark.quick
def test_off_by_default(launch, vpc, zone):
    resolver_agrees(vpc, zone)
    made = launch({"zone_files": [zone.file], "vpc_resolver": [vpc.target]})
    time.sleep(1.5)
    assert vpc.count("n0.zone.test") == 0 and sampled(made, "same") == 0
    assert made.zone("zone.test")["parity"] is None


@pytest.mark.quick
def test_agreement(daemon, vpc):
    made = daemon()
    net.wait_for(lambda: sampled(made, "same") >= 20, 15, "20 samples")
    assert sampled(made, "different") == 0
    assert vpc.count("lb.zone.test") == 0, "dynamic sets are not ours to compare"
    assert not made.log("disagrees")


def test_rate_is_kept(daemon, vpc):
    made = daemon(rate=2.0)
    net.wait_for(lambda: sampled(made, "same") >= 1, 10, "a sample")
    before, began = sampled(made, "same"), time.monotonic()
    time.sleep(5)
    assert sampled(made, "same") - before <= (time.monotonic() - began) * 2 + 1


@pytest.mark.quick
def test_difference_is_told_and_mended(daemon, vpc):
    for i in range(4):
        vpc.on(f"n{i}.zone.test", "A", answer(f"@ 60 A 10.9.9.{i}"))
    made = daemon(fallback=True)
    net.wait_for(lambda: made.zone("zone.test")["parity"] and made.zone("zone.test")["parity"]["asked"], 20,
                 "the zone is asked of the resolver")
    line = made.log(r"n\d.zone.test. A of zone zone.test.: we say 10.0.0.\d, the VPC resolver says 10.9.9.\d")
    assert len(line) == 1, "once a minute"
    assert "asked of it instead" in made.ctl("zones")
    told = made.ask("n1.zone.test")
    assert told.data() == ["10.9.9.1"] and told.aa
    assert "disagrees" in " ".join(made.ctl_json("explain", "n1.zone.test")["steps"])

    for i in range(4):
        vpc.on(f"n{i}.zone.test", "A", answer(f"@ 60 A 10.0.0.{i}"))
    net.wait_for(lambda: made.log("agrees with the VPC resolver again"), 30, "it agrees again")
    assert made.ctl_json("explain", "n2.zone.test")["source"] == "static"


def test_without_fallback_our_copy_answers(daemon, vpc):
    for i in range(4):
        vpc.on(f"n{i}.zone.test", "A", answer(f"@ 60 A 10.9.9.{i}"))
    made = daemon()
    net.wait_for(lambda: made.log("disagrees with the VPC resolver in"), 20, "told")
    assert made.ask("n1.zone.test").data() == ["10.0.0.1"]


def test_silent_resolver_proves_nothing(daemon, vpc):
    made = daemon(fallback=True)
    net.wait_for(lambda: sampled(made, "same") >= 1, 10, "a sample")
    vpc.default = silent()
    for i in range(4):
        vpc.on(f"n{i}.zone.test", "A", silent())
    net.wait_for(lambda: sampled(made, "unknown") >= 2, 15, "unanswered samples")
    assert sampled(made, "different") == 0


def test_switched_by_a_reload(daemon, vpc, zone):
    for i in range(4):
        vpc.on(f"n{i}.zone.test", "A", answer(f"@ 60 A 10.9.9.{i}"))
    made = daemon(fallback=True)
    net.wait_for(lambda: made.log("its names are asked of that"), 20, "doubted")
    made.reload({"zone_files": [zone.file], "vpc_resolver": [vpc.target]})
    assert made.ask("n3.zone.test").data() == ["10.0.0.3"]
    assert made.zone("zone.test")["parity"] is None
