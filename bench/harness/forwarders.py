"""The servers of bench/faults: those under test, as their manuals advise for this place, and those that they ask.

Each has the private zone where it can (dnsdist cannot: it asks the VPC resolver, which has it too), a rule for the
corporate domain with two targets, the first preferred where that can be said, and the VPC resolver for the rest; each may
give expired answers when nothing better comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import lab

CORP = "corp.example"
FROM_A, FROM_B, PUBLIC = "10.200.1.1", "10.200.2.1", "192.0.2.1"
TTL = 3


@dataclass
class Place:
    folder: Path
    zone: Path  # zone.json, zone.unbound, zone.dnsmasq
    horizond: Path

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


# --- Under test ---

def horizond(p: Place) -> list[str]:
    (p.folder / "state").mkdir(exist_ok=True)
    return [str(p.horizond), "-c", p.write("horizond.conf", f"""
listen = [ "{lab.SERVER}" ];
workers = 1;
state_dir = "{p.folder}/state";
control = "{p.folder}/control";
metrics = {{ listen = ""; }};
zone_files = [ "{p.zone}/zone.json" ];
vpc_resolver = [ "{lab.VPC}" ];
cache = {{ persist = false; }};
rules = ( {{ type = "FORWARD"; domains = [ "{CORP}" ]; targets = [ "{lab.A}", "{lab.B}" ]; policy = "ordered"; }} );
""")]


def unbound(p: Place) -> list[str]:
    return ["unbound", "-d", "-p", "-c", p.write("unbound.conf", f"""
server:
  interface: {lab.SERVER}@53
  access-control: 10.0.0.0/8 allow
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{p.folder}"
  use-syslog: no
  module-config: "iterator"
  do-ip6: no
  outgoing-range: 8192
  num-queries-per-thread: 4096
  so-rcvbuf: 4m
  minimal-responses: yes
  prefetch: yes
  serve-expired: yes
  serve-expired-ttl: 86400
  serve-expired-client-timeout: 800
  include: "{p.zone}/zone.unbound"
forward-zone:
  name: "{CORP}."
  forward-addr: {lab.A}
  forward-addr: {lab.B}
forward-zone:
  name: "."
  forward-addr: {lab.VPC}
remote-control:
  control-enable: no
""")]


def dnsmasq(p: Place) -> list[str]:
    return ["dnsmasq", "--conf-file=" + p.write("dnsmasq.conf", f"""
keep-in-foreground
listen-address={lab.SERVER}
bind-interfaces
no-resolv
no-hosts
user=root
pid-file={p.folder}/dnsmasq.pid
log-facility={p.folder}/dnsmasq.log
cache-size=10000
dns-forward-max=4096
fast-dns-retry
use-stale-cache=86400
server=/{CORP}/{lab.B}
server=/{CORP}/{lab.A}
server={lab.VPC}
conf-file={p.zone}/zone.dnsmasq
""")]


def dnsdist(p: Place) -> list[str]:
    check = f'checkInterval=1, checkName="check.{CORP}.", maxCheckFailures=1, rise=1'
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", p.write("dnsdist.conf", f"""
setLocal("{lab.SERVER}:53")
setACL({{"10.0.0.0/8"}})
setSecurityPollSuffix("")
setMaxUDPOutstanding(65535)
setUDPTimeout(2)
setServerPolicy(firstAvailable)
setStaleCacheEntriesTTL(86400)
newServer({{address="{lab.A}", pool="corp", order=1, {check}}})
newServer({{address="{lab.B}", pool="corp", order=2, {check}}})
newServer({{address="{lab.VPC}", checkName="check.fwd.example."}})
addAction("{CORP}", PoolAction("corp"))
cache = newPacketCache(100000, {{maxTTL=86400, staleTTL=30}})
getPool(""):setCache(cache)
getPool("corp"):setCache(newPacketCache(100000, {{maxTTL=86400, staleTTL=30}}))
""")]


@dataclass(frozen=True)
class Forwarder:
    name: str
    program: str  # "": ours
    package: str
    setup: Callable[[Place], list[str]]


ALL = {one.name: one for one in (
    Forwarder("horizond", "", "", horizond),
    Forwarder("dnsmasq", "dnsmasq", "dnsmasq-base", dnsmasq),
    Forwarder("unbound", "unbound", "unbound", unbound),
    Forwarder("dnsdist", "dnsdist", "dnsdist", dnsdist),
)}


# --- The other side: BIND, Unbound and dnsmasq, each in its namespace. Every name below its domain exists. ---

def site_a(folder: Path) -> list[str]:
    (folder / "corp.zone").write_text(f"""$TTL {TTL}
@ IN SOA ns root 1 3600 600 86400 60
@ IN NS ns
ns IN A {lab.A}
* IN A {FROM_A}
""")
    (folder / "named.conf").write_text(f"""
options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on {{ {lab.A}; 127.0.0.1; }};
  listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; minimal-responses yes; notify no; querylog no; }};
logging {{ category default {{ null; }}; category unmatched {{ null; }}; }};
controls {{ }};
zone "{CORP}" {{ type primary; file "corp.zone"; }};
""")
    return ["named", "-f", "-4", "-n", "1", "-U", "1", "-c", str(folder / "named.conf")]


def site_b(folder: Path) -> list[str]:
    (folder / "b.conf").write_text(f"""
server:
  interface: {lab.B}
  interface: 127.0.0.1
  access-control: 0.0.0.0/0 allow
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{folder}"
  use-syslog: no
  do-ip6: no
  so-rcvbuf: 4m
  module-config: "iterator"
  local-zone: "{CORP}." redirect
  local-data: "{CORP}. {TTL} IN A {FROM_B}"
remote-control:
  control-enable: no
""")
    return ["unbound", "-d", "-p", "-c", str(folder / "b.conf")]


def site_vpc(folder: Path, zone: Path) -> list[str]:
    (folder / "vpc.conf").write_text(f"""
keep-in-foreground
listen-address={lab.VPC},127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=root
pid-file={folder}/vpc.pid
log-facility={folder}/vpc.log
address=/fwd.example/{PUBLIC}
address=/fwd.example/2001:db8::1
conf-file={zone}/zone.dnsmasq
""")
    return ["dnsmasq", f"--conf-file={folder}/vpc.conf"]


def site_loop(folder: Path, place: str) -> list[str]:
    """A corporate server that sends its own domain back to where the questions come from."""
    (folder / f"loop-{place}.conf").write_text(f"""
keep-in-foreground
listen-address={lab.SITES[place]}
bind-interfaces
no-resolv
no-hosts
user=root
pid-file={folder}/loop-{place}.pid
log-facility={folder}/loop-{place}.log
cache-size=0
dns-forward-max=10000
server=/{CORP}/{lab.SERVER}
""")
    return ["dnsmasq", f"--conf-file={folder}/loop-{place}.conf"]


SITES: dict[str, Callable] = {"a": site_a, "b": site_b, "vpc": site_vpc}
PACKAGES = {"named": "bind9", "unbound": "unbound", "dnsmasq": "dnsmasq-base", "nft": "nftables", "ip": "iproute2",
            "dnsperf": "dnsperf", "sysctl": "procps"}
