"""One scene with one server: what the clients felt."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from . import asker, forwarders, lab, process, scenes, zones

RATE = 250.0
KNOWN, CACHED = 30, 30
WARM_S = 2.0
BUDGET_MS = 80  # horizond asks the next target after its estimate, or this if that is shorter
LOAD_RATE = "2000"  # of corporate questions beside the main load


def kinds(zone: zones.Zone) -> list[asker.Kind]:
    def these(*addresses: str) -> frozenset[bytes]:
        return frozenset(map(socket.inet_aton, addresses))

    hosts = [asker.Kind("private", 0.15 / 20, itertools.cycle([zones.host(i).split(".", 1)[0]]),
                        zones.host(i).split(".", 1)[1], these(zones.ipv4(i))) for i in range(20)]
    corp = these(forwarders.FROM_A, forwarders.FROM_B)
    public = these(forwarders.PUBLIC)
    return [*hosts,
            asker.Kind("corp", 0.40, None, forwarders.CORP, corp),
            asker.Kind("corp known", 0.10, itertools.cycle([f"k{i}" for i in range(KNOWN)]), forwarders.CORP, corp),
            asker.Kind("cached", 0.20, itertools.cycle([f"c{i}" for i in range(CACHED)]), zones.FORWARD, public),
            asker.Kind("public", 0.15, None, zones.FORWARD, public)]


@dataclass
class Felt:
    """One row of the table. Milliseconds, seconds, shares of 1."""

    scene: str
    server: str
    asked: int = 0
    right: float = 0.0
    answered: float = 0.0
    more_p50_ms: float | None = None
    more_p99_ms: float | None = None
    slowest_s: float = 0.0
    late: float = 0.0  # felt more than 1.5 round-trip budgets
    others_right: float = 0.0
    others_p99_ms: float | None = None
    returned_s: float | None = None
    packets: float = 0.0  # to the targets, a question
    kept: float | None = None  # rate of the others under full load, to that without trouble
    kept_p99: float | None = None
    unanswered: int = 0  # of all


class Run:
    def __init__(self, world: scenes.World, forwarder: forwarders.Forwarder, horizond: Path, quick: bool):
        self.world, self.forwarder, self.quick = world, forwarder, quick
        folder = world.folder / forwarder.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.place = forwarders.Place(folder, world.zone, horizond)

    def server(self) -> process.Process:
        argv = self.world.lab.argv("server", *self.forwarder.setup(self.place))
        return process.Process(argv, process.SERVER_CORE, self.place.folder / "out")

    def wait_ready(self, proc: process.Process) -> None:
        for name in (zones.host(0), f"ready.{forwarders.CORP}", f"ready.{zones.FORWARD}"):
            scenes.wait_answer(self.world.lab, "client", lab.SERVER, name, proc)

    # --- Steady questions ---

    def felt(self, scene: scenes.Scene, zone: zones.Zone) -> Felt:
        with self.server() as proc:
            self.wait_ready(proc)
            try:
                with asker.Asker(self.world.lab, kinds(zone), RATE) as ask:
                    times = self.act(scene, ask)
                proc.check()
            finally:
                self.world.clean()
        return self.judge(scene, ask.records, *times)

    def act(self, scene: scenes.Scene, ask: asker.Asker) -> tuple[float, float, float, int]:
        time.sleep(WARM_S)
        before = self.world.lab.packets()
        wrong = time.monotonic()
        scene.wrong(self.world)
        time.sleep(scene.seconds[self.quick])
        over = time.monotonic()
        now = self.world.lab.packets()
        scene.right(self.world)
        right = time.monotonic()
        limit = right + (5 if self.quick else 20)
        while time.monotonic() < limit and scene.returns and returned(scene, ask.records, right) is None:
            time.sleep(0.1)
        time.sleep(0.3)
        return wrong, over, right, sum(now[name] - before[name] for name in ("to_a", "to_b"))

    def judge(self, scene: scenes.Scene, records: list[asker.Record], wrong: float, over: float, right: float,
              packets: int) -> Felt:
        mine = ("corp", "corp known") if scene.asked == "corp" else ("public",)
        normal = {kind: [r.took * 1e3 for r in records if r.sent < wrong - 0.1 and r.took and (r.kind in mine) == kind]
                  for kind in (True, False)}
        during = [r for r in records if wrong <= r.sent < over]
        asked = [r for r in during if r.kind in mine]
        others = [r for r in during if r.kind not in mine]
        took = [r.took * 1e3 for r in asked if r.took is not None]
        base = asker.quantile(normal[True], 0.5) or 0.0
        base99 = asker.quantile(normal[True], 0.99) or 0.0
        p50, p99 = asker.quantile(took, 0.5), asker.quantile(took, 0.99)
        corp = sum(r.kind in ("corp", "corp known") for r in during)
        return Felt(
            scene.name, self.forwarder.name, len(asked), share(r.ok for r in asked),
            share(r.took is not None for r in asked),
            None if p50 is None else p50 - base, None if p99 is None else p99 - base99,
            max([r.took for r in records if r.took is not None], default=0.0),
            share(r.took is None or r.took * 1e3 > base + 1.5 * BUDGET_MS for r in asked),
            share(r.ok for r in others), asker.quantile([r.took * 1e3 for r in others if r.took is not None], 0.99),
            returned(scene, records, right), packets / max(1, corp),
            unanswered=sum(r.took is None for r in records))

    # --- Full load ---

    def loaded(self, dark: bool) -> dict:
        with self.server() as proc:
            self.wait_ready(proc)
            try:
                warm = self.world.load("client", self.world.folder / "known.list", "-t", "0.5", "-w", "16")
                warm.communicate()
                if dark:
                    self.world.lab.break_by(*scenes.A_SILENT, *scenes.B_SILENT)
                self.world.load("other", self.world.folder / "corp.list", "-r", LOAD_RATE, "-w", "4096", "-t", "600")
                time.sleep(2.0)  # the targets are known to be down, or not
                seconds = "2" if self.quick else "5"
                main = self.world.load("client", self.world.folder / "known.list", "-t", seconds, "-w", "32")
                out, err = main.communicate(timeout=60)
                proc.check()
                if not out:
                    raise process.Trouble(f"the client: {err.strip()}")
                return json.loads(out)
            finally:
                self.world.clean()

    def full(self, rounds: int) -> Felt:
        """Private and cached names as fast as they come, corporate questions beside: targets well, then a black hole."""
        pairs = [(self.loaded(dark=False), self.loaded(dark=True)) for _ in range(rounds)]
        kept = sorted(dark["rate"] / well["rate"] for well, dark in pairs)[rounds // 2]
        kept_p99 = sorted(dark["p99_us"] / well["p99_us"] for well, dark in pairs)[rounds // 2]
        dark = pairs[-1][1]
        total = dark["answered"] + dark["wrong"] + dark["lost"]
        return Felt("full load", self.forwarder.name, others_right=dark["answered"] / max(1, total),
                    others_p99_ms=dark["p99_us"] / 1e3, kept=kept, kept_p99=kept_p99, slowest_s=dark["max_us"] / 1e6,
                    unanswered=dark["lost"])


def share(found) -> float:
    found = list(found)
    return sum(found) / len(found) if found else 0.0


def returned(scene: scenes.Scene, records: list[asker.Record], right: float) -> float | None:
    """From the time when all was well again to the first answer that shows it."""
    wanted = {"a": forwarders.FROM_A, "any": ""}.get(scene.returns)
    if wanted is None:
        return None
    times = [r.sent + r.took - right for r in list(records)
             if r.kind == "corp" and r.ok and r.took is not None and r.sent + r.took > right
             and (not wanted or r.who == socket.inet_aton(wanted))]
    return min(times, default=None)
