"""The last good answers are there again after a restart (cache.persist)."""

from __future__ import annotations

import time

import net
import pytest
from resolvers import answer, silent


@pytest.fixture
def again(launch, vpc, corp):
    """A daemon, and the same one started again in the same folder."""
    made = launch({"vpc_resolver": [vpc.target], "cache": {"stale_after_ms": 200}, "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})

    def restart(kill: bool = False, meanwhile=lambda: None):
        made.kill() if kill else made.stop()
        meanwhile()
        return made.start()
    return made, restart


@pytest.mark.quick
def test_lives_go_on(again, corp):
    made, restart = again
    corp.default = answer("@ 60 A 10.0.0.1")
    made.ask("a.corp.test")
    restart(meanwhile=lambda: time.sleep(2.1))
    second = made.ask("a.corp.test")
    assert second.data() == ["10.0.0.1"] and 50 <= second.ttl <= 58 and corp.count() == 1
    assert made.log("1 answers? kept from before")


@pytest.mark.quick
def test_stale_but_good(again, corp):
    """Upstream is dead when we come back: what it said last is better than nothing."""
    made, restart = again
    corp.on("a.corp.test", "A", answer("@ 2 A 10.0.0.1"))
    made.ask("a.corp.test")
    corp.on("a.corp.test", "A", silent())
    restart(meanwhile=lambda: time.sleep(3))
    old = made.ask("a.corp.test", edns=True)
    assert old.data() == ["10.0.0.1"] and old.took < 1 and 3 in [code for code, _ in old.ede]


@pytest.mark.quick
def test_last_good_answer_of_a_dynamic_set(launch, vpc, tmp_path):
    from standin import World
    zone = World().add_zone("zone.test.")
    zone.alias("lb", "A", "internal-1.eu-west-1.elb.amazonaws.com.", "Z0ELB")
    made = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target],
                   "cache": {"stale_after_ms": 200}})
    vpc.on("lb.zone.test", "A", answer("@ 2 A 10.0.0.1"))
    made.ask("lb.zone.test")
    made.stop()
    vpc.on("lb.zone.test", "A", silent())
    time.sleep(3)
    made.start()
    assert made.ask("lb.zone.test").data() == ["10.0.0.1"]


def test_damaged_file_is_set_aside(again, corp):
    made, restart = again
    corp.default = answer("@ 60 A 10.0.0.1")
    file = made.folder / "state" / "cache"
    made.ask("a.corp.test")

    def damage():
        whole = bytearray(file.read_bytes())
        whole[-20] ^= 1
        file.write_bytes(whole)
    restart(meanwhile=damage)
    assert len(made.log("damaged; set aside as")) == 1
    assert file.with_name("cache.damaged").exists()
    assert made.ask("a.corp.test").data() == ["10.0.0.1"] and corp.count() == 2
    restart()
    assert made.ask("a.corp.test").data() == ["10.0.0.1"] and corp.count() == 2


def test_power_cut_keeps_the_file_of_before(again, corp):
    made, restart = again
    corp.default = answer("@ 60 A 10.0.0.1")
    made.ask("a.corp.test")
    restart()
    made.ask("b.corp.test")
    restart(kill=True)
    corp.forget()
    made.ask("a.corp.test")
    made.ask("b.corp.test")
    assert corp.count("a.corp.test") == 0 and corp.count("b.corp.test") == 1


def test_only_when_asked_to(launch, vpc):
    vpc.default = answer("@ 60 A 10.0.0.1")
    for settings in ({"cache": {"persist": False}}, {"state_dir": ""}):
        made = launch({"vpc_resolver": [vpc.target], **settings})
        made.ask("a.public.test")
        made.stop()
        assert not (made.folder / "state" / "cache").exists()


def test_switched_by_a_reload(again, corp, vpc):
    made, restart = again
    made.reload({"vpc_resolver": [vpc.target], "cache": {"persist": False}})
    made.stop()
    assert not (made.folder / "state" / "cache").exists()


def test_start_that_fails_harms_nothing(again, corp, launch):
    """The port is taken: what was kept stays."""
    made, restart = again
    corp.default = answer("@ 60 A 10.0.0.1")
    made.ask("a.corp.test")
    made.stop()
    before = (made.folder / "state" / "cache").read_bytes()
    good = made.file.read_text()
    made.write(good.replace(f"{made.address}:", "192.0.2.1:", 1))
    with pytest.raises(AssertionError):
        made.start()
    made.process = None
    assert (made.folder / "state" / "cache").read_bytes() == before


@pytest.mark.quick
def test_last_good_answer_survives_the_first_look(launch, vpc, api):
    """The zone is loaded anew after the restart: that makes what was kept of its dynamic sets no older."""
    zone = api.world.add_zone("zone.test.")
    zone.alias("lb", "A", "internal-1.eu-west-1.elb.amazonaws.com.", "Z0ELB")
    soa = next(s["ResourceRecords"][0]["Value"] for (_, rtype, _), s in zone.sets.items() if rtype == "SOA")
    vpc.on("zone.test", "SOA", answer(f"@ 900 SOA {soa}"))
    vpc.on("lb.zone.test", "A", answer("@ 2 A 10.0.0.1"))
    made = launch({"vpc_resolver": [vpc.target], "cache": {"stale_after_ms": 200},
                   "route53": {"vpc": "", "zones": [zone.id], "interval": 1, "min_interval": 1, "rate": 20.0}},
                  {**api.environment(), "AWS_REGION": "eu-west-1"})
    net.wait_for(lambda: made.zone("zone.test").get("associated"), 8, "associated")
    made.ask("lb.zone.test")
    made.stop()
    vpc.on("lb.zone.test", "A", silent())
    time.sleep(3)
    made.start()
    net.wait_for(lambda: made.zone("zone.test").get("associated"), 8, "associated")
    assert made.ask("lb.zone.test").data() == ["10.0.0.1"]
