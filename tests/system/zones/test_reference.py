"""The same records in NSD, in Knot and in horizond: some thousand questions, every answer the same.

Differences that are meant, and taken out before comparing: RA (we always set it), and the NS set that NSD
adds to the authority section of positive answers. Order within a set is ours to choose.
"""

from __future__ import annotations

import random
import socket

import pytest
import wire
from servers import Knot, Nsd
from standin import World
from vpc import decimal

ORIGIN = "ref.example."
DATA_TYPES = ["A", "AAAA", "MX", "TXT", "SRV", "PTR", "CAA", "HTTPS", "SVCB", "NAPTR", "DS", "SSHFP", "TLSA"]
TYPES = [*DATA_TYPES, "CNAME", "NS", "SOA"]
QUESTIONS = 2500  # of each server, for each seed
LABELS = ["n{}", "a-{}", "_x{}", "{}z", "o{}\\057b"]  # the last: a slash, in the API's octal


class Generated:
    """A zone with everything that makes look-ups hard, and questions around it; the same for a seed."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.zone = World().add_zone(ORIGIN, apex=False)
        self.zone.put("", "SOA", 700, ["ns.ref.example. root.ref.example. 7 7200 900 1209600 345"])
        self.zone.put("", "NS", 3600, ["ns-0.awsdns-00.com.", "ns-512.awsdns-00.net."])
        self.names: list[str] = []
        self.plain: list[str] = []
        for i in range(400):
            self._add(i)
        for i in range(60):
            self._cname(i)

    def _add(self, i: int) -> None:
        rng = self.rng
        parent = rng.choice(self.names) if self.names and rng.random() < 0.45 else ""
        label = "*" if parent and rng.random() < 0.12 else rng.choice(LABELS).format(i)
        name = ".".join(filter(None, [label, *(["e"] if rng.random() < 0.15 else []), parent]))
        if len(name) > 120 or name in self.names or ("*." in name and rng.random() < 0.7):
            return
        self.names.append(name)
        if label != "*":
            self.plain.append(name)
        for rtype in rng.sample(DATA_TYPES, rng.randrange(1, 4)):
            self.zone.put(name, rtype, rng.choice([0, 30, 60, 300, 86400]), self._values(rtype))

    def _host(self) -> str:
        if self.plain and self.rng.random() < 0.8:
            return f"{self.rng.choice(self.plain)}.{ORIGIN}"
        return self.rng.choice([f"missing.{ORIGIN}", "host.elsewhere.test."])

    def _values(self, rtype: str) -> list[str]:
        rng = self.rng
        count = rng.choice([1, 1, 1, 2, 3, 8])
        make = {
            "A": lambda: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
            "AAAA": lambda: f"fd00::{rng.randrange(65536):x}:{rng.randrange(65536):x}",
            "MX": lambda: f"{rng.randrange(100)} {self._host()}",
            "SRV": lambda: f"{rng.randrange(10)} {rng.randrange(10)} {rng.randrange(65536)} {self._host()}",
            "TXT": lambda: f'"text {rng.randrange(10**6)}" "more"',
            "PTR": self._host,
            "CAA": lambda: f'0 issue "ca{rng.randrange(1000)}.example"',
            "HTTPS": lambda: f'{rng.randrange(1, 9)} . alpn="h2" port={rng.randrange(1, 65536)}',
            # Elsewhere: Knot adds the addresses of targets (RFC 9460 section 4.1), NSD and we do not.
            "SVCB": lambda: f"{rng.randrange(1, 9)} host.elsewhere.test. port={rng.randrange(1, 65536)}",
            "NAPTR": lambda: f'{rng.randrange(99)} 50 "u" "E2U+sip" "!^.*$!sip:x@y!" .',
            "DS": lambda: f"{rng.randrange(65536)} 8 2 {rng.randrange(1 << 255):064x}",
            "SSHFP": lambda: f"4 2 {rng.randrange(1 << 255):064x}",
            "TLSA": lambda: f"3 1 1 {rng.randrange(1 << 255):064x}",
        }[rtype]
        return sorted({make() for _ in range(count)})

    def _cname(self, i: int) -> None:
        # Only to names made before, so that there is no circle; some point at nothing.
        target = self.rng.choice(self.plain) if self.rng.random() < 0.85 else f"gone{i}"
        parent = self.rng.choice(["", "e.chain", self.rng.choice(self.plain)])
        name = ".".join(filter(None, [f"c{i}" if not parent or self.rng.random() < 0.9 else "*", parent]))
        if name in self.names or (name.startswith("*") and any(n == name for n in self.names)):
            return
        self.zone.put(name, "CNAME", 120, [f"{target}.{ORIGIN}"])
        self.names.append(name)
        if not name.startswith("*"):
            self.plain.append(name)

    def master_file(self) -> str:
        lines = []
        for (name, rtype, _), record_set in self.zone.sets.items():
            lines += [f"{decimal(name)} {record_set['TTL']} IN {rtype} {decimal(record['Value'])}"
                      for record in record_set["ResourceRecords"]]
        return "\n".join(lines) + "\n"

    def questions(self, count: int) -> list[tuple[str, str]]:
        rng = self.rng
        out = []
        for _ in range(count):
            name = rng.choice(self.names)
            how = rng.random()
            if how < 0.25:
                name = name.replace("*", f"q{rng.randrange(999)}")
            elif how < 0.40:
                name = f"q{rng.randrange(999)}.{name}"
            elif how < 0.50:
                name = f"p.q{rng.randrange(999)}.{name}"
            elif how < 0.65 and "." in name:
                name = name.split(".", 1)[1]
            elif how < 0.72:
                name = f"nowhere{rng.randrange(999)}"
            elif how < 0.75:
                name = ""
            if rng.random() < 0.2:
                name = name.upper()
            out.append((decimal(f"{name}.{ORIGIN}".lstrip(".")), rng.choice(TYPES)))
        return out


def view(reply: wire.Answer, additional: bool) -> dict:
    """What must be the same. Names compare without case: a compressed one takes that of where it points."""
    authority = [r.lower() for r in reply.rrs("authority") if " NS " not in r]
    out = {"rcode": reply.rcode, "aa": reply.aa, "tc": reply.tc,
           "answer": sorted(r.lower() for r in reply.rrs()), "authority": sorted(authority)}
    if additional:  # a set: one of the others gives an address once a mention
        out["additional"] = sorted({r.lower() for r in reply.rrs("additional")})
    return out


class Asker:
    """One UDP socket to one server."""

    def __init__(self, where: tuple[str, int], ra: bool):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(3)
        self.sock.connect(where)
        self.ra = ra

    def ask(self, packet: bytes) -> wire.Answer:
        self.sock.send(packet)
        reply = self.sock.recv(65535)
        if self.ra:
            return wire.parse(packet, reply)
        import dns.message
        return wire.Answer(dns.message.from_wire(reply, one_rr_per_rrset=True), reply, 0.0)


@pytest.fixture(scope="module", params=[1, 2, 3, 4])
def trio(request, launch_module, vpc_module, tmp_path_factory):
    """One zone in all three."""
    made = Generated(request.param)
    folder = tmp_path_factory.mktemp("reference")
    others = [kind(folder / kind.kind, {ORIGIN: made.master_file()}).start() for kind in (Nsd, Knot)]
    daemon = launch_module({"zone_files": [made.zone.save(folder / "ref.json")],
                            "vpc_resolver": [vpc_module.target], "cache": {"max_negative_ttl": 3600}})
    yield made, daemon, others
    for other in others:
        other.stop()
    daemon.stop()


def difference(name: str, rtype: str, got: wire.Answer, want: wire.Answer) -> str:
    if len(want.wire) > 1232 and got.tc:
        return ""  # we keep to 1232 octets, and there is no truncated answer to compare with
    whole = len(want.wire) <= 1232
    ours, theirs = view(got, whole), view(want, whole)
    return "" if ours == theirs else f"{name} {rtype}\n  ours   {ours}\n  theirs {theirs}"


def test_same_answers(trio, vpc_module):
    made, daemon, others = trio
    ours = Asker(daemon.where, ra=True)
    theirs = [(other.kind, Asker(other.where, ra=False)) for other in others]
    differences, kinds = [], set()
    vpc_module.forget()
    for name, rtype in made.questions(QUESTIONS):
        packet = wire.build(name, rtype, edns=True, size=4096)
        got = ours.ask(packet)
        for kind, asker in theirs:
            want = asker.ask(packet)
            kinds.add((want.rcode, bool(want.msg.answer)))
            found = difference(name, rtype, got, want)
            differences += [f"{kind}: {found}"] if found else []
    assert not differences, f"{len(differences)} differences\n" + "\n".join(differences[:10])
    assert kinds >= {("NOERROR", True), ("NOERROR", False), ("NXDOMAIN", False), ("NXDOMAIN", True)}
    assert vpc_module.names() == [], "nobody was asked for names of our own"
