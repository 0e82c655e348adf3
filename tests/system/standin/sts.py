"""STS: roles, who may take them on, and the keys that come of it."""

from __future__ import annotations

import datetime
import re
import secrets
import time
from dataclasses import dataclass, field

from .caller import Caller
from .errors import ApiError
from .signing import Key


@dataclass
class Role:
    trusts: set[str] = field(default_factory=lambda: {"111122223333"})  # accounts
    external_id: str = ""
    web_tokens: set[str] = field(default_factory=set)  # identities that may take it on
    life: float = 0.0  # of its credentials, whatever is asked; 0: as asked


class Sts:
    UNSIGNED = {"AssumeRoleWithWebIdentity"}

    def __init__(self, keys: dict[str, Key]):
        self.keys = keys
        self.roles: dict[str, Role] = {}  # by ARN
        self.issued: list[str] = []

    def _issue(self, arn: str, session: str, life: float) -> dict:
        account, name = re.fullmatch(r"arn:[a-z-]+:iam::(\d{12}):role/(.+)", arn).groups()
        key_id = "ASIA" + secrets.token_hex(8).upper()
        key = Key(secrets.token_urlsafe(30), "sts/" + secrets.token_urlsafe(90) + "==", time.time() + life,
                  account, f"arn:aws:sts::{account}:assumed-role/{name.split('/')[-1]}/{session}")
        self.keys[key_id] = key
        self.issued.append(key_id)
        ends = datetime.datetime.fromtimestamp(int(key.expires), datetime.timezone.utc)
        return {"Credentials": {"AccessKeyId": key_id, "SecretAccessKey": key.secret,
                                "SessionToken": key.token, "Expiration": ends},
                "AssumedRoleUser": {"AssumedRoleId": f"AROAEXAMPLEEXAMPLE:{session}", "Arn": key.arn}}

    def _role(self, params: dict) -> tuple[Role, float]:
        role = self.roles.get(params["RoleArn"])
        if role is None:
            raise ApiError("AccessDenied", f"not authorized to assume {params['RoleArn']}", 403)
        return role, role.life or params.get("DurationSeconds", 3600)

    def AssumeRole(self, params: dict, caller: Caller) -> dict:
        role, life = self._role(params)
        if caller.account not in role.trusts or params.get("ExternalId", "") != role.external_id:
            raise ApiError("AccessDenied", f"User: {caller.arn} is not authorized to perform: "
                           f"sts:AssumeRole on resource: {params['RoleArn']}", 403)
        if caller.key_id in self.issued and life > 3600:
            raise ApiError("ValidationError", "The requested DurationSeconds exceeds the 1 hour session "
                           "limit for roles assumed by role chaining")
        return self._issue(params["RoleArn"], params["RoleSessionName"], life)

    def AssumeRoleWithWebIdentity(self, params: dict, caller: Caller) -> dict:
        role, life = self._role(params)
        if params["WebIdentityToken"] not in role.web_tokens:
            raise ApiError("InvalidIdentityToken", "The web identity token is not valid")
        return self._issue(params["RoleArn"], params["RoleSessionName"], life) | {
            "SubjectFromWebIdentityToken": "system:serviceaccount:dns:horizond"}

    def GetCallerIdentity(self, params: dict, caller: Caller) -> dict:
        return {"UserId": f"AROAEXAMPLEEXAMPLE:{caller.key_id}", "Account": caller.account,
                "Arn": caller.arn}
