"""What the checks share: where the rooms are, and which may use which."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LIB = TOP / "lib"

# DESIGN, section 6. A room includes only rooms on lower floors.
FLOORS = {
    "server": 4, "control": 4,
    "query": 3, "forward": 3, "sync": 3, "peer": 3, "parity": 3, "records": 3,
    "zone": 2, "route": 2, "cache": 2, "aws": 2, "config": 2,
    "dns": 1, "loop": 1, "metric": 1, "tls": 1,
    "base": 0,
}


def rooms() -> list[str]:
    return sorted(path.name for path in LIB.iterdir() if path.is_dir() and any(path.glob("*.[ch]")))


def linked() -> dict[str, set[str]]:
    """room -> the rooms it names in CMakeLists.txt."""
    text = (TOP / "CMakeLists.txt").read_text(encoding="utf-8")
    out: dict[str, set[str]] = {}
    for name, words in re.findall(r"^room\((\w+)([^)]*)\)", text, re.MULTILINE):
        if name != "name":
            listed = re.search(r"ROOMS ([a-z0-9_ \n\t]+)", words)
            out[name] = set(listed[1].split()) if listed else set()
    return out


def closure(room: str, links: dict[str, set[str]]) -> set[str]:
    """All rooms that come with a room."""
    found: set[str] = set()
    waiting = [room]
    while waiting:
        for other in links.get(waiting.pop(), set()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def includes(path: Path) -> list[tuple[int, str]]:
    """(line, what) of each #include; system headers keep their brackets."""
    out = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))', line)
        if match:
            out.append((number, match[1] or match[2]))
    return out


def report(name: str, faults: list[str], looked_at: str) -> int:
    for fault in faults:
        print(fault)
    print(f"{name}: {looked_at}: {'all right' if not faults else f'{len(faults)} faults'}")
    return 1 if faults else 0
