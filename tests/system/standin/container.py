"""The endpoint that hands containers their role's credentials (ECS, EKS Pod Identity)."""

from __future__ import annotations

import json
import secrets
import time

from .faults import Fault, Faults
from .http import HttpServer, Reply, Request
from .signing import Key


class Container(HttpServer):
    def __init__(self, keys: dict[str, Key], token: str = "", address: str = "127.0.0.1", port: int = 0):
        super().__init__(address, port)
        self.keys = keys  # where issued ones are made known (Standin.keys)
        self.token = token  # that callers must bring; "": none
        self.path = "/v1/credentials"
        self.life = 6 * 3600.0
        self.account = "111122223333"
        self.faults = Faults()
        self.issued: list[str] = []
        self.asked = 0

    def handle(self, request: Request) -> tuple[Reply, Fault | None]:
        self.asked += 1
        fault = self.faults.take(request.target, {})
        self.wait_delay(fault)
        if fault is not None and (fault.status or fault.body is not None):
            return Reply(fault.status or 200, fault.body or b"", "application/json"), fault
        if request.method != "GET" or request.target != self.path:
            return _json({"code": "404", "message": "no such path"}, 404), fault
        if (request.header("Authorization") or "") != self.token:
            return _json({"code": "401", "message": "not your token"}, 401), fault
        key_id = "ASIA" + secrets.token_hex(8).upper()
        key = Key(secrets.token_urlsafe(30), "container/" + secrets.token_urlsafe(60) + "==",
                  time.time() + self.life, self.account,
                  f"arn:aws:sts::{self.account}:assumed-role/task-role/1")
        self.keys[key_id] = key
        self.issued.append(key_id)
        return _json({"RoleArn": f"arn:aws:iam::{self.account}:role/task-role", "AccessKeyId": key_id,
                      "SecretAccessKey": key.secret, "Token": key.token,
                      "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(key.expires))}), fault


def _json(value, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), "application/json")
