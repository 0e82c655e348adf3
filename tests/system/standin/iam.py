"""Identity policies judged as IAM judges them: what is not allowed is denied, and a Deny beats every Allow.

Anything in a policy that is not known here is an error, never a guess.
"""

from __future__ import annotations

import json
import re
from typing import Callable

ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
SIZE_MAX = 6144  # of a managed policy, white space not counted

Context = dict[str, "str | list[str]"]  # condition keys, small letters; a list: multivalued


class BadPolicy(Exception):
    """What IAM would refuse to store, or would store and never mean so."""


def allowed(policies: list[dict], action: str, resource: str, context: Context) -> bool:
    keys = {key.lower(): value for key, value in context.items()}
    effects = [statement["Effect"] for policy in policies for statement in statements(policy)
               if _applies(statement, action, resource, keys)]
    return "Allow" in effects and "Deny" not in effects


def statements(policy: dict) -> list[dict]:
    return _list(policy["Statement"])


def check(policy: dict) -> None:
    """Raises BadPolicy for what cannot be stored."""
    if set(policy) - {"Version", "Id", "Statement"} or policy.get("Version") != "2012-10-17":
        raise BadPolicy(f"version or elements: {sorted(policy)}")
    sids = [statement["Sid"] for statement in statements(policy) if "Sid" in statement]
    if len(sids) != len(set(sids)) or not all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids):
        raise BadPolicy(f"Sids: {sids}")
    for statement in statements(policy):
        _check_statement(statement)
    if len(re.sub(r"\s", "", json.dumps(policy))) > SIZE_MAX:
        raise BadPolicy("longer than a managed policy may be")


def _check_statement(statement: dict) -> None:
    if set(statement) - ELEMENTS or statement.get("Effect") not in ("Allow", "Deny"):
        raise BadPolicy(f"elements of {statement}")
    if ("Action" in statement) == ("NotAction" in statement):
        raise BadPolicy(f"one of Action and NotAction: {statement}")
    if ("Resource" in statement) == ("NotResource" in statement):
        raise BadPolicy(f"one of Resource and NotResource: {statement}")
    for action in _list(statement.get("Action", [])):
        if action != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise BadPolicy(f"action {action}")
    for resource in _list(statement.get("Resource", [])):
        if resource != "*" and not re.fullmatch(r"arn:[^:]*:[a-z0-9-]+:[^:]*:[^:]*:.+", resource):
            raise BadPolicy(f"resource {resource}")
    for operator, wanted in statement.get("Condition", {}).items():
        _operator(operator)
        if not isinstance(wanted, dict) or not wanted:
            raise BadPolicy(f"condition {operator}")


def _list(value) -> list:
    return value if isinstance(value, list) else [value]


def wild(pattern: str, text: str) -> bool:
    """* is any text, ? one character; case counts."""
    body = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(body, text, re.DOTALL) is not None


def _arn(pattern: str, text: str) -> bool:
    """Part by part: a wildcard does not reach over a colon but in the last part."""
    if pattern == "*":
        return True
    mine, other = pattern.split(":", 5), text.split(":", 5)
    return len(mine) == len(other) == 6 and all(wild(p, t) for p, t in zip(mine, other))


def _fill(text: str, keys: Context) -> str:
    def value(found: re.Match) -> str:
        name = found.group(1)
        if name in ("*", "?", "$"):
            return name
        got = keys.get(name.lower())
        if not isinstance(got, str):
            raise BadPolicy(f"${{{name}}} has no single value here")
        return got
    return re.sub(r"\$\{([^}]+)\}", value, text)


def _applies(statement: dict, action: str, resource: str, keys: Context) -> bool:
    _check_statement(statement)
    if "Action" in statement:
        named = any(wild(p.lower(), action.lower()) for p in _list(statement["Action"]))
    else:
        named = not any(wild(p.lower(), action.lower()) for p in _list(statement["NotAction"]))
    if not named:
        return False
    if "Resource" in statement:
        meant = any(_arn(_fill(p, keys), resource) for p in _list(statement["Resource"]))
    else:
        meant = not any(_arn(_fill(p, keys), resource) for p in _list(statement["NotResource"]))
    return meant and all(_condition(operator, wanted, keys)
                         for operator, wanted in statement.get("Condition", {}).items())


COMPARE: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, got: wanted == got,
    "StringEqualsIgnoreCase": lambda wanted, got: wanted.lower() == got.lower(),
    "StringLike": wild,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": lambda wanted, got: wanted.lower() == got.lower(),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike",
           "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "ArnNotEquals": "ArnEquals",
           "ArnNotLike": "ArnLike"}


def _operator(text: str) -> tuple[str, str, bool]:
    """(ForAllValues, ForAnyValue or nothing; the comparison; IfExists)"""
    over, _, name = text.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if over not in ("", "ForAllValues", "ForAnyValue") or name not in (*COMPARE, *NEGATED, "Null") \
            or (name == "Null" and (over or if_exists)):
        raise BadPolicy(f"condition operator {text}")
    return over, name, if_exists


def _condition(operator: str, wanted: dict, keys: Context) -> bool:
    over, name, if_exists = _operator(operator)
    return all(_holds(over, name, if_exists, [_fill(str(v), keys) for v in _list(values)],
                      keys.get(key.lower()), key) for key, values in wanted.items())


def _holds(over: str, name: str, if_exists: bool, wanted: list[str], got, key: str) -> bool:
    absent = got is None or got == []
    if name == "Null":
        return absent == (wanted[0].lower() == "true")
    if absent and (over == "ForAllValues" or if_exists):
        return True  # the trap: no key, no objection
    if absent and over == "ForAnyValue":
        return False
    if absent:
        return name in NEGATED
    if isinstance(got, list) and not over:
        raise BadPolicy(f"{key} has many values: it needs ForAllValues or ForAnyValue")
    compare = COMPARE[NEGATED.get(name, name)]
    one = [any(compare(w, g) for w in wanted) != (name in NEGATED) for g in _list(got)]
    return any(one) if over == "ForAnyValue" else all(one)
