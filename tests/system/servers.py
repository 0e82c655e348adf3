"""Debian's own DNS servers, run for a test on a loopback address: the other side as it really is."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import net

BINARIES = {"unbound": "/usr/sbin/unbound", "nsd": "/usr/sbin/nsd", "knot": "/usr/sbin/knotd",
            "dnsmasq": "/usr/sbin/dnsmasq", "bind": "/usr/sbin/named"}


class Server:
    """A process in the foreground with its files in one folder. probe: a name that it must answer."""

    kind = ""

    def __init__(self, folder: Path, probe: str):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = net.address()
        self.port = net.PORT
        self.probe = probe
        self.process: subprocess.Popen | None = None
        self.command: list[str] = []

    @property
    def target(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def where(self) -> tuple[str, int]:
        return self.address, self.port

    def start(self):
        assert os.path.exists(BINARIES[self.kind]), f"{self.kind} is not installed"
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.folder)
        net.wait_for(self._answers, 10, f"{self.kind} answers")
        return self

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.kind} ended:\n{(self.folder / 'log').read_text()}")
        query = dns.message.make_query(self.probe, "SOA")
        try:
            dns.query.udp(query, self.address, timeout=0.2, port=self.port)
            return True
        except (dns.exception.Timeout, OSError):
            time.sleep(0.02)
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Nsd(Server):
    kind = "nsd"

    def __init__(self, folder: Path, zones: dict[str, str]):
        super().__init__(folder, next(iter(zones)))
        lines = ["server:", f"  ip-address: {self.address}@{net.PORT}", '  username: ""', '  chroot: ""',
                 f'  zonesdir: "{folder}"', f'  pidfile: "{folder}/nsd.pid"', '  database: ""',
                 f'  xfrdfile: "{folder}/xfrd.state"', f'  zonelistfile: "{folder}/zone.list"',
                 f'  xfrdir: "{folder}"', "  server-count: 1", "  hide-version: yes",
                 "  minimal-responses: no", "  refuse-any: yes", "  rrl-ratelimit: 0",
                 "remote-control:", "  control-enable: no"]
        for i, (name, text) in enumerate(zones.items()):
            (folder / f"{i}.zone").write_text(text, encoding="utf-8")
            lines += ["zone:", f'  name: "{name}"', f'  zonefile: "{i}.zone"']
        (folder / "nsd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.command = [BINARIES[self.kind], "-d", "-c", str(folder / "nsd.conf")]


class Knot(Server):
    kind = "knot"

    def __init__(self, folder: Path, zones: dict[str, str]):
        super().__init__(folder, next(iter(zones)))
        lines = ["server:", f'  listen: {self.address}@{net.PORT}', f'  rundir: "{folder}"',
                 "  udp-workers: 1", "  tcp-workers: 1", "  background-workers: 1",
                 "database:", f'  storage: "{folder}/db"', "log:", "  - target: stderr",
                 "    any: info", "zone:"]
        for i, (name, text) in enumerate(zones.items()):
            (folder / f"{i}.zone").write_text(text, encoding="utf-8")
            lines += [f'  - domain: "{name}"', f'    file: "{folder}/{i}.zone"']
        (folder / "knot.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.command = [BINARIES[self.kind], "-c", str(folder / "knot.conf")]


class Unbound(Server):
    """A resolver of its own data (local-data), as a corporate or VPC resolver would look from outside."""

    kind = "unbound"

    def __init__(self, folder: Path, zone: str, records: list[str], more: str = ""):
        super().__init__(folder, zone)
        lines = ["server:", f"  interface: {self.address}@{net.PORT}", '  username: ""', '  chroot: ""',
                 f'  directory: "{folder}"', '  pidfile: ""', "  use-syslog: no", "  do-ip6: no",
                 "  num-threads: 1", "  access-control: 127.0.0.0/8 allow", "  do-not-query-localhost: no",
                 '  module-config: "iterator"', "  local-zone: \"10.in-addr.arpa.\" transparent",
                 f'  local-zone: "{zone}" static']
        lines += [f"  local-data: '{record}'" for record in records]
        lines += [more, "remote-control:", "  control-enable: no"]
        (folder / "unbound.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.command = [BINARIES[self.kind], "-d", "-p", "-c", str(folder / "unbound.conf")]


class Bind(Server):
    """Authoritative for zones given as files' text, or as a path to a file that is there.

    It listens on what `lo` has as an address, which of 127/8 is one alone: on a port of its own.
    """

    kind = "bind"

    def __init__(self, folder: Path, zones: dict[str, str | Path], more: str = ""):
        super().__init__(folder, next(iter(zones)))
        self.address, self.port = "127.0.0.1", net.free_port()
        lines = ["options {", f'  directory "{folder}"; pid-file none; session-keyfile none;',
                 f"  listen-on port {self.port} {{ {self.address}; }}; listen-on-v6 {{ none; }};",
                 f"  recursion no; dnssec-validation no; notify no; check-names primary ignore; {more}", "};", "controls { };"]
        for i, (name, text) in enumerate(zones.items()):
            path = text
            if isinstance(text, str):
                path = folder / f"{i}.zone"
                path.write_text(text, encoding="utf-8")
            lines.append(f'zone "{name}" {{ type primary; file "{path}"; }};')
        (folder / "named.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.command = [BINARIES[self.kind], "-g", "-4", "-n", "1", "-c", str(folder / "named.conf")]


def sign(folder: Path, zone: str, text: str) -> tuple[Path, str]:
    """Signs the zone with a new key. Returns the file and the key as a trust anchor."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plain").write_text(text, encoding="utf-8")

    def tool(*argv: str) -> str:
        return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    key = tool("/usr/bin/dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone)
    tool("/usr/bin/dnssec-signzone", "-q", "-S", "-z", "-o", zone, "-f", "signed", "plain")
    anchor = [line for line in (folder / f"{key}.key").read_text().splitlines() if not line.startswith(";")]
    return folder / "signed", anchor[0]


class Dnsmasq(Server):
    """options without the leading dashes: "host-record=www.corp.test,10.0.0.1"."""

    kind = "dnsmasq"

    def __init__(self, folder: Path, probe: str, options: list[str]):
        super().__init__(folder, probe)
        self.command = [BINARIES[self.kind], "--keep-in-foreground", "--conf-file=/dev/null",
                        "--no-resolv", "--no-hosts", "--pid-file=", "--user=root", "--bind-interfaces",
                        "--log-facility=-", f"--listen-address={self.address}", f"--port={net.PORT}",
                        *[f"--{option}" for option in options]]


def missing() -> list[str]:
    return [kind for kind, path in BINARIES.items() if shutil.which(path) is None]
