"""horizon-aws on the machine of whoever sets things up, or on an instance: fleet.Tool with other defaults."""

from __future__ import annotations

import re
from pathlib import Path

import fleet
import horizon
from standin import Metadata, Standin


class Done(fleet.Done):
    @property
    def complaints(self) -> list[str]:
        """What is said on stderr, the log's notices aside."""
        return [line for line in self.err.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]


class Tool(fleet.Tool):
    def __init__(self, folder: Path, api: Standin, metadata: Metadata | None, settings: dict | str):
        super().__init__(folder, api, metadata, settings)
        self.env["AWS_REGION"] = "eu-west-1"

    def write(self, settings: dict | str) -> None:
        """Only what the test says, and where state goes."""
        if isinstance(settings, dict):
            settings = horizon.render({"state_dir": str(self.state), **settings})
        super().write(settings)

    def run(self, *args: str, code: int | None = 0) -> Done:
        """code: the exit status that must come; None: any."""
        done = self(*args, status=code, timeout=30.0)
        return Done(done.status, done.out, done.err, done.seconds)
