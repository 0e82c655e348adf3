"""Many questions at once, and whether each was answered."""

from __future__ import annotations

import select
import socket
import threading
import time

import wire


def flood(daemon, packets: list[bytes], window: int = 100, seconds: float = 60.0) -> list[bytes]:
    """Sends all, window of them unanswered at a time; fails when one stays unanswered."""
    out: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(daemon.where)
        sock.settimeout(3)
        end = time.monotonic() + seconds
        sent = 0
        while len(out) < len(packets):
            while sent < len(packets) and sent - len(out) < window:
                sock.send(packets[sent])
                sent += 1
            out.append(sock.recv(65535))
            assert time.monotonic() < end, f"{len(out)} of {len(packets)} answered in {seconds} s"
    return out


class Steady:
    """Asks the same names over and over in the background; knows what was not answered, or wrongly."""

    def __init__(self, daemon, wanted: dict[str, list[str]], tcp: bool = False, pause: float = 0.001):
        self.daemon = daemon
        self.wanted = wanted
        self.tcp = tcp
        self.pause = pause
        self.asked = 0
        self.wrong: list[str] = []
        self.slowest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Steady":
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(self.daemon.where)
        number = 0
        names = list(self.wanted)
        while not self._stop.is_set():
            name = names[number % len(names)]
            number = (number + 1) & 0xFFFF
            try:
                self._one(sock, name, wire.build(name, qid=number))
            except (AssertionError, OSError) as error:
                self.wrong.append(f"{name}: {error}")
            time.sleep(self.pause)
        sock.close()

    def _one(self, sock: socket.socket, name: str, packet: bytes) -> None:
        began = time.monotonic()
        self.asked += 1
        if self.tcp:
            reply = wire.send_tcp(self.daemon.where, packet)
        else:
            sock.send(packet)
            reply = sock.recv(4096) if select.select([sock], [], [], 3)[0] else None
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if reply is None:
            self.wrong.append(f"{name}: no answer")
            return
        answer = wire.parse(packet, reply, udp=not self.tcp)
        if answer.data("A") != sorted(self.wanted[name]):
            self.wrong.append(f"{name}: {answer.rcode} {answer.data()} after {took:.2f} s")
