"""One measurement: a server started, warmed, loaded, and what it cost."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import disk, process, servers, works

PORT = 25300
UPSTREAM_PORT = 25301
UPSTREAM_TTL = 86400


@dataclass
class Bench:
    """Where things are, and how long a measurement takes."""

    folder: Path  # scratch
    bin: Path
    horizond: Path
    files: works.Files
    seconds: float
    warm_seconds: float


def setting(bench: Bench, work: works.Work, server: servers.Server) -> servers.Setting:
    folder = bench.folder / server.name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "state").mkdir(parents=True)
    return servers.Setting(folder=folder, port=PORT, bin=bench.bin, horizond=bench.horizond,
                           zone=bench.files.zone_folder(work), upstream=UPSTREAM_PORT if work.upstream else None,
                           tcp=work.tcp, cached=work.warm)


@contextmanager
def running(bench: Bench, work: works.Work, server: servers.Server):
    """The server, and its upstream on the client's core; ready to answer."""
    s = setting(bench, work, server)
    with ExitStack() as stack:
        if work.upstream:
            stack.enter_context(process.Process(
                [str(bench.bin / "bench_upstream"), str(UPSTREAM_PORT), str(UPSTREAM_TTL)], process.CLIENT_CORE,
                s.folder / "upstream.out"))
        proc = stack.enter_context(process.Process(server.setup(s), process.SERVER_CORE, s.folder / "out"))
        client = process.Client(bench.bin, PORT)
        wait_ready(bench, work, server, proc, client)
        if proc.stray():
            raise process.Trouble(f"{server.name}: threads are not on core {proc.core}: {proc.stray()}")
        yield proc, client


def wait_ready(bench: Bench, work: works.Work, server: servers.Server, proc: process.Process,
               client: process.Client) -> None:
    if server.name in servers.FLOORS:
        time.sleep(0.05)
        proc.check()
        return
    first = client.first(bench.files.questions(work))
    while first.poll() is None:
        try:
            proc.check()
        except process.Trouble:
            first.kill()
            first.communicate()
            raise
        time.sleep(0.005)
    found = client.finish(first, 5)
    if not found["first_ns"]:
        raise process.Trouble(f"{server.name} does not answer rightly: {found['first_wrong']}")


def echo_args(server: servers.Server, work: works.Work) -> tuple[str, ...]:
    return ("-e",) if server.name == "reflector" else ()


def warm(bench: Bench, work: works.Work, server: servers.Server, client: process.Client) -> None:
    """Fills the cache, gently: a question lost here would be a miss later."""
    questions = bench.files.questions(work)
    args = echo_args(server, work)
    if work.warm and not args:
        for _ in range(2):
            client.run(questions, "-n", str(work.questions), "-w", "32")
    tcp = ("-c", "10") if work.tcp else ()
    client.run(questions, *args, *tcp, "-t", str(bench.warm_seconds))


def loaded(bench: Bench, work: works.Work, load: works.Load, server: servers.Server, proc: process.Process,
           client: process.Client) -> dict:
    """One load: the client's figures and the server's time on the processor."""
    before = proc.cpu_ns()
    result = client.run(bench.files.questions(work), *load.args, *echo_args(server, work), "-t", str(bench.seconds))
    cpu_ns = proc.cpu_ns() - before
    proc.check()
    done = max(1, result["answered"])
    result["cpu_us"] = cpu_ns / 1e3 / done
    result["busy"] = cpu_ns / 1e9 / max(result["seconds"], 1e-9)
    return result


def measure(bench: Bench, work: works.Work, server: servers.Server) -> dict[str, dict]:
    """All loads of a work, by name."""
    with running(bench, work, server) as (proc, client):
        warm(bench, work, server, client)
        return {load.name: loaded(bench, work, load, server, proc, client) for load in work.loads}


def measure_start(bench: Bench, work: works.Work, server: servers.Server) -> dict[str, dict]:
    """The time from exec to the first right answer; and what is left in memory."""
    s = setting(bench, work, server)
    if server.name == "horizond":
        s.api = disk.copy(bench, work)
    client = process.Client(bench.bin, PORT)
    argv = server.setup(s)
    first = client.first(bench.files.questions(work))
    time.sleep(0.1)
    with process.Process(argv, process.SERVER_CORE, s.folder / "out") as proc:
        found = client.finish(first, 60)
        if not found["first_ns"]:
            raise process.Trouble(f"{server.name} does not answer rightly: {found['first_wrong']}: {proc.tail()}")
        start_s = (found["first_ns"] - proc.began_ns) / 1e9
        return {"start": {"start": start_s, "cpu_s": proc.cpu_ns() / 1e9, "pss_kb": proc.memory_kb()}}
