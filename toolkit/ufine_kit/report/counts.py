"""Counts as tables and as the few figures on top of a page: before and after, why dropped, by video, baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit.dataset.reasons import REASONS
from ufine_kit.manifest import Record, read_record
from ufine_kit.report.columns import Columns, Words, rows_of, tallied

Table = dict[str, Any]
Tile = dict[str, Any]
# A table longer than this is for `--json` tools; the page says how many lines it leaves out.
SHOWN_LINES = 200


def table(title: str, head: Sequence[str], lines: Sequence[Sequence[Any]], note: str = "") -> Table:
    """A table of plain values; one that is too long for a page is cut, and says so."""
    left = len(lines) - SHOWN_LINES
    said = f"{note} {left:,} more lines are not shown.".strip() if left > 0 else note
    return {"title": title, "head": list(head), "lines": [list(line) for line in lines[:SHOWN_LINES]], "note": said}


def tile(label: str, value: int, before: int | None = None) -> Tile:
    """One figure, with what it was before where that says something."""
    return {"label": label, "value": value, "before": before}


def kept_rows(images: Columns) -> np.ndarray:
    """Which crops a verdict keeps, bool [N]."""
    verdict = _words(images, "verdict")
    kept = [word == "kept" for word in verdict.words]
    return np.asarray(kept, dtype=bool)[np.asarray(verdict.codes, dtype=np.int64)] if kept else np.zeros(0, bool)


def work_tiles(images: Columns, captions: Columns) -> list[Tile]:
    """Crops, tracklets, identities and videos, kept of found; texts."""
    kept = kept_rows(images)
    before = {name: len(tallied(_words(images, name))) for name in ("tracklet", "video")}
    after = {name: len(tallied(_words(images, name), kept)) for name in ("tracklet", "person", "video")}
    return [
        tile("crops kept", int(kept.sum()), rows_of(images)),
        tile("tracklets kept", after["tracklet"], before["tracklet"]),
        tile("identities kept", after["person"]),
        tile("videos", before["video"]),
        tile("descriptions", rows_of(captions)),
    ]


def work_tables(images: Columns, captions: Columns) -> list[Table]:
    """Before and after; texts; why crops were dropped."""
    kept = kept_rows(images)
    described = (
        len({int(row or 0) for row in captions["image"].values}) if not isinstance(captions["image"], Words) else 0
    )
    lines = [("crops", rows_of(images), int(kept.sum()))] + [
        (label, len(tallied(_words(images, name))), len(tallied(_words(images, name), kept)))
        for label, name in (("tracklets", "tracklet"), ("identities", "person"), ("videos", "video"))
    ]
    lines += [
        ("crops with a description", described, described),
        ("descriptions", rows_of(captions), rows_of(captions)),
    ]
    return [
        table("Counts", ("what", "extracted", "kept"), lines[:4]),
        table("Descriptions", ("what", "number"), [line[:2] for line in lines[4:]]),
        _reasons(_words(images, "reasons")),
    ]


def _reasons(reasons: Words) -> Table:
    counts: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for against, number in tallied(reasons).items():
        for name in _tuple(against):
            counts[name] += number
            alone[name] += number if len(_tuple(against)) == 1 else 0
    lines = [
        (name, number, alone[name], REASONS[name].sentence if name in REASONS else "")
        for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table("Why crops were dropped", ("reason", "crops", "by it alone", "what it says"), lines)


def by_video(images: Columns) -> Table:
    """Tracklets and crops of every video, and how many crops are kept."""
    kept = kept_rows(images)
    videos, tracklets = _words(images, "video"), _words(images, "tracklet")
    found, left = tallied(videos), tallied(videos, kept)
    pairs = {(video, tracklet) for video, tracklet in zip(videos.codes, tracklets.codes, strict=True)}
    each = Counter(videos.words[video] for video, _ in pairs)
    lines = [(name, each[name], number, left.get(name, 0)) for name, number in found.items()]
    return table("By video", ("video", "tracklets", "crops", "kept"), lines)


def baseline_table(work: Path, data_digest: str | None = None) -> list[Table]:
    """The records under `baselines/`, of one release where its digest is given; no table where there are none."""
    records = [read_record(path) for path in sorted(work.glob("baselines/*/*.json"))]
    records = [record for record in records if data_digest in (None, record.data_digest)]
    if not records:
        return []
    names = list(dict.fromkeys(name for record in records for name in record.metrics))
    lines = [_line(record, names) for record in records]
    synthetic = any(record.synthetic for record in records)
    note = "Synthetic world: these numbers prove the chain, not a method." if synthetic else ""
    return [table("Baseline", ("checkpoint", "split", *names), lines, note)]


def _line(record: Record, names: Sequence[str]) -> list[str]:
    values = [f"{record.metrics[name]:.2f}" if name in record.metrics else "" for name in names]
    return [record.checkpoint.name, str(record.release.split), *values]


def _words(columns: Columns, name: str) -> Words:
    column = columns[name]
    assert isinstance(column, Words)
    return column


def _tuple(value: Hashable) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else (str(value),)
