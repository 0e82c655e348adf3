"""An instance with its metadata, a private and a public zone, and its horizon-aws."""

from __future__ import annotations

import fleet
import pytest
from standin import Metadata


@pytest.fixture
def private(api):
    return api.world.add_zone("corp.example.", "Z0PRIVATE", vpcs=[("vpc-0a1b2c3d4e5f60718", "eu-west-1")])


@pytest.fixture
def public(api):
    return api.world.add_zone("example.com.", "Z0PUBLIC", private=False)


@pytest.fixture
def reverse(api):
    return api.world.add_zone("10.in-addr.arpa.", "Z0REVERSE", vpcs=[("vpc-0a1b2c3d4e5f60718", "eu-west-1")])


@pytest.fixture
def machine(api, metadata):
    """The instance that metadata speaks of."""
    made = api.ec2.launch(private="10.0.0.4", public="203.0.113.9", ipv6="2001:db8::4",
                          tags={"Name": "shop-1", "role": "web"})
    metadata.become(made)
    return made


@pytest.fixture
def records(private, public, reverse):
    """As the example of the manual page has them."""
    return (
        fleet.record(private, "{instance_id}.web.corp.example", ["{private_ipv4}"]),
        fleet.record(public, "{instance_id}.web.example.com", ["{public_ipv4}"], mark="txt"),
        fleet.record(reverse, "{private_ipv4_reverse}", ["{instance_id}.web.corp.example."], "PTR", mark="txt"),
    )


@pytest.fixture
def tool(tmp_path, api, metadata, machine, records):
    return fleet.Tool(tmp_path / "aws", api, metadata, {"records": records})


@pytest.fixture
def another(tmp_path, api):
    """Makes one more instance with metadata of its own, and its horizon-aws."""
    made: list[Metadata] = []

    def make(settings: dict, **how) -> fleet.Tool:
        instance = api.ec2.launch(**how)
        metadata = Metadata()
        metadata.keys = api.keys
        metadata.start()
        metadata.become(instance, len(made) + 2)
        made.append(metadata)
        tool = fleet.Tool(tmp_path / instance.id, api, metadata, settings)
        tool.instance = instance
        return tool
    yield make
    for metadata in made:
        metadata.stop()
