"""The report page: counts by stage, kept and dropped crops with reasons, texts, baselines; every string escaped."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.errors import KitError
from ufine_kit.files import write_bytes
from ufine_kit.manifest import read_record
from ufine_kit.parquet import read_rows

# People look at a page, not at a dump: this many crops stand for all.
SHOWN_CROPS = 240

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; border-bottom: 1px solid var(--line); text-align: right }
td:first-child, th:first-child { text-align: left }
.crops { display: flex; flex-wrap: wrap; gap: .8rem } figure { margin: 0; width: 9rem }
figure img { height: 12rem; border-radius: 4px; display: block; margin: auto }
figcaption { font-size: .72rem; line-height: 1.35 } .dropped img { opacity: .45 } .why { color: #c33 }
.synthetic { border-left: 4px solid #c80; padding-left: .8rem }
"""


def write_report(work: Path, path: Path) -> None:
    """Write `report.html` from the parts, releases and records under a work folder. Raises KitError where there is nothing."""
    need_tracklets(work)
    verdicts = {row["crop_id"]: row for row in stage_rows(work / "filter")}
    texts: dict[str, list[str]] = defaultdict(list)
    for folder in sorted((work / "descriptions").glob("*/")):
        for row in stage_rows(folder):
            texts[row["crop_id"]].append(row["text"])
    body = [_counts(verdicts, texts), _baselines(work), _crops(work, verdicts, texts)]
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>ufine-kit report</title><style>{STYLE}</style>"
    write_bytes(path, (head + "<h1>ufine-kit report</h1>" + "".join(body) + "</html>\n").encode())


def need_tracklets(work: Path) -> None:
    """Raise KitError where no crop was extracted yet."""
    if not parts.done_parts(work / "tracklets"):
        raise KitError(f"nothing in `{work / 'tracklets'}` yet", "ufine-kit extract-tracklets videos/")


def stage_rows(folder: Path, columns: tuple[str, ...] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of every finished part of a stage folder."""
    for done in parts.done_parts(folder):
        yield from read_rows(folder / f"{done.part}.parquet", columns)


def _counts(verdicts: dict[str, dict[str, Any]], texts: dict[str, list[str]]) -> str:
    kept = sum(row["kept"] for row in verdicts.values())
    people = len({row["person_id"] for row in verdicts.values() if row["kept"]})
    lines = [
        ("crops judged", len(verdicts)),
        ("kept", kept),
        ("identities kept", people),
        ("descriptions", sum(map(len, texts.values()))),
    ]
    reasons = Counter(reason for row in verdicts.values() for reason in row["reasons"])
    return (
        "<h2>Counts</h2>" + table(("what", "number"), lines)
        + "<h2>Why crops were dropped</h2>" + table(("reason", "crops"), reasons.most_common())
    )  # fmt: skip


def _baselines(work: Path) -> str:
    records = [read_record(path) for path in sorted(work.glob("baselines/*/*.json"))]
    if not records:
        return ""
    names = tuple(records[0].metrics)
    lines = [
        (record.checkpoint.name, record.release.split, *(f"{record.metrics.get(name, 0):.2f}" for name in names))
        for record in records
    ]
    note = "<p class=synthetic>Synthetic world: these numbers prove the chain, not a method.</p>"
    marked = note if any(record.synthetic for record in records) else ""
    return "<h2>Baseline</h2>" + marked + table(("checkpoint", "split", *names), lines)


def _crops(work: Path, verdicts: dict[str, dict[str, Any]], texts: dict[str, list[str]]) -> str:
    figures: list[str] = []
    for crop in stage_rows(work / "tracklets", ("crop_id", "video", "tracklet", "frame", "image")):
        if len(figures) == SHOWN_CROPS:
            break
        figures.append(_figure(crop, verdicts.get(crop["crop_id"]), texts.get(crop["crop_id"], [])))
    return f"<h2>The first {len(figures)} crops in order of time</h2><div class=crops>{''.join(figures)}</div>"


def _figure(crop: dict[str, Any], verdict: dict[str, Any] | None, texts: list[str]) -> str:
    picture = base64.b64encode(crop["image"]["bytes"]).decode()
    against = verdict["reasons"] if verdict else []
    words = [f"{crop['video']} frame {crop['frame']}", f"tracklet {crop['tracklet']}", *texts]
    said = "<br>".join(escape(word) for word in words)
    why = f"<br><span class=why>{escape(', '.join(against))}</span>" if against else ""
    return (
        f"<figure class={'dropped' if against else 'kept'}><img loading=lazy alt='' src='data:image/jpeg;base64,{picture}'>"
        f"<figcaption>{said}{why}</figcaption></figure>"
    )


def table(head: tuple[str, ...], lines: Any) -> str:
    """An HTML table; every cell escaped."""
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><tr>{cells}</tr>{rows}</table>"
