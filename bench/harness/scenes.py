"""What breaks in bench/faults: each scene breaks something, leaves it so for a while, and mends it."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from . import forwarders, lab, process

BOTH = "ip saddr { %s, %s }" % (lab.A, lab.B)
TO_BOTH = "ip daddr { %s, %s }" % (lab.A, lab.B)


class World:
    """The namespaces with their servers, and one forwarder under test."""

    def __init__(self, where: lab.Lab, bin_folder: Path, folder: Path, zone: Path):
        self.lab, self.bin, self.folder, self.zone = where, bin_folder, folder, zone
        self.sites: dict[str, process.Process] = {}
        self.spoilers: dict[str, subprocess.Popen] = {}
        self.loads: list[subprocess.Popen] = []

    def site(self, place: str, argv: list[str] | None = None, probe: bool = True) -> None:
        """Starts the server of a site, and waits until it answers there."""
        if argv is None:
            make = forwarders.SITES[place]
            argv = make(self.folder, self.zone) if place == "vpc" else make(self.folder)
        self.sites[place] = process.Process(self.lab.argv(place, *argv), process.CLIENT_CORE,
                                            self.folder / f"site-{place}.out")
        if probe:
            self.wait_answer(place, "127.0.0.1")

    def wait_answer(self, place: str, address: str) -> None:
        name = "probe.fwd.example" if place == "vpc" else f"probe.{forwarders.CORP}"
        wait_answer(self.lab, place, address, name, self.sites[place])

    def kill(self, place: str) -> None:
        """As power does it."""
        proc = self.sites.pop(place)
        proc.popen.send_signal(signal.SIGKILL)
        proc.popen.wait()

    def end(self, place: str) -> None:
        self.sites.pop(place).end()

    def spoil(self, place: str, how: str) -> None:
        """`how` of bench_spoil for the answers of a site, from now on."""
        if place not in self.spoilers:
            argv = self.lab.argv(place, str(self.bin / "bench_spoil"), f"{lab.SITES[place]}:{lab.SPOILED}",
                                 "127.0.0.1:53")
            self.spoilers[place] = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                                    preexec_fn=process.pin(process.CLIENT_CORE, process.NICE))
            self.lab.spoil(place, on=True)
            time.sleep(0.1)
        self.spoilers[place].stdin.write(how.encode() + b"\n")
        self.spoilers[place].stdin.flush()

    def load(self, place: str, questions: Path, *args: str) -> subprocess.Popen:
        """bench_load from there; ends by itself or with the scene."""
        argv = self.lab.argv(place, str(self.bin / "bench_load"), "-q", str(questions), *args, f"{lab.SERVER}:53")
        popen = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 preexec_fn=process.pin(process.CLIENT_CORE, process.NICE))
        self.loads.append(popen)
        return popen

    def clean(self) -> None:
        """As before the first scene, whatever this one left."""
        for popen in self.loads:
            if popen.poll() is None:
                popen.kill()
            popen.communicate()
        self.loads.clear()
        for place, popen in self.spoilers.items():
            self.lab.spoil(place, on=False)
            popen.stdin.close()
            popen.wait()
        self.spoilers.clear()
        self.lab.heal()
        for place in lab.SITES:
            if place not in self.sites:
                self.site(place)

    def __enter__(self) -> "World":
        with ExitStack() as stack:
            stack.callback(self.__exit__)
            for place in lab.SITES:
                self.site(place)
            stack.pop_all()
        return self

    def __exit__(self, *exc) -> None:
        for popen in [*self.loads, *self.spoilers.values()]:
            popen.kill()
            popen.wait()
        for proc in self.sites.values():
            proc.end()


def wait_answer(where: lab.Lab, place: str, address: str, name: str, proc: process.Process, seconds: float = 15) -> None:
    import socket

    from . import asker
    with where.inside(place):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.connect((address, 53))
        sock.settimeout(0.05)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            proc.check()
            try:
                sock.send(asker.question(name, 77))
                if sock.recv(4096)[3] & 15 == 0:
                    return
            except OSError:
                time.sleep(0.005)
    raise process.Trouble(f"{proc.argv[4]} does not answer {name} within {seconds} s: {proc.tail()}")


@dataclass(frozen=True)
class Scene:
    name: str
    title: str
    wrong: Callable[[World], None]
    right: Callable[[World], None]
    seconds: tuple[float, float] = (10, 3)  # how long it stays broken: in full, and with --quick
    asked: str = "corp"  # the questions in the first columns: "corp", or "public" names
    returns: str = ""  # whose first answer is waited for when all is well again: "a", "b", "vpc", "any" of corp, ""
    one_dead: bool = False  # one of two targets is out of order: nothing may be lost, hardly anything felt
    rules: tuple[str, ...] = field(default=())


def break_by(*rules: str) -> Callable[[World], None]:
    return lambda world: world.lab.break_by(*rules)


def spoil(how: str, *places: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        for place in places:
            world.spoil(place, how)
    return act


def heal(world: World) -> None:
    world.lab.break_by()


def links(up: bool) -> Callable[[World], None]:
    def act(world: World) -> None:
        for place in ("a", "b"):
            world.lab.link(place, up)
    return act


def loop(world: World) -> None:
    for place in ("a", "b"):
        world.end(place)
        world.site(place, forwarders.site_loop(world.folder, place), probe=False)


def no_loop(world: World) -> None:
    for place in ("a", "b"):
        world.end(place)
        world.site(place)


def flood(kind: str, rate: int) -> Callable[[World], None]:
    """Names that nobody has asked before, from another host."""
    def act(world: World) -> None:
        world.load("other", world.folder / f"{kind}.list", "-r", str(rate), "-w", "4096", "-t", "600")
    return act


def no_flood(world: World) -> None:
    for popen in world.loads:
        popen.kill()
        popen.wait()
    world.lab.break_by()


def cut(world: World) -> None:
    world.lab.break_by(f"ip daddr {lab.VPC} limit rate over 1024/second burst 64 packets counter name cut drop")
    flood("public", 2000)(world)


A_SILENT = (f"ip daddr {lab.A} drop", f"ip saddr {lab.A} drop")
B_SILENT = (f"ip daddr {lab.B} drop", f"ip saddr {lab.B} drop")
LOSS = tuple(f"{side} numgen random mod 100 < 30 drop" for side in (BOTH, TO_BOTH))

ALL = {scene.name: scene for scene in (
    Scene("killed", "one of two targets killed (ICMP refusals)", lambda w: w.kill("a"), lambda w: w.site("a"),
          returns="a", one_dead=True),
    Scene("silent", "one of two targets a black hole", break_by(*A_SILENT), heal, returns="a", one_dead=True),
    Scene("dark", "both targets a black hole", break_by(*A_SILENT, *B_SILENT), heal, returns="any"),
    Scene("loss", "30 % of packets lost, both ways, both targets", break_by(*LOSS), heal),
    Scene("delay", "answers of both targets 300 ms late", spoil("delay 300", "a", "b"), spoil("pass", "a", "b")),
    Scene("order", "answers of both in another order, 0 to 60 ms late", spoil("jitter 60", "a", "b"),
          spoil("pass", "a", "b")),
    Scene("link", "link to both targets down 60 s (quick: 5 s), and up", links(False), links(True), seconds=(60, 5),
          returns="any"),
    Scene("servfail", "one of two answers SERVFAIL", spoil("servfail", "a"), spoil("pass", "a"), returns="a"),
    Scene("garbage", "one of two answers garbage", spoil("garbage", "a"), spoil("pass", "a"), returns="a"),
    Scene("id", "one of two answers with a wrong id", spoil("id", "a"), spoil("pass", "a"), returns="a"),
    Scene("question", "one of two answers another question", spoil("question", "a"), spoil("pass", "a"), returns="a"),
    Scene("late", "one of two answers 2.5 s late", spoil("delay 2500", "a"), spoil("pass", "a"), returns="a"),
    Scene("loop", "both targets send the questions back to us", loop, no_loop, returns="any"),
    Scene("cut", "VPC resolver cut to 1024 packets/s, 2000 new names/s from another host", cut, no_flood, asked="public"),
    Scene("flood", "10,000 new corporate names/s from another host", flood("corp", 10000), no_flood),
)}
