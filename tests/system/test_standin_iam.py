"""The policy evaluator, by the cases that IAM's own pages give, and the stand-in under a policy."""

from __future__ import annotations

import pytest
from standin import Standin, World, iam
from test_standin_services import client_of, multi, refused

ZONE = "arn:aws:route53:::hostedzone/Z0ONE"
KEY = "route53:ChangeResourceRecordSets"


def policy(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def may(statements, action="route53:GetHostedZone", resource=ZONE, **context) -> bool:
    return iam.allowed([policy(*statements)], action, resource,
                       {key.replace("__", ":"): value for key, value in context.items()})


def test_actions_and_resources():
    assert may([allow("route53:GetHostedZone")])
    assert may([allow("ROUTE53:get*")]) and may([allow("*")]) and may([allow(["x:y", "route53:Get?ostedZone"])])
    assert not may([allow("route53:List*")]) and not may([])
    assert may([allow("*", ZONE)]) and may([allow("*", "arn:aws:route53:::hostedzone/*")])
    assert not may([allow("*", ZONE + "X")]) and not may([allow("*", "arn:aws:route53:::hostedzone/z0one")])
    assert not may([allow("*"), {"Effect": "Deny", "Action": "route53:*", "Resource": ZONE}])
    assert may([{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}])
    assert not may([{"Effect": "Allow", "NotAction": "route53:*", "Resource": "*"}])
    assert not may([{"Effect": "Allow", "Action": "*", "NotResource": ZONE}])
    assert iam.allowed([policy(), policy(allow("*"))], "a:B", "*", {})


@pytest.mark.parametrize("condition, context, holds", [
    ({"StringEquals": {"k": "a"}}, {"k": "a"}, True),
    ({"StringEquals": {"K": ["b", "a"]}}, {"k": "a"}, True),
    ({"StringEquals": {"k": "a"}}, {"k": "A"}, False),
    ({"StringEquals": {"k": "a"}}, {}, False),
    ({"StringNotEquals": {"k": "a"}}, {}, True),
    ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
    ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
    ({"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
    ({"StringLike": {"k": "*.corp.example"}}, {"k": "a.b.corp.example"}, True),  # * spans dots
    ({"StringLike": {"k": "*.corp.example"}}, {"k": "corp.example"}, False),
    ({"StringLike": {"k": "\\052.corp"}}, {"k": "\\052.corp"}, True),
    ({"StringLike": {"k": "a${*}"}}, {"k": "a*"}, True),
    ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "b"]}, True),
    ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "c"]}, False),
    ({"ForAllValues:StringEquals": {"k": ["a"]}}, {}, True),  # the trap
    ({"ForAllValues:StringEquals": {"k": ["a"]}}, {"k": []}, True),
    ({"ForAllValues:StringEquals": {"k": ["a"]}, "Null": {"k": "false"}}, {}, False),
    ({"ForAllValues:StringEquals": {"k": ["a"]}, "Null": {"k": "false"}}, {"k": ["a"]}, True),
    ({"ForAnyValue:StringLike": {"k": "a*"}}, {"k": ["x", "ab"]}, True),
    ({"ForAnyValue:StringLike": {"k": "a*"}}, {}, False),
    ({"Null": {"k": "true"}}, {}, True), ({"Null": {"k": "true"}}, {"k": "x"}, False),
    ({"Bool": {"k": "true"}}, {"k": "true"}, True), ({"Bool": {"k": True}}, {"k": "false"}, False),
    ({"Bool": {"k": "true"}}, {}, False),
    ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a"}, False),  # keys: all of them
    ({"StringEquals": {"k": "${aws:username}"}}, {"k": "eve", "aws:username": "eve"}, True),
    ({"ArnLike": {"k": "arn:aws:sns:*:1:t*"}}, {"k": "arn:aws:sns:eu-west-1:1:top"}, True),
])
def test_conditions(condition, context, holds):
    assert may([allow("*", Condition=condition)], **context) is holds
    denied = [allow("*"), {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}]
    assert may(denied, **context) is not holds


def test_what_is_not_understood_is_not_guessed():
    for bad in ({"StringMatches": {"k": "a"}}, {"ForSomeValues:StringEquals": {"k": "a"}}):
        with pytest.raises(iam.BadPolicy):
            may([allow("*", Condition=bad)])
    with pytest.raises(iam.BadPolicy):
        may([allow("*", Condition={"StringEquals": {"k": "a"}})], k=["a", "b"])  # needs a qualifier
    for bad in (policy(allow("route53")), policy(allow("*", "hostedzone/Z")), {"Statement": []},
                policy({"Effect": "Maybe", "Action": "*", "Resource": "*"}),
                policy(allow("*", Sid="a b")), policy(allow("*", Sid="a"), allow("*", Sid="a")),
                policy(*[allow("route53:GetHostedZone", ZONE)] * 100)):
        with pytest.raises(iam.BadPolicy):
            iam.check(bad)
    iam.check(policy(allow(["route53:GetHostedZone"], ZONE, Sid="Zone")))


def test_stand_in_under_a_policy():
    api = Standin(World()).start()
    zone = api.world.add_zone("corp.example.", zone_id="Z0ONE")
    api.world.add_zone("other.example.", zone_id="Z0TWO")
    condition = {"ForAllValues:StringLike": {KEY + "NormalizedRecordNames": ["*.web.corp.example"]},
                 "ForAllValues:StringEquals": {KEY + "RecordTypes": ["A"], KEY + "Actions": ["CREATE", "DELETE"]},
                 "Null": {KEY + "NormalizedRecordNames": "false", KEY + "RecordTypes": "false",
                          KEY + "Actions": "false"}}
    api.keys["AKIDEXAMPLE"].policies = [policy(allow(KEY, ZONE, Condition=condition),
                                               allow("route53:ListResourceRecordSets", ZONE))]
    client = client_of(api, "route53")

    def apply(*changes, zone_id="Z0ONE"):
        return client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": list(changes)})

    apply(multi("CREATE", "x", name="a.web.corp.example"))
    apply(multi("DELETE", "x", name="a.web.corp.example"))
    denied = "AccessDenied"
    assert refused(apply, multi("UPSERT", "x", name="a.web.corp.example")) == denied
    assert refused(apply, multi("CREATE", "x", name="a.db.corp.example")) == denied
    # One name outside, and all of the batch is refused.
    assert refused(apply, multi("CREATE", "x", name="a.web.corp.example"),
                   multi("CREATE", "x", name="b.corp.example")) == denied
    assert refused(apply, multi("CREATE", "x", name="a.web.corp.example", Type="AAAA")) == denied
    assert refused(apply, multi("CREATE", "x", name="a.web.corp.example"), zone_id="Z0TWO") == denied
    client.list_resource_record_sets(HostedZoneId="Z0ONE")
    assert refused(client.get_hosted_zone, Id="Z0ONE") == denied
    assert len(zone.sets) == 2
    assert refused(client_of(api, "ec2").describe_instances) == "UnauthorizedOperation"
    assert refused(client_of(api, "sns").create_topic, Name="t") == "AuthorizationError"
    assert refused(client_of(api, "cloudwatch").describe_alarms) == denied
    assert refused(client_of(api, "autoscaling").describe_auto_scaling_instances) == denied
    api.stop()
