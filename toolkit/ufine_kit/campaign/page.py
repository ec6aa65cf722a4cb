"""The status of a campaign as one HTML page: plots and a table of writers; no script, nothing fetched, everything escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from ufine_kit.campaign.progress import BIN
from ufine_kit.campaign.svg import grown, lengths, moved
from ufine_kit.files import make_folder, write_bytes

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #667; --paper: #fff; --bar: #8fb3d9; --line: #1f6f4a;
  --warn: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #9aa; --paper: #15181c; --bar: #3f6790; --line: #63c79b; --warn: #ff8a80; }
}
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem;
  padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
.soft, .small { color: var(--soft); fill: var(--soft); } .small { font-size: 11px; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem 2.4rem; margin: 1.2rem 0; }
.tiles b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
.bar { fill: var(--bar); } .line { fill: none; stroke: var(--line); stroke-width: 2; } .axis { stroke: var(--soft); }
.mark { stroke: var(--line); stroke-width: 1.5; } .mark-1 { stroke: var(--warn); } text.mark-1, text.mark-0 { stroke: none; }
line.calm, line.sure { stroke: var(--soft); stroke-width: 2; } line.sure { stroke: var(--warn); }
circle.first { fill: var(--paper); stroke: var(--soft); } circle.calm { fill: var(--soft); } circle.sure { fill: var(--warn); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { text-align: right; padding: .25rem .55rem; border-bottom: 1px solid color-mix(in srgb, var(--soft) 30%, transparent); }
th { font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child, td:first-child, .left { text-align: left; }
.bad { color: var(--warn); font-weight: 600; }
"""

NOTES = (
    "words: mean and standard deviation; variety: share of different words in every 50 running words (moving-average "
    "type-token ratio, which does not fall with length); covers: share of texts that speak of at least three of hair, upper "
    "clothes, lower clothes and shoes; drift: first against last third of a writer's texts, red where chance is unlikely."
)


def write_page(path: Path, name: str, status: Mapping[str, Any]) -> int:
    """Write the page, whole or not at all; returns its size in bytes."""
    make_folder(path.parent)
    content = page(name, status).encode()
    write_bytes(path, content)
    return len(content)


def page(name: str, status: Mapping[str, Any]) -> str:
    """The page of one campaign from what `progress` tells."""
    sha = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'"
    title = escape(f"Campaign {name}")
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>",
            f'<p class="soft">{escape(_forecast(status))}</p>',
            _tiles(status),
            f'<div class="plots">{_plots(status)}</div>',
            "<h2>Held back</h2>",
            _counts(status["rules"], "Nothing is held back."),
            "<h2>Writers</h2>",
            _table(status["writers"]),
            f'<p class="soft">{escape(NOTES)}</p>',
            "</body></html>\n",
        ]
    )


def _forecast(status: Mapping[str, Any]) -> str:
    told = status["forecast"]
    if told is None:
        return _without_forecast(status)
    pace = f"{told['left']:,} texts to go at {told['a_day']:g} a day"
    if told["finish"] is None:
        return f"{pace}: not within a century."
    return f"{pace}: through by {told['finish']} ({told['earliest']} to {told['latest'] or 'open'})."


def _without_forecast(status: Mapping[str, Any]) -> str:
    if status["wanted"]:
        left = status["wanted"] - status["accepted"]
        return f"{left:,} texts to go, and none is accepted yet." if left > 0 else "Nothing is left to write."
    if asked := status["reviews"] or status["revisions"]:
        return f"{asked['given']:,} of {asked['wanted']:,} answers are given; no texts are asked for."
    return "Texts come by file: how many are wanted is not known."


def _tiles(status: Mapping[str, Any]) -> str:
    words = status["words"]
    tiles = [
        ("texts accepted", f"{status['accepted']:,}" + (f" of {status['wanted']:,}" if status["wanted"] else "")),
        ("held back", f"{status['refused']:,}"),
        ("crops through", "-" if status["crops_done"] is None else f"{status['crops_done']:,}"),
        ("crops with texts", f"{status['crops']:,}"),
        ("words a text", f"{words['mean'] or 0:g}"),
        ("writers", f"{len(status['writers']):,}"),
    ]
    return '<div class="tiles">' + "".join(f"<div><b>{escape(b)}</b>{escape(a)}</div>" for a, b in tiles) + "</div>"


def _plots(status: Mapping[str, Any]) -> str:
    words = status["words"]
    marks = {"asked": float(words["asked"])} | ({"mean": float(words["mean"])} if words["mean"] else {})
    bins = {int(low): number for low, number in status["histogram"].items()}
    plots = [
        ("Accepted texts by day, and so far", grown("Accepted texts by day", status["days"], status["wanted"])),
        ("Accepted texts by their words", lengths("Texts by words", bins, BIN, marks)),
    ]
    for what, unit in (("words", "words"), ("coverage", "of the texts")):
        rows = [
            (who["writer"], told["first"], told["last"], told["drifts"])
            for who in status["writers"]
            if (told := who["drift"][what]) is not None
        ]
        if rows:
            title = f"Drift of {what}: first third (hollow) to last third"
            plots.append((title, moved(title, rows, unit)))
    return "".join(f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>" for title, svg in plots)


def _counts(counts: Mapping[str, int], none: str) -> str:
    if not counts:
        return f'<p class="soft">{escape(none)}</p>'
    ranked = sorted(counts.items(), key=lambda one: -one[1])
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{number:,}</td></tr>" for name, number in ranked)
    return f"<table><tbody>{lines}</tbody></table>"


HEADS = (
    "writer", "texts", "accepted", "words", "sd", "variety", "covers", "copies", "honeypots failed", "words a minute",
    "drift of words", "drift of covers", "qualified", "confirmed", "skips",
)  # fmt: skip


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in HEADS)
    lines = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'


def _cells(row: Mapping[str, Any]) -> list[str]:
    pots, qualified = row["honeypots"], row["qualified"]
    skips = ", ".join(f"{reason} {number}" for reason, number in row["skips"].items())
    passed = None if qualified is None else {True: "yes", False: "no", None: "not yet"}[qualified["passed"]]
    tried = pots["passed"] + pots["failed"]
    plain = [row[key] for key in ("writer", "texts", "accepted", "words_mean", "words_sd", "ttr", "coverage")]
    return [
        *map(_cell, plain),
        _cell(row["copies"], row["copies"] > 0),
        _cell(pots["failed"] if tried else None, pots["failed"] > 0),
        _cell(row["words_a_minute"]),
        _drift(row["drift"]["words"]),
        _drift(row["drift"]["coverage"]),
        _cell(passed, passed == "no"),
        _cell(row["confirmed"] or None),
        _cell(skips, kind="left"),
    ]


def _drift(told: Mapping[str, Any] | None) -> str:
    return _cell(f"{told['first']:.3g} to {told['last']:.3g}", told["drifts"]) if told else _cell(None)


def _cell(value: Any, bad: bool = False, kind: str = "") -> str:
    classes = " ".join(word for word in (kind, "bad" if bad else "") if word)
    shown = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return f'<td class="{classes}">{escape(shown)}</td>' if classes else f"<td>{escape(shown)}</td>"
