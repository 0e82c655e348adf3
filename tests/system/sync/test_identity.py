"""Where credentials come from: profiles, web identity, containers, programs, roles of other accounts."""

from __future__ import annotations

import time

import net
import pytest
from resolvers import answer
from standin import Container, Role

ROLE = "arn:aws:iam::444455556666:role/horizond"
OTHER = "444455556666"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def folder(tmp_path):
    """Writes ~/.aws/config and the like; returns their paths."""
    def write(name: str, text: str, mode: int = 0o600) -> str:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)
    return write


@pytest.fixture
def without_keys(synced):
    """A daemon that finds no keys in its environment."""
    def make(env: dict[str, str], **more):
        return synced(env={**dict.fromkeys(KEYS, ""), "HOME": "/nowhere", **env}, **more)
    return make


def test_profile_that_takes_on_a_role(api, zone, without_keys, folder):
    api.sts.roles[ROLE] = Role(external_id="ext")
    config = folder("config", f"[profile dns]\nregion = eu-west-1\nrole_arn = {ROLE}\nexternal_id = ext\n"
                    "source_profile = base\n")
    keys = folder("credentials", "[base]\naws_access_key_id = AKIDEXAMPLE\n"
                  f"aws_secret_access_key = {api.keys['AKIDEXAMPLE'].secret}\n")
    zone.readers = {OTHER}
    daemon = without_keys({"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_PROFILE": "dns"},
                          zones=[zone.id])
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert api.count("AssumeRole") == 1


def test_web_identity(api, zone, without_keys, folder):
    api.sts.roles[ROLE] = Role(web_tokens={"eyJ.one"})
    token = folder("token", "eyJ.one\n")
    daemon = without_keys({"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": ROLE}, zones=[zone.id])
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    said = daemon.tail(10_000)
    assert "eyJ" not in said and all(api.keys[k].secret not in said for k in api.sts.issued)


def test_container(api, zone, without_keys, folder):
    container = Container(api.keys, token="Bearer x").start()
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.url + container.path,
           "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": folder("token", "Bearer-not\n")}
    daemon = without_keys(env, zones=[zone.id], ready=False)
    net.wait_for(lambda: daemon.log("container credentials: status 401"), 8, "the refusal is told")
    folder("token", "Bearer x\n")
    net.wait_for(lambda: daemon.http("/readyz")[0] == 200, 15, "ready with the right token")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    container.stop()


def test_program(api, zone, without_keys, folder):
    secret = api.keys["AKIDEXAMPLE"].secret
    program = folder("program", "#!/bin/sh\n[ \"$1 $2\" = 'a b c' ] && echo '{\"Version\": 1, \"AccessKeyId\": "
                     f"\"AKIDEXAMPLE\", \"SecretAccessKey\": \"{secret}\"}}'\n", 0o700)
    config = folder("config", f"[default]\ncredential_process = {program} 'a b' c\n")
    daemon = without_keys({"AWS_CONFIG_FILE": config}, zones=[zone.id])
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert secret not in daemon.tail(10_000)


def test_program_that_hangs(api, zone, without_keys, folder):
    """Neither answers nor the end wait for it."""
    program = folder("program", "#!/bin/sh\nsleep 100\n", 0o700)
    config = folder("config", f"[default]\ncredential_process = {program}\n")
    daemon = without_keys({"AWS_CONFIG_FILE": config}, zones=[zone.id], ready=False)
    assert daemon.ask("localhost").data() == ["127.0.0.1"]
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 8


def test_a_role_for_each_account(api, zone, synced, vpc):
    """Zones of two accounts, each listed with its own credentials; one whose role is refused harms no other."""
    third = "arn:aws:iam::777788889999:role/horizond"
    api.sts.roles[ROLE] = Role(external_id="ext")
    there = api.world.add_zone("there.example.", vpcs=[("vpc-0a1b2c3d4e5f60718", "eu-west-1")],
                               owner={"OwningAccount": OTHER})
    there.put("www", "A", 60, ["10.0.0.2"])
    there.readers = {OTHER}
    zone.readers = {"111122223333"}
    lost = api.world.add_zone("lost.example.", vpcs=[("vpc-0a1b2c3d4e5f60718", "eu-west-1")],
                              owner={"OwningAccount": "777788889999"})
    lost.readers = {"777788889999"}
    daemon = synced(vpc="vpc-0a1b2c3d4e5f60718", ready=False, roles=[
        {"role_arn": ROLE, "external_id": "ext", "accounts": [OTHER]},
        {"role_arn": third, "zones": [lost.id]}])
    daemon.wait_answer("www.there.example", "A", ["10.0.0.2"], 10)
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.1"], 10)
    net.wait_for(lambda: daemon.log(f"{lost.id}.*not authorized to assume"), 8, "the refused role is told")
    there.put("www", "A", 60, ["10.0.0.3"])
    daemon.wait_answer("www.there.example", "A", ["10.0.0.3"], 10)
    assert api.count("AssumeRole", RoleArn=ROLE) == 1, "kept, not asked for at each look"


def test_role_renewed_and_lost(api, zone, synced):
    """Short sessions are renewed in time; when STS goes away the old ones serve on, then the zone as last seen."""
    api.expect_bad_signatures = True
    api.sts.roles[ROLE] = Role(life=4.0)
    zone.readers = {OTHER}
    daemon = synced(zones=[zone.id], roles=[{"role_arn": ROLE, "zones": [zone.id]}])
    net.wait_for(lambda: len({c.key_id for c in api.calls if c.operation == "ListResourceRecordSets"}) >= 2, 15,
                 "new credentials are used")
    api.faults.add(operation="AssumeRole", status=503)
    net.wait_for(lambda: daemon.log("not renewed, going on with the old ones"), 40, "renewal fails, told")
    net.wait_for(lambda: daemon.log("have expired and cannot be renewed"), 40, "their end is told")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


def test_clock_an_hour_off(api, zone, synced):
    """Credentials that the service calls expired since its clock is an hour ahead: theirs is the time to go by."""
    api.expect_bad_signatures = True
    api.clock_offset = 3600.0
    api.faults.add(code="ExpiredToken", status=403, times=1)
    daemon = synced(zones=[zone.id], ready=False)
    net.wait_for(lambda: daemon.http("/readyz")[0] == 200, 12, "ready in spite of the clock")
    assert daemon.log("our clock is 3\\d+ s behind the service's")
    assert len(api.bad_signatures) <= 2


def test_api_host_by_the_vpc_resolver(api, zone, synced, vpc):
    """The system's resolver may be ourselves: the API's names are asked of the VPC resolver alone."""
    vpc.on("route53.private.example", "A", answer("@ 60 A 127.0.0.1"))
    daemon = synced(zones=[zone.id], endpoint=f"http://route53.private.example:{api.port}")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert vpc.count("route53.private.example") >= 1


@pytest.mark.parametrize("how", ["denied", "expired", "missing"])
def test_credentials_that_are_lost(api, zone, synced, how):
    """What is served stays; the reason is told once; it goes on when they are back."""
    api.expect_bad_signatures = True
    daemon = synced(zones=[zone.id])
    fault = {"denied": {"code": "AccessDenied", "status": 403}, "expired": {"code": "ExpiredToken", "status": 403},
             "missing": {"code": "MissingAuthenticationToken", "status": 403}}[how]
    api.faults.add(operation="ListResourceRecordSets", message="no", **fault)
    net.wait_for(lambda: daemon.log(f"{zone.id}.*{fault['code']}"), 8, "the reason is told")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    api.faults.clear()
    zone.put("www", "A", 60, ["10.0.0.9"])
    daemon.ctl("sync", code=None)
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.9"], 15)
