"""Runs the real daemon with settings of a test's own, and asks it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import net
import wire

TOP = Path(__file__).resolve().parents[2]
COMPLAINTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                        r"Assertion .* failed|terminate called|double free|stack smashing")


def bin_dir() -> Path:
    given = os.environ.get("HORIZON_BIN")
    places = [Path(given)] if given else [TOP / d / "bin" for d in ("build", "build-dev", "build-release")]
    for place in places:
        if (place / "horizond").exists():
            return place.resolve()
    raise RuntimeError(f"no horizond in {', '.join(map(str, places))}: build it, or set HORIZON_BIN")


def sanitized() -> bool:
    """The binary carries sanitizers: slower, larger, and it looks at itself."""
    return b"__asan_init" in (bin_dir() / "horizond").read_bytes() or \
        b"__tsan_init" in (bin_dir() / "horizond").read_bytes()


def render(value, indent: int = 0) -> str:
    """A Python value as libconfig text; a dict at the top is a file."""
    pad = "  " * indent
    if isinstance(value, dict):
        lines = [f"{pad}{key} = {render(item, indent + 1)};" for key, item in value.items()]
        body = "\n".join(lines)
        return body + "\n" if indent == 0 else "{\n" + body + "\n" + "  " * (indent - 1) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    items = list(value)
    opening, closing = "()" if items and isinstance(items[0], dict) else "[]"
    return f"{opening} " + ", ".join(render(item, indent + 1) for item in items) + f" {closing}"


class Horizon:
    """One daemon: settings in, answers out. Use as a context manager."""

    def __init__(self, folder: Path, settings: dict | str, env: dict[str, str] | None = None,
                 args: tuple[str, ...] = ()):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = net.address()
        self.where = (self.address, net.PORT)
        self.file = folder / "horizond.conf"
        self.args = args
        self.env = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true",
                    "LC_ALL": "C.UTF-8",
                    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
                    "UBSAN_OPTIONS": "print_stacktrace=1",
                    "LSAN_OPTIONS": "report_objects=1", **(env or {})}
        self.process: subprocess.Popen | None = None
        self.lines: list[str] = []
        self._reader: threading.Thread | None = None
        self.write(settings)

    # --- settings ---

    def defaults(self) -> dict:
        return {
            "listen": [f"{self.address}:{net.PORT}"],
            "workers": 2,
            "state_dir": "state",
            "metrics": {"listen": f"{self.address}:9153"},
            "control": "control",
        }

    def write(self, settings: dict | str) -> None:
        """Text is taken as it stands; a dict gets this daemon's own addresses where it says nothing."""
        if isinstance(settings, dict):
            settings = render({**self.defaults(), **settings})
        self.file.write_text(settings, encoding="utf-8")
        self.file.chmod(0o644)

    # --- the process ---

    def start(self, ready: bool = True, timeout: float = 15.0) -> "Horizon":
        """Starts, waits until it answers on its control port, and until it is ready."""
        self.process = subprocess.Popen(
            [bin_dir() / "horizond", "-c", self.file, *self.args], env=self.env, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace")
        self._reader = threading.Thread(target=self._collect, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        wanted = (lambda: self.http("/readyz")[0] == 200) if ready else \
            (lambda: self.http("/healthz")[0] == 200)
        try:
            net.wait_for(lambda: self._alive() and wanted(), timeout, "horizond is ready")
        except AssertionError:
            text = self.tail()
            self.kill()
            raise AssertionError(f"horizond did not become ready:\n{text}") from None
        return self

    def _alive(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            time.sleep(0.1)
            raise AssertionError(f"horizond ended with {self.process.returncode}:\n{self.tail()}")
        return True

    def _collect(self, stream) -> None:
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def tail(self, count: int = 60) -> str:
        return "\n".join(self.lines[-count:])

    def log(self, pattern: str) -> list[str]:
        """The lines on stderr that match."""
        return [line for line in list(self.lines) if re.search(pattern, line)]

    def stop(self, timeout: float = 12.0) -> None:
        """SIGTERM; the daemon must end by itself, with 0, and without complaints."""
        if self.process is None:
            return
        process, self.process = self.process, None
        early = process.poll()
        if early is None:
            process.terminate()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait()
            raise AssertionError(f"horizond did not end on SIGTERM:\n{self.tail()}") from None
        self._reader.join(5)
        print(f"--- stderr of horizond ({self.folder.name})\n{self.tail(40)}")
        assert not self.complaints(), f"horizond complains:\n{self.tail(200)}"
        assert early is None, f"horizond had ended by itself, with {early}:\n{self.tail()}"
        assert code == 0, f"horizond ended with {code}:\n{self.tail()}"

    def complaints(self) -> list[str]:
        return [line for line in self.lines if COMPLAINTS.search(line)]

    def kill(self) -> None:
        """SIGKILL: as a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self._reader.join(5)

    def __enter__(self) -> "Horizon":
        return self if self.process else self.start()

    def __exit__(self, kind, *exc) -> None:
        if kind is not None:
            print(self.tail())
        self.stop()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def reload(self, settings: dict | str | None = None, good: bool = True, timeout: float = 10.0) -> None:
        """SIGHUP, and waits until it was taken (or refused)."""
        if settings is not None:
            self.write(settings)
        before = self.reloads()
        self.signal(signal.SIGHUP)
        net.wait_for(lambda: self.reloads() != before, timeout, "the reload is counted")
        after = self.reloads()
        changed = {key for key in after if after[key] != before.get(key, 0)}
        assert len(changed) == 1, changed
        ok = next(iter(changed)) in ("ok", "good", "done", "success")
        assert ok == good, f"reload: {changed}\n{self.tail()}"

    def reloads(self) -> dict[str, float]:
        found = self.metrics().get("horizond_reloads_total", {})
        return {dict(labels).get("result", ""): value for labels, value in found.items()}

    @property
    def rss_kb(self) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def tcp_clients(self) -> int:
        """Connections to the DNS port that the daemon holds open."""
        octets = bytes(map(int, self.address.split(".")))[::-1].hex().upper()
        local = f"{octets}:{net.PORT:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
        # State 01: established; inode 0: the kernel's alone.
        return sum(row[1] == local and row[3] == "01" and row[9] != "0" for row in rows)

    # --- asking ---

    def ask(self, name: str, rtype: str = "A", *, tcp: bool = False, timeout: float = 4.0,
            source: str = "", where: tuple[str, int] | None = None, **how) -> wire.Answer:
        packet = wire.build(name, rtype, **how)
        return wire.exchange(where or self.where, packet, tcp, timeout, source)

    def udp(self, packet: bytes, timeout: float = 2.0) -> bytes | None:
        return wire.send_udp(self.where, packet, timeout)

    def tcp(self, packet: bytes, timeout: float = 3.0) -> bytes | None:
        return wire.send_tcp(self.where, packet, timeout)

    def connect(self, timeout: float = 3.0, source: str = "") -> wire.Tcp:
        return wire.Tcp(self.where, timeout, source)

    def wait_answer(self, name: str, rtype: str, data: list[str], seconds: float = 8.0) -> wire.Answer:
        """Until the question has this answer."""
        def look():
            answer = self.ask(name, rtype)
            return answer if answer.data(rtype) == sorted(data) else None
        return net.wait_for(look, seconds, f"{name} {rtype} is {data}", every=0.1)

    # --- watching ---

    def http(self, path: str, timeout: float = 3.0) -> tuple[int, str]:
        """Status 0: nobody there."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:9153{path}", timeout=timeout) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""

    def metrics(self) -> dict[str, dict[tuple, float]]:
        """name -> {sorted labels -> value}."""
        status, text = self.http("/metrics")
        assert status == 200, f"/metrics: {status}"
        return parse_metrics(text)

    def metric(self, name: str, **labels: str) -> float:
        """The sum over all samples of that name which have these labels."""
        wanted = set(labels.items())
        return sum(value for key, value in self.metrics().get(name, {}).items() if wanted <= set(key))

    def ctl(self, *args: str, code: int | None = 0, timeout: float = 10.0) -> str:
        """horizonctl's output; fails on another exit status."""
        done = subprocess.run([bin_dir() / "horizonctl", "-s", self.folder / "control", *args],
                              env=self.env, capture_output=True, text=True, timeout=timeout, check=False)
        assert code is None or done.returncode == code, \
            f"horizonctl {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if done.returncode else "")

    def ctl_json(self, *args: str) -> dict:
        value = json.loads(self.ctl("--json", *args))
        assert isinstance(value, dict)
        return value

    def zone(self, name: str) -> dict:
        """What horizonctl zones says of one zone, {} when it does not know it."""
        for zone in self.ctl_json("zones")["zones"]:
            if zone["name"].rstrip(".") == name.rstrip("."):
                return zone
        return {}


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse_metrics(text: str) -> dict[str, dict[tuple, float]]:
    out: dict[str, dict[tuple, float]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        assert found, f"not a sample: {line}"
        labels = tuple(sorted(LABEL.findall(found[2] or "")))
        out.setdefault(found[1], {})[labels] = float(found[3])
    return out


def run(*args: str, env: dict[str, str] | None = None, timeout: float = 10.0,
        program: str = "horizond", cwd: Path | None = None) -> subprocess.CompletedProcess:
    """One of the programs to its end."""
    return subprocess.run([bin_dir() / program, *args], capture_output=True, text=True, timeout=timeout,
                          env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true",
                               **(env or {})}, check=False, cwd=cwd)
