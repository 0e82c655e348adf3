"""How each server is set up: one worker, on loopback, as its manual advises for speed.

A set-up function writes its files into `s.folder` and returns the command that stays in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import zones

TOP = Path(__file__).resolve().parents[2]


@dataclass
class Api:
    """A zone of the Route 53 API, and horizond's state_dir with the copy of it."""

    zone_id: str
    url: str
    state: Path


@dataclass
class Setting:
    """What a server is to do in one run."""

    folder: Path
    port: int
    bin: Path  # bench_* programs
    horizond: Path
    zone: Path | None = None  # folder with zone.json and so on
    upstream: int | None = None  # port of a resolver for what is forwarded
    tcp: bool = False
    cached: bool = True  # forwarded answers are asked again
    api: "Api | None" = None  # horizond: the zone comes from here, or from its copy on disk

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


def horizond(s: Setting) -> list[str]:
    rules = f"""rules = ( {{ type = "FORWARD"; domains = [ "{zones.FORWARD}" ]; policy = "ordered";
  targets = [ "127.0.0.1:{s.upstream}" ]; max_inflight = 10000; }} );""" if s.upstream else ""
    files = f'"{s.zone}/zone.json"' if s.zone and not s.api else ""
    route53 = f"""route53 = {{ vpc = ""; region = "eu-west-1"; zones = [ "{s.api.zone_id}" ]; rate = 1000.0;
  endpoint = "{s.api.url}"; }};""" if s.api else ""
    conf = s.write("horizond.conf", f"""
listen = [ "127.0.0.1:{s.port}" ];
workers = 1;
state_dir = "{s.api.state if s.api else s.folder / 'state'}";
control = "{s.folder}/control";
metrics = {{ listen = ""; }};
zone_files = [ {files} ];
vpc_resolver = [ "127.0.0.1:{s.upstream or 9}" ];
cache = {{ size = "256M"; persist = false; }};
tcp = {{ max_connections = 20000; max_per_client = 20000; idle = 300; }};
log = {{ level = "warn"; }};
{route53}
{rules}
""")
    return [str(s.horizond), "-c", conf]


def reflector(s: Setting) -> list[str]:
    return [str(s.bin / "bench_reflector"), *(["-t"] if s.tcp else []), str(s.port)]


def relay(s: Setting) -> list[str]:
    return [str(s.bin / "bench_relay"), str(s.port), str(s.upstream)]


def nsd(s: Setting) -> list[str]:
    conf = s.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{s.port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{s.folder}"
  pidfile: "{s.folder}/nsd.pid"
  logfile: "{s.folder}/nsd.log"
  xfrdfile: "{s.folder}/xfrd.state"
  zonelistfile: "{s.folder}/zone.list"
  hide-version: yes
  minimal-responses: yes
  round-robin: no
  tcp-count: 100
  tcp-timeout: 300
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {zones.ORIGIN}
  zonefile: {s.zone}/zone.master
""")
    return ["nsd", "-d", "-c", conf]


def knot(s: Setting) -> list[str]:
    conf = s.write("knot.conf", f"""
server:
  rundir: {s.folder}
  listen: 127.0.0.1@{s.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  tcp-max-clients: 100
  tcp-idle-timeout: 300
  tcp-io-timeout: 0
log:
  - target: stderr
    any: error
database:
  storage: {s.folder}
template:
  - id: default
    storage: {s.zone}
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
  - domain: {zones.ORIGIN}
    file: zone.master
""")
    return ["knotd", "-c", conf]


def unbound(s: Setting) -> list[str]:
    include = f'  include: "{s.zone}/zone.unbound"\n' if s.zone else ""
    forward = f"""forward-zone:
  name: "{zones.FORWARD}."
  forward-addr: 127.0.0.1@{s.upstream}
""" if s.upstream else ""
    conf = s.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{s.port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{s.folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  statistics-interval: 0
  module-config: "iterator"
  do-not-query-localhost: no
  do-daemonize: no
  minimal-responses: yes
  msg-cache-size: 128m
  rrset-cache-size: 256m
  msg-cache-slabs: 1
  rrset-cache-slabs: 1
  infra-cache-slabs: 1
  outgoing-range: 8192
  num-queries-per-thread: 4096
  so-rcvbuf: 4m
  so-sndbuf: 4m
  so-reuseport: yes
  incoming-num-tcp: 100
  tcp-idle-timeout: 300000
{include}{forward}remote-control:
  control-enable: no
""")
    return ["unbound", "-d", "-c", conf]


def bind(s: Setting) -> list[str]:
    zone = f'zone "{zones.ORIGIN}" {{ type primary; file "{s.zone}/zone.master"; }};' if s.zone else ""
    recursion = f"""recursion yes; allow-recursion {{ any; }}; forward only;
  forwarders {{ 127.0.0.1 port {s.upstream}; }};""" if s.upstream else "recursion no;"
    conf = s.write("named.conf", f"""
options {{
  directory "{s.folder}";
  pid-file none; session-keyfile none;
  listen-on port {s.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  {recursion}
  dnssec-validation no;
  minimal-responses yes;
  max-cache-size 512m;
  recursive-clients 10000;
  tcp-clients 200;
  tcp-idle-timeout 1200;
  notify no;
  empty-zones-enable no;
  querylog no;
}};
logging {{ category default {{ null; }}; category unmatched {{ null; }}; }};
controls {{ }};
{zone}
""")
    return ["named", "-f", "-4", "-n", "1", "-U", "1", "-c", conf]


def recursor(s: Setting) -> list[str]:
    auth = f"auth-zones={zones.ORIGIN}={s.zone}/zone.master\n" if s.zone else ""
    forward = f"forward-zones-recurse={zones.FORWARD}=127.0.0.1:{s.upstream}\n" if s.upstream else ""
    s.write("recursor.conf", f"""
local-address=127.0.0.1
local-port={s.port}
socket-dir={s.folder}
{auth}{forward}threads=1
pdns-distributes-queries=no
reuseport=no
max-mthreads=8192
max-cache-entries=4000000
max-packetcache-entries=2000000
dont-query=
dnssec=off
qname-minimization=no
security-poll-suffix=
write-pid=no
daemon=no
quiet=yes
loglevel=3
hint-file=no
""")
    return ["pdns_recursor", f"--config-dir={s.folder}"]


def dnsdist(s: Setting) -> list[str]:
    cache = 'getPool(""):setCache(newPacketCache(1000000, {maxTTL=86400, numberOfShards=1}))' if s.cached else ""
    conf = s.write("dnsdist.conf", f"""
setLocal("127.0.0.1:{s.port}")
setACL({{"127.0.0.0/8"}})
setMaxUDPOutstanding(65535)
setRingBuffersSize(10000, 1)
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{s.upstream}", sockets=16, name="up"}})
{cache}
""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", conf]


def dnsmasq(s: Setting) -> list[str]:
    conf = s.write("dnsmasq.conf", f"""
keep-in-foreground
port={s.port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=root
pid-file={s.folder}/dnsmasq.pid
cache-size=10000
dns-forward-max=4096
""" + (f"server=/{zones.FORWARD}/127.0.0.1#{s.upstream}\n" if s.upstream else "")
      + (f"conf-file={s.zone}/zone.dnsmasq\n" if s.zone else ""))
    return ["dnsmasq", f"--conf-file={conf}"]


def pdns(s: Setting) -> list[str]:
    named = s.write("named.conf", f'zone "{zones.ORIGIN}" {{ type native; file "{s.zone}/zone.master"; }};\n')
    s.write("pdns.conf", f"""
local-address=127.0.0.1
local-port={s.port}
socket-dir={s.folder}
launch=bind
bind-config={named}
receiver-threads=1
distributor-threads=1
reuseport=no
cache-ttl=3600
negquery-cache-ttl=3600
query-cache-ttl=3600
max-packet-cache-entries=2000000
zone-cache-refresh-interval=0
max-tcp-connections=100
max-tcp-connections-per-client=100
max-tcp-transactions-per-conn=0
tcp-idle-timeout=300
security-poll-suffix=
write-pid=no
daemon=no
guardian=no
loglevel=3
""")
    return ["pdns_server", f"--config-dir={s.folder}"]


@dataclass(frozen=True)
class Server:
    name: str
    program: str  # of a Debian package; "" is ours
    packages: tuple[str, ...]
    setup: Callable[[Setting], list[str]]


ALL = {server.name: server for server in (
    Server("reflector", "", (), reflector),
    Server("relay", "", (), relay),
    Server("horizond", "", (), horizond),
    Server("horizond-file", "", (), horizond),  # W6: from a zone file instead of its own copy
    Server("nsd", "nsd", ("nsd",), nsd),
    Server("knot", "knotd", ("knot",), knot),
    Server("unbound", "unbound", ("unbound",), unbound),
    Server("bind", "named", ("bind9",), bind),
    Server("recursor", "pdns_recursor", ("pdns-recursor",), recursor),
    Server("dnsdist", "dnsdist", ("dnsdist",), dnsdist),
    Server("dnsmasq", "dnsmasq", ("dnsmasq-base",), dnsmasq),
    Server("pdns", "pdns_server", ("pdns-server", "pdns-backend-bind"), pdns),
)}
FLOORS = ("reflector", "relay")


def another_horizond(name: str, program: str) -> None:
    """One more build of it, under a name of its own."""
    def setup(s: Setting) -> list[str]:
        return [program, *horizond(s)[1:]]
    ALL[name] = Server(name, "", (), setup)
