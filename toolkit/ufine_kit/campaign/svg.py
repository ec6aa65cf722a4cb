"""Small plots as inline SVG: bars, a line of what has grown, and how two samples differ; every word in them is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, PAD = 640, 200, 34


def _svg(title: str, body: Sequence[str], height: int = HEIGHT) -> str:
    said = escape(title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}"><title>{said}</title>{"".join(body)}</svg>'
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def grown(title: str, days: Mapping[str, int], wanted: int | None) -> str:
    """Bars of what came on each day, and the line of what has come so far, with what is wanted as its top."""
    total = sum(days.values())
    top = max(wanted or total, total, 1)
    most = max([*days.values(), 1])
    step = (WIDTH - 2 * PAD) / max(len(days), 1)
    floor, inner = HEIGHT - PAD, HEIGHT - 2 * PAD
    body: list[str] = []
    points: list[str] = []
    so_far = 0
    for at, (day, number) in enumerate(days.items()):
        so_far += number
        x, tall = PAD + at * step, inner * number / most
        body.append(
            f'<rect class="bar" x="{x:.1f}" y="{floor - tall:.1f}" width="{max(step - 1, 0.5):.1f}" height="{tall:.1f}">'
            f"<title>{escape(day)}: {number:,}</title></rect>"
        )
        points.append(f"{x + step / 2:.1f},{floor - inner * so_far / top:.1f}")
    body.append(f'<polyline class="line" points="{" ".join(points)}"/>')
    body += [
        f'<line class="axis" x1="{PAD}" y1="{floor}" x2="{WIDTH - PAD}" y2="{floor}"/>',
        _text(PAD, floor + 16, min(days, default=""), "small"),
        _text(WIDTH - PAD, floor + 16, max(days, default=""), "small", "end"),
        _text(PAD, PAD - 12, f"{so_far:,} of {top:,}; most on one day {most:,}", "small"),
    ]
    return _svg(title, body)


def lengths(title: str, bins: Mapping[int, int], width: int, marks: Mapping[str, float]) -> str:
    """Bars of texts by their number of words, and a line at each mark."""
    low, high = min(bins, default=0), max([*bins, *(int(at) for at in marks.values())], default=0) + width
    scale = (WIDTH - 2 * PAD) / max(high - low, 1)
    most, floor, inner = max([*bins.values(), 1]), HEIGHT - PAD, HEIGHT - 2 * PAD
    body = [
        f'<rect class="bar" x="{PAD + (at - low) * scale:.1f}" y="{floor - inner * number / most:.1f}" '
        f'width="{max(width * scale - 1, 0.5):.1f}" height="{inner * number / most:.1f}">'
        f"<title>{at} to {at + width - 1} words: {number:,}</title></rect>"
        for at, number in bins.items()
    ]
    for row, (name, at) in enumerate(marks.items()):
        x = PAD + (at - low) * scale
        body.append(f'<line class="mark mark-{row}" x1="{x:.1f}" y1="{PAD - 22}" x2="{x:.1f}" y2="{floor}"/>')
        body.append(_text(x + 4, PAD - 20 + 12 * row, f"{name} {at:g}", f"small mark-{row}"))
    body += [
        f'<line class="axis" x1="{PAD}" y1="{floor}" x2="{WIDTH - PAD}" y2="{floor}"/>',
        _text(PAD, floor + 16, f"{low} words", "small"),
        _text(WIDTH - PAD, floor + 16, f"{high} words", "small", "end"),
    ]
    return _svg(title, body)


def moved(title: str, rows: Sequence[tuple[str, float, float, bool]], unit: str) -> str:
    """A row for each name: an arrow from the first value to the last one, coloured where that is more than chance."""
    line = 22
    height = PAD + line * len(rows) + 24
    values = [value for _, first, last, _ in rows for value in (first, last)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    left = 150
    scale = (WIDTH - left - PAD) / ((high - low) or 1)
    body: list[str] = []
    for at, (name, first, last, sure) in enumerate(rows):
        y = PAD + at * line
        a, b = left + (first - low) * scale, left + (last - low) * scale
        kind = "sure" if sure else "calm"
        body.append(_text(PAD, y + 4, name[:18], "small"))
        body.append(f'<line class="{kind}" x1="{a:.1f}" y1="{y}" x2="{b:.1f}" y2="{y}"/>')
        body.append(
            f'<circle class="first" cx="{a:.1f}" cy="{y}" r="3.5"><title>first third: {first:g}</title></circle>'
        )
        body.append(
            f'<circle class="{kind}" cx="{b:.1f}" cy="{y}" r="4.5"><title>last third: {last:g}</title></circle>'
        )
    body += [
        _text(left, height - 8, f"{low:.3g} {unit}", "small"),
        _text(WIDTH - PAD, height - 8, f"{high:.3g} {unit}", "small", "end"),
    ]
    return _svg(title, body, height)
