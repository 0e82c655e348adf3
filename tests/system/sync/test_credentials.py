"""Signatures and credentials: environment, instance metadata, renewal, what must not happen (T32, T33, T36)."""

from __future__ import annotations

import time

import net
import pytest
from standin import Key


@pytest.fixture
def from_metadata(launch, api, vpc, metadata, zone):
    """A daemon that has its credentials from instance metadata alone."""
    def make(ready: bool = True, **route53):
        env = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_ENDPOINT_URL_ROUTE_53": api.url,
               "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
        settings = {"interval": 1, "min_interval": 1, "rate": 20.0, "vpc": "", "zones": [zone.id], **route53}
        return launch({"route53": settings, "vpc_resolver": [vpc.target]}, env, ready=ready)
    return make


def test_session_token(api, zone, synced):
    """Temporary credentials from the environment, with characters that need care."""
    api.keys["ASIATEMP"] = Key("s/e+c=r et", "tok/en+with=all/==", time.time() + 600)
    daemon = synced(zones=[zone.id], env={"AWS_ACCESS_KEY_ID": "ASIATEMP",
                                          "AWS_SECRET_ACCESS_KEY": "s/e+c=r et",
                                          "AWS_SESSION_TOKEN": "tok/en+with=all/=="})
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert {c.key_id for c in api.calls} == {"ASIATEMP"}


def test_from_metadata(api, from_metadata, metadata):
    daemon = from_metadata()
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]
    assert {c.key_id for c in api.calls} == {metadata.issued[0]}
    assert metadata.seen[0].method == "PUT" and metadata.seen[0].path == "/latest/api/token"
    assert all(s.token for s in metadata.seen if s.method == "GET"), "IMDSv2 only"


def test_renewed_before_they_expire(api, from_metadata, metadata):
    """Credentials that end within seconds: others are used in time, and no call is made with expired ones."""
    metadata.life, metadata.renew = 8.0, 9.0  # each time new ones
    daemon = from_metadata()
    net.wait_for(lambda: len({c.key_id for c in api.calls}) >= 2, 50, "new credentials are used", every=0.2)
    assert not [c for c in api.calls if c.code]
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


@pytest.mark.parametrize("token_lost", [False, True])
def test_rejected_credentials_are_renewed_once(api, from_metadata, metadata, zone, token_lost):
    """ExpiredToken in spite of the date: new ones are fetched, once a call, not in a loop; also when metadata
    does not know our session any more (401)."""
    daemon = from_metadata(interval=3600, min_interval=5)
    api.expect_bad_signatures = True
    for key_id in list(metadata.issued):
        api.keys[key_id].expires = time.time() - 1
    metadata.renew = metadata.life + 1
    if token_lost:
        metadata.forget_tokens()
    zone.put("www", "A", 60, ["10.0.0.2"])
    daemon.ctl("sync", code=None)
    daemon.wait_answer("www.corp.example", "A", ["10.0.0.2"], 8)
    assert len([c for c in api.calls if c.code == "ExpiredToken"]) <= 2


@pytest.mark.parametrize("trouble", ["silent", "500", "failed", "rubbish", "redirect"])
def test_metadata_in_trouble(api, from_metadata, metadata, trouble):
    """Not ready without credentials, but answering; ready once they come. A redirect is not followed."""
    role = "/latest/meta-data/iam/security-credentials/horizon-role"
    fault = {
        "silent": {"operation": "/latest/api/token", "delay": 30.0},
        "500": {"operation": role, "status": 500},
        "failed": {"operation": role, "body": b'{"Code": "AssumeRoleUnauthorizedAccess", "Message": "no"}'},
        "rubbish": {"operation": role, "body": b"<html>hello</html>"},
        "redirect": {"operation": role, "status": 302, "headers": {"Location": "/latest/meta-data/elsewhere"}},
    }[trouble]
    metadata.faults.add(**fault)
    daemon = from_metadata(ready=False)
    net.wait_for(lambda: metadata.seen or trouble == "silent", 5, "metadata is asked")
    time.sleep(0.5)
    assert daemon.ask("localhost").data() == ["127.0.0.1"]
    assert daemon.http("/readyz")[0] == 503
    assert not [s for s in metadata.seen if s.path.endswith("elsewhere")]
    metadata.faults.clear()

    def ready():
        daemon.ctl("sync", code=None)
        return daemon.http("/readyz")[0] == 200
    net.wait_for(ready, 25, "ready", every=0.5)


def test_clock_is_wrong(api, zone, synced):
    """Our clock is 20 minutes behind the API's: its Date header puts us right."""
    api.expect_bad_signatures = True
    api.clock_offset = 1200.0
    daemon = synced(zones=[zone.id], ready=False)
    net.wait_for(lambda: daemon.http("/readyz")[0] == 200, 12, "ready in spite of the clock")
    assert daemon.ask("www.corp.example").data() == ["10.0.0.1"]


def test_wrong_secret(api, zone, synced):
    """Refused for good: told in the log, and not asked in a loop."""
    api.expect_bad_signatures = True
    daemon = synced(zones=[zone.id], ready=False, env={"AWS_SECRET_ACCESS_KEY": "wrong"})
    net.wait_for(lambda: daemon.log("SignatureDoesNotMatch"), 5, "a line in the log")
    time.sleep(2)
    assert len(api.calls) < 20


def test_no_secret_is_told(api, zone, synced):
    """Neither keys nor tokens appear in the log, in status or in metrics (T36)."""
    api.keys["ASIATEMP"] = Key("SECRETSECRET", "TOKENTOKEN", time.time() + 600)
    daemon = synced(zones=[zone.id], env={"AWS_ACCESS_KEY_ID": "ASIATEMP", "AWS_SECRET_ACCESS_KEY": "SECRETSECRET",
                                          "AWS_SESSION_TOKEN": "TOKENTOKEN"})
    daemon.ctl("log", "debug", code=None)
    api.faults.add(code="AccessDenied", status=403, times=1)
    daemon.ctl("sync", code=None)
    time.sleep(1)
    said = daemon.tail(10_000) + daemon.ctl("status") + daemon.ctl("zones") + daemon.http("/metrics")[1]
    assert "SECRETSECRET" not in said and "TOKENTOKEN" not in said


def test_https_and_its_certificate(launch, vpc, tmp_path):
    """TLS is verified: a certificate that AWS_CA_BUNDLE does not vouch for is refused (T33)."""
    import ssl
    import subprocess
    from standin import Standin, World
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=stand-in", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    api = Standin(World(), tls=context).start()
    zone = api.world.add_zone("corp.example.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    settings = {"route53": {"vpc": "", "zones": [zone.id], "region": "eu-west-1"}, "vpc_resolver": [vpc.target]}
    daemon = launch(settings, api.environment(), ready=False)
    net.wait_for(lambda: daemon.log("(?i)certificate|ssl|tls"), 8, "a line about the certificate")
    assert not api.calls and daemon.http("/readyz")[0] == 503
    daemon.stop()
    trusting = launch(settings, {**api.environment(), "AWS_CA_BUNDLE": str(cert)})
    assert trusting.ask("www.corp.example").data() == ["10.0.0.1"]
    api.stop()
