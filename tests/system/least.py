"""Is a policy the least? What can be taken from it without taking a right that was used."""

from __future__ import annotations

import copy
from typing import Iterator

from standin import Standin, iam, rights
from standin.caller import Caller
from standin.rights import Need

DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError")


def denied(api: Standin) -> list[str]:
    return [f"{call.service} {call.operation}" for call in api.calls if call.code in DENIED]


def used(api: Standin) -> list[Need]:
    """What all calls so far needed."""
    needs = []
    for call in api.calls:
        if not call.key_id:
            continue  # unsigned: no principal, no policy
        key = api.keys[call.key_id]
        needs += rights.needs(call.service, call.operation, call.params,
                              Caller(call.key_id, key.account, key.arn, call.region))
    return needs


def missing(policy: dict, needs: list[Need]) -> list[Need]:
    return [need for need in needs if not iam.allowed([policy], need.action, need.resource, need.context)]


def superfluous(policy: dict, needs: list[Need]) -> list[str]:
    """Whatever may go: statements, actions, resources, values of conditions."""
    return [what for what, smaller in _smaller(policy) if not missing(smaller, needs)]


def _smaller(policy: dict) -> Iterator[tuple[str, dict]]:
    for i, statement in enumerate(policy["Statement"]):
        sid = statement.get("Sid", str(i))
        less = copy.deepcopy(policy)
        del less["Statement"][i]
        yield sid, less
        for place, values in _lists(statement):
            for value in values if len(values) > 1 else ():
                less = copy.deepcopy(policy)
                _at(less["Statement"][i], place).remove(value)
                yield f"{sid} {'/'.join(place)} {value}", less


def _lists(statement: dict) -> Iterator[tuple[tuple[str, ...], list]]:
    for element in ("Action", "Resource"):
        yield (element,), statement[element]
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            if isinstance(values, list):
                yield ("Condition", operator, key), values


def _at(statement: dict, place: tuple[str, ...]) -> list:
    for part in place:
        statement = statement[part]
    return statement
