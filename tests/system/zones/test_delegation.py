"""A delegation below a private zone's apex is followed to the addresses of its glue (port 53, as DNS has it)."""

from __future__ import annotations

import asyncio

import net
import resolvers
from resolvers import answer, negative
from standin import World


class Delegate(resolvers.Scripted):
    """A scripted server on port 53 of an address of its own."""

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: resolvers._Udp(self), local_addr=(self.address, 53))
        self._tcp = await asyncio.start_server(self._serve, self.address, 53)


def test_glue_is_followed(launch, vpc, tmp_path):
    server = Delegate(default=negative("sub.corp.example."))
    try:
        server.on("host.sub.corp.example", "A", answer("@ 60 A 10.9.9.9"))
        zone = World().add_zone("corp.example.")
        zone.put("www", "A", 300, ["10.0.0.1"])
        zone.put("sub", "NS", 300, ["ns1.sub.corp.example."])
        zone.put("ns1.sub", "A", 300, [server.address])
        daemon = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target]})
        net.wait_for(lambda: "DELEGATED" in daemon.ctl("rules"), 5, "the rule")
        told = daemon.ask("host.sub.corp.example")
        assert told.data() == ["10.9.9.9"] and told.aa
        assert daemon.ask("none.sub.corp.example").rcode == "NXDOMAIN"
        assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
        assert not [s for s in vpc.names() if s.endswith("sub.corp.example.")]
    finally:
        server.stop()
