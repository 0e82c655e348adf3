"""What of an answer is believed (T5, T6, T7, T8, T16): only what was asked, only within the rule."""

from __future__ import annotations

import pytest
from resolvers import answer, negative
from standin import World

SOA = "corp.test. 60 SOA ns.corp.test. root.corp.test. 1 2 3 4 60"


@pytest.fixture
def daemon(launch, vpc, corp, corp2, tmp_path):
    """corp.test to corp, victim.test to corp2, zone.test ours, the rest to vpc."""
    zone = World().add_zone("zone.test.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    zone.put("sub.corp", "A", 60, ["10.0.0.9"])
    corp2.on("v.victim.test", "A", answer("@ 60 A 10.0.0.2"))
    vpc.on("v.public.test", "A", answer("@ 60 A 10.0.0.3"))
    return launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]},
        {"type": "FORWARD", "domains": ["victim.test"], "targets": [corp2.target]},
        {"type": "FORWARD", "domains": ["sub.corp.test"], "targets": [corp2.target]}]})


@pytest.mark.quick
@pytest.mark.parametrize("victim, truth", [("v.victim.test", "10.0.0.2"), ("v.public.test", "10.0.0.3"),
                                           ("www.zone.test", "10.0.0.1")])
def test_chain_into_anothers_zone(daemon, corp, victim, truth):
    """The measured hole of others: a CNAME out of the rule with a forged address behind it."""
    corp.on("x.corp.test", "A", answer(f"@ 60 CNAME {victim}.", f"{victim}. 60 A 6.6.6.6"))
    reply = daemon.ask("x.corp.test")
    assert reply.data("A") == [truth] and reply.data("CNAME") == [victim + "."]
    assert daemon.ask(victim).data() == [truth]


@pytest.mark.quick
@pytest.mark.parametrize("section", ["answer", "authority", "additional"])
def test_extra_records_are_dropped(daemon, corp, corp2, vpc, section):
    forged = ("v.victim.test. 60 A 6.6.6.6", "v.public.test. 60 A 6.6.6.6", "www.zone.test. 60 A 6.6.6.6",
              "y.corp.test. 60 A 6.6.6.6")
    if section == "answer":
        corp.on("x.corp.test", "A", answer("@ 60 A 10.1.1.1", *forged))
    else:
        corp.on("x.corp.test", "A", answer("@ 60 A 10.1.1.1", **{section: forged}))
    corp.on("y.corp.test", "A", answer("@ 60 A 10.1.1.2"))
    reply = daemon.ask("x.corp.test")
    assert reply.data() == ["10.1.1.1"]
    assert "6.6.6.6" not in str(reply.msg)
    for name, truth in (("v.victim.test", "10.0.0.2"), ("v.public.test", "10.0.0.3"),
                        ("www.zone.test", "10.0.0.1"), ("y.corp.test", "10.1.1.2")):
        assert daemon.ask(name).data() == [truth]


def test_servers_of_others_are_not_learnt(daemon, corp, corp2):
    """NS records with addresses, for a zone above and one beside, change nothing."""
    corp.on("x.corp.test", "A", answer(
        "@ 60 A 10.1.1.1", authority=("test. 60 NS ns.evil.test.", "victim.test. 60 NS ns.evil.test."),
        additional=(f"ns.evil.test. 60 A {corp.address}",)))
    daemon.ask("x.corp.test")
    corp.forget()
    assert daemon.ask("v.victim.test").data() == ["10.0.0.2"]
    assert daemon.ask("test", "NS").rcode == "NXDOMAIN" and corp.count() == 0


def test_answer_for_another_owner_is_none(daemon, corp):
    corp.on("x.corp.test", "A", answer("other.corp.test. 60 A 6.6.6.6"))
    reply = daemon.ask("x.corp.test")
    assert "6.6.6.6" not in str(reply.msg) and not reply.data("A")


def test_referral_is_a_failure(daemon, corp, vpc, corp2):
    """A forwarder follows none, whoever is named in it."""
    corp.on("x.corp.test", "A", answer(authority=("x.corp.test. 60 NS ns.elsewhere.test.",),
                                       additional=(f"ns.elsewhere.test. 60 A {corp2.address}",)))
    corp2.forget()
    reply = daemon.ask("x.corp.test", edns=True)
    assert reply.rcode == "SERVFAIL" and reply.ede
    assert corp2.names() == [] and vpc.names() == []


@pytest.mark.parametrize("soa, kept", [
    ("corp.test.", True), ("a.corp.test.", True), ("x.a.corp.test.", True),
    ("test.", False), (".", False), ("victim.test.", False), ("b.corp.test.", False),
    ("y.x.a.corp.test.", False)])
def test_negative_soa_must_fit(daemon, corp, soa, kept):
    """Its owner at or above the name and inside the rule (T7); the answer itself stands."""
    corp.on("x.a.corp.test", "A", negative(soa))
    reply = daemon.ask("x.a.corp.test")
    assert reply.rcode == "NXDOMAIN"
    assert reply.soa == (soa if kept else None)


def test_no_for_the_parent_hides_no_child(daemon, corp, corp2):
    """NXDOMAIN of a name says nothing here of names below it: other rules and zones stand."""
    corp.on("corp.test", "A", negative("corp.test."))
    corp2.on("www.sub.corp.test", "A", answer("@ 60 A 10.0.0.5"))
    assert daemon.ask("corp.test").rcode == "NXDOMAIN"
    assert daemon.ask("www.sub.corp.test").data() == ["10.0.0.5"]
    corp.on("a.b.corp.test", "A", answer("@ 60 A 10.0.0.6"))
    corp.on("b.corp.test", "A", negative("corp.test."))
    daemon.ask("b.corp.test")
    assert daemon.ask("a.b.corp.test").data() == ["10.0.0.6"]


def test_flags_of_others_go_no_further(daemon, corp):
    """Forwarded answers carry no AA; AD only for those who asked, and never from a path not trusted."""
    corp.on("x.corp.test", "A", answer("@ 60 A 10.1.1.1", aa=True, ad=True))
    for how in ({}, {"edns": True}, {"do": True}, {"ad": True}):
        reply = daemon.ask("x.corp.test", **how)
        assert not reply.aa
        if not how or how == {"edns": True}:
            assert not reply.ad


def test_ttl_games(daemon, corp):
    """RFC 2181 section 8: a TTL with the top bit is 0; and none above a day."""
    import struct
    from resolvers import edit
    def top_bit(packet: bytes) -> bytes:
        return packet.replace(struct.pack("!I", 77), struct.pack("!I", 0x80000000 | 77))
    corp.on("neg.corp.test", "A", edit(top_bit, answer("@ 77 A 10.1.1.1")))
    corp.on("week.corp.test", "A", answer("@ 604800 A 10.1.1.2"))
    assert daemon.ask("neg.corp.test").ttl == 0
    assert daemon.ask("week.corp.test").ttl == 86400


def test_each_asker_gets_his_own_case(daemon, corp):
    corp.on("case.corp.test", "A", answer("@ 60 A 10.1.1.1"))
    for name in ("Case.Corp.Test", "cASE.cORP.tEST", "case.corp.test"):
        reply = daemon.ask(name)
        assert reply.rrs()[0].split()[0] == name + "." and reply.data() == ["10.1.1.1"]
    assert corp.count("case.corp.test") == 1


def test_subnet_of_the_client_splits_nothing(daemon, corp):
    """T8: 100 askers, each with another ECS option: one question upstream, and none of theirs in it."""
    import socket
    import wire
    from resolvers import later
    corp.on("ecs.corp.test", "A", later(0.2, answer("@ 60 A 10.1.1.1")))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(daemon.where)
        sock.settimeout(2)
        for i in range(100):
            option = wire.edns_option(8, b"\0\1\x18\0\x0a\0" + bytes([i]))
            sock.send(wire.header(qid=i, ar=1) + wire.question("ecs.corp.test.") + wire.opt(options=option))
        assert sorted(sock.recv(512)[1] for _ in range(100)) == list(range(100))
    assert corp.count("ecs.corp.test") == 1
