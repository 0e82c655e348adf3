"""The workloads: what is asked, of whom, what is the floor, and what horizond has to reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from . import zones


@dataclass(frozen=True)
class Goal:
    """Bounds for horizond, against the floor or the best of the peers named."""

    figure: str  # "rate", "cpu_us" or "start"
    against: str  # "floor" or the name of a server
    bound: float
    least: bool  # at least; else at most


@dataclass(frozen=True)
class Load:
    """One way to ask: saturation, or a fixed rate."""

    name: str
    args: tuple[str, ...]
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class Work:
    name: str
    title: str
    servers: tuple[str, ...]  # the best peers first
    loads: tuple[Load, ...] = ()
    floor: str = ""
    sets: int = 0  # of the zone; 0: none
    groups: float = 0.0
    upstream: bool = False
    warm: bool = False  # each question once before it counts
    tcp: bool = False
    questions: int = 50000
    start: bool = False  # W6: measured from exec
    goals: tuple[Goal, ...] = field(default=())  # of the start

    @property
    def list_kind(self) -> str:
        return self.name[:2]


#: As much as a socket buffer of the default size holds: some servers ask for no more.
WINDOW = ("-w", "160")
STEADY = ("-w", "4096", "-r", "50000", "-S")
PIPELINES = ("-c", "10", "-w", "320")


def floor_goals(rate: float, cpu: float) -> tuple[Goal, ...]:
    return Goal("rate", "floor", rate, True), Goal("cpu_us", "floor", cpu, False)


AT_50K = Load("50k/s", STEADY, (Goal("cpu_us", "floor", 1.25, False),))

ALL = {work.name: work for work in (
    Work("W1", "private zone, 10,000 sets", ("horizond", "nsd", "knot", "unbound", "pdns", "bind", "dnsmasq"),
         (Load("most", WINDOW, floor_goals(0.85, 1.25)), AT_50K), floor="reflector", sets=10000),
    Work("W1x", "private zone, 100,000 sets, a fifth weighted or multivalue", ("horizond",),
         (Load("most", WINDOW, floor_goals(0.80, 1.30)),), floor="reflector", sets=100000, groups=0.2,
         questions=100000),
    Work("W2", "10,000 forwarded names, all cached",
         ("horizond", "unbound", "dnsdist", "recursor", "bind", "dnsmasq"),
         (Load("most", WINDOW, floor_goals(0.82, 1.30)), Load("50k/s", STEADY)), floor="reflector", upstream=True,
         warm=True, questions=10000),
    Work("W3", "every name new, one fast upstream", ("horizond", "dnsdist", "unbound", "recursor", "bind", "dnsmasq"),
         (Load("most", WINDOW, floor_goals(0.70, 1.40)),), floor="relay", upstream=True, questions=4096),
    Work("W4", "60 % zone, 30 % cached, 10 % new", ("horizond", "unbound", "bind", "recursor", "dnsmasq"),
         (Load("most", WINDOW, (Goal("rate", "unbound", 2.5, True),)),), sets=10000, upstream=True, warm=True),
    Work("W5", "private zone over ten reused TCP connections",
         ("horizond", "pdns", "knot", "nsd", "bind", "unbound"),
         (Load("most", PIPELINES, (Goal("rate", "pdns", 1.1, True),)),), floor="reflector", sets=10000, tcp=True),
    Work("W6", "from exec to the first right answer, 100,000 sets",
         ("horizond", "horizond-file", "knot", "nsd", "unbound", "bind", "recursor", "pdns"), sets=100000, start=True,
         goals=(Goal("start", "knot", 0.5, False),)),
)}


class Files:
    """Zones and lists, made once."""

    def __init__(self, folder: Path, edns: bool):
        self.folder = folder
        self.edns = edns
        self.made: dict[tuple[int, float], zones.Zone] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def zone(self, work: Work) -> zones.Zone | None:
        key = (work.sets, work.groups)
        if work.sets and key not in self.made:
            self.made[key] = zones.Zone(*key)
        return self.made.get(key)

    def zone_folder(self, work: Work) -> Path | None:
        zone = self.zone(work)
        if zone is None:
            return None
        folder = self.folder / f"zone-{work.sets}-{work.groups:g}"
        folder.mkdir(exist_ok=True)
        if not (folder / "done").exists():
            zone.write_route53(folder / "zone.json")
            zone.write_master(folder / "zone.master")
            zone.write_unbound(folder / "zone.unbound")
            zone.write_dnsmasq(folder / "zone.dnsmasq")
            (folder / "done").touch()
        return folder

    def questions(self, work: Work) -> Path:
        path = self.folder / f"{work.name}{'-edns' if self.edns else ''}.list"
        if not path.exists():
            zones.write_questions(path, zones.mixed(work.list_kind, self.zone(work), work.questions), self.edns)
        return path

    def stale(self) -> bool:
        """Were they made by an older generator?"""
        source = Path(zones.__file__).stat().st_mtime
        return any(path.stat().st_mtime < source for path in self.folder.rglob("*") if path.is_file())
