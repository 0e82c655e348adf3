"""Questions by the ten thousand: built by hand, pipelined over TCP, read without ceremony."""

from __future__ import annotations

import socket
import struct
import threading

NUMBERS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43}
TYPES = {number: name for name, number in NUMBERS.items()}
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


def question(labels: tuple[bytes, ...], rtype: str) -> bytes:
    """Id 0, RD, no EDNS."""
    name = b"".join(bytes([len(label)]) + label for label in labels)
    return b"\0\0\1\0\0\1\0\0\0\0\0\0" + name + b"\0" + struct.pack("!2H", NUMBERS[rtype], 1)


def ask_all(where: tuple[str, int], packets: list[bytes], window: int = 500, timeout: float = 20.0) -> list[bytes]:
    """The answers in the order of the questions, whose ids are overwritten. window: unanswered at a time."""
    out: list[bytes | None] = [None] * len(packets)
    free = threading.Semaphore(window)
    with socket.create_connection(where, timeout) as sock:
        sender = threading.Thread(target=_send, args=(sock, packets, free), daemon=True)
        sender.start()
        stream = sock.makefile("rb", 1 << 18)
        base, ahead = 0, {}
        for _ in packets:
            head = stream.read(2)
            assert len(head) == 2, "the connection ended before all was answered"
            reply = stream.read(int.from_bytes(head, "big"))
            free.release()
            at = _place(out, reply, base, ahead)
            out[at] = reply
        sender.join(timeout)
    return out  # type: ignore[return-value]


def _place(out: list, reply: bytes, base: int, ahead: dict) -> int:
    """Ids come round every 65,536 questions: the first unanswered place of that id."""
    at = ahead.get(reply[:2], int.from_bytes(reply[:2], "big"))
    assert at < len(out) and out[at] is None, "an answer to no question"
    ahead[reply[:2]] = at + 65536
    return at


def _send(sock: socket.socket, packets: list[bytes], free: threading.Semaphore) -> None:
    batch = bytearray()
    for i, packet in enumerate(packets):
        if not free.acquire(blocking=False):
            sock.sendall(batch)
            batch.clear()
            if not free.acquire(timeout=30):
                return
        batch += struct.pack("!2H", len(packet), i & 0xFFFF) + packet[2:]
    sock.sendall(batch)


class View:
    """A reply: rcode, AA, answer records as (owner, type, TTL, data), types and owners of the authority.

    Names are lower case text; data are text where names may be compressed in them, else hexadecimal.
    """

    def __init__(self, reply: bytes):
        _, flags, qd, an, ns, _ = struct.unpack("!6H", reply[:12])
        self.wire = reply
        self.rcode = RCODES.get(flags & 15, str(flags & 15))
        self.aa = bool(flags & 0x0400)
        self.tc = bool(flags & 0x0200)
        pos = 12
        for _ in range(qd):
            _, pos = _name(reply, pos)
            pos += 4
        self.answer, pos = self._records(pos, an)
        self.authority, pos = self._records(pos, ns)

    def _records(self, pos: int, count: int) -> tuple[list[tuple[str, str, int, str]], int]:
        out = []
        for _ in range(count):
            owner, pos = _name(self.wire, pos)
            number, _, ttl, size = struct.unpack("!HHIH", self.wire[pos:pos + 10])
            pos += 10
            rtype = TYPES.get(number, str(number))
            out.append((owner, rtype, ttl, self._data(rtype, pos, size)))
            pos += size
        return out, pos

    def _data(self, rtype: str, pos: int, size: int) -> str:
        if rtype in ("CNAME", "NS", "PTR"):
            return _name(self.wire, pos)[0]
        if rtype == "MX":
            return f"{int.from_bytes(self.wire[pos:pos + 2], 'big')} {_name(self.wire, pos + 2)[0]}"
        if rtype == "SOA":
            mname, pos = _name(self.wire, pos)
            rname, pos = _name(self.wire, pos)
            return " ".join([mname, rname, *map(str, struct.unpack("!5I", self.wire[pos:pos + 20]))])
        return self.wire[pos:pos + size].hex()


def _name(wire: bytes, pos: int) -> tuple[str, int]:
    out, end = [], 0
    while wire[pos]:
        if wire[pos] >= 0xC0:
            end = end or pos + 2
            pos = (wire[pos] & 0x3F) << 8 | wire[pos + 1]
            continue
        out.append(wire[pos + 1:pos + 1 + wire[pos]])
        pos += 1 + wire[pos]
    return b".".join((*out, b"")).decode("latin-1").lower() or ".", end or pos + 1
