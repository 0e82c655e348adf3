"""Who calls: what the signature says, and what the key belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Caller:
    key_id: str = ""
    account: str = "111122223333"
    arn: str = ""
    region: str = "us-east-1"  # in which the call was signed
