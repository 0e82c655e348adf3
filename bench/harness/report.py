"""Medians, spread and ratios; what was to be reached; tables."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from . import servers, works

#: {server: [result of round 0, of round 1, ...]} of one load; a round that failed is None.
Rounds = dict[str, list]


def values(rounds: list, figure: str) -> list[float]:
    return [result[figure] for result in rounds if result]


def median(rounds: list, figure: str) -> float | None:
    found = values(rounds, figure)
    return statistics.median(found) if found else None


def spread(rounds: list, figure: str) -> float:
    """Half of highest less lowest, in percent of the median."""
    found = values(rounds, figure)
    middle = statistics.median(found)
    return 50 * (max(found) - min(found)) / middle if middle else 0.0


def ratio(mine: list, other: list, figure: str) -> float | None:
    """The median of each round's ratio: what was slow for both counts for neither."""
    pairs = [a[figure] / b[figure] for a, b in zip(mine, other) if a and b and b[figure]]
    return statistics.median(pairs) if pairs else None


def best_peer(rounds: Rounds, figure: str) -> str | None:
    peers = {name: median(found, figure) for name, found in rounds.items()
             if servers.ALL[name].packages and values(found, figure)}
    if not peers:
        return None
    return max(peers, key=peers.get) if figure == "rate" else min(peers, key=peers.get)


@dataclass
class Verdict:
    work: str
    load: str
    text: str
    reached: bool


def judge(work: works.Work, load: str, goals: tuple[works.Goal, ...], rounds: Rounds) -> list[Verdict]:
    out = []
    for goal in goals:
        other = work.floor if goal.against == "floor" else goal.against
        found = ratio(rounds.get("horizond", []), rounds.get(other, []), goal.figure)
        if found is None:
            continue
        reached = found >= goal.bound if goal.least else found <= goal.bound
        wanted = f"{'at least' if goal.least else 'at most'} {goal.bound:.2f}"
        name = {"rate": "rate", "cpu_us": "CPU per question", "start": "time"}[goal.figure]
        out.append(Verdict(work.name, load, f"{name} {found:.2f} of {other}'s ({wanted})", reached))
    return out


def cell(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)


def table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        first, *rest = [text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(row, widths))]
        return "| " + " | ".join([first, *rest]) + " |"
    rule = "|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


def load_table(work: works.Work, rounds: Rounds) -> str:
    """Servers of one load: those that cost least first, the floor on top."""
    best = best_peer(rounds, "rate")
    head = ["server", "answers/s", "±%", "/ floor", "/ best peer", "CPU µs/q", "±%", "/ floor", "busy", "p50 µs",
            "p99 µs", "lost", "wrong"]
    names = [name for name, found in rounds.items() if values(found, "rate")]
    names.sort(key=lambda name: (name not in servers.FLOORS, median(rounds[name], "cpu_us")))
    rows = []
    for name in names:
        mine, floor = rounds[name], rounds.get(work.floor, [])
        rows.append([
            name, cell(median(mine, "rate"), ",.0f"), cell(spread(mine, "rate"), ".0f"),
            cell(ratio(mine, floor, "rate"), ".2f"), cell(ratio(mine, rounds.get(best, []), "rate"), ".2f"),
            cell(median(mine, "cpu_us"), ".2f"), cell(spread(mine, "cpu_us"), ".0f"),
            cell(ratio(mine, floor, "cpu_us"), ".2f"), cell(median(mine, "busy"), ".2f"),
            cell(median(mine, "p50_us"), ",.0f"), cell(median(mine, "p99_us"), ",.0f"),
            str(sum(values(mine, "lost"))), str(sum(values(mine, "wrong")))])
    return table(head, rows)


def start_table(rounds: Rounds) -> str:
    best = best_peer(rounds, "start")
    names = sorted((name for name in rounds if values(rounds[name], "start")),
                   key=lambda name: median(rounds[name], "start"))
    rows = [[name, cell(median(rounds[name], "start"), ".3f"), cell(spread(rounds[name], "start"), ".0f"),
             cell(ratio(rounds[name], rounds.get(best, []), "start"), ".2f"),
             cell(median(rounds[name], "cpu_s"), ".2f"),
             cell((median(rounds[name], "pss_kb") or 0) / 1024, ".1f")] for name in names]
    return table(["server", "seconds", "±%", "/ best peer", "CPU s", "PSS MiB"], rows)


def work_text(work: works.Work, results: dict[str, Rounds]) -> str:
    """results: by load."""
    parts = []
    for load, rounds in results.items():
        title = f"{work.name}: {work.title}" + ("" if load in ("most", "start") else f", at {load}")
        parts.append(f"{title}\n\n" + (start_table(rounds) if work.start else load_table(work, rounds)))
    return "\n\n".join(parts)


def verdicts(results: dict[str, dict[str, Rounds]]) -> list[Verdict]:
    out = []
    for name, by_load in results.items():
        work = works.ALL[name]
        for load in work.loads:
            out += judge(work, load.name, load.goals, by_load.get(load.name, {}))
        if work.start:
            out += judge(work, "start", work.goals, by_load.get("start", {}))
    return out


def verdict_text(found: list[Verdict]) -> str:
    lines = []
    for verdict in found:
        at = "" if verdict.load in ("most", "start") else f" at {verdict.load}"
        lines.append(f"{'yes' if verdict.reached else 'NO ':3}  {verdict.work}{at}: {verdict.text}")
    return "\n".join(["Reached?", *lines]) if lines else ""
