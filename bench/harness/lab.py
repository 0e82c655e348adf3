"""A network of our own: clients, the server, a router, two corporate sites and the VPC resolver, each a namespace.

    client 10.77.1.2, other 10.77.2.2 ── server 10.77.0.2 ── wan ──┬── a   10.77.11.53
                                                                   ├── b   10.77.12.53
                                                                   └── vpc 10.77.13.53

What is broken is broken in `wan`, by nftables or by taking a link down, so that the server sees what it would see of
a failing Direct Connect: silence, or ICMP from a router.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import process

SERVER = "10.77.0.2"
CLIENT, OTHER = "10.77.1.2", "10.77.2.2"
A, B, VPC = "10.77.11.53", "10.77.12.53", "10.77.13.53"
SITES = {"a": A, "b": B, "vpc": VPC}
SPOILED = 5399
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

TABLE = """
table inet faults {{
  counter to_a {{ }}
  counter to_b {{ }}
  counter to_vpc {{ }}
  counter cut {{ }}
  chain seen {{
    type filter hook forward priority -10;
    ip daddr {A} counter name to_a
    ip daddr {B} counter name to_b
    ip daddr {VPC} counter name to_vpc
  }}
  chain forward {{ type filter hook forward priority 0; }}
}}
"""


def run(*argv: str, text: str | None = None) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise process.Trouble(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Lab:
    """Namespaces with names of their own, gone when the `with` ends."""

    def __init__(self) -> None:
        self.prefix = f"hzf{os.getpid()}"
        self.names = ("server", "client", "other", "wan", *SITES)

    def name(self, place: str) -> str:
        return f"{self.prefix}-{place}"

    def __enter__(self) -> "Lab":
        try:
            for place in self.names:
                run("ip", "netns", "add", self.name(place))
                self.at(place, "ip", "link", "set", "lo", "up")
            self.wire("client", CLIENT, "server", "10.77.1.1")
            self.wire("other", OTHER, "server", "10.77.2.1")
            self.wire("server", SERVER, "wan", "10.77.0.1")
            for place, address in SITES.items():
                self.wire(place, address, "wan", address.rsplit(".", 1)[0] + ".1")
            self.at("server", "ip", "route", "add", "default", "via", "10.77.0.1")
            for place in ("client", "other"):
                self.at(place, "ip", "route", "add", "default", "via", self.gateway(place))
            for place, address in SITES.items():
                self.at(place, "ip", "route", "add", "default", "via", self.gateway(place))
            self.at("wan", "sysctl", "-qw", "net.ipv4.ip_forward=1")
            self.heal()
        except process.Trouble:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc) -> None:
        for place in self.names:
            subprocess.run(["ip", "netns", "del", self.name(place)], capture_output=True)

    @staticmethod
    def gateway(place: str) -> str:
        return {"client": "10.77.1.1", "other": "10.77.2.1"}.get(place) or SITES[place].rsplit(".", 1)[0] + ".1"

    def wire(self, one: str, one_address: str, two: str, two_address: str) -> None:
        """A cable: `to-TWO` in one, `to-ONE` in two."""
        run("ip", "-n", self.name(one), "link", "add", f"to-{two}", "type", "veth", "peer", "name", f"to-{one}",
            "netns", self.name(two))
        for place, device, address in ((one, f"to-{two}", one_address), (two, f"to-{one}", two_address)):
            run("ip", "-n", self.name(place), "addr", "add", f"{address}/24", "dev", device)
            run("ip", "-n", self.name(place), "link", "set", device, "up")

    def argv(self, place: str, *argv: str) -> list[str]:
        """The command as it runs there."""
        return ["ip", "netns", "exec", self.name(place), *argv]

    def at(self, place: str, *argv: str, text: str | None = None) -> str:
        return run(*self.argv(place, *argv), text=text)

    @contextmanager
    def inside(self, place: str):
        """Sockets that this thread makes meanwhile belong to that namespace."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name(place)}") as there:
            self.enter(there.fileno())
            try:
                yield
            finally:
                self.enter(home.fileno())

    @staticmethod
    def enter(fd: int) -> None:
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise process.Trouble(f"setns: {os.strerror(ctypes.get_errno())}")

    # --- What breaks ---

    def break_by(self, *rules: str) -> None:
        """Rules for what the router passes on, in place of those before."""
        lines = ["flush chain inet faults forward", *(f"add rule inet faults forward {rule}" for rule in rules)]
        self.at("wan", "nft", "-f", "-", text="\n".join(lines) + "\n")

    def heal(self) -> None:
        """As it was when new; counters begin at 0."""
        subprocess.run(self.argv("wan", "nft", "delete", "table", "inet", "faults"), capture_output=True)
        self.at("wan", "nft", "-f", "-", text=TABLE.format(A=A, B=B, VPC=VPC))
        for place in SITES:
            self.link(place, up=True)

    def link(self, place: str, up: bool) -> None:
        """Pulls or plugs the router's cable to a site."""
        run("ip", "-n", self.name("wan"), "link", "set", f"to-{place}", "up" if up else "down")

    def spoil(self, place: str, on: bool) -> None:
        """Leads questions for the server of a site to the program before it."""
        subprocess.run(self.argv(place, "nft", "delete", "table", "ip", "spoil"), capture_output=True)
        if on:
            self.at(place, "nft", "-f", "-", text=f"""
table ip spoil {{
  chain in {{
    type nat hook prerouting priority -100;
    udp dport 53 redirect to :{SPOILED}
  }}
}}
""")

    def packets(self) -> dict[str, int]:
        """What the router has seen so far, by counter."""
        listed = json.loads(self.at("wan", "nft", "-j", "list", "counters", "table", "inet", "faults"))
        return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed["nftables"]
                if "counter" in entry}


def allowed() -> str:
    """Empty, or why this system gives us no namespaces."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not Path("/proc/self/ns/net").exists():
        return "this kernel has no network namespaces"
    return ""
