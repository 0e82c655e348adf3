"""Questions by TCP share connections that are kept (RFC 7766)."""

from __future__ import annotations

import random

import wire
from resolvers import CLOSE, answer, by_proto, later, truncated

BIG = by_proto(truncated(), answer("@ 60 A 10.0.0.1"))


def _ask_all(daemon, names: list[str]) -> list[wire.Answer]:
    asked = {i: wire.build(name, qid=i) for i, name in enumerate(names)}
    with daemon.connect(timeout=6) as tcp:
        tcp.send(*asked.values())
        replies = [tcp.recv() for _ in names]
    return [wire.parse(asked.pop(int.from_bytes(reply[:2], "big")), reply, udp=False) for reply in replies]


def test_many_questions_few_connections(one, corp):
    """Answered in any order, each gets its own; one connection a worker."""
    draw = random.Random(3)
    names = [f"n{i}.corp.test" for i in range(100)]
    for i, name in enumerate(names):
        corp.on(name, "A", by_proto(truncated(), later(draw.random() * 0.1, answer(f"@ 60 A 10.0.1.{i}"))))
    found = _ask_all(one, names)
    assert sorted(a.data()[0] for a in found) == sorted(f"10.0.1.{i}" for i in range(100))
    assert corp.count(proto="tcp") == 100
    assert corp.tcp_connections <= 2, "one connection a worker"
    for i in range(10):
        corp.on(f"later{i}.corp.test", None, BIG)
        assert one.ask(f"later{i}.corp.test", tcp=True).data() == ["10.0.0.1"]
    assert corp.tcp_connections <= 2, "and it is kept"


def test_server_that_closes_after_each_answer(one, corp):
    def once(seen):
        good = answer("@ 60 A 10.0.0.1")(seen)
        return good if seen.proto == "udp" else good + [(0.0, CLOSE)]
    names = [f"n{i}.corp.test" for i in range(30)]
    for name in names:
        corp.on(name, "A", by_proto(truncated(), once))
    found = _ask_all(one, names)
    assert [a.rcode for a in found] == ["NOERROR"] * 30


def test_server_restarts(one, corp):
    """What it closed is opened again, and no client notices."""
    corp.default = BIG
    assert one.ask("a.corp.test", tcp=True).data() == ["10.0.0.1"]
    for i in range(3):
        corp.stop()
        corp.start()
        found = one.ask(f"b{i}.corp.test", tcp=True)
        assert found.data() == ["10.0.0.1"] and found.took < 1.0
