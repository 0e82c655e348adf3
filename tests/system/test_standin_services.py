"""The stand-in's EC2, Auto Scaling, CloudWatch and SNS, and what Route 53 does with changes, by botocore's client."""

from __future__ import annotations

import http.client
import threading
import time

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from standin import Metadata, Standin, World
from standin.caller import Caller
from standin.imds import META

VPC = "vpc-0a1b2c3d4e5f60718"
TAGS = [{"Key": "Project", "Value": "shop"}]
ALARM = {
    "AlarmName": "a", "Namespace": "AWS/EC2", "MetricName": "StatusCheckFailed_System",
    "Dimensions": [{"Name": "InstanceId", "Value": "i-0123456789abcdef0"}], "Statistic": "Maximum",
    "Period": 60, "EvaluationPeriods": 2, "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "AlarmActions": ["arn:aws:automate:eu-west-1:ec2:recover"]}


@pytest.fixture
def api():
    server = Standin(World()).start()
    yield server
    server.stop()
    assert not server.bad_signatures


def client_of(api: Standin, service: str, region: str = "eu-west-1", attempts: int = 1):
    return botocore.session.get_session().create_client(
        service, region_name="us-east-1" if service == "route53" else region, endpoint_url=api.url, aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=api.keys["AKIDEXAMPLE"].secret,
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=5))


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"]


def ids_of(pages) -> list[str]:
    return [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]


# --- Route 53 ---

def multi(action: str, identifier: str, value: str = "10.0.0.1", name: str = "w.corp.example", **more) -> dict:
    return {"Action": action, "ResourceRecordSet": {
        "Name": name, "Type": "A", "TTL": 60, "SetIdentifier": identifier, "MultiValueAnswer": True,
        "ResourceRecords": [{"Value": value}], **more}}


def test_multivalue_sets_and_what_stands_against_them(api):
    zone = api.world.add_zone("corp.example.")
    client = client_of(api, "route53")

    def apply(*changes):
        return client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": list(changes)})

    apply(multi("CREATE", "one"), multi("CREATE", "two", "10.0.0.2"))
    assert refused(apply, multi("CREATE", "one", "10.0.0.3")) == "InvalidChangeBatch"
    assert refused(apply, multi("DELETE", "one", "10.0.0.3")) == "InvalidChangeBatch"
    assert refused(apply, multi("DELETE", "one", TTL=61)) == "InvalidChangeBatch"
    # Delete and create in one batch is compare and swap.
    apply(multi("DELETE", "one"), multi("CREATE", "one", "10.0.0.3"))
    zone.put("simple", "A", 60, ["10.0.0.9"])
    with pytest.raises(ClientError, match="non multivalue answer rrset exists"):
        apply(multi("CREATE", "one", name="simple.corp.example"))
    zone.put("weighted", "A", 60, ["10.0.0.9"], SetIdentifier="x", Weight=1)
    assert refused(apply, multi("CREATE", "one", name="weighted.corp.example")) == "InvalidChangeBatch"
    for bad in (multi("CREATE", "x" * 129), multi("CREATE", "three", "10.0.0.256"),
                multi("CREATE", "three", Type="CNAME"), multi("CREATE", "three", TTL=2147483648)):
        assert refused(apply, bad) in ("InvalidChangeBatch", "InvalidInput")
    assert sorted(key[2] for key in zone.sets if key[0].startswith("w.")) == ["one", "two"]


def test_one_change_of_a_zone_at_a_time(api):
    zone, other = api.world.add_zone("corp.example."), api.world.add_zone("other.example.")
    api.service.work = 0.3
    codes = []

    def create(zone_id: str, name: str) -> None:
        try:
            client_of(api, "route53").change_resource_record_sets(
                HostedZoneId=zone_id, ChangeBatch={"Changes": [multi("CREATE", "x", name=name)]})
            codes.append("ok")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    asked = [(zone.id, "a.corp.example"), (zone.id, "b.corp.example"), (other.id, "a.other.example")]
    threads = [threading.Thread(target=create, args=args) for args in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["PriorRequestNotComplete", "ok", "ok"]


def test_a_change_is_in_sync_after_a_while(api):
    zone = api.world.add_zone("corp.example.")
    api.service.insync_after = 0.2
    client = client_of(api, "route53")
    info = client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={
        "Changes": [multi("CREATE", "x")]})["ChangeInfo"]
    assert client.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "PENDING"
    time.sleep(0.25)
    assert client.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"


def test_burst_is_more_than_rate(api):
    api.throttle(1, burst=10)
    client = client_of(api, "route53")
    for _ in range(10):
        client.list_hosted_zones()
    assert refused(client.list_hosted_zones) == "Throttling"


# --- EC2 ---

def test_instances_come_in_pages(api):
    made = [api.ec2.launch().id for _ in range(23)]
    client = client_of(api, "ec2")
    pages = client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    assert ids_of(pages) == made and api.count("DescribeInstances") == 5
    api.ec2.thin = 2  # empty pages are pages
    pages = client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 10})
    assert ids_of(pages) == made
    for bad in ({"MaxResults": 4}, {"MaxResults": 1001}, {"NextToken": "rubbish"}):
        assert refused(client.describe_instances, **bad) == "InvalidParameterValue"
    assert refused(client.describe_instances, MaxResults=5, InstanceIds=made[:1]) \
        == "InvalidParameterCombination"


def test_instances_as_they_are_described(api):
    api.ec2.launch("i-0123456789abcdef0", private="10.0.0.9", public="203.0.113.9", ipv6="2001:db8::9",
                   tags={"Name": "web"}, secondary=["10.0.0.10"])
    got = client_of(api, "ec2").describe_instances()["Reservations"][0]
    assert got["OwnerId"] == "111122223333"
    one = got["Instances"][0]
    assert (one["PrivateIpAddress"], one["PublicIpAddress"], one["Ipv6Address"]) == (
        "10.0.0.9", "203.0.113.9", "2001:db8::9")
    assert one["State"] == {"Code": 16, "Name": "running"} and one["Tags"] == [{"Key": "Name", "Value": "web"}]
    assert [a["PrivateIpAddress"] for a in one["NetworkInterfaces"][0]["PrivateIpAddresses"]] == [
        "10.0.0.9", "10.0.0.10"]
    api.ec2.instances["i-0123456789abcdef0"].state = "stopped"
    one = client_of(api, "ec2").describe_instances()["Reservations"][0]["Instances"][0]
    assert "PublicIpAddress" not in one and one["PrivateIpAddress"] == "10.0.0.9"
    api.ec2.instances["i-0123456789abcdef0"].state = "terminated"
    one = client_of(api, "ec2").describe_instances()["Reservations"][0]["Instances"][0]
    assert "PrivateIpAddress" not in one and one["State"]["Name"] == "terminated"


def test_filters_and_ids(api):
    a = api.ec2.launch(private="10.0.0.9", tags={"Role": "web"})
    b = api.ec2.launch(private="10.0.0.10", state="stopped", tags={"Role": "db"})
    client = client_of(api, "ec2")

    def found(**how):
        return ids_of([client.describe_instances(Filters=[
            {"Name": name.replace("_", "-").replace("--", ":"), "Values": values}
            for name, values in how.items()])])

    assert found(instance_state_name=["running", "pending"]) == [a.id]
    assert found(private_ip_address=["10.0.0.*"]) == [a.id, b.id]
    assert found(private_ip_address=["10.0.0.?"]) == [a.id]
    assert found(tag__Role=["db", "web"], instance_state_name=["stopped"]) == [b.id]
    assert found(instance_id=["i-00000000000000000"]) == []
    assert found(tag_key=["role"]) == []  # case counts
    with pytest.raises(ClientError, match="do not exist"):
        client.describe_instances(InstanceIds=[a.id, "i-00000000000000000"])
    assert refused(client.describe_instances, InstanceIds=["i-xyz"]) == "InvalidInstanceID.Malformed"
    assert refused(found, no_such=["x"]) == "InvalidParameterValue"
    assert refused(found, instance_id=["x"] * 201) == "FilterLimitExceeded"


def test_what_a_listing_may_lack(api):
    young = api.ec2.launch(lag=3600)
    managed = api.ec2.launch(managed=True)
    abroad = api.ec2.launch(region="us-west-2", az="us-west-2a")
    foreign = api.ec2.launch(account="444455556666")
    client = client_of(api, "ec2")
    assert ids_of([client.describe_instances()]) == [managed.id]
    young.seen_from = 0.0
    assert ids_of([client.describe_instances()]) == [young.id, managed.id]
    assert ids_of([client_of(api, "ec2", "us-west-2").describe_instances()]) == [abroad.id]
    api.ec2.hide_managed = True
    assert ids_of([client.describe_instances()]) == [young.id]
    api.keys["AKIDEXAMPLE"].account = "444455556666"
    assert ids_of([client.describe_instances()]) == [foreign.id]
    api.keys["AKIDEXAMPLE"].account = "111122223333"
    api.ec2.forget(young.id)
    assert ids_of([client.describe_instances()]) == []
    # Debian's botocore cannot say IncludeManagedResources: the form can.
    name, params = api.services["ec2"].protocol.read(
        {"Action": "DescribeInstances", "IncludeManagedResources": "true"})
    got = api.ec2.DescribeInstances(params, Caller(region="eu-west-1"))
    assert name == "DescribeInstances" and ids_of([got]) == [managed.id]


def test_ec2_is_throttled_and_fails_in_its_own_words(api):
    client = client_of(api, "ec2")
    api.throttle(1, service="ec2")
    client.describe_instances()
    assert refused(client.describe_instances) == "RequestLimitExceeded"
    client_of(api, "route53").list_hosted_zones()  # another bucket
    api.throttle(0, service="ec2")
    api.faults.add(operation="DescribeInstances", code="UnauthorizedOperation", status=403, times=1)
    assert refused(client.describe_instances) == "UnauthorizedOperation"
    client.describe_instances()


def test_interfaces_and_elastic_addresses(api):
    made = api.ec2.launch(private="10.0.0.9", secondary=["10.0.0.10"], public="203.0.113.9", elastic=True)
    client = client_of(api, "ec2")
    got = client.describe_network_interfaces(Filters=[
        {"Name": "addresses.private-ip-address", "Values": ["10.0.0.10"]}])["NetworkInterfaces"]
    assert [i["Attachment"]["InstanceId"] for i in got] == [made.id]
    got = client.describe_addresses(Filters=[{"Name": "public-ip", "Values": ["203.0.113.9"]}])["Addresses"]
    assert got[0]["InstanceId"] == made.id


def test_dhcp_option_sets(api):
    api.ec2.add_vpc()
    client = client_of(api, "ec2")
    vpc = client.describe_vpcs(VpcIds=[VPC])["Vpcs"][0]
    old = client.describe_dhcp_options(DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"][0]
    assert {c["Key"]: [v["Value"] for v in c["Values"]] for c in old["DhcpConfigurations"]} == {
        "domain-name": ["eu-west-1.compute.internal"], "domain-name-servers": ["AmazonProvidedDNS"]}
    made = client.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["10.0.0.4", "10.0.1.4"]}],
        TagSpecifications=[{"ResourceType": "dhcp-options", "Tags": TAGS}])["DhcpOptions"]
    assert made["Tags"] == TAGS
    client.associate_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"], VpcId=VPC)
    assert client.describe_vpcs()["Vpcs"][0]["DhcpOptionsId"] == made["DhcpOptionsId"]
    assert refused(client.delete_dhcp_options, DhcpOptionsId=made["DhcpOptionsId"]) == "DependencyViolation"
    client.delete_dhcp_options(DhcpOptionsId=old["DhcpOptionsId"])
    client.create_tags(Resources=[made["DhcpOptionsId"]], Tags=[{"Key": "k", "Value": "v"}])
    got = client.describe_dhcp_options(Filters=[{"Name": "tag:k", "Values": ["v"]}])["DhcpOptions"]
    assert [d["DhcpOptionsId"] for d in got] == [made["DhcpOptionsId"]]
    for bad in ([{"Key": "domain-name-servers", "Values": ["10.0.0.1"] * 5}],
                [{"Key": "domain-name-servers", "Values": ["ten"]}], [{"Key": "colour", "Values": ["red"]}],
                [{"Key": "ntp-servers", "Values": ["10.0.0.1"] * 9}]):
        assert refused(client.create_dhcp_options, DhcpConfigurations=bad) == "InvalidParameterValue"
    assert refused(client.describe_vpcs, VpcIds=["vpc-none"]) == "InvalidVpcID.NotFound"
    assert refused(client.describe_dhcp_options, DhcpOptionsIds=["dopt-none"]) == "InvalidDhcpOptionID.NotFound"


# --- Auto Scaling ---

def test_lifecycle_actions(api):
    api.autoscaling.add_hook("web", "drain")
    api.autoscaling.add_hook("web", "note", "autoscaling:EC2_INSTANCE_LAUNCHING")
    made = api.ec2.launch()
    api.autoscaling.join(made.id, "web")
    client = client_of(api, "autoscaling")
    action = {"AutoScalingGroupName": "web", "LifecycleHookName": "drain", "InstanceId": made.id,
              "LifecycleActionResult": "CONTINUE"}
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        client.complete_lifecycle_action(**action)
    api.autoscaling.terminate(made.id)
    got = client.describe_auto_scaling_instances(InstanceIds=[made.id])["AutoScalingInstances"][0]
    assert (got["AutoScalingGroupName"], got["LifecycleState"]) == ("web", "Terminating:Wait")
    hooks = client.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"]
    assert [h["LifecycleHookName"] for h in hooks] == ["drain", "note"]
    client.complete_lifecycle_action(**action)
    assert api.autoscaling.completed == [("web", "drain", made.id, "CONTINUE")]
    assert refused(client.complete_lifecycle_action, **action) == "ValidationError"
    assert client.describe_auto_scaling_instances(InstanceIds=["i-none"])["AutoScalingInstances"] == []


# --- CloudWatch and SNS ---

def test_alarms(api):
    client = client_of(api, "cloudwatch")
    client.put_metric_alarm(**ALARM, Tags=TAGS)
    got = client.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]
    assert {key: got[key] for key in ALARM} == ALARM
    assert got["AlarmArn"] == "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"
    client.put_metric_alarm(**{**ALARM, "Period": 120}, Tags=[{"Key": "other", "Value": "x"}])
    assert client.list_tags_for_resource(ResourceARN=got["AlarmArn"])["Tags"] == TAGS  # as before
    client.tag_resource(ResourceARN=got["AlarmArn"], Tags=[{"Key": "k", "Value": "v"}])
    assert len(client.list_tags_for_resource(ResourceARN=got["AlarmArn"])["Tags"]) == 2
    assert client_of(api, "cloudwatch", "us-east-1").describe_alarms()["MetricAlarms"] == []
    for bad in ({"Period": 61}, {"MetricName": "StatusCheckFailed"}, {"Dimensions": []},
                {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:recover"]}, {"AlarmActions": ["x"]},
                {"TreatMissingData": "loud"}):
        assert refused(client.put_metric_alarm, **{**ALARM, **bad}) == "ValidationError"


def test_metrics_that_others_put(api):
    client = client_of(api, "cloudwatch")
    client.put_metric_data(Namespace="horizond", MetricData=[
        {"MetricName": "Healthy", "Value": 1.0, "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}]}])
    assert api.cloudwatch.data == [{
        "Namespace": "horizond", "region": "eu-west-1", "MetricName": "Healthy", "Value": 1.0,
        "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}]}]
    assert refused(client.put_metric_data, Namespace="AWS/x", MetricData=[
        {"MetricName": "m", "Value": 1.0}]) == "InvalidParameterValue"


def test_topics(api):
    client = client_of(api, "sns")
    arn = "arn:aws:sns:eu-west-1:111122223333:alarms"
    assert refused(client.get_topic_attributes, TopicArn=arn) == "NotFound"
    assert client.create_topic(Name="alarms", Tags=TAGS)["TopicArn"] == arn
    assert client.create_topic(Name="alarms", Tags=TAGS)["TopicArn"] == arn
    with pytest.raises(ClientError, match="different tags"):
        client.create_topic(Name="alarms", Tags=[])
    assert client.get_topic_attributes(TopicArn=arn)["Attributes"]["Owner"] == "111122223333"
    for _ in range(2):
        assert client.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")[
            "SubscriptionArn"] == "pending confirmation"
    listed = client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [(s["Protocol"], s["Endpoint"], s["SubscriptionArn"]) for s in listed] == [
        ("email", "ops@example.com", "PendingConfirmation")]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert len(client.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 2
    assert refused(client.create_topic, Name="a b") == "InvalidParameter"


def test_forms_are_held_to_the_model(api):
    read = api.services["ec2"].protocol.read
    form = {"Action": "AssociateDhcpOptions", "DhcpOptionsId": "dopt-1"}
    for bad, code in (({}, "MissingParameter"), ({"VpcId": "v", "Colour": "red"}, "UnknownParameter"),
                      ({"VpcId.1": "v"}, "InvalidParameterValue")):
        with pytest.raises(Exception, match=code):
            read({**form, **bad})
    with pytest.raises(Exception, match="without gaps"):
        read({"Action": "DescribeInstances", "InstanceId.2": "i-1"})
    with pytest.raises(Exception, match="InvalidAction"):
        read({"Action": "DescribeDragons"})
    with pytest.raises(Exception, match="ValidationError"):
        api.services["monitoring"].protocol.read({
            "Action": "PutMetricData", "Namespace": "x" * 256, "MetricData.member.1.MetricName": "m"})


def test_metadata_of_an_instance(api):
    metadata = Metadata()
    metadata.keys = api.keys
    made = api.ec2.launch(private="10.0.7.9", public="203.0.113.9", tags={"Name": "web", "Role": "x"},
                          account="444455556666")
    metadata.become(made, 7)
    metadata.start()
    connection = http.client.HTTPConnection(metadata.address, metadata.port)

    def ask(path: str, method: str = "GET", **headers) -> str | None:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        text = response.read().decode()
        return text if response.status == 200 else None

    token = ask("/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")
    with_token = {"X_aws_ec2_metadata_token": token}
    assert ask(META + "instance-id", **with_token) == made.id
    assert ask(META + "public-ipv4", **with_token) == "203.0.113.9"
    assert ask(META + "ipv6", **with_token) is None
    assert ask(META + "tags/instance", **with_token).split() == ["Name", "Role"]
    assert ask(META + "tags/instance/Role", **with_token) == "x"
    assert ask(META + "spot/instance-action", **with_token) is None
    assert made.account in ask("/latest/dynamic/instance-identity/document", **with_token)
    assert metadata.issue()[1].account == made.account
    metadata.stop()
