"""The stand-in's STS, SQS and container credentials, by botocore's client; SQS by its JSON protocol too."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, MetadataRetrievalError
from botocore.utils import ContainerMetadataFetcher
from standin import Container, Key, Role, Standin, World

ARN = "arn:aws:iam::444455556666:role/zones/horizond"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/changes"


@pytest.fixture
def api():
    server = Standin(World()).start()
    yield server
    server.stop()
    assert not server.bad_signatures


def client_of(api: Standin, service: str, key_id: str = "AKIDEXAMPLE"):
    key = api.keys[key_id]
    return botocore.session.get_session().create_client(
        service, region_name="us-east-1" if service == "route53" else "eu-west-1", endpoint_url=api.url,
        aws_access_key_id=key_id, aws_secret_access_key=key.secret, aws_session_token=key.token or None,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=25))


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"]


def test_roles(api):
    sts = client_of(api, "sts")
    assert sts.get_caller_identity()["Account"] == "111122223333"
    asked = {"RoleArn": ARN, "RoleSessionName": "me"}
    assert refused(sts.assume_role, **asked) == "AccessDenied"
    api.sts.roles[ARN] = Role(external_id="ext/1")
    assert refused(sts.assume_role, **asked) == "AccessDenied"
    got = sts.assume_role(**asked, ExternalId="ext/1", DurationSeconds=900)["Credentials"]
    assert 890 < got["Expiration"].timestamp() - time.time() < 901
    assert api.keys[got["AccessKeyId"]].secret == got["SecretAccessKey"]
    there = client_of(api, "sts", got["AccessKeyId"])
    assert there.get_caller_identity()["Arn"] == "arn:aws:sts::444455556666:assumed-role/horizond/me"


def test_a_role_reads_its_accounts_zones(api):
    zone = api.world.add_zone("corp.example.")
    zone.readers = {"444455556666"}
    api.sts.roles[ARN] = Role()
    assert refused(client_of(api, "route53").list_resource_record_sets, HostedZoneId=zone.id) == "AccessDenied"
    got = client_of(api, "sts").assume_role(RoleArn=ARN, RoleSessionName="me")["Credentials"]
    assert client_of(api, "route53", got["AccessKeyId"]).list_resource_record_sets(HostedZoneId=zone.id)


def test_web_identity(api):
    api.sts.roles[ARN] = Role(web_tokens={"eyJ.a.b"})
    sts = client_of(api, "sts")
    asked = {"RoleArn": ARN, "RoleSessionName": "me"}
    assert refused(sts.assume_role_with_web_identity, WebIdentityToken="other", **asked) == "InvalidIdentityToken"
    got = sts.assume_role_with_web_identity(WebIdentityToken="eyJ.a.b", **asked)["Credentials"]
    assert got["AccessKeyId"] in api.keys


def test_messages(api):
    queue = api.sqs.add(QUEUE)
    sqs = client_of(api, "sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=QUEUE)
    sqs.send_message(QueueUrl=QUEUE, MessageBody="one & two")
    got = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10)["Messages"]
    assert [m["Body"] for m in got] == ["one & two"]  # botocore checks the MD5
    assert "Messages" not in sqs.receive_message(QueueUrl=QUEUE)  # hidden
    result = sqs.delete_message_batch(QueueUrl=QUEUE, Entries=[
        {"Id": "a", "ReceiptHandle": got[0]["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "rubbish"}])
    assert [r["Id"] for r in result["Successful"]] == ["a"] and [r["Id"] for r in result["Failed"]] == ["b"]
    assert queue.deleted == ["one & two"] and not queue.messages
    assert refused(sqs.receive_message, QueueUrl=QUEUE + "x") == "AWS.SimpleQueueService.NonExistentQueue"


def test_hidden_messages_come_back(api):
    queue = api.sqs.add(QUEUE)
    queue.visibility = 0.3
    queue.send("again")
    sqs = client_of(api, "sqs")
    assert sqs.receive_message(QueueUrl=QUEUE)["Messages"]
    assert sqs.receive_message(QueueUrl=QUEUE, WaitTimeSeconds=5)["Messages"][0]["Body"] == "again"


def test_long_poll_ends_with_a_message(api):
    queue = api.sqs.add(QUEUE)
    began = time.monotonic()
    threading.Timer(0.3, queue.send, ["late"]).start()
    assert client_of(api, "sqs").receive_message(QueueUrl=QUEUE, WaitTimeSeconds=20)["Messages"]
    assert 0.2 < time.monotonic() - began < 5


def ask_json(api: Standin, operation: str, body) -> tuple[int, dict]:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}"}
    request = AWSRequest("POST", api.url + "/", headers, data)
    SigV4Auth(Credentials("AKIDEXAMPLE", api.keys["AKIDEXAMPLE"].secret), "sqs", "eu-west-1").add_auth(request)
    try:
        reply = urllib.request.urlopen(urllib.request.Request(api.url + "/", data, dict(request.headers)))
    except urllib.error.HTTPError as error:
        reply = error
    text = reply.read()
    return reply.status, json.loads(text) if text else {}


def test_messages_in_json(api):
    queue = api.sqs.add(QUEUE)
    queue.send("one")
    status, got = ask_json(api, "ReceiveMessage", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10})
    assert status == 200 and got["Messages"][0]["Body"] == "one"
    receipt = got["Messages"][0]["ReceiptHandle"]
    assert ask_json(api, "DeleteMessage", {"QueueUrl": QUEUE, "ReceiptHandle": receipt}) == (200, {})
    assert ask_json(api, "ReceiveMessage", {"QueueUrl": QUEUE}) == (200, {})
    status, got = ask_json(api, "ReceiveMessage", {"QueueUrl": QUEUE + "x"})
    assert (status, got["__type"]) == (400, "com.amazonaws.sqs#QueueDoesNotExist")
    for body in ({"QueueUrl": 7}, {}, {"QueueUrl": QUEUE, "Whatever": 1}, []):
        assert ask_json(api, "ReceiveMessage", body)[0] == 400


def test_container(api):
    container = Container(api.keys, token="Bearer x").start()
    fetcher = ContainerMetadataFetcher()
    got = fetcher.retrieve_full_uri(container.url + container.path, headers={"Authorization": "Bearer x"})
    client_of(api, "sts", got["AccessKeyId"]).get_caller_identity()
    assert Key("a").expires == 0.0
    fetcher.RETRY_ATTEMPTS = 1
    with pytest.raises(MetadataRetrievalError):
        fetcher.retrieve_full_uri(container.url + container.path, headers={"Authorization": "y"})
    container.stop()
