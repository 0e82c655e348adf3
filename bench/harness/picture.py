"""The result as a picture: bars of answers per second, a panel for each workload."""

from __future__ import annotations

from html import escape

from . import report, servers, works

WIDTH = 860
LEFT = 110
BAR = 18
GAP = 6
HEAD = 34
COLOURS = {"floor": "#9aa5b1", "horizond": "#d9480f", "peer": "#4c6ef5"}


def colour(name: str) -> str:
    return COLOURS["floor" if name in servers.FLOORS else "horizond" if name.startswith("horizond") else "peer"]


def bar(y: int, name: str, share: float, label: str) -> str:
    width = max(1, round(share * (WIDTH - LEFT - 230)))
    weight = ' font-weight="bold"' if name == "horizond" else ""
    return (f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end"{weight}>{escape(name)}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR}" rx="2" fill="{colour(name)}"/>'
            f'<text x="{LEFT + width + 6}" y="{y + 13}" fill="#52606d">{escape(label)}</text>')


def rate_label(work: works.Work, rounds: report.Rounds, name: str) -> str:
    rate = report.median(rounds[name], "rate")
    share = report.ratio(rounds[name], rounds.get(work.floor, []), "rate")
    of_floor = f", {share:.2f} of the floor" if share is not None and name not in servers.FLOORS else ""
    return f"{rate / 1000:,.0f}k/s{of_floor}"


def panel(top: int, work: works.Work, rounds: report.Rounds) -> tuple[str, int]:
    figure = "start" if work.start else "rate"
    found = {name: report.median(rounds[name], figure) for name in rounds if report.values(rounds[name], figure)}
    names = sorted(found, key=found.get, reverse=not work.start)
    title = escape(f"{work.name}: {work.title}")
    parts = [f'<text x="0" y="{top + 20}" font-size="15" font-weight="bold">{title}</text>']
    y = top + HEAD
    for name in names:
        label = f"{found[name]:.2f} s" if work.start else rate_label(work, rounds, name)
        parts.append(bar(y, name, found[name] / max(found.values()), label))
        y += BAR + GAP
    return "\n".join(parts), y + 10


def draw(results: dict[str, dict[str, report.Rounds]], caption: str) -> str:
    parts = []
    y = 0
    for name, by_load in results.items():
        work = works.ALL[name]
        rounds = by_load.get("start" if work.start else "most")
        if rounds:
            text, y = panel(y, work, rounds)
            parts.append(text)
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -6 {WIDTH} {y + 34}" width="{WIDTH}" '
            f'font-family="sans-serif" font-size="13" fill="#1f2933">\n'
            f'<rect x="-10" y="-6" width="{WIDTH}" height="{y + 34}" fill="#ffffff"/>\n{body}\n'
            f'<text x="0" y="{y + 14}" font-size="12" fill="#52606d">{escape(caption)}</text>\n</svg>\n')
