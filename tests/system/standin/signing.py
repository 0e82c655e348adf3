"""Checks a request's Signature Version 4 with botocore's own signer."""

from __future__ import annotations

import calendar
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .errors import ApiError

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;.-]+),\s*Signature=([0-9a-f]{64})$"
)


@dataclass
class Key:
    """A pair of keys that the stand-in accepts, and until when (seconds since 1970)."""

    secret: str
    token: str = ""
    expires: float = 0.0  # 0: never
    account: str = "111122223333"
    arn: str = "arn:aws:sts::111122223333:assumed-role/horizon-role/i-0123456789abcdef0"
    policies: list[dict] | None = None  # what its principal may do; None: everything


def check(method: str, target: str, headers: list[tuple[str, str]], body: bytes,
          keys: dict[str, Key], service: str, region: str, now: float | None = None) -> str:
    """Returns the access key id, or raises what the API would answer."""
    now = time.time() if now is None else now
    given = {name.lower(): value for name, value in headers}
    if "authorization" not in given:
        raise ApiError("MissingAuthenticationToken", "Missing Authentication Token")
    found = AUTHORIZATION.match(given["authorization"])
    if found is None:
        raise ApiError("IncompleteSignature", f"cannot read: {given['authorization']}")
    key_id, day, scope_region, scope_service, signed, signature = found.groups()
    _check_time(given, day, now)
    if (scope_region, scope_service) != (region, service):
        raise ApiError("SignatureDoesNotMatch", f"Credential should be scoped to {region}/{service}")
    _check_key(key_id, given, keys, now)
    names = signed.split(";")
    _check_signed(names, given)
    if hmac.compare_digest(_sign(method, target, headers, names, body, key_id, keys[key_id],
                                 service, region), signature):
        return key_id
    raise ApiError("SignatureDoesNotMatch", "The request signature we calculated does not match")


def _check_time(given: dict[str, str], day: str, now: float) -> None:
    date = given.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date):
        raise ApiError("IncompleteSignature", f"x-amz-date is {date!r}")
    if date[:8] != day:
        raise ApiError("SignatureDoesNotMatch", "Date in Credential scope does not match")
    signed_at = calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    here = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    if signed_at < now - 300:
        raise ApiError("SignatureDoesNotMatch",
                       f"Signature expired: {date} is now earlier than {here} (- 5 min.)")
    if signed_at > now + 300:
        raise ApiError("SignatureDoesNotMatch", f"Signature not yet current: {date}")


def _check_key(key_id: str, given: dict[str, str], keys: dict[str, Key], now: float) -> None:
    key = keys.get(key_id)
    if key is None or given.get("x-amz-security-token", "") != key.token:
        raise ApiError("InvalidClientTokenId", "The security token included in the request is invalid")
    if key.expires and key.expires <= now:
        raise ApiError("ExpiredToken", "The security token included in the request is expired")


def _check_signed(names: list[str], given: dict[str, str]) -> None:
    if names != sorted(set(names)):
        raise ApiError("SignatureDoesNotMatch", "SignedHeaders is not sorted")
    for name in names:
        if name not in given:
            raise ApiError("SignatureDoesNotMatch", f"signed but not sent: {name}")
    for name in given:
        if (name == "host" or name.startswith("x-amz-")) and name not in names:
            raise ApiError("SignatureDoesNotMatch", f"must be signed: {name}")


def _sign(method: str, target: str, headers: list[tuple[str, str]], names: list[str],
          body: bytes, key_id: str, key: Key, service: str, region: str) -> str:
    parts = urlsplit(target)
    request = AWSRequest(method=method, url=f"http://signed.invalid{parts.path}", data=body,
                         params=parse_qsl(parts.query, keep_blank_values=True))
    request.context["timestamp"] = dict((n.lower(), v) for n, v in headers)["x-amz-date"]
    for name, value in headers:
        if name.lower() in names:
            request.headers.add_header(name, value)
    auth = SigV4Auth(Credentials(key_id, key.secret, key.token or None), service, region)
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
