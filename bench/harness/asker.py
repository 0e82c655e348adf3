"""Questions at a steady pace, each with its time and its verdict: what clients feel while things break."""

from __future__ import annotations

import itertools
import os
import random
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from . import lab, process

SOCKETS = 16
GIVE_UP_S = 4.0  # a stub resolver waits 5 s


@dataclass
class Kind:
    """A sort of questions: its share, its names, the right answers."""

    name: str
    share: float
    names: "itertools.cycle | None"  # None: a new one each time
    suffix: str
    right: frozenset[bytes]  # addresses, any of which will do


@dataclass
class Record:
    kind: str
    sent: float
    name: str
    right: frozenset[bytes] = field(repr=False)
    took: float | None = None
    ok: bool = False
    rcode: int = -1
    who: bytes = b""  # the address in the answer


def question(name: str, qid: int) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", qid, 0x0100, 1, 0, 0, 1) + labels + b"\0" + struct.pack(">HH", 1, 1) + \
        b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)


def skip_name(packet: bytes, at: int) -> int:
    while packet[at]:
        if packet[at] >= 192:
            return at + 2
        at += 1 + packet[at]
    return at + 1


def addresses(packet: bytes) -> list[bytes]:
    """Of the A records in the answer section."""
    at, out = skip_name(packet, 12) + 4, []
    for _ in range(struct.unpack(">H", packet[6:8])[0]):
        at = skip_name(packet, at)
        rtype, _, _, size = struct.unpack(">HHIH", packet[at:at + 10])
        if rtype == 1:
            out.append(packet[at + 10:at + 10 + size])
        at += 10 + size
    return out


class Asker:
    """Asks in a thread of its own, from the client's namespace, until stopped."""

    def __init__(self, where: lab.Lab, kinds: list[Kind], rate: float):
        self.kinds, self.rate = kinds, rate
        self.records: list[Record] = []
        self.open: dict[tuple[int, int], tuple[Record, bytes]] = {}
        self.random = random.Random(5)
        self.stop = threading.Event()
        self.poll = select.epoll()
        with where.inside("client"):
            self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        self.by_fd = {sock.fileno(): number for number, sock in enumerate(self.sockets)}
        for sock in self.sockets:
            sock.connect((lab.SERVER, 53))
            sock.setblocking(False)
            self.poll.register(sock.fileno(), select.EPOLLIN)
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self) -> "Asker":
        self.thread.start()
        return self

    def __exit__(self, *exc) -> None:
        """The last questions still get their time."""
        self.stop.set()
        self.thread.join(GIVE_UP_S + 5)
        self.poll.close()
        for sock in self.sockets:
            sock.close()

    def work(self) -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), process.NICE)
        except PermissionError:
            pass
        began, sent = time.monotonic(), 0
        while not self.stop.is_set():
            due = began + sent / self.rate
            self.hear(max(0.0, due - time.monotonic()))
            if time.monotonic() >= due:
                self.ask(sent)
                sent += 1
        end = time.monotonic() + GIVE_UP_S
        while self.open and time.monotonic() < end:
            self.hear(0.05)

    def ask(self, number: int) -> None:
        kind = self.random.choices(self.kinds, [kind.share for kind in self.kinds])[0]
        label = f"q{number:x}x{self.random.getrandbits(40):x}" if kind.names is None else next(kind.names)
        name = f"{label}.{kind.suffix}"
        place, qid = number % SOCKETS, self.random.getrandbits(16)
        packet = question(name, qid)
        record = Record(kind.name, time.monotonic(), name, kind.right)
        self.records.append(record)
        self.open[(place, qid)] = (record, packet)
        try:
            self.sockets[place].send(packet)
        except OSError:  # the server has no socket: it counts as not answered
            return

    def hear(self, seconds: float) -> None:
        for fd, _ in self.poll.poll(seconds):
            place = self.by_fd[fd]
            while True:
                try:
                    packet = self.sockets[place].recv(4096)
                except OSError:
                    break
                self.take(place, packet)

    def take(self, place: int, packet: bytes) -> None:
        now = time.monotonic()
        found = self.open.get((place, struct.unpack(">H", packet[:2])[0])) if len(packet) >= 12 else None
        if found is None or not packet[2] & 0x80:
            return
        record, asked = found
        end = len(asked) - 11
        del self.open[(place, struct.unpack(">H", packet[:2])[0])]
        record.took, record.rcode = now - record.sent, packet[3] & 15
        if packet[12:end] == asked[12:end] and record.rcode == 0 and not packet[2] & 2:
            got = addresses(packet)
            record.ok = bool(got) and all(one in record.right for one in got)
            record.who = got[0] if got else b""


def quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
