"""Runs horizon-aws as an instance would, against the stand-in: settings, state folder, metadata and keys of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import horizon
from standin import Metadata, Standin

ACCOUNT = "111122223333"


@dataclass
class Done:
    status: int
    out: str
    err: str
    seconds: float

    def __str__(self) -> str:
        return f"exit {self.status}\n{self.out}{self.err}"


class Tool:
    """One instance's horizon-aws. Each call is a run of the program; faults of the sanitizers end the test."""

    def __init__(self, folder: Path, api: Standin, metadata: Metadata | None, settings: dict | str,
                 key_id: str = "AKIDEXAMPLE"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.api = api
        self.metadata = metadata
        self.file = folder / "records.conf"
        self.state = folder / "state"
        self.env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
                    "LSAN_OPTIONS": "report_objects=1", **api.environment(key_id)}
        if metadata is None:
            self.env["AWS_EC2_METADATA_DISABLED"] = "true"
        else:
            self.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata.url
        self.write(settings)

    def write(self, settings: dict | str) -> None:
        if isinstance(settings, dict):
            settings = horizon.render({"state_dir": str(self.state), "fleet": "web", "control": "", "deadline": 20,
                                       **settings})
        self.file.write_text(settings, encoding="utf-8")
        self.file.chmod(0o644)

    def start(self, *args: str) -> subprocess.Popen:
        return subprocess.Popen([horizon.bin_dir() / "horizon-aws", "-c", self.file, *args],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env)

    def __call__(self, *args: str, status: int | None = 0, timeout: float = 60.0) -> Done:
        began = time.monotonic()
        process = self.start(*args)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        done = Done(process.returncode, out, err, time.monotonic() - began)
        assert not horizon.COMPLAINTS.search(err), err
        assert status is None or done.status == status, f"{args}: {done}"
        return done

    def jobs(self, *lines: str) -> None:
        """What systemctl list-jobs says from now on."""
        (self.folder / "bin").mkdir(exist_ok=True)
        fake = self.folder / "bin" / "systemctl"
        text = "\n".join(lines)
        fake.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n", encoding="utf-8")
        fake.chmod(0o755)


def record(zone, name: str, values: list[str], rtype: str = "A", **more) -> dict:
    return {"zone": zone.id, "private": zone.private, "name": name, "type": rtype, "values": values, **more}


def own(zone) -> dict:
    """All sets but the apex: (name, type, identifier) to values."""
    return {key: [r["Value"] for r in found.get("ResourceRecords", [])]
            for key, found in zone.sets.items() if key[1] not in ("NS", "SOA")}


IDENTIFIER = re.compile(r"hz1/([a-z0-9-]+)/(\d{12})/([a-z0-9-]+)/(i-[0-9a-f]+)/(\d+)")
MARK = re.compile(r'"heritage=horizon,v=1,fleet=([^,"]+),(?:account=(\d+),region=([^,]+),instance=([^,]+),'
                  r'boot=(\d+)|id=([a-z2-7]+))"')


def check_marks(*zones, foreign: dict | None = None) -> None:
    """No record without its mark but the foreign ones, no mark without its record."""
    for zone in zones:
        sets = own(zone)
        for name, rtype, identifier in sets.keys() - (foreign or {}).keys():
            if name.startswith("_hz-sweep."):
                continue
            if rtype == "TXT" and name.startswith("_hz."):
                held = [key for key in sets if key[0] == name.removeprefix("_hz.") and not key[2]]
                assert held, f"{zone.name}: a mark without its record: {name}"
            elif identifier:
                assert IDENTIFIER.fullmatch(identifier), f"{zone.name}: {name} {identifier}"
            else:
                assert ("_hz." + name, "TXT", "") in sets, f"{zone.name}: {name} without a mark"
