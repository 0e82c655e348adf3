"""The result as a picture: bars of answers per second, a panel for each workload."""

from __future__ import annotations

from html import escape

from . import report, servers, works

WIDTH = 900
MARGIN = 24
LEFT = 190  # where bars begin
RIGHT = 330  # room for what stands behind the longest
BAR = 18
GAP = 6
GREY = "#52606d"
COLOURS = {"floor": "#b8c1cc", "horizond": "#d9480f", "peer": "#4c6ef5"}
LEGEND = (("horizond", "horizond"), ("peer", "Debian 12's servers, set up for speed"),
          ("floor", "the floor: a program that only passes packets"))
NAMES = {"reflector": "packets sent back", "relay": "packets relayed", "horizond": "horizond",
         "horizond-file": "horizond, from a file", "nsd": "NSD", "knot": "Knot DNS", "unbound": "Unbound",
         "pdns": "PowerDNS", "recursor": "PowerDNS Recursor", "bind": "BIND 9"}


def kind(name: str) -> str:
    return "floor" if name in servers.FLOORS else "horizond" if not servers.ALL[name].packages else "peer"


def text(x: int, y: int, words: str, **style: str) -> str:
    given = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return f'<text x="{x}" y="{y}"{given}>{escape(words)}</text>'


def box(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" fill="{colour}"/>'


def bar(y: int, name: str, share: float, label: str) -> list[str]:
    width = max(2, round(share * (WIDTH - LEFT - RIGHT)))
    style = {"font_weight": "bold"} if name == "horizond" else {}
    return [text(LEFT - 10, y + 14, NAMES.get(name, name), text_anchor="end", **style),
            box(LEFT, y, width, BAR, COLOURS[kind(name)]), text(LEFT + width + 8, y + 14, label, fill=GREY)]


def rate_label(work: works.Work, rounds: report.Rounds, name: str) -> str:
    rate = report.median(rounds[name], "rate")
    parts = [f"{rate / 1000:,.0f},000/s", f"{report.median(rounds[name], 'cpu_us'):.1f} µs of CPU each"]
    share = report.ratio(rounds[name], rounds.get(work.floor, []), "rate")
    if share is not None and name not in servers.FLOORS:
        parts.insert(1, f"{share:.2f} of the floor")
    return ", ".join(parts)


def panel(top: int, work: works.Work, rounds: report.Rounds) -> tuple[list[str], int]:
    figure = "start" if work.start else "rate"
    found = {name: report.median(rounds[name], figure) for name in rounds if report.values(rounds[name], figure)}
    names = sorted(found, key=found.get, reverse=not work.start)
    title = work.title[0].upper() + work.title[1:] + (": seconds, shorter is better" if work.start else "")
    parts = [text(MARGIN, top + 14, title, font_size="15", font_weight="bold")]
    y = top + 26
    for name in names:
        label = f"{found[name]:.2f} s" if work.start else rate_label(work, rounds, name)
        parts += bar(y, name, found[name] / max(found.values()), label)
        y += BAR + GAP
    return parts, y + 16


def head() -> tuple[list[str], int]:
    parts = [text(MARGIN, 36, "Answers per second, one worker on one core", font_size="20", font_weight="bold")]
    x = MARGIN
    for name, words in LEGEND:
        parts += [box(x, 52, 12, 12, COLOURS[name]), text(x + 18, 63, words, fill=GREY)]
        x += 18 + 7 * len(words) + 24
    return parts, 88


def draw(results: dict[str, dict[str, report.Rounds]], caption: str) -> str:
    parts, y = head()
    for name, by_load in results.items():
        work = works.ALL[name]
        rounds = by_load.get("start" if work.start else "most")
        if rounds:
            more, y = panel(y, work, rounds)
            parts += more
    parts.append(text(MARGIN, y + 8, caption, font_size="12", fill=GREY))
    height = y + 28
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#1f2933">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n')
