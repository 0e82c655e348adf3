"""recovery-alarm and health: what is missing or different is shown, then made, then nothing is left to do."""

from __future__ import annotations

import pytest

I = "i-0123456789abcdef0"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:horizond"
ALARM = {"email": ["ops@example.com"]}
LOOKS = ("Describe", "Get", "List")


def writes(api) -> list[str]:
    return [c.operation for c in api.calls if not c.operation.startswith(LOOKS)]


def alarm(api, what: str) -> dict:
    return api.cloudwatch.alarms[("eu-west-1", f"horizond-{what}-{I}")]


def test_difference_change_and_nothing_more(api, on_instance):
    tool = on_instance(alarm=ALARM)
    out = tool.run("recovery-alarm", code=3).out
    assert f"{TOPIC}: a new topic" in out and "+ subscription ops@example.com" in out
    assert f"horizond-recover-{I}: a new alarm" in out and f"horizond-health-{I}: a new alarm" in out
    assert "+ TreatMissingData = breaching" in out and writes(api) == []
    tool.run("recovery-alarm", "--apply")
    assert writes(api) == ["CreateTopic", "Subscribe", "PutMetricAlarm", "PutMetricAlarm"]
    out = tool.run("recovery-alarm").out
    assert "nothing to do" in out and "ops@example.com: has not confirmed its subscription yet" in out
    api.sns.topics[TOPIC]["subscriptions"][0]["SubscriptionArn"] = TOPIC + ":1"
    assert tool.run("recovery-alarm", "--apply").out == f"{I}: nothing to do\n"
    assert len(writes(api)) == 4


def test_alarms_are_what_the_guide_asks_for(api, on_instance):
    on_instance(alarm=ALARM).run("recovery-alarm", "--apply")
    recover, health = alarm(api, "recover"), alarm(api, "health")
    want = {"Namespace": "AWS/EC2", "MetricName": "StatusCheckFailed_System", "Period": 60,
            "EvaluationPeriods": 2, "Threshold": 1.0, "Dimensions": [{"Name": "InstanceId", "Value": I}],
            "AlarmActions": ["arn:aws:automate:eu-west-1:ec2:recover", TOPIC], "ActionsEnabled": True}
    assert {key: recover[key] for key in want} == want
    want = {"Namespace": "horizond", "MetricName": "Healthy", "TreatMissingData": "breaching",
            "ComparisonOperator": "LessThanThreshold", "AlarmActions": [TOPIC], "OKActions": [TOPIC]}
    assert {key: health[key] for key in want} == want
    for arn in (recover["AlarmArn"], health["AlarmArn"]):
        assert api.cloudwatch.tags[arn] == {"Project": "shop", "Owner": "net team"}
    assert api.sns.topics[TOPIC]["tags"] == {"Project": "shop", "Owner": "net team"}


def test_other_settings_are_a_difference(api, on_instance):
    tool = on_instance(alarm=ALARM)
    tool.run("recovery-alarm", "--apply")
    changed = alarm(api, "recover")
    changed["Period"] = 300
    changed["AlarmActions"] = ["arn:aws:automate:eu-west-1:ec2:reboot"]
    del changed["AlarmDescription"]
    out = tool.run("recovery-alarm", code=3).out
    assert f"horizond-recover-{I}: differs\n" in out and "- Period = 300\n+ Period = 60\n" in out
    assert "- AlarmActions = arn:aws:automate:eu-west-1:ec2:reboot\n" in out and "health" not in out
    tool.run("recovery-alarm", "--apply")
    assert alarm(api, "recover")["Period"] == 60
    assert "nothing to do" in tool.run("recovery-alarm").out


def test_tags_and_mails_of_others_stay(api, on_instance):
    tool = on_instance(alarm=ALARM)
    tool.run("recovery-alarm", "--apply")
    arn = alarm(api, "health")["AlarmArn"]
    api.cloudwatch.tags[arn] = {"Project": "old", "Theirs": "x"}
    api.sns.topics[TOPIC]["tags"] = {"Theirs": "x"}
    api.sns.topics[TOPIC]["subscriptions"].append({
        "SubscriptionArn": TOPIC + ":2", "Owner": "1", "Protocol": "sqs", "Endpoint": "q", "TopicArn": TOPIC})
    out = tool.run("recovery-alarm", code=3).out
    assert "+ tag Project = shop" in out and "Theirs" not in out
    tool.run("recovery-alarm", "--apply")
    assert api.cloudwatch.tags[arn] == {"Project": "shop", "Theirs": "x", "Owner": "net team"}
    assert api.sns.topics[TOPIC]["tags"] == {"Theirs": "x", "Project": "shop", "Owner": "net team"}
    assert len(api.sns.topics[TOPIC]["subscriptions"]) == 2
    assert "nothing to do" in tool.run("recovery-alarm").out


def test_no_recovery_inside_an_autoscaling_group(api, on_instance, metadata):
    metadata.paths["autoscaling/target-lifecycle-state"] = "InService"
    tool = on_instance(alarm=ALARM)
    assert "autoscaling group" in tool.run("recovery-alarm", "--apply").out
    assert [name for _, name in api.cloudwatch.alarms] == [f"horizond-health-{I}"]


def test_without_a_topic_and_for_another_instance(api, on_instance):
    tool = on_instance(alarm={"topic": "", "instance": "i-00000000000000009"})
    tool.env["AWS_EC2_METADATA_DISABLED"] = "true"
    tool.run("recovery-alarm", "--apply")
    made = api.cloudwatch.alarms[("eu-west-1", "horizond-recover-i-00000000000000009")]
    assert made["AlarmActions"] == ["arn:aws:automate:eu-west-1:ec2:recover"] and not api.sns.topics


def test_a_missing_right_is_one_line(api, on_instance):
    tool = on_instance(alarm=ALARM)
    for operation in ("GetTopicAttributes", "CreateTopic", "DescribeAlarms", "PutMetricAlarm"):
        api.faults.clear()
        api.faults.add(operation=operation, code="AccessDenied", status=403,
                       message=f"not authorized to perform: {operation}")
        done = tool.run("recovery-alarm", "--apply", code=1)
        assert operation in done.err and len(done.complaints) == 1


@pytest.mark.parametrize("settings, says", [
    ({"topic": "a b"}, "topic"), ({"email": ["nobody"]}, "ops@example.com"), ({"url": "ftp://x"}, "http://"),
    ({"namespace": "AWS/EC2"}, "AWS/"), ({"instance": "web"}, "i-"),
    ({"topic": "", "email": ["a@b.c"]}, "topic"), ({"colour": "red"}, "unknown key `colour`")])
def test_bad_settings(api, on_instance, settings, says):
    done = on_instance(alarm=settings).run("recovery-alarm", "--apply", code=2)
    assert says in done.err and len(done.complaints) == 1 and not api.calls


# --- The figure ---

def put(api) -> list[float]:
    return [datum["Value"] for datum in api.cloudwatch.data]


def test_health_of_the_daemon_becomes_a_metric(api, on_instance, launch, vpc):
    daemon = launch({"vpc_resolver": [vpc.target]})
    tool = on_instance(alarm={"url": f"http://{daemon.address}:9153"})
    tool.run("health")
    daemon.stop()
    assert "refused" in tool.run("health").err.lower() or put(api)[-1] == 0.0
    assert put(api) == [1.0, 0.0]
    datum = api.cloudwatch.data[0]
    assert (datum["Namespace"], datum["MetricName"], datum["Dimensions"]) == (
        "horizond", "Healthy", [{"Name": "InstanceId", "Value": I}])


def test_a_daemon_that_is_not_ready_is_not_healthy(api, on_instance, launch, vpc):
    api.faults.add(operation="ListResourceRecordSets", code="InternalError", status=500)
    zone = api.world.add_zone("corp.example.")
    daemon = launch({"vpc_resolver": [vpc.target], "route53": {"vpc": "", "zones": [zone.id],
                                                               "region": "eu-west-1"}},
                    env=api.environment(), ready=False)
    done = on_instance(alarm={"url": f"http://{daemon.address}:9153"}).run("health")
    assert put(api) == [0.0] and "503" in done.err


def test_a_figure_that_cannot_be_put_is_a_failure(api, on_instance):
    tool = on_instance(alarm={"url": "http://127.0.0.1:1"})
    api.faults.add(operation="PutMetricData", code="AccessDenied", status=403, message="no PutMetricData")
    assert "no PutMetricData" in tool.run("health", code=1).err
