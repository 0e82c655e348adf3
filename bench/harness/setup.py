"""Gets what a run needs: Debian's servers (never started as services), our programs built."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from . import process, servers, works

TOP = Path(__file__).resolve().parents[2]


def has(program: str) -> bool:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is not None


def install(packages: list[str]) -> None:
    """By scripts/packages, which starts none of them."""
    script = f'. "{TOP}/scripts/packages" && packages_install "$@"'
    subprocess.run(["bash", "-c", script, "bash", *packages], check=True)


def peers(names: set[str]) -> None:
    missing = [package for name in sorted(names) for package in servers.ALL[name].packages
               if not has(servers.ALL[name].program)]
    if missing:
        install(missing)


def cmake(source: Path, build: Path, *args: str) -> None:
    def step(*argv: str) -> None:
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise process.Trouble(f"{' '.join(argv)}:\n{(done.stdout + done.stderr)[-3000:]}")
    if not (build / "CMakeCache.txt").exists():
        step("cmake", "-S", str(source), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", *args)
    step("cmake", "--build", str(build), "--parallel", str(os.cpu_count()),
         *(["--target", "horizond"] if source == TOP else []))


def build(folder: Path, horizond: Path | None) -> Path:
    """bench_* into folder/bin; horizond into TOP/build unless one is given. Returns the horizond."""
    if not has("cmake") or not has("gcc"):
        install(["gcc", "libc6-dev", "make", "cmake"])
    cmake(TOP / "bench", folder)
    if horizond is not None:
        return horizond
    script = f'. "{TOP}/scripts/packages" && packages_install "${{BUILD_PACKAGES[@]}}"'
    subprocess.run(["bash", "-c", script], check=True)
    cmake(TOP, TOP / "build", "-DHORIZON_TESTS=OFF")
    return TOP / "build" / "bin" / "horizond"


def first_in_line() -> None:
    """What else this machine does waits for us, where it may: our scheduling group comes first."""
    try:
        Path("/proc/self/autogroup").write_text("-10")
    except OSError:
        pass


def machine() -> dict:
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {"cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "system": release, "load_before": os.getloadavg()[0]}


def versions(names: set[str]) -> dict[str, str]:
    out = {}
    for name in sorted(names):
        for package in servers.ALL[name].packages[:1]:
            asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
            out[name] = asked.stdout
    return out


def fresh_files(folder: Path, edns: bool) -> works.Files:
    files = works.Files(folder, edns)
    if files.stale():
        shutil.rmtree(folder)
        files = works.Files(folder, edns)
    return files
