"""Instance metadata (IMDSv2): tokens, the role's credentials, where we are."""

from __future__ import annotations

import json
import secrets
import threading
import time
from dataclasses import dataclass

from .ec2 import Instance
from .faults import Fault, Faults
from .http import HttpServer, Reply, Request
from .signing import Key

TOKEN_PATH = "/latest/api/token"
META = "/latest/meta-data/"
ROLE_PATH = META + "iam/security-credentials/"
MAC = "0e:49:61:0f:c3:11"


@dataclass
class Seen:
    method: str
    path: str
    token: str
    status: int
    at: float


class Metadata(HttpServer):
    """`paths` maps what follows /latest/ to text. Credentials are handed out from `issue`."""

    def __init__(self, region: str = "eu-west-1", vpc: str = "vpc-0a1b2c3d4e5f60718",
                 cidrs: tuple[str, ...] = ("10.0.0.0/16",), address: str = "127.0.0.1", port: int = 0):
        super().__init__(address, port)
        self.faults = Faults()
        self.role = "horizon-role"
        self.account = "111122223333"
        self.life = 6 * 3600.0  # of credentials, seconds
        self.renew = 0.0  # hand out new ones once the last have less than this left; 0: never early
        self.keys: dict[str, Key] | None = None  # where issued keys are made known (Standin.keys)
        self.seen: list[Seen] = []
        self.issued: list[str] = []
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()
        self._last: tuple[str, Key] | None = None
        base = f"network/interfaces/macs/{MAC}/"
        self.paths = {
            "mac": MAC, "instance-id": "i-0123456789abcdef0", "local-ipv4": "10.0.0.4",
            "placement/region": region, "placement/availability-zone": region + "a",
            "services/partition": "aws", "services/domain": "amazonaws.com",
            "network/interfaces/macs/": MAC + "/", base + "vpc-id": vpc,
            base + "vpc-ipv4-cidr-block": cidrs[0], base + "vpc-ipv4-cidr-blocks": "\n".join(cidrs),
            base + "local-ipv4s": "10.0.0.4", base + "device-number": "0",
        }

    def become(self, instance: Instance, number: int = 0) -> None:
        """From now on the metadata of that instance; tags are there as if instance tags were switched on."""
        mac = f"0e:49:61:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        base = f"network/interfaces/macs/{mac}/"
        old = {key.rpartition("/")[2]: value for key, value in self.paths.items()
               if key.startswith("network/interfaces/macs/")}
        self.account = instance.account
        self.paths = {
            "instance-id": instance.id, "instance-type": instance.type, "mac": mac,
            "hostname": f"ip-{instance.private.replace('.', '-')}.{instance.region}.compute.internal",
            "local-hostname": f"ip-{instance.private.replace('.', '-')}.{instance.region}.compute.internal",
            "local-ipv4": instance.private, "public-ipv4": instance.public, "ipv6": instance.ipv6,
            "placement/region": instance.region, "placement/availability-zone": instance.az,
            "services/partition": "aws", "services/domain": "amazonaws.com",
            "network/interfaces/macs/": mac + "/", base + "vpc-id": instance.vpc,
            base + "local-ipv4s": "\n".join([instance.private, *instance.secondary]),
            base + "public-ipv4s": instance.public, base + "ipv6s": instance.ipv6,
            base + "subnet-id": instance.subnet, base + "interface-id": "eni-" + instance.id[2:],
            base + "device-number": "0", base + "owner-id": instance.account,
            **{base + key: old[key] for key in old if key.startswith("vpc-ipv4-cidr")},
            **{f"tags/instance/{key}": value for key, value in instance.tags.items()},
        }
        self.paths = {key: value for key, value in self.paths.items() if value}

    def forget_tokens(self) -> None:
        """As after a restart of the service: every token is unknown now."""
        with self._lock:
            self._tokens.clear()

    def issue(self) -> tuple[str, Key]:
        """A new pair of keys, made known to the API's stand-in."""
        key_id = "ASIA" + secrets.token_hex(8).upper()
        key = Key(secrets.token_urlsafe(30), "token/" + secrets.token_urlsafe(60) + "==",
                  time.time() + self.life, account=self.account,
                  arn=f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.paths['instance-id']}")
        if self.keys is not None:
            self.keys[key_id] = key
        self.issued.append(key_id)
        self._last = (key_id, key)
        return key_id, key

    def handle(self, request: Request) -> tuple[Reply, Fault | None]:
        path = request.target.split("?")[0]
        fault = self.faults.take(path, {"method": request.method})
        token = request.header("X-aws-ec2-metadata-token") or ""
        self.wait_delay(fault)
        if fault is not None and (fault.status or fault.body is not None):
            reply = Reply(fault.status or 200, fault.body or b"", "text/plain", dict(fault.headers))
        elif path == TOKEN_PATH:
            reply = self._token(request)
        else:
            reply = self._get(request, path, token)
        with self._lock:
            self.seen.append(Seen(request.method, path, token, reply.status, time.monotonic()))
        return reply, fault

    def _token(self, request: Request) -> Reply:
        if request.method != "PUT":
            return Reply(405)
        if request.header("X-Forwarded-For") is not None:
            return Reply(403)
        life = request.header("X-aws-ec2-metadata-token-ttl-seconds") or ""
        if not life.isdigit() or not 1 <= int(life) <= 21600:
            return Reply(400)
        token = secrets.token_urlsafe(40) + "=="
        with self._lock:
            self._tokens[token] = time.monotonic() + int(life)
        return Reply(200, token.encode(), "text/plain",
                     {"X-aws-ec2-metadata-token-ttl-seconds": life})

    def _get(self, request: Request, path: str, token: str) -> Reply:
        if request.method != "GET":
            return Reply(405)
        with self._lock:
            if self._tokens.get(token, 0.0) <= time.monotonic():
                return Reply(401)
        if path == "/latest/dynamic/instance-identity/document":
            return _text(json.dumps({"region": self.paths["placement/region"],
                                     "accountId": self.account,
                                     "privateIp": self.paths.get("local-ipv4"),
                                     "availabilityZone": self.paths["placement/availability-zone"],
                                     "instanceType": self.paths.get("instance-type", "t4g.nano"),
                                     "instanceId": self.paths["instance-id"]}))
        if path.startswith(ROLE_PATH):
            return self._credentials(path.removeprefix(ROLE_PATH))
        if path == META + "iam/info" and self.role:
            return _text(json.dumps({"Code": "Success", "InstanceProfileArn":
                                     f"arn:aws:iam::{self.account}:instance-profile/{self.role}"}))
        wanted = path.removeprefix(META)
        found = self.paths.get(wanted) if path.startswith(META) else None
        if found is None and path.startswith(META):
            found = self._folder(wanted.rstrip("/") + "/")
        return _text(found) if found is not None else Reply(404)

    def _folder(self, folder: str) -> str | None:
        """What lies in it, a name a line; folders end in a slash."""
        names = {rest.split("/")[0] + ("/" if "/" in rest else "") for path in self.paths
                 if path.startswith(folder) and (rest := path.removeprefix(folder))}
        return "\n".join(sorted(names)) if names else None

    def _credentials(self, role: str) -> Reply:
        if not self.role or role not in ("", self.role):
            return Reply(404)
        if not role:
            return _text(self.role)
        with self._lock:
            last = self._last
        if last is None or last[1].expires - time.time() < self.renew or last[1].expires <= time.time():
            last = self.issue()
        key_id, key = last
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        return _text(json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key_id,
            "SecretAccessKey": key.secret, "Token": key.token,
            "LastUpdated": time.strftime(stamp, time.gmtime()),
            "Expiration": time.strftime(stamp, time.gmtime(key.expires))}))


def _text(text: str) -> Reply:
    return Reply(200, text.encode(), "text/plain")
