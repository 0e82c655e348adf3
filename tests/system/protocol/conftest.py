"""One daemon for all that is about packets: a zone of its own and a VPC resolver."""

from __future__ import annotations

import pytest
from resolvers import answer
from standin import World


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    made = World().add_zone("corp.example.")
    made.put("www", "A", 300, ["10.0.0.1"])
    made.put("www", "TXT", 300, ['"hello"'])
    made.put("big", "A", 60, [f"10.1.{i // 200}.{i % 200}" for i in range(400)])
    for count in (1, 10, 20, 28, 29, 30, 31, 40, 70, 74, 75, 76, 77, 80):
        made.put(f"n{count}", "A", 60, [f"10.2.{count}.{i}" for i in range(count)])
    made.put("tobig", "CNAME", 60, ["big.corp.example."])
    made.put("mx", "MX", 60, [f"{i} mail{i}.corp.example." for i in range(20)])
    for i in range(20):
        made.put(f"mail{i}", "A", 60, [f"10.3.{i}.{j}" for j in range(8)])
    made.put("huge", "TXT", 60, [f'"{i:03d}{"x" * 137}"' for i in range(400)])
    return made


@pytest.fixture(scope="module")
def server(launch_module, vpc_module, zone, tmp_path_factory):
    vpc_module.on("public.test", "A", answer("@ 60 A 192.0.2.1"))
    path = tmp_path_factory.mktemp("zone") / "corp.json"
    return launch_module({"zone_files": [zone.save(path)], "vpc_resolver": [vpc_module.target]})


@pytest.fixture(params=["udp", "tcp"])
def send(request, server):
    """Sends raw octets over the one and the other; None is silence."""
    return server.udp if request.param == "udp" else server.tcp
