"""Packets by hand, and what every answer must satisfy whatever was asked."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

EDE_OPTION = 15
OUR_SIZE = 1232


def name_wire(text: str) -> bytes:
    return dns.name.from_text(text).to_wire()


def header(qid: int = 0x1234, flags: int = 0x0100, qd: int = 1, an: int = 0, ns: int = 0,
           ar: int = 0) -> bytes:
    return struct.pack("!6H", qid, flags, qd, an, ns, ar)


def question(name: str = "www.corp.example.", rtype: int = 1, rclass: int = 1) -> bytes:
    return name_wire(name) + struct.pack("!2H", rtype, rclass)


def opt(size: int = 1232, version: int = 0, flags: int = 0, options: bytes = b"", rcode: int = 0,
        owner: bytes = b"\0", rdlen: int | None = None) -> bytes:
    ttl = rcode << 24 | version << 16 | flags
    return owner + struct.pack("!HHIH", 41, size, ttl, len(options) if rdlen is None else rdlen) + options


def edns_option(code: int, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("!HH", code, len(data) if length is None else length) + data


def flags_of(packet: bytes) -> int:
    return struct.unpack("!H", packet[2:4])[0]


def rcode_of(packet: bytes) -> int:
    return flags_of(packet) & 15


def counts_of(packet: bytes) -> tuple[int, int, int, int]:
    return struct.unpack("!4H", packet[4:12])


def send_udp(where: tuple[str, int], packet: bytes, timeout: float = 2.0, source: str = "") -> bytes | None:
    """The first answer, or None when there is silence."""
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.settimeout(timeout)
        sock.connect(where)
        sock.send(packet)
        try:
            return sock.recv(65535)
        except socket.timeout:
            return None


class Tcp:
    """A DNS connection over TCP."""

    def __init__(self, where: tuple[str, int], timeout: float = 3.0, source: str = ""):
        self.sock = socket.create_connection(where, timeout, (source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Tcp":
        return self

    def __exit__(self, *exc) -> None:
        self.sock.close()

    def send(self, *packets: bytes) -> None:
        self.sock.sendall(b"".join(struct.pack("!H", len(p)) + p for p in packets))

    def recv(self) -> bytes | None:
        """One message; None when the peer has ended the connection."""
        head = self._exactly(2)
        return self._exactly(struct.unpack("!H", head)[0]) if head else None

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                more = self.sock.recv(count - len(data))
            except ConnectionResetError:
                return None
            if not more:
                return None
            data += more
        return data

    def closed_within(self, seconds: float) -> bool:
        self.sock.settimeout(seconds)
        try:
            return self._exactly(1) is None
        except socket.timeout:
            return False


def send_tcp(where: tuple[str, int], packet: bytes, timeout: float = 3.0) -> bytes | None:
    """One message there and back; None when there is silence or the end."""
    with Tcp(where, timeout) as tcp:
        tcp.send(packet)
        try:
            return tcp.recv()
        except socket.timeout:
            return None


@dataclass
class Answer:
    """An answer with what tests look at."""

    msg: dns.message.Message
    wire: bytes
    took: float

    @property
    def rcode(self) -> str:
        return dns.rcode.to_text(self.msg.rcode())

    @property
    def aa(self) -> bool:
        return bool(self.msg.flags & dns.flags.AA)

    @property
    def tc(self) -> bool:
        return bool(self.msg.flags & dns.flags.TC)

    @property
    def ad(self) -> bool:
        return bool(self.msg.flags & dns.flags.AD)

    def rrs(self, section: str = "answer") -> list[str]:
        """One line a record, "name ttl type data", in the order of the packet."""
        out = []
        for rrset in getattr(self.msg, section):
            rtype = dns.rdatatype.to_text(rrset.rdtype)
            out += [f"{rrset.name} {rrset.ttl} {rtype} {rdata.to_text()}" for rdata in rrset]
        return out

    def data(self, rtype: str = "") -> list[str]:
        """The answer section's data, sorted; of one type if given."""
        return sorted(rdata.to_text() for rrset in self.msg.answer for rdata in rrset
                      if not rtype or dns.rdatatype.to_text(rrset.rdtype) == rtype)

    @property
    def ttl(self) -> int:
        return min(rrset.ttl for rrset in self.msg.answer)

    @property
    def negative_ttl(self) -> int:
        return min(rrset.ttl for rrset in self.msg.authority)

    @property
    def soa(self) -> str | None:
        """The owner of the SOA in the authority section."""
        owners = [str(r.name) for r in self.msg.authority if r.rdtype == dns.rdatatype.SOA]
        return owners[0] if owners else None

    @property
    def ede(self) -> list[tuple[int, str]]:
        out = []
        for option in self.msg.options:
            if option.otype == EDE_OPTION:
                data = option.to_wire()
                out.append((struct.unpack("!H", data[:2])[0], data[2:].decode("utf-8", "replace")))
        return out

    def __str__(self) -> str:
        return f"{self.msg}\n;; took {self.took * 1000:.1f} ms"


def parse(query: bytes, reply: bytes, took: float = 0.0, udp: bool = True) -> Answer:
    """Reads the reply after holding it to what every answer must be."""
    check(query, reply, udp)
    # one_rr_per_rrset keeps the order of records and shows every TTL.
    msg = dns.message.from_wire(reply, one_rr_per_rrset=True)
    return Answer(msg, reply, took)


def check(query: bytes, reply: bytes, udp: bool) -> None:
    """Header, question, EDNS and size of an answer to a well-formed question."""
    asked, flags = flags_of(query), flags_of(reply)
    assert len(reply) >= 12, f"runt of {len(reply)} octets"
    assert reply[:2] == query[:2], "another id"
    assert flags & 0x8000, "QR is not set"
    assert flags & 0x0080, "RA is not set"
    assert flags & 0x7800 == asked & 0x7800, "another opcode"
    assert flags & 0x0100 == asked & 0x0100, "RD is not copied"
    assert not flags & 0x0040, "Z is set"
    qend = question_end(query)
    assert reply[12:qend] == query[12:qend], "the question is not echoed octet for octet"
    parsed = dns.message.from_wire(query)
    answer = dns.message.from_wire(reply, one_rr_per_rrset=True)  # fails on trailing octets
    assert (answer.edns >= 0) == (parsed.edns >= 0), "OPT only, and always, when the question had one"
    if udp:
        limit = min(OUR_SIZE, max(512, parsed.payload)) if parsed.edns >= 0 else 512
        assert len(reply) <= limit, f"{len(reply)} octets, the limit is {limit}"
    if answer.edns >= 0:
        assert answer.payload == OUR_SIZE
        assert answer.ednsflags & 0x8000 == parsed.ednsflags & 0x8000, "DO is not copied"
    compressed(reply, qend, parsed, answer)


def compressed(reply: bytes, qend: int, query: dns.message.Message, answer: dns.message.Message) -> None:
    if answer.answer and answer.answer[0].name == query.question[0].name and len(query.question[0].name) > 1:
        assert reply[qend:qend + 2] == b"\xc0\x0c", "the owner should point at the question"


def question_end(packet: bytes) -> int:
    pos = 12
    while packet[pos]:
        pos += 1 + packet[pos]
    return pos + 5


def build(name: str, rtype: str = "A", *, rd: bool = True, edns: bool = False, size: int = 1232,
          do: bool = False, cd: bool = False, ad: bool = False, qid: int | None = None,
          options: list | None = None, rclass: str = "IN") -> bytes:
    """A question as bytes, its name in the case given."""
    flags = (dns.flags.RD if rd else 0) | (dns.flags.CD if cd else 0) | (dns.flags.AD if ad else 0)
    msg = dns.message.make_query(name, rtype, rclass)
    msg.flags = dns.flags.Flag(flags)
    if qid is not None:
        msg.id = qid
    if edns or do or options:
        msg.use_edns(0, 0x8000 if do else 0, size, options=options)
    return msg.to_wire()


def exchange(where: tuple[str, int], packet: bytes, tcp: bool = False, timeout: float = 4.0,
             source: str = "") -> Answer:
    """Asks, waits, checks."""
    began = time.monotonic()
    if tcp:
        with Tcp(where, timeout, source) as connection:
            connection.send(packet)
            reply = connection.recv()
    else:
        reply = send_udp(where, packet, timeout, source)
    took = time.monotonic() - began
    if reply is None:
        asked = dns.message.from_wire(packet).question[0]
        raise AssertionError(f"no answer to {asked} within {timeout} s ({'TCP' if tcp else 'UDP'})")
    return parse(packet, reply, took, udp=not tcp)
