"""Runs horizon-aws with settings of a test's own."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import horizon


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def complaints(self) -> list[str]:
        """What is said on stderr, the log's notices aside."""
        return [line for line in self.err.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]


class Tool:
    """One instance's horizon-aws: its settings, its state folder, its environment."""

    def __init__(self, folder: Path, settings: dict | str | None = None, env: dict[str, str] | None = None):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "records.conf"
        self.state = folder / "state"
        self.env = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true",
                    "LC_ALL": "C.UTF-8", "UBSAN_OPTIONS": "print_stacktrace=1",
                    "AWS_REGION": "eu-west-1", **(env or {})}
        if settings is not None:
            self.write(settings)

    def write(self, settings: dict | str) -> None:
        if isinstance(settings, dict):
            settings = horizon.render({"state_dir": str(self.state), **settings})
        self.file.write_text(settings, encoding="utf-8")

    def run(self, *args: str, code: int | None = 0, timeout: float = 30.0) -> Done:
        """code: the exit status that must come; None: any."""
        done = subprocess.run([horizon.bin_dir() / "horizon-aws", "-c", self.file, *args], env=self.env,
                              cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)
        got = Done(done.returncode, done.stdout, done.stderr)
        assert not horizon.COMPLAINTS.search(got.text), got.text
        assert code is None or got.code == code, f"exit {got.code}, not {code}:\n{got.text}"
        return got
