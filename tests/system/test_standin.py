"""The Route 53 and metadata stand-ins, against botocore's own client."""

from __future__ import annotations

import http.client
import json
import time

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from botocore.utils import InstanceMetadataFetcher
from standin import Key, Metadata, Standin, World
from standin.names import escape, order

VPC = ("vpc-0a1b2c3d4e5f60718", "eu-west-1")


@pytest.fixture
def api():
    server = Standin(World()).start()
    yield server
    server.stop()


def client_of(api: Standin, key_id: str = "AKIDEXAMPLE", secret: str = "", attempts: int = 1,
              **more):
    key = api.keys.get(key_id, Key("unknown"))
    return botocore.session.get_session().create_client(
        "route53", region_name="us-east-1", endpoint_url=api.url, aws_access_key_id=key_id,
        aws_secret_access_key=secret or key.secret, aws_session_token=key.token or None,
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=3,
                      connect_timeout=3), **more)


def refused(call, *args, **kwargs) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def big_zone(api: Standin, count: int):
    zone = api.world.add_zone("corp.example.", vpcs=[VPC])
    for i in range(count):
        zone.put(f"h{i}", "A", 60, [f"10.0.{i // 256}.{i % 256}"])
    return zone


def test_pages_equal_the_model(api):
    zone = big_zone(api, 640)
    for blue in ("blue", "green", "red"):
        zone.put("w", "A", 60, ["10.9.9.9"], SetIdentifier=blue, Weight=1)
    pages = client_of(api).get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
    listed = [s for page in pages for s in page["ResourceRecordSets"]]
    assert listed == [zone.sets[key] for key in zone.listing()]
    assert len(listed) == 640 + 3 + 2
    assert api.count("ListResourceRecordSets") == 3
    assert not api.bad_signatures


def test_page_boundary_between_members_of_one_set(api):
    zone = api.world.add_zone("corp.example.")
    for i in range(7):
        zone.put("w", "A", 60, [f"10.0.0.{i}"], SetIdentifier=f"id {i}/+=", Weight=i)
    api.service.page_sets = 3
    client = client_of(api)
    first = client.list_resource_record_sets(HostedZoneId=zone.id)
    assert first["IsTruncated"] and first["NextRecordIdentifier"] == "id 1/+="
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
    assert [s.get("Weight") for p in pages for s in p["ResourceRecordSets"]] == [None, None, *range(7)]
    assert not api.bad_signatures


def test_names_and_order(api):
    assert escape("*.Corp.Example") == "\\052.corp.example."
    assert escape("0/24.corp.example.") == "0\\05724.corp.example."
    assert escape("a\\056b._tcp.x") == "a\\056b._tcp.x."
    # '-' sorts before '.', so a-b.example. comes before the children of a.example.
    names = sorted(["a.example.", "x.a.example.", "a-b.example.", "b.example."], key=order)
    assert names == ["a-b.example.", "a.example.", "x.a.example.", "b.example."]


def test_start_positions(api):
    zone = api.world.add_zone("corp.example.")
    zone.put("b", "A", 60, ["10.0.0.1"])
    zone.put("b", "TXT", 60, ['"x"'])
    zone.put("*.d", "A", 60, ["10.0.0.2"])
    client = client_of(api)

    def first(**start):
        sets = client.list_resource_record_sets(HostedZoneId=zone.id, **start)["ResourceRecordSets"]
        return (sets[0]["Name"], sets[0]["Type"]) if sets else None

    assert first() == ("corp.example.", "NS")
    assert first(StartRecordName="b.corp.example") == ("b.corp.example.", "A")
    assert first(StartRecordName="b.corp.example", StartRecordType="CAA") == ("b.corp.example.", "TXT")
    assert first(StartRecordName="c.corp.example") == ("\\052.d.corp.example.", "A")
    assert first(StartRecordName="\\052.d.corp.example.", StartRecordType="A") == ("\\052.d.corp.example.", "A")
    assert first(StartRecordName="z.corp.example") is None
    list_sets = client.list_resource_record_sets
    assert refused(list_sets, HostedZoneId=zone.id, StartRecordType="A") == ("InvalidInput", 400)
    assert refused(list_sets, HostedZoneId=zone.id, StartRecordName="b.corp.example.",
                   StartRecordIdentifier="x") == ("InvalidInput", 400)
    assert refused(list_sets, HostedZoneId="Z0NONE") == ("NoSuchHostedZone", 404)
    assert not api.bad_signatures


def test_zones_by_vpc(api):
    ids = [api.world.add_zone(f"z{i}.example.", vpcs=[VPC]).id for i in range(5)]
    api.world.add_zone("other.example.", vpcs=[("vpc-other", "eu-west-1")])
    api.world.add_zone("efs.example.", zone_id="Z9EFS", vpcs=[VPC],
                       owner={"OwningService": "efs.amazonaws.com"}).denied = True
    api.service.page_zones = 2
    client = client_of(api)
    got, token = [], {}
    while True:
        page = client.list_hosted_zones_by_vpc(VPCId=VPC[0], VPCRegion=VPC[1], **token)
        got += page["HostedZoneSummaries"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [z["HostedZoneId"] for z in got] == [*ids, "Z9EFS"]
    assert got[-1]["Owner"] == {"OwningService": "efs.amazonaws.com"}
    assert refused(client.list_hosted_zones_by_vpc, VPCId=VPC[0], VPCRegion=VPC[1],
                   NextToken="rubbish") == ("InvalidPaginationToken", 400)
    assert refused(client.list_resource_record_sets, HostedZoneId="Z9EFS") == ("AccessDenied", 403)


def test_zone_lists(api):
    private = api.world.add_zone("p.example.", vpcs=[VPC])
    public = api.world.add_zone("a.example.", private=False)
    client = client_of(api)
    got = client.get_hosted_zone(Id=private.id)
    assert got["HostedZone"]["Id"] == f"/hostedzone/{private.id}"
    assert got["HostedZone"]["Config"]["PrivateZone"] and got["HostedZone"]["ResourceRecordSetCount"] == 2
    assert got["VPCs"] == [{"VPCRegion": VPC[1], "VPCId": VPC[0]}]
    assert "DelegationSet" in client.get_hosted_zone(Id=public.id)
    names = [z["Name"] for z in client.list_hosted_zones()["HostedZones"]]
    assert sorted(names) == ["a.example.", "p.example."]
    by_name = client.list_hosted_zones_by_name(DNSName="b.example")["HostedZones"]
    assert [z["Name"] for z in by_name] == ["p.example."]
    limit = client.get_hosted_zone_limit(Type="MAX_RRSETS_BY_ZONE", HostedZoneId=private.id)
    assert limit["Count"] == 2


def change(action: str, name: str, rtype: str = "A", values=("10.0.0.1",), ttl: int = 60, **more) -> dict:
    record_set = {"Name": name, "Type": rtype, "TTL": ttl, **more,
                  "ResourceRecords": [{"Value": v} for v in values]}
    return {"Action": action, "ResourceRecordSet": record_set}


def test_changes(api):
    zone = api.world.add_zone("corp.example.")
    client = client_of(api)

    def apply(*changes):
        return client.change_resource_record_sets(HostedZoneId=zone.id,
                                                  ChangeBatch={"Comment": "c", "Changes": list(changes)})

    info = apply(change("CREATE", "a.corp.example"), change("UPSERT", "*.b.corp.example."))["ChangeInfo"]
    assert info["Status"] == "PENDING" and info["Id"].startswith("/change/C")
    assert client.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert ("\\052.b.corp.example.", "A", "") in zone.sets

    before = dict(zone.sets)
    bad = ("InvalidChangeBatch", 400)
    # The second change is bad, so the first must not happen.
    assert refused(apply, change("CREATE", "new.corp.example"), change("CREATE", "a.corp.example")) == bad
    assert refused(apply, change("DELETE", "none.corp.example")) == bad
    assert refused(apply, change("DELETE", "a.corp.example", values=["10.0.0.2"])) == bad
    assert refused(apply, change("DELETE", "a.corp.example"), change("DELETE", "a.corp.example")) == bad
    assert refused(apply, change("CREATE", "a.corp.example", "CNAME", ["x.example."])) == bad
    assert refused(apply, change("CREATE", "a.other.example")) == bad
    assert refused(apply, change("CREATE", "a.corp.example", SetIdentifier="x", Weight=1)) == bad
    assert refused(apply, change("UPSERT", "t.corp.example", "TXT", ['"x"'] * 501)) == bad
    assert zone.sets == before
    apply(change("DELETE", "a.corp.example"), change("CREATE", "a.corp.example", "CNAME", ["x.example."]))
    assert ("a.corp.example.", "A", "") not in zone.sets
    assert ("a.corp.example.", "CNAME", "") in zone.sets
    assert refused(client.get_change, Id="C0NONE") == ("NoSuchChange", 404)
    assert not api.bad_signatures


def test_schema_order_on_demand(api):
    zone = api.world.add_zone("corp.example.")
    good = change("UPSERT", "a.corp.example")
    bad = change("UPSERT", "b.corp.example")
    bad["ResourceRecordSet"] = dict(reversed(bad["ResourceRecordSet"].items()))
    call = client_of(api).change_resource_record_sets
    call(HostedZoneId=zone.id, ChangeBatch={"Changes": [good, bad]})
    api.protocol.strict_order = True
    call(HostedZoneId=zone.id, ChangeBatch={"Changes": [good]})
    assert refused(call, HostedZoneId=zone.id, ChangeBatch={"Changes": [bad]}) == ("MalformedXML", 400)


def test_bad_signatures_are_refused(api):
    zone = api.world.add_zone("corp.example.")
    list_sets = client_of(api, secret="wrong").list_resource_record_sets
    assert refused(list_sets, HostedZoneId=zone.id) == ("SignatureDoesNotMatch", 403)
    list_sets = client_of(api, key_id="AKIDUNKNOWN").list_resource_record_sets
    assert refused(list_sets, HostedZoneId=zone.id) == ("InvalidClientTokenId", 403)
    api.keys["ASIAOLD"] = Key("secret", "token", time.time() - 1)
    list_sets = client_of(api, key_id="ASIAOLD").list_resource_record_sets
    assert refused(list_sets, HostedZoneId=zone.id) == ("ExpiredToken", 403)
    api.clock_offset = 301.0
    assert refused(client_of(api).list_hosted_zones) == ("SignatureDoesNotMatch", 403)
    assert len(api.bad_signatures) == 4
    api.clock_offset = 290.0
    client_of(api).list_hosted_zones()


def test_session_token_is_checked(api):
    api.keys["ASIATEMP"] = Key("secret", "tok/en+==", time.time() + 60)
    client_of(api, key_id="ASIATEMP").list_hosted_zones()
    api.keys["ASIATEMP"].token = "another"
    client = botocore.session.get_session().create_client(
        "route53", region_name="us-east-1", endpoint_url=api.url, aws_access_key_id="ASIATEMP",
        aws_secret_access_key="secret", aws_session_token="tok/en+==")
    assert refused(client.list_hosted_zones) == ("InvalidClientTokenId", 403)


def raw(api: Standin, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(api.address, api.port, timeout=3)
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


def test_what_must_be_signed(api):
    """A header added on the way, or a query changed, breaks it."""
    zone = api.world.add_zone("corp.example.")
    seen = {}

    def keep(request, **kwargs):
        seen.update(url=request.url, headers={k: v.decode() if isinstance(v, bytes) else v
                                              for k, v in request.headers.items()})

    client = client_of(api)
    client.meta.events.register("before-send.route53", keep)
    client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordName="*.corp.example.")
    target, headers = seen["url"].removeprefix(api.url), seen["headers"]
    assert raw(api, target, headers)[0] == 200
    # The same octets otherwise encoded are the same request; another value is not.
    assert raw(api, target.replace("%2A", "*"), headers)[0] == 200
    assert b"SignatureDoesNotMatch" in raw(api, target + "&maxitems=1", headers)[1]
    assert b"must be signed" in raw(api, target, {**headers, "x-amz-other": "1"})[1]
    assert b"MissingAuthenticationToken" in raw(api, target, {})[1]
    late = {**headers, "X-Amz-Date": "20200101T000000Z"}
    assert raw(api, target, late)[0] == 403


def test_throttling(api):
    api.world.add_zone("corp.example.")
    api.throttle(5)
    client = client_of(api)
    codes = []
    for _ in range(12):
        try:
            client.list_hosted_zones()
            codes.append("ok")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
            assert error.response["Error"]["Message"] == "Rate exceeded"
    assert 5 <= codes.count("ok") <= 7 and set(codes) == {"ok", "Throttling"}
    # botocore knows the code as one to try again.
    assert client_of(api, attempts=5).list_hosted_zones()["HostedZones"]


@pytest.mark.parametrize("shape, code", [("error", "AccessDenied"), ("messages", "InvalidChangeBatch"),
                                         ("bare", "InvalidSignatureException")])
def test_error_shapes(api, shape, code):
    api.faults.add(code=code, shape=shape, status=400)
    with pytest.raises(ClientError) as caught:
        client_of(api).list_hosted_zones()
    # botocore itself reads the first shape only: the others are there for those who read all.
    assert caught.value.response["Error"]["Code"] == (code if shape == "error" else "")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    status, body = raw(api, "/2013-04-01/hostedzone", {})
    assert status == 400 and code.encode() in body and b"made to order" in body


def test_faults(api):
    zone = big_zone(api, 50)
    client = client_of(api)
    cut = api.faults.add(operation="ListResourceRecordSets", cut=500, times=1)
    with pytest.raises(HTTPClientError):
        client.list_resource_record_sets(HostedZoneId=zone.id)
    assert cut.hits == 1
    assert len(client.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]) == 52
    api.faults.add(operation="GetHostedZone", delay=0.3, times=1)
    began = time.monotonic()
    client.get_hosted_zone(Id=zone.id)
    assert time.monotonic() - began >= 0.3
    # The trap of T35: botocore takes a portal's page for an empty listing.
    api.faults.add(body=b"<html><body>Sign in</body></html>", content_type="text/html", times=1)
    assert not client.list_resource_record_sets(HostedZoneId=zone.id).get("ResourceRecordSets")
    api.faults.add(edit=lambda body: body.replace(b"h1.", b"g1."), times=1)
    names = [s["Name"] for s in client.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]]
    assert "g1.corp.example." in names and "h1.corp.example." not in names
    api.faults.add(status=503, after=1, times=1)
    client.list_hosted_zones()
    assert refused(client.list_hosted_zones)[1] == 503
    api.stop()
    with pytest.raises((EndpointConnectionError, HTTPClientError)):
        client.list_hosted_zones()
    api.start()
    client.list_hosted_zones()


def test_control_path(api):
    api.world.add_zone("corp.example.")
    connection = http.client.HTTPConnection(api.address, api.port)
    connection.request("POST", "/_standin/faults", json.dumps({"status": 500, "times": 1}))
    assert connection.getresponse().read().strip() == b"{}"
    client = client_of(api)
    assert refused(client.list_hosted_zones)[1] == 500
    client.list_hosted_zones()
    connection.request("GET", "/_standin/calls")
    calls = json.loads(connection.getresponse().read())
    assert [call["status"] for call in calls] == [500, 200]


def fetch_credentials(metadata: Metadata) -> dict:
    config = {"ec2_metadata_service_endpoint": metadata.url + "/"}
    fetcher = InstanceMetadataFetcher(timeout=2, num_attempts=1, config=config)
    return fetcher.retrieve_iam_role_credentials()


def test_metadata_hands_out_credentials_that_work(api):
    metadata = Metadata()
    metadata.keys = api.keys
    metadata.start()
    got = fetch_credentials(metadata)
    assert got["role_name"] == "horizon-role" and got["access_key"] == metadata.issued[0]
    client_of(api, key_id=got["access_key"]).list_hosted_zones()
    assert fetch_credentials(metadata)["access_key"] == got["access_key"]
    metadata.renew = metadata.life + 1
    assert fetch_credentials(metadata)["access_key"] != got["access_key"]
    metadata.role = ""
    assert fetch_credentials(metadata) == {}
    metadata.stop()


def test_metadata_wants_a_token():
    metadata = Metadata(cidrs=("10.0.0.0/16", "10.1.0.0/16")).start()
    connection = http.client.HTTPConnection(metadata.address, metadata.port)

    def ask(method: str, path: str, **headers) -> tuple[int, str]:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.read().decode()

    meta = "/latest/meta-data/"
    assert ask("GET", meta + "mac")[0] == 401
    assert ask("PUT", "/latest/api/token")[0] == 400
    life = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
    assert ask("PUT", "/latest/api/token", X_Forwarded_For="10.0.0.1", **life)[0] == 403
    status, token = ask("PUT", "/latest/api/token", **life)
    assert status == 200
    with_token = {"X_aws_ec2_metadata_token": token}
    mac = ask("GET", meta + "mac", **with_token)[1]
    assert ask("GET", f"{meta}network/interfaces/macs/{mac}/vpc-id", **with_token)[1].startswith("vpc-")
    blocks = ask("GET", f"{meta}network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks", **with_token)[1]
    assert blocks.split() == ["10.0.0.0/16", "10.1.0.0/16"]
    assert ask("GET", meta + "nothing", **with_token)[0] == 404
    metadata.forget_tokens()
    assert ask("GET", meta + "mac", **with_token)[0] == 401
    metadata.stop()
