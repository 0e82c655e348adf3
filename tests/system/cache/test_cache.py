"""The cache: lives counted down, negative answers (RFC 2308), DO and CD apart, bounded, kept over reloads."""

from __future__ import annotations

import time

import pytest
import wire
from resolvers import answer, fail, later, negative, silent, turns

SETTINGS = {"max_negative_ttl": 60}


@pytest.fixture
def daemon(launch, vpc, corp):
    def make(**cache):
        return launch({"vpc_resolver": [vpc.target], "cache": {**SETTINGS, **cache}, "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]})
    return make


@pytest.mark.quick
def test_ttl_counts_down(daemon, corp):
    corp.on("a.corp.test", "A", answer("@ 30 A 10.0.0.1"))
    made = daemon()
    assert made.ask("a.corp.test").ttl == 30
    time.sleep(2.1)
    second = made.ask("a.corp.test")
    assert 26 <= second.ttl <= 28 and corp.count() == 1
    assert made.ask("A.corp.TEST", tcp=True).ttl <= 28 and corp.count() == 1


def test_expired_is_asked_again(daemon, corp):
    corp.on("a.corp.test", "A", turns(answer("@ 1 A 10.0.0.1"), answer("@ 60 A 10.0.0.2")))
    made = daemon()
    made.ask("a.corp.test")
    time.sleep(2.1)
    assert made.ask("a.corp.test").data() == ["10.0.0.2"]


def test_ttl_zero_is_not_kept(daemon, corp):
    corp.on("a.corp.test", "A", answer("@ 0 A 10.0.0.1"))
    made = daemon()
    for _ in range(3):
        assert made.ask("a.corp.test").ttl == 0
    assert corp.count() == 3


@pytest.mark.quick
@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_negative_answers_are_kept(daemon, corp, rcode):
    """For min(SOA TTL, minimum, max_negative_ttl)."""
    corp.on("soa.corp.test", "A", negative("corp.test.", rcode, ttl=20, minimum=900))
    corp.on("min.corp.test", "A", negative("corp.test.", rcode, ttl=900, minimum=25))
    corp.on("cap.corp.test", "A", negative("corp.test.", rcode, ttl=900, minimum=900))
    made = daemon()
    for name, ttl in (("soa", 20), ("min", 25), ("cap", 60)):
        first = made.ask(f"{name}.corp.test")
        assert first.rcode == rcode and first.negative_ttl == ttl
        assert made.ask(f"{name}.corp.test").rcode == rcode
        assert corp.count(f"{name}.corp.test") == 1


def test_negative_is_by_type_and_name(daemon, corp):
    corp.on("a.corp.test", "A", negative("corp.test.", "NOERROR"))
    corp.on("a.corp.test", "TXT", answer('@ 60 TXT "x"'))
    made = daemon()
    assert not made.ask("a.corp.test").data()
    assert made.ask("a.corp.test", "TXT").data() == ['"x"']


def test_negative_expires(daemon, corp):
    corp.on("a.corp.test", "A", turns(negative("corp.test.", ttl=1), answer("@ 60 A 10.0.0.1")))
    made = daemon()
    assert made.ask("a.corp.test").rcode == "NXDOMAIN"
    time.sleep(2.1)
    assert made.ask("a.corp.test").data() == ["10.0.0.1"]


@pytest.mark.quick
def test_checking_disabled_is_apart(daemon, corp):
    """T9: what was got with CD is not for those who did not say so."""
    corp.on("a.corp.test", "A", lambda seen: (
        answer("@ 60 A 6.6.6.6") if seen.msg.flags & 0x10 else fail("SERVFAIL"))(seen))
    made = daemon()
    assert made.ask("a.corp.test", cd=True).data() == ["6.6.6.6"]
    assert made.ask("a.corp.test").rcode == "SERVFAIL"
    assert made.ask("a.corp.test", cd=True).data() == ["6.6.6.6"]


@pytest.mark.quick
def test_dnssec_ok_is_apart(daemon, corp):
    """Signatures for those who asked for them, none for others; DO goes upstream as it came."""
    signature = "@ 60 RRSIG A 8 3 60 20300101000000 20200101000000 12345 corp.test. aGVsbG8="
    corp.on("a.corp.test", "A", lambda seen: (
        answer("@ 60 A 10.0.0.1", signature) if seen.msg.ednsflags & 0x8000 else answer("@ 60 A 10.0.0.1"))(seen))
    made = daemon()
    for _ in range(2):
        assert len(made.ask("a.corp.test", do=True).rrs()) == 2
        assert len(made.ask("a.corp.test").rrs()) == 1
        assert len(made.ask("a.corp.test", edns=True).rrs()) == 1
    assert corp.count("a.corp.test") == 2


def test_rules_are_apart(launch, vpc, corp, corp2):
    """An answer belongs to who gave it: a rule that changes its targets forgets, others keep."""
    corp.default, corp2.default = answer("@ 60 A 10.0.0.1"), answer("@ 60 A 10.0.0.2")

    def settings(target):
        return {"vpc_resolver": [vpc.target], "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [target]},
            {"type": "FORWARD", "domains": ["other.test"], "targets": [corp.target]}]}
    made = launch(settings(corp.target))
    assert made.ask("a.corp.test").data() == made.ask("a.other.test").data() == ["10.0.0.1"]
    made.reload(settings(corp2.target))
    corp.forget()
    assert made.ask("a.corp.test").data() == ["10.0.0.2"]
    assert made.ask("a.other.test").data() == ["10.0.0.1"] and corp.count() == 0, "the unchanged rule keeps"


def test_reload_empties_nothing(daemon, corp):
    corp.default = answer("@ 60 A 10.0.0.1")
    made = daemon()
    made.ask("a.corp.test")
    for _ in range(3):
        made.reload()
    assert made.ask("a.corp.test").data() == ["10.0.0.1"] and corp.count() == 1


def test_sync_empties_nothing(launch, vpc, api, corp):
    corp.default = answer("@ 60 A 10.0.0.1")
    zone = api.world.add_zone("zone.test.")
    made = launch({"vpc_resolver": [vpc.target],
                   "route53": {"vpc": "", "zones": [zone.id], "interval": 1, "min_interval": 1, "rate": 20.0},
                   "rules": [{"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]},
                  {**api.environment(), "AWS_REGION": "eu-west-1"})
    made.ask("a.corp.test")
    zone.put("www", "A", 60, ["10.0.0.9"])
    made.wait_answer("www.zone.test", "A", ["10.0.0.9"])
    assert made.ask("a.corp.test").data() == ["10.0.0.1"] and corp.count() == 1


@pytest.mark.quick
def test_flush(daemon, corp):
    corp.default = answer("@ 60 A 10.0.0.1")
    made = daemon()
    names = ["a.corp.test", "x.a.corp.test", "b.corp.test"]

    def asked_again() -> list[str]:
        corp.forget()
        for name in names:
            made.ask(name)
        return [name for name in names if corp.count(name)]
    assert asked_again() == names and asked_again() == []
    made.ctl("flush", "a.corp.test")
    assert asked_again() == ["a.corp.test"]
    made.ctl("flush", "a.corp.test.")
    assert "b.corp.test" not in asked_again()
    made.ctl("flush", "all")
    assert asked_again() == names


def test_stale_when_upstream_is_dead(daemon, corp):
    """RFC 8767: better old than nothing, with a TTL of 30; fresh as soon as there is fresh data (T15)."""
    corp.on("a.corp.test", "A", turns(answer("@ 1 A 10.0.0.1"), silent(), silent(), silent(), silent(), silent(),
                                      silent(), silent(), silent(), answer("@ 60 A 10.0.0.2")))
    made = daemon()
    made.ask("a.corp.test")
    time.sleep(2.1)
    stale = made.ask("a.corp.test", edns=True)
    assert stale.data() == ["10.0.0.1"] and stale.ttl <= 30 and stale.took < 1.8
    assert 3 in [code for code, _ in stale.ede], "stale answer (RFC 8914)"
    assert made.metric("horizond_answers_from_total", source="stale") >= 1
    made.wait_answer("a.corp.test", "A", ["10.0.0.2"], 12)


def test_stale_by_servfail(daemon, corp):
    corp.on("a.corp.test", "A", turns(answer("@ 1 A 10.0.0.1"), fail("SERVFAIL")))
    made = daemon()
    made.ask("a.corp.test")
    time.sleep(2.1)
    assert made.ask("a.corp.test").data() == ["10.0.0.1"]


def test_stale_can_be_switched_off(daemon, corp):
    corp.on("a.corp.test", "A", turns(answer("@ 1 A 10.0.0.1"), fail("SERVFAIL")))
    made = daemon(serve_stale=0)
    made.ask("a.corp.test")
    time.sleep(2.1)
    assert made.ask("a.corp.test").rcode == "SERVFAIL"


def test_stale_is_quick(daemon, corp):
    """A slow upstream holds a client up for stale_after_ms at most."""
    corp.on("a.corp.test", "A", turns(answer("@ 1 A 10.0.0.1"), later(1.4, answer("@ 60 A 10.0.0.2"))))
    made = daemon(stale_after_ms=200)
    made.ask("a.corp.test")
    time.sleep(2.1)
    stale = made.ask("a.corp.test")
    assert stale.data() == ["10.0.0.1"] and stale.took < 0.8
    made.wait_answer("a.corp.test", "A", ["10.0.0.2"], 5)


def test_ttl_limits_by_setting(daemon, corp):
    corp.on("short.corp.test", "A", answer("@ 2 A 10.0.0.1"))
    corp.on("long.corp.test", "A", answer("@ 5000 A 10.0.0.1"))
    made = daemon(min_ttl=20, max_ttl=100)
    assert made.ask("short.corp.test").ttl == 20
    assert made.ask("long.corp.test").ttl == 100


def test_static_answers_keep_their_ttl(launch, vpc, tmp_path):
    """cache.min_ttl and max_ttl touch forwarded answers only."""
    from standin import World
    zone = World().add_zone("zone.test.")
    zone.put("short", "A", 2, ["10.0.0.1"])
    zone.put("long", "A", 2_000_000, ["10.0.0.1"])
    made = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target],
                   "cache": {"min_ttl": 20, "max_ttl": 100}})
    assert made.ask("short.zone.test").ttl == 2 and made.ask("long.zone.test").ttl == 2_000_000
    time.sleep(1.2)
    assert made.ask("long.zone.test").ttl == 2_000_000


@pytest.mark.release
def test_memory_is_bounded(daemon, corp):
    """T23: many times more names than fit: the cache keeps to its size, and so does the process."""
    corp.default = answer('@ 600 TXT "' + "x" * 200 + '"', '@ 600 TXT "' + "y" * 200 + '"')
    made = daemon(size="2M")
    from load import flood
    flood(made, [wire.build(f"n{i}.corp.test", "TXT", qid=i & 0xFFFF) for i in range(3000)])
    before = made.rss_kb
    assert made.metric("horizond_cache_bytes") <= 2 << 20
    flood(made, [wire.build(f"m{i}.corp.test", "TXT", qid=i & 0xFFFF) for i in range(9000)])
    assert made.metric("horizond_cache_bytes") <= 2 << 20
    assert made.metric("horizond_cache_entries") > 500
    assert made.rss_kb < before + 6_000
