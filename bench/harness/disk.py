"""horizond's own copy of a zone on disk: fetched once from the stand-in for the Route 53 API.

The API is gone when the start is measured: what counts is what the copy gives.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import process, servers, works, zones

if TYPE_CHECKING:
    from .measure import Bench

API_PORT = 25302
FETCH_S = 180


def standin(zone: Path) -> subprocess.Popen:
    return subprocess.Popen(
        ["/usr/bin/python3", "-B", "-m", "standin", "--port", str(API_PORT), "--rate", "0", "--zone",
         f"{zones.ORIGIN}={zone}/zone.json"], cwd=servers.TOP / "tests" / "system", stdout=subprocess.PIPE, text=True,
        env=process.environment({"PYTHONUNBUFFERED": "1"}), preexec_fn=process.pin(process.CLIENT_CORE, 0))


def introduction(api: subprocess.Popen) -> tuple[str, dict[str, str]]:
    """The zone's id, and the environment with keys and endpoint."""
    zone_id = ""
    env: dict[str, str] = {}
    for line in api.stdout:
        words = line.split()
        if line.startswith("zone "):
            zone_id = words[2].rstrip(":")
        elif line.startswith("export "):
            name, _, value = line[7:].strip().partition("=")
            env[name] = value
        elif line.startswith("#"):
            return zone_id, env
    raise process.Trouble("the stand-in for the API does not start: python3-botocore is needed")


def fetch(bench: "Bench", work: works.Work, state: Path) -> servers.Api:
    """Lets horizond load the zone from the API and end in order."""
    folder = bench.folder / "fetch"
    folder.mkdir()
    zone = bench.files.zone_folder(work)
    api = standin(zone)
    try:
        zone_id, env = introduction(api)
        found = servers.Api(zone_id, f"http://127.0.0.1:{API_PORT}", state)
        s = servers.Setting(folder=folder, port=API_PORT + 1, bin=bench.bin, horizond=bench.horizond, zone=zone,
                            api=found)
        with process.Process(servers.horizond(s), process.SERVER_CORE, folder / "out", env) as proc:
            client = process.Client(bench.bin, s.port)
            first = client.finish(client.first(bench.files.questions(work), FETCH_S), FETCH_S + 5)
            if not first["first_ns"]:
                raise process.Trouble(f"the zone does not come from the API: {proc.tail()}")
            settle(state)
        return found
    finally:
        api.terminate()
        api.wait()


def settle(state: Path) -> None:
    """Until the copy has been written."""
    for _ in range(50):
        if any(path.stat().st_size > 1 << 20 for path in state.rglob("*") if path.is_file()):
            return
        time.sleep(0.1)
    raise process.Trouble(f"no copy of the zone in state_dir: {os.listdir(state)}")


def copy(bench: "Bench", work: works.Work) -> servers.Api:
    """Made once a run."""
    state = bench.folder / "disk"
    marker = bench.folder / "disk.zone"
    if not state.exists():
        state.mkdir()
        marker.write_text(fetch(bench, work, state).zone_id)
    if not marker.exists():
        raise process.Trouble("no copy of the zone on disk")
    return servers.Api(marker.read_text(), f"http://127.0.0.1:{API_PORT}", state)
