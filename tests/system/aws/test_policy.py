"""iam-policy: the least rights by the same settings, judged by an evaluator with IAM's semantics."""

from __future__ import annotations

import json

import horizon
import least
import net
import pytest
from standin import iam
from standin.rights import Need, normalized
from standin.sts import Role
from tool import Tool

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")
KEY = "route53:ChangeResourceRecordSets"
RECORDS = [
    {"zone": "Z0PRIVATE", "private": True, "name": "{instance_id}.web.corp.example", "type": "A",
     "values": ["{private_ipv4}"], "mark": "set"},
    {"zone": "Z0PUBLIC", "private": False, "name": "web-{instance_id}.Example.com", "type": "A",
     "values": ["{public_ipv4}"], "mark": "txt"},
    {"zone": "Z0REVERSE", "private": True, "name": "{private_ipv4_reverse}", "type": "PTR",
     "values": ["{instance_id}.web.corp.example."], "mark": "txt"},
]
SETTINGS = {"fleet": "web", "records": RECORDS}


@pytest.fixture
def tool(api, tmp_path):
    return Tool(tmp_path / "tool", api, None, SETTINGS)


def policy_of(tool: Tool, *args: str) -> dict:
    policy = json.loads(tool.run("iam-policy", *args).out)
    iam.check(policy)
    return policy


def change(zone: str, names: list[str], types: list[str], actions: list[str]) -> Need:
    return Need(KEY, f"arn:aws:route53:::hostedzone/{zone}", {
        KEY + "NormalizedRecordNames": [normalized(name) for name in names],
        KEY + "RecordTypes": types, KEY + "Actions": actions})


def may(policy: dict, need: Need) -> bool:
    return not least.missing(policy, [need])


def test_register_changes_its_own_names_only(tool):
    policy = policy_of(tool, "register")
    own = "i-0123456789abcdef0.web.corp.example"
    assert may(policy, change("Z0PRIVATE", [own], ["A"], ["CREATE"]))
    assert may(policy, change("Z0PRIVATE", [own], ["A"], ["DELETE", "CREATE"]))
    assert may(policy, change("Z0PUBLIC", ["web-i-0123.example.com", "_hz.web-i-0123.example.com"],
                              ["A", "TXT"], ["CREATE"]))
    assert may(policy, change("Z0REVERSE", ["4.0.0.10.in-addr.arpa", "_hz.4.0.0.10.in-addr.arpa"],
                              ["PTR", "TXT"], ["DELETE"]))
    for bad in (change("Z0PRIVATE", [own], ["A"], ["UPSERT"]),
                change("Z0PRIVATE", [own], ["AAAA"], ["CREATE"]),
                change("Z0PRIVATE", [own], ["TXT"], ["CREATE"]),  # marks lie in the set there
                change("Z0PRIVATE", ["db.web.corp.example"], ["A"], ["CREATE"]),
                change("Z0PRIVATE", ["web.corp.example"], ["A"], ["DELETE"]),
                change("Z0PRIVATE", [own, "corp.example"], ["A"], ["CREATE"]),
                change("Z0PUBLIC", ["www.example.com"], ["A"], ["CREATE"]),
                change("Z0REVERSE", ["in-addr.arpa"], ["PTR"], ["CREATE"]),
                change("Z0OTHER", [own], ["A"], ["CREATE"])):
        assert not may(policy, bad), bad


def test_absent_keys_open_nothing(tool):
    """ForAllValues alone is true without a key."""
    for program in ("register", "sweep"):
        policy = policy_of(tool, program)
        for kept in ((), (KEY + "Actions",), (KEY + "RecordTypes", KEY + "Actions")):
            whole = change("Z0PRIVATE", ["i-0.web.corp.example"], ["A"], ["DELETE"])
            assert may(policy, whole)
            part = Need(whole.action, whole.resource, {key: whole.context[key] for key in kept})
            assert not may(policy, part)


def test_lists_stand_apart(tool):
    for program in ("register", "sweep"):
        for statement in policy_of(tool, program)["Statement"]:
            if KEY in statement["Action"]:
                assert statement["Action"] == [KEY] and set(statement["Condition"]) == {
                    "ForAllValues:StringLike", "ForAllValues:StringEquals", "Null"}
            else:
                assert "Condition" not in statement


def test_sweep_may_touch_what_register_makes_and_its_lease(tool):
    tool.write({**SETTINGS, "sweep": {"zones": ["Z0OLD"]}})
    policy = policy_of(tool, "sweep")
    own, lease = "i-0123456789abcdef0.web.corp.example", "_hz-sweep.web.corp.example"
    both = ["CREATE", "DELETE"]
    assert may(policy, change("Z0PRIVATE", [own, lease], ["A", "TXT"], both))
    assert not may(policy, change("Z0PRIVATE", [own, "_hz-sweep.db.corp.example"], ["A", "TXT"], both))
    assert not may(policy, change("Z0PRIVATE", [own], ["A"], ["UPSERT"]))
    # A zone without records in the settings: names are not known, kinds and actions are.
    assert may(policy, change("Z0OLD", ["any.old.example"], ["A", "TXT"], ["DELETE"]))
    assert not may(policy, change("Z0OLD", ["any.old.example"], ["NS"], ["DELETE"]))
    assert not may(policy, change("Z0OLD", ["any.old.example"], ["A"], ["UPSERT"]))
    assert may(policy, Need("ec2:DescribeInstances")) and not may(policy, Need("ec2:TerminateInstances"))


def test_odd_names_are_written_as_the_key_has_them(tool):
    tool.write({"fleet": "web", "records": [
        {"zone": "Z0X", "private": True, "name": "a\\052b?$.{az}.Corp.Example.", "type": "TXT",
         "values": ['"x"'], "mark": "set"}]})
    condition = policy_of(tool, "register")["Statement"][1]["Condition"]
    assert condition["ForAllValues:StringLike"][KEY + "NormalizedRecordNames"] == [
        "a\\052b\\077\\044.*.corp.example"]


def test_what_waits_and_drains_is_asked_for(tool):
    less, more = policy_of(tool, "register"), policy_of(tool, "register", "--wait", "--drain")
    wait = Need("route53:GetChange", "arn:aws:route53:::change/C1")
    drain = Need("autoscaling:CompleteLifecycleAction", "arn:aws:autoscaling:eu-west-1:111122223333:"
                 "autoScalingGroup:u:autoScalingGroupName/web")
    for need in (wait, drain, Need("autoscaling:DescribeLifecycleHooks")):
        assert may(more, need) and not may(less, need)


@pytest.mark.parametrize("region, partition", [
    ("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
    ("us-iso-east-1", "aws-iso"), ("us-isob-east-1", "aws-iso-b"), ("eusc-de-east-1", "aws-eusc")])
def test_partition_by_region(tool, region, partition):
    tool.env["AWS_REGION"] = region
    assert f'"arn:{partition}:route53:::hostedzone/Z0PUBLIC"' in tool.run("iam-policy", "register").out
    assert '"arn:aws-cn:route53' in tool.run("iam-policy", "register", "--region", "cn-north-1").out


def test_usage_and_bad_settings(tool, tmp_path):
    for args in ((), ("cook",), ("register", "sweep"), ("register", "--no-such")):
        assert "iam-policy" in tool.run("iam-policy", *args, code=2).err
    tool.write({"records": [], "fleet": "web"})
    assert "needs no rights" in tool.run("iam-policy", "register", code=2).err
    tool.write("records = 5;")
    assert "records.conf:1:" in tool.run("iam-policy", "sweep", code=2).err
    missing = str(tmp_path / "none.conf")
    assert "none.conf" in tool.run("iam-policy", "daemon", "--daemon-config", missing, code=2).err
    (tmp_path / "none.conf").write_text("")
    assert "needs no rights" in tool.run("iam-policy", "daemon", "--daemon-config", missing, code=2).err


def test_many_records_are_more_than_a_policy_holds(tool):
    tool.write({"fleet": "web", "records": [
        {"zone": f"Z0{i:018d}", "private": True, "name": "{instance_id}.corp.example", "type": "A",
         "values": ["{private_ipv4}"]} for i in range(20)]})
    assert "6144" in tool.run("iam-policy", "register").err


# --- The daemon ---

def daemon_policy(tool: Tool, route53: dict) -> dict:
    file = tool.folder / "horizond.conf"
    file.write_text(horizon.render({"route53": route53}))
    return policy_of(tool, "daemon", "--daemon-config", str(file))


def test_queue_and_roles_of_the_daemon(tool):
    role = "arn:aws:iam::444455556666:role/dns"
    policy = daemon_policy(tool, {
        "vpc": "", "region": "eu-west-1", "zones": ["Z0ONE"],
        "queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/changes",
        "roles": [{"role_arn": role, "accounts": ["444455556666"]}]})
    queue = "arn:aws:sqs:eu-west-1:111122223333:changes"
    assert may(policy, Need("sqs:ReceiveMessage", queue)) and may(policy, Need("sqs:DeleteMessage", queue))
    assert not may(policy, Need("sqs:ReceiveMessage", queue + "2"))
    assert may(policy, Need("sts:AssumeRole", role)) and not may(policy, Need("sts:AssumeRole", role + "x"))
    assert may(policy, Need("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z0ONE"))
    assert not may(policy, Need("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z0TWO"))
    assert not may(policy, Need("route53:ListHostedZonesByVPC"))


def test_daemon_finds_zones_by_tag_under_its_policy(api, tool, launch, vpc):
    zone = api.world.add_zone("tagged.example.", vpcs=[VPC])
    zone.put("www", "A", 60, ["10.0.0.1"])
    zone.tags = {"dns": "horizond"}
    route53 = {"vpc": "", "region": VPC[1], "tags": ["dns=horizond"]}
    policy = daemon_policy(tool, route53)
    api.keys["AKIDEXAMPLE"].policies = [policy]
    daemon = launch({"route53": route53, "vpc_resolver": [vpc.target]}, env=api.environment(), ready=False)
    net.wait_for(lambda: daemon.ask("www.tagged.example").data() == ["10.0.0.1"], 10, "the zone is answered")
    daemon.stop()
    assert not least.denied(api)
    needs = {need.action for need in least.used(api)}
    assert needs == {"route53:ListHostedZones", "route53:ListTagsForResources", "route53:ListResourceRecordSets"}


CHECKS = ("0f0e0d0c-0000-4000-8000-000000000001", "0f0e0d0c-0000-4000-8000-000000000002")


def daemon_world(api):
    """A zone of the VPC, and one that is not: its health checks are the daemon's own affair."""
    api.world.add_zone("near.example.", vpcs=[VPC]).put("www", "A", 60, ["10.0.0.1"])
    far = api.world.add_zone("far.example.", zone_id="Z0FAR", vpcs=[("vpc-other", "eu-west-1")])
    for i, check in enumerate(CHECKS):
        far.put("w", "A", 60, [f"10.0.1.{i}"], SetIdentifier=str(i), Weight=1, HealthCheckId=check)
    api.world.health = {CHECKS[0]: 1.0, CHECKS[1]: None}
    api.world.metric = {CHECKS[1]: 1.0}
    return {"vpc": VPC[0], "region": VPC[1], "zones": ["Z0FAR"]}


def test_daemon_calls_nothing_outside_its_policy(api, tool, launch, vpc):
    route53 = daemon_world(api)
    policy = daemon_policy(tool, route53)
    api.keys["AKIDEXAMPLE"].policies = [policy]
    daemon = launch({"route53": route53, "vpc_resolver": [vpc.target]}, env=api.environment())
    assert daemon.ask("www.near.example").data() == ["10.0.0.1"]
    net.wait_for(lambda: api.count("GetMetricStatistics") > 0, 20, "a look at health")
    daemon.stop()
    assert not least.denied(api)
    needs = least.used(api)
    assert {need.action for need in needs} >= {"route53:GetHealthCheckStatus", "cloudwatch:GetMetricStatistics"}
    assert least.superfluous(policy, needs) == []


def test_daemon_without_a_statement_says_so(api, tool, launch, vpc):
    route53 = daemon_world(api)
    policy = daemon_policy(tool, route53)
    policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] != "FindZones"]
    api.keys["AKIDEXAMPLE"].policies = [policy]
    daemon = launch({"route53": route53, "vpc_resolver": [vpc.target]}, env=api.environment(), ready=False)
    net.wait_for(lambda: "route53 ListHostedZonesByVPC" in least.denied(api), 10, "the refusal")
    net.wait_for(lambda: daemon.log("denied|not authorized|AccessDenied"), 10, "a line that says so")


# --- The programs of an instance ---

PUBLIC_IP = "203.0.113.9"


@pytest.fixture
def instance(api, on_instance, metadata):
    """An instance whose records go into three zones, one of them public."""
    for zone, name, private in (("Z0PRIVATE", "corp.example.", True), ("Z0PUBLIC", "example.com.", False),
                                ("Z0REVERSE", "10.in-addr.arpa.", True)):
        api.world.add_zone(name, zone_id=zone, private=private, vpcs=[VPC] if private else [])
    made = api.ec2.launch("i-0123456789abcdef0", private="10.0.0.4", public=PUBLIC_IP)
    tool = on_instance(fleet="web", records=[{**record, "ttl": 1} for record in RECORDS])
    metadata.become(made)
    return tool


def under(api, policy: dict) -> None:
    api.keys["AKIDEXAMPLE"].policies = [policy]


def test_register_and_deregister_call_nothing_outside_their_policy(api, instance):
    policy = policy_of(instance, "register", "--wait", "--drain")
    under(api, policy)
    api.autoscaling.add_hook("web", "drain")
    api.autoscaling.join("i-0123456789abcdef0", "web")
    instance.run("register", "--wait", "5")
    instance.run("register")
    # The state is lost: a listing finds our own.
    for file in instance.state.iterdir():
        file.unlink()
    instance.run("register")
    assert len(api.world.find("Z0PUBLIC").sets) == 4
    api.autoscaling.terminate("i-0123456789abcdef0")
    instance.run("deregister", "--reason", "terminate", "--drain")
    assert api.autoscaling.completed and len(api.world.find("Z0PUBLIC").sets) == 2
    assert not least.denied(api)
    assert least.superfluous(policy, least.used(api)) == []


@pytest.mark.parametrize("sid", ["LookAtZones", "ChangeZ0PRIVATE", "ChangeZ0PUBLIC", "ChangeZ0REVERSE"])
def test_register_without_a_statement_fails_and_says_so(api, instance, sid):
    policy = policy_of(instance, "register")
    policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] != sid]
    under(api, policy)
    done = instance.run("register", code=1)
    assert "not authorized to perform" in done.err or "AccessDenied" in done.err


def test_two_switches_of_register_need_two_more_rights(api, instance):
    under(api, policy_of(instance, "register"))
    assert instance.run("register", "--wait", "2", code=None).status == 1
    assert least.denied(api) == ["route53 GetChange"] * api.count("GetChange")


def dead(api, number: int) -> None:
    """An instance that registered long ago and is no more."""
    gone, boot = f"i-{number:017x}", 1_600_000_000
    where = f"{gone}.web.corp.example"
    api.world.find("Z0PRIVATE").put(
        where + ".", "A", 60, [f"10.0.9.{number}"], MultiValueAnswer=True,
        SetIdentifier=f"hz1/web/111122223333/eu-west-1/{gone}/{boot}")


def test_sweep_calls_nothing_outside_its_policy(api, instance):
    for number in range(1, 4):
        dead(api, number)
    settings = {"fleet": "web", "records": RECORDS,
                "sweep": {"apply": True, "second_look": 0, "grace": 0, "max_share": 100}}
    instance.write(settings)
    under(api, policy_of(instance, "register"))
    instance.run("register")
    policy = policy_of(instance, "sweep")
    under(api, policy)
    api.calls.clear()
    instance.run("sweep")  # the first sighting
    instance.run("sweep", code=3)
    done = instance.run("sweep", "--apply")
    run = next(line.split()[1] for line in done.out.splitlines() if line.startswith("run:"))
    left = [key[0] for key in api.world.find("Z0PRIVATE").sets if key[1] == "A"]
    assert left == ["i-0123456789abcdef0.web.corp.example."]
    needs = least.used(api)
    instance.run("restore", run)
    instance.run("purge", "--owner", "web", "--apply", code=None)
    assert not least.denied(api), least.denied(api)
    # The records of the public and the reverse zone are there to be swept, but none was dead.
    spare = [what for what in least.superfluous(policy, needs) if "Z0PRIVATE" in what or "Change" not in what]
    assert spare == []


@pytest.mark.parametrize("sid", ["LookAtZones", "SeeInstances"])
def test_sweep_without_a_statement_deletes_nothing(api, instance, sid):
    dead(api, 1)
    instance.write({"fleet": "web", "records": RECORDS,
                    "sweep": {"apply": True, "second_look": 0, "grace": 0, "max_share": 100}})
    policy = policy_of(instance, "sweep")
    policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] != sid]
    under(api, policy)
    before = dict(api.world.find("Z0PRIVATE").sets)
    instance.run("sweep", "--apply", code=5)
    assert api.world.find("Z0PRIVATE").sets == before


def test_setup_and_health_call_nothing_outside_their_policies(api, on_instance):
    tool = on_instance(dhcp={"servers": ["10.0.0.4"]}, alarm={"email": ["ops@example.com"]})
    setup, health = policy_of(tool, "setup"), policy_of(tool, "health")
    under(api, setup)
    for _ in range(2):
        tool.run("dhcp-options", "--apply")
        tool.run("recovery-alarm", "--apply")
        # Tags that somebody took away come back.
        for tags in api.cloudwatch.tags.values():
            tags.clear()
        api.sns.topics["arn:aws:sns:eu-west-1:111122223333:horizond"]["tags"].clear()
    tool.run("dhcp-options", "--revert", "--apply")
    assert not least.denied(api)
    assert least.superfluous(setup, least.used(api)) == []
    api.calls.clear()
    under(api, health)
    tool.run("health")
    assert not least.denied(api) and least.superfluous(health, least.used(api)) == []
    assert not may(health, Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "other"}))


ROLE = "arn:aws:iam::444455556666:role/dns"


def test_daemon_with_a_queue_and_a_role_keeps_to_its_policy(api, tool, launch, vpc):
    queue = api.sqs.add(api.url + "/111122223333/changes")
    api.sts.roles[ROLE] = Role(external_id="ext")
    near = api.world.add_zone("near.example.", zone_id="Z0NEAR", vpcs=[VPC])
    there = api.world.add_zone("there.example.", zone_id="Z0THERE", vpcs=[VPC])
    near.readers, there.readers = {"111122223333"}, {"444455556666"}
    near.put("www", "A", 60, ["10.0.0.1"])
    there.put("www", "A", 60, ["10.0.0.2"])
    route53 = {"vpc": "", "region": VPC[1], "zones": ["Z0NEAR", "Z0THERE"], "queue": queue.url,
               "roles": [{"role_arn": ROLE, "external_id": "ext", "zones": ["Z0THERE"]}]}
    policy = daemon_policy(tool, route53)
    under(api, policy)
    daemon = launch({"route53": route53, "vpc_resolver": [vpc.target]}, env=api.environment())
    assert daemon.ask("www.there.example").data() == ["10.0.0.2"]
    queue.send("{}")
    net.wait_for(lambda: not queue.messages, 10, "the message is deleted")
    daemon.stop()
    assert not least.denied(api), least.denied(api)
    own = [need for need in least.used(api) if "444455556666" not in need.context["aws:PrincipalArn"]]
    # The role's own rights are of the other account; health was not asked, for no set has a check.
    assert [what for what in least.superfluous(policy, own) if "Health" not in what] == []
