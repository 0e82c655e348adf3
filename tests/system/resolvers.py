"""A DNS server that does what a test tells it, over UDP and TCP, and remembers what it was asked.

    corp = Scripted()
    corp.on("www.corp.test", "A", answer("www.corp.test. 60 A 10.0.0.1"))
    corp.on("slow.corp.test", None, later(0.3, answer(...)))
    corp.on("bad.corp.test", None, both(edit(wrong_id, answer(...)), answer(...)))
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import net

CLOSE = b""  # as a packet over TCP: end the connection


@dataclass
class Seen:
    """One question as it came."""

    name: str  # in the case in which it came
    rtype: str
    proto: str
    at: float
    source: tuple[str, int]
    wire: bytes = field(repr=False)
    msg: dns.message.Message = field(repr=False)
    number: int = 0  # how often this (name, type) had been asked before


Reply = Callable[[Seen], list[tuple[float, bytes]]]  # (seconds to wait, packet)


def _rrsets(lines: tuple[str, ...]) -> list[dns.rrset.RRset]:
    out: list[dns.rrset.RRset] = []
    for line in lines:
        owner, ttl, rtype, data = line.split(None, 3)
        out.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, data))
    return out


def answer(*lines: str, authority: tuple[str, ...] = (), additional: tuple[str, ...] = (),
           rcode: str = "NOERROR", aa: bool = False, ad: bool = False, tc: bool = False,
           limit: bool = True) -> Reply:
    """Records as "owner ttl type data"; owner "@" is the question's name."""
    def reply(seen: Seen) -> list[tuple[float, bytes]]:
        msg = dns.message.make_response(seen.msg, recursion_available=True)
        owner = str(seen.msg.question[0].name)
        for section, texts in ((msg.answer, lines), (msg.authority, authority),
                               (msg.additional, additional)):
            section.extend(_rrsets(tuple(owner + t[1:] if t.startswith("@ ") else t for t in texts)))
        msg.set_rcode(dns.rcode.from_text(rcode))
        msg.flags |= (dns.flags.AA if aa else 0) | (dns.flags.AD if ad else 0) | \
            (dns.flags.TC if tc else 0)
        wire = msg.to_wire(max_size=65535)
        size = max(512, seen.msg.payload) if seen.msg.edns >= 0 else 512
        if limit and seen.proto == "udp" and len(wire) > size:
            return truncated()(seen)
        return [(0.0, wire)]
    return reply


def fail(rcode: str) -> Reply:
    return answer(rcode=rcode)


def negative(zone: str, rcode: str = "NXDOMAIN", ttl: int = 60, minimum: int = 60) -> Reply:
    """NXDOMAIN or (NOERROR) NODATA, with the zone's SOA."""
    under = zone.lstrip(".")
    soa = f"{zone} {ttl} SOA ns.{under} root.{under} 1 2 3 4 {minimum}"
    return answer(authority=(soa,), rcode=rcode)


def silent() -> Reply:
    return lambda seen: []


def close() -> Reply:
    """Over TCP the end of the connection, over UDP silence."""
    return lambda seen: [(0.0, CLOSE)] if seen.proto == "tcp" else []


def later(seconds: float, inner: Reply) -> Reply:
    return lambda seen: [(wait + seconds, packet) for wait, packet in inner(seen)]


def both(*replies: Reply) -> Reply:
    """Every one of them, in this order."""
    return lambda seen: [(wait + i * 0.003, p) for i, r in enumerate(replies) for wait, p in r(seen)]


def turns(*replies: Reply) -> Reply:
    """The first question gets the first, and so on; the last stays."""
    return lambda seen: replies[min(seen.number, len(replies) - 1)](seen)


def by_proto(udp: Reply, tcp: Reply) -> Reply:
    return lambda seen: (udp if seen.proto == "udp" else tcp)(seen)


def edit(change: Callable[[bytes], bytes], inner: Reply) -> Reply:
    return lambda seen: [(wait, change(packet)) for wait, packet in inner(seen)]


def raw(packet: bytes | Callable[[Seen], bytes]) -> Reply:
    return lambda seen: [(0.0, packet(seen) if callable(packet) else packet)]


def truncated() -> Reply:
    """TC over UDP with nothing in it."""
    def reply(seen: Seen) -> list[tuple[float, bytes]]:
        msg = dns.message.make_response(seen.msg, recursion_available=True)
        msg.flags |= dns.flags.TC
        return [(0.0, msg.to_wire())]
    return reply


# --- spoiled packets, for edit() ---

def wrong_id(packet: bytes) -> bytes:
    return struct.pack("!H", struct.unpack("!H", packet[:2])[0] ^ 0x5555) + packet[2:]


def not_a_response(packet: bytes) -> bytes:
    return packet[:2] + bytes([packet[2] & 0x7F]) + packet[3:]


def other_opcode(packet: bytes) -> bytes:
    return packet[:2] + bytes([packet[2] | 0x20]) + packet[3:]


def no_question(packet: bytes) -> bytes:
    """QDCOUNT 0, all records gone."""
    return packet[:4] + bytes(8)


def runt(packet: bytes) -> bytes:
    return packet[:7]


def garbage_body(packet: bytes) -> bytes:
    """The right header, then noise where the records should be."""
    end = _question_end(packet)
    return packet[:end] + bytes(random.Random(7).randrange(192, 256) for _ in range(40))


def cut_body(packet: bytes) -> bytes:
    return packet[:-3]


def trailing(packet: bytes) -> bytes:
    return packet + b"\0\1\2"


def other_name(packet: bytes) -> bytes:
    """Another question of the same length."""
    return packet[:13] + bytes([packet[13] ^ 1]) + packet[14:]


def other_type(packet: bytes) -> bytes:
    end = _question_end(packet)
    return packet[:end - 3] + bytes([packet[end - 3] ^ 0x10]) + packet[end - 2:]


def other_class(packet: bytes) -> bytes:
    end = _question_end(packet)
    return packet[:end - 1] + b"\3" + packet[end:]


def _question_end(packet: bytes) -> int:
    pos = 12
    while packet[pos]:
        pos += 1 + packet[pos]
    return pos + 5


# --- the server ---

class _Loop:
    """One event loop in one thread for all scripted servers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)


_shared: _Loop | None = None


def _loop() -> _Loop:
    global _shared
    if _shared is None:
        _shared = _Loop()
    return _shared


class Scripted:
    """Answers by (name, type), by (name, None), then by `default`."""

    def __init__(self, address: str = "", default: Reply | None = None, start: bool = True,
                 tls: ssl.SSLContext | None = None):
        self.address = address or net.address()
        self.default = default or fail("REFUSED")
        self.seen: list[Seen] = []
        self.tcp_connections = 0
        self.tls = tls  # None: TCP in clear
        self.resumed = 0  # connections that came with a session
        self.mute = False  # hears everything, says nothing
        self.loop_probes: list[Seen] = []  # the daemon's own questions about loops: not in seen, always NXDOMAIN
        self._script: dict[tuple[str, str | None], Reply] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        if start:
            self.start()

    @property
    def target(self) -> str:
        """As the settings want it."""
        return f"{self.address}:{net.PORT}"

    def on(self, name: str, rtype: str | None, reply: Reply) -> None:
        self._script[(_fold(name), rtype)] = reply

    def records(self, *lines: str) -> None:
        """Plain data: each (owner, type) among the lines gets all its records as answer."""
        sets: dict[tuple[str, str], list[str]] = {}
        for line in lines:
            owner, _, rtype, _ = line.split(None, 3)
            sets.setdefault((owner, rtype), []).append(line)
        for (owner, rtype), texts in sets.items():
            self.on(owner, rtype, answer(*texts))

    def count(self, name: str = "", rtype: str = "", proto: str = "") -> int:
        """How many questions came, for this name (any case), type, and protocol if given."""
        return len(self.asked(name, rtype, proto))

    def asked(self, name: str = "", rtype: str = "", proto: str = "") -> list[Seen]:
        wanted = _fold(name) if name else ""
        return [s for s in list(self.seen) if (not wanted or _fold(s.name) == wanted)
                and (not rtype or s.rtype == rtype) and (not proto or s.proto == proto)]

    def names(self) -> list[str]:
        """What was asked, the daemon's own SOA questions (association, probes) left out."""
        return [s.name for s in list(self.seen) if s.rtype != "SOA"]

    @staticmethod
    def tls_with(cert: Path, key: Path) -> ssl.SSLContext:
        """For tls: a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.set_alpn_protocols(["dot"])
        return context

    def forget(self) -> None:
        self.seen.clear()
        self._numbers.clear()
        self.tcp_connections = 0

    def start(self) -> "Scripted":
        _loop().run(self._open())
        return self

    def stop(self) -> None:
        """The sockets are gone: ICMP for UDP, a reset for TCP."""
        if self._udp is not None:
            _loop().run(self._close())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Udp(self), local_addr=(self.address, net.PORT))
        self._tcp = await asyncio.start_server(self._serve, self.address, net.PORT, backlog=512,
                                               ssl=self.tls)

    async def _close(self) -> None:
        self._udp.close()
        self._tcp.close()
        for writer in list(self._writers):
            writer.close()
        await self._tcp.wait_closed()
        self._udp = self._tcp = None

    def _take(self, packet: bytes, proto: str, source: tuple[str, int]) -> list[tuple[float, bytes]]:
        msg = dns.message.from_wire(packet, ignore_trailing=True)
        asked = msg.question[0]
        seen = Seen(str(asked.name), dns.rdatatype.to_text(asked.rdtype), proto, time.monotonic(),
                    source, packet, msg)
        if is_loop_probe(seen.name):
            self.loop_probes.append(seen)
            return [] if self.mute else self.on_loop_probe(seen)
        key = (_fold(seen.name), seen.rtype)
        seen.number = self._numbers.get(key, 0)
        self._numbers[key] = seen.number + 1
        self.seen.append(seen)
        if self.mute:
            return []
        reply = self._script.get(key) or self._script.get((key[0], None)) or self.default
        return reply(seen)

    def on_loop_probe(self, seen: Seen) -> list[tuple[float, bytes]]:
        return fail("NXDOMAIN")(seen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tcp_connections += 1
        layer = writer.get_extra_info("ssl_object")
        self.resumed += layer is not None and bool(layer.session_reused)
        self._writers.add(writer)
        try:
            while True:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
                packet = await reader.readexactly(size)
                source = writer.get_extra_info("peername")[:2]
                for wait, reply in self._take(packet, "tcp", source):
                    asyncio.get_running_loop().call_later(wait, _write, writer, reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: Scripted):
        self.server = server

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def datagram_received(self, data: bytes, addr) -> None:
        for wait, reply in self.server._take(data, "udp", addr[:2]):
            if wait:
                asyncio.get_running_loop().call_later(wait, self._send, reply, addr)
            else:
                self._send(reply, addr)

    def _send(self, reply: bytes, addr) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(reply, addr)


def _write(writer: asyncio.StreamWriter, packet: bytes) -> None:
    if writer.is_closing():
        return
    if packet == CLOSE:
        writer.close()
    else:
        writer.write(struct.pack("!H", len(packet)) + packet)


def is_loop_probe(name: str) -> bool:
    return name.lower().startswith("horizond-loop-")


def _fold(name: str) -> str:
    return str(dns.name.from_text(name)).lower()
