"""dhcp-options: the difference first, then the change, then nothing to do; and the way back."""

from __future__ import annotations


import pytest

VPC = "vpc-0a1b2c3d4e5f60718"
DHCP = {"servers": ["10.0.0.4", "10.0.1.4"]}


def current(api) -> dict:
    made = api.ec2.vpcs[VPC]["dhcp"]
    return api.ec2.dhcp[made]["keys"] if made != "default" else {}


def writes(api) -> list[str]:
    return [c.operation for c in api.calls if not c.operation.startswith("Describe")]


def test_difference_change_and_nothing_more(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    before = api.ec2.vpcs[VPC]["dhcp"]
    done = tool.run("dhcp-options", code=3)
    assert done.out.splitlines() == [
        f"{VPC}: option set {before} -> a new one",
        "  domain-name = eu-west-1.compute.internal",
        "- domain-name-servers = AmazonProvidedDNS",
        "+ domain-name-servers = 10.0.0.4, 10.0.1.4",
        "nothing was changed: --apply does it"]
    assert writes(api) == [] and not tool.state.exists()
    tool.run("dhcp-options", "--apply")
    assert current(api) == {"domain-name": ["eu-west-1.compute.internal"],
                            "domain-name-servers": ["10.0.0.4", "10.0.1.4"]}
    made = api.ec2.dhcp[api.ec2.vpcs[VPC]["dhcp"]]
    assert made["tags"] == {"Project": "shop", "Owner": "net team"}
    assert writes(api) == ["CreateDhcpOptions", "AssociateDhcpOptions"]
    for args in ((), ("--apply",)):
        assert "nothing to do" in tool.run("dhcp-options", *args).out
    assert len(writes(api)) == 2


def test_others_are_kept_or_replaced(api, on_instance):
    old = {"domain-name": ["old.example"], "domain-name-servers": ["10.9.9.9"],
           "ntp-servers": ["169.254.169.123"], "netbios-name-servers": ["10.0.0.7"],
           "netbios-node-type": ["2"], "ipv6-address-preferred-lease-time": ["300"]}
    api.ec2.vpcs.clear()
    tool = on_instance(dhcp=DHCP)
    api.ec2.add_vpc(dhcp=old)
    tool.run("dhcp-options", "--apply")
    assert current(api) == {**old, "domain-name-servers": DHCP["servers"]}
    tool.write({"dhcp": {**DHCP, "domain": "corp.example", "ntp": ["10.0.0.4", "fd00:ec2::123"]}})
    out = tool.run("dhcp-options", code=3).out
    assert "- domain-name = old.example\n+ domain-name = corp.example\n" in out
    assert "+ ntp-servers = 10.0.0.4, fd00:ec2::123\n" in out
    tool.run("dhcp-options", "--apply")
    assert current(api) == {**old, "domain-name-servers": DHCP["servers"], "domain-name": ["corp.example"],
                            "ntp-servers": ["10.0.0.4", "fd00:ec2::123"]}


def test_the_way_back_leads_to_what_was_before_us(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    before = api.ec2.vpcs[VPC]["dhcp"]
    assert "nothing is remembered" in tool.run("dhcp-options", "--revert", code=1).err
    tool.run("dhcp-options", "--apply")
    tool.write({"dhcp": {"servers": ["10.0.2.4"]}})
    tool.run("dhcp-options", "--apply")  # twice ours: before us is still before us
    assert f"-> {before}" in tool.run("dhcp-options", "--revert", code=3).out
    assert api.ec2.vpcs[VPC]["dhcp"] != before
    tool.run("dhcp-options", "--revert", "--apply")
    assert api.ec2.vpcs[VPC]["dhcp"] == before
    assert "nothing is remembered" in tool.run("dhcp-options", "--revert", code=1).err
    tool.run("dhcp-options", f"--revert={before}")
    tool.run("dhcp-options", "--revert=default", "--apply")
    assert api.ec2.vpcs[VPC]["dhcp"] == "default"
    # From no set at all: only what the settings say.
    tool.run("dhcp-options", "--apply")
    assert current(api) == {"domain-name-servers": ["10.0.2.4"]}
    tool.run("dhcp-options", "--revert", "--apply")
    assert api.ec2.vpcs[VPC]["dhcp"] == "default"


def test_what_was_changed_by_others_is_what_is_gone_back_to(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    tool.run("dhcp-options", "--apply")
    other = api.ec2.add_dhcp({"domain-name-servers": ["10.7.7.7"]})["id"]
    api.ec2.vpcs[VPC]["dhcp"] = other
    tool.run("dhcp-options", "--apply")
    tool.run("dhcp-options", "--revert", "--apply")
    assert api.ec2.vpcs[VPC]["dhcp"] == other


def test_broken_off_half_way_makes_no_second_set(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    before = api.ec2.vpcs[VPC]["dhcp"]
    api.faults.add(operation="AssociateDhcpOptions", code="InternalError", status=500, times=1)
    assert "made to order" in tool.run("dhcp-options", "--apply", code=1).err
    assert api.ec2.vpcs[VPC]["dhcp"] == before
    api.ec2.page = 1  # it is found on a later page as well
    assert "a new one" not in tool.run("dhcp-options", code=3).out
    tool.run("dhcp-options", "--apply")
    assert api.count("CreateDhcpOptions") == 1 and current(api)["domain-name-servers"] == DHCP["servers"]
    tool.run("dhcp-options", "--revert", "--apply")
    assert api.ec2.vpcs[VPC]["dhcp"] == before


def test_missing_tags_are_a_difference(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    tool.run("dhcp-options", "--apply")
    tool.write({"dhcp": DHCP, "tags": {"Project": "shop", "Stage": "live"}})
    assert "+ tag Stage = live" in tool.run("dhcp-options", code=3).out
    tool.run("dhcp-options", "--apply")
    assert api.ec2.dhcp[api.ec2.vpcs[VPC]["dhcp"]]["tags"]["Stage"] == "live"
    assert "nothing to do" in tool.run("dhcp-options").out
    assert api.count("CreateDhcpOptions") == 1


def test_without_addresses_it_is_our_own(api, on_instance):
    tool = on_instance()
    assert "+ domain-name-servers = 10.0.0.4\n" in tool.run("dhcp-options", code=3).out
    tool.run("dhcp-options", "--apply")
    assert current(api)["domain-name-servers"] == ["10.0.0.4"]
    tool.env["AWS_EC2_METADATA_DISABLED"] = "true"
    tool.write({"dhcp": {"vpc": VPC}})
    assert "which addresses?" in tool.run("dhcp-options", "--apply", code=1).err


def test_any_vpc_from_anywhere(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    api.ec2.add_vpc("vpc-00000000000000001", "10.1.0.0/16")
    tool.env["AWS_EC2_METADATA_DISABLED"] = "true"
    assert "which VPC?" in tool.run("dhcp-options", code=1).err
    tool.write({"dhcp": {**DHCP, "vpc": "vpc-00000000000000001"}})
    tool.run("dhcp-options", "--apply")
    assert api.ec2.vpcs["vpc-00000000000000001"]["dhcp"] != api.ec2.vpcs[VPC]["dhcp"]
    tool.write({"dhcp": {**DHCP, "vpc": "vpc-00000000000000002"}})
    assert "vpc-00000000000000002" in tool.run("dhcp-options", code=1).err


@pytest.mark.parametrize("dhcp, says", [
    ({"servers": ["ten"]}, "ten"), ({"servers": ["10.0.0.4:53"]}, "port"),
    ({"servers": [f"10.0.0.{i}" for i in range(5)]}, "at most four"), ({"vpc": "corp"}, "vpc-"),
    ({"servers": ["10.0.0.4"], "colour": "red"}, "unknown key `colour`"), ({"domain": "a$b"}, "domain")])
def test_bad_settings_are_told_and_nothing_is_asked(api, on_instance, dhcp, says):
    tool = on_instance(dhcp=dhcp)
    done = tool.run("dhcp-options", "--apply", code=2)
    assert says in done.err and len(done.complaints) == 1
    assert writes(api) == []


def test_without_the_right_nothing_is_half_done(api, on_instance):
    tool = on_instance(dhcp=DHCP)
    for operation in ("DescribeVpcs", "DescribeDhcpOptions", "CreateDhcpOptions", "AssociateDhcpOptions"):
        api.faults.clear()
        api.faults.add(operation=operation, code="UnauthorizedOperation", status=403,
                       message=f"You are not authorized to perform ec2:{operation}")
        done = tool.run("dhcp-options", "--apply", code=1)
        assert f"ec2:{operation}" in done.err and len(done.complaints) == 1
    assert "AmazonProvidedDNS" in current(api)["domain-name-servers"]


def test_usage(on_instance):
    tool = on_instance(dhcp=DHCP)
    for args in (("--aply",), ("now",)):
        assert "usage" in tool.run("dhcp-options", *args, code=2).err
