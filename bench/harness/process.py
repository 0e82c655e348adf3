"""Processes on their cores, and what the scheduler says they have cost.

Every process here is started by us and ended by its own id.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

SERVER_CORE = 0
CLIENT_CORE = 1
NICE = -10


class Trouble(Exception):
    """A server that does not start, answers wrongly or dies."""


def pin(core: int, nice: int):
    """For preexec_fn: this core only, and before others if we may."""
    def apply() -> None:
        try:
            os.sched_setaffinity(0, {core})
        except OSError:
            pass  # a machine of one core
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            pass
    return apply


def environment(more: dict[str, str]) -> dict[str, str]:
    """Ours without what belongs to AWS: nothing here leaves the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **more}


def descendants(pid: int) -> list[int]:
    """pid and all below it."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    family = [pid]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family


def task_files(pids: list[int], name: str):
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob(f"*/{name}"):
            try:
                yield path.read_text()
            except OSError:
                continue


def cpu_clock_ns(pid: int) -> int:
    """What clock_getcpuclockid(3) names: the run time of the process in the scheduler's nanoseconds."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


class Process:
    """A program with its log, pinned; `with` ends it."""

    def __init__(self, argv: list[str], core: int, log: Path, env: dict[str, str] | None = None):
        self.argv = argv
        self.log = log
        self.began_ns = time.monotonic_ns()
        with log.open("wb") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env=environment(env or {}), preexec_fn=pin(core, NICE))
        self.core = core

    @property
    def pid(self) -> int:
        return self.popen.pid

    def cpu_ns(self) -> int:
        """On the processor so far: the scheduler's own count, of all threads and children.

        The same sum as over task/*/schedstat, but threads that have ended are in it too: PowerDNS has
        one for each TCP connection.
        """
        return sum(map(cpu_clock_ns, descendants(self.pid)))

    def stray(self) -> list[str]:
        """Threads that have left their core."""
        wanted = f"Cpus_allowed_list:\t{self.core}"
        return [text.split("\n", 1)[0] for text in task_files(descendants(self.pid), "status") if wanted not in text]

    def memory_kb(self) -> int:
        """Proportional set size of the whole family."""
        total = 0
        for pid in descendants(self.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def check(self) -> None:
        if self.popen.poll() is not None:
            raise Trouble(f"{self.argv[0]} ended with {self.popen.returncode}: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-600:].strip()

    def end(self) -> None:
        family = descendants(self.pid)
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(8)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.end_children(family[1:])

    @staticmethod
    def end_children(pids: list[int]) -> None:
        """Our server's children, if it left any."""
        for _ in range(50):
            pids = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
            if not pids:
                return
            time.sleep(0.02)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exc) -> None:
        self.end()


class Client:
    """bench_load on the client's core."""

    def __init__(self, bin_folder: Path, port: int):
        self.program = str(bin_folder / "bench_load")
        self.address = f"127.0.0.1:{port}"

    def start(self, questions: Path, *args: str) -> subprocess.Popen:
        return subprocess.Popen([self.program, "-q", str(questions), *args, self.address], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, preexec_fn=pin(CLIENT_CORE, NICE))

    def finish(self, popen: subprocess.Popen, limit_s: float) -> dict:
        try:
            out, err = popen.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.communicate()
            raise Trouble("the client does not come to an end") from None
        if not out:
            raise Trouble(f"the client: {err.strip()}")
        return json.loads(out)

    def run(self, questions: Path, *args: str, limit_s: float = 60) -> dict:
        return self.finish(self.start(questions, *args), limit_s)

    def first(self, questions: Path, limit_s: float = 30) -> subprocess.Popen:
        """Asks until the first right answer."""
        return self.start(questions, "-F", "-t", str(limit_s))
