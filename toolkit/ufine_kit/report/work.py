"""A work folder as a page shows it: every crop with its verdict, scores and texts, in the order of the parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit import parts
from ufine_kit.dataset.reasons import REASONS
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows
from ufine_kit.report.columns import Columns, Numbers, Words
from ufine_kit.report.counts import baseline_table, by_video, work_tables, work_tiles
from ufine_kit.report.document import View
from ufine_kit.report.thresholds import limits, outside

# Scores that `extract-tracklets` already knows; those of `filter` are read from the measures' own schema.
SCORES = ("height", "width", "sharpness", "max_overlap", "border_px", "confidence")
PLACE = ("crop_id", "video", "tracklet", "frame", "seconds")
# Columns of a page that a measure must not take the name of.
TAKEN = {*SCORES, *PLACE, "id", "person", "verdict", "reasons", "aspect"}
NOTE = "Synthetic world: these numbers prove the chain, not a method."


def need_tracklets(work: Path) -> None:
    """Raise KitError where no crop was extracted yet."""
    if not parts.done_parts(work / "tracklets"):
        raise KitError(f"nothing in `{work / 'tracklets'}` yet", f"ufine-kit extract-tracklets videos/ --work {work}")


def stage_rows(folder: Path, columns: tuple[str, ...] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of every finished part of a stage folder."""
    for path in files_of(folder):
        yield from read_rows(path, columns)


def files_of(folder: Path) -> list[Path]:
    """The Parquet files of every finished part of a stage folder, in the order of its plan."""
    return [folder / f"{done.part}.parquet" for done in parts.done_parts(folder)]


class Judged(NamedTuple):
    """What `filter` says of a crop; one that it never saw belongs to its own tracklet."""

    person: str
    verdict: str
    reasons: tuple[str, ...]


def verdicts_of(work: Path) -> dict[str, Judged]:
    """The verdicts of all crops by `crop_id`, as little of each as can be: there may be very many."""
    return {
        row["crop_id"]: Judged(row["person_id"], "kept" if row["kept"] else "dropped", tuple(row["reasons"]))
        for row in stage_rows(work / "filter", ("crop_id", "person_id", "kept", "reasons"))
    }


def work_view(work: Path) -> View:
    """All that is known of the crops of a work folder. Raises KitError where there are none."""
    need_tracklets(work)
    images = _images(work)
    ids = images["id"]
    assert isinstance(ids, Words)
    descriptions = _descriptions(work)
    captions = _captions(ids, descriptions)
    synthetic = any(done.facts.get("synthetic") for done in parts.done_parts(work / "tracklets"))
    facts = {
        "kind": "work",
        "noun": "crops",
        "note": NOTE if synthetic else "",
        "tiles": work_tiles(images, captions),
        "tables": [*work_tables(images, captions), *baseline_table(work), by_video(images)],
        "groupings": {"tracklet": "tracklets", "person": "identities", "video": "videos"},
        "headings": ["tracklet", "person", "video"],
        "image_facets": {"verdict": "Verdict", "reasons": "Reasons against", "video": "Video"},
        "caption_facets": {"kind": "Origin of the text", "checks": "Text rules that spoke"},
        "hints": {reason.name: reason.sentence for reason in REASONS.values()},
        "measures": _measures(work, images),
    }

    def texts() -> Iterator[list[str]]:
        return ([row["text"] for row in descriptions.get(str(crop), [])] for crop in ids.words)

    return View("ufine-kit report", facts, images, captions, texts, files_of(work / "tracklets"))


def _images(work: Path) -> Columns:
    verdicts = verdicts_of(work)
    names, scores = _scores(work / "measures")
    words = {name: Words() for name in ("id", "video", "tracklet", "person", "verdict", "reasons")}
    numbers = {"frame": Numbers(digits=None), "seconds": Numbers(digits=7)}
    numbers |= {name: Numbers() for name in ("aspect", *SCORES, *names)}
    for crop in stage_rows(work / "tracklets", (*PLACE, *SCORES)):
        judged = verdicts.get(crop["crop_id"]) or Judged(crop["tracklet"], "not judged", ())
        words["id"].add(crop["crop_id"])
        words["video"].add(crop["video"])
        words["tracklet"].add(crop["tracklet"])
        words["person"].add(judged.person)
        words["verdict"].add(judged.verdict)
        words["reasons"].add(judged.reasons)
        numbers["aspect"].add(crop["height"] / crop["width"] if crop["width"] else None)
        for name in ("frame", "seconds", *SCORES):
            numbers[name].add(crop[name])
        for name, value in zip(names, scores.get(crop["crop_id"], [None] * len(names)), strict=True):
            numbers[name].add(value)
    return {**words, **numbers}


def _scores(folder: Path) -> tuple[list[str], dict[str, list[float | None]]]:
    """Names of the measures' numeric columns, whatever they are, and their values by crop."""
    names: list[str] = []
    for path in files_of(folder):
        for column in _schema(path):
            if _is_number(column.type) and column.name.isidentifier() and column.name not in {*names, *TAKEN}:
                names.append(column.name)
    found = {
        row["crop_id"]: [row.get(name) for name in names] for path in files_of(folder) for row in _thin(path, names)
    }
    return names, found


def _thin(path: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    held = set(_schema(path).names)
    return read_rows(path, ["crop_id", *(name for name in names if name in held)])


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise KitError(f"cannot read `{path}`: {error}", "ufine-kit filter --redo") from None


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _descriptions(work: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for folder in sorted(path.parent for path in (work / "descriptions").glob("*/plan.json")):
        for row in stage_rows(folder, ("crop_id", "text", "writer", "origin", "checks")):
            found[row["crop_id"]].append({**row, "campaign": folder.name})
    return found


def _captions(ids: Words, descriptions: dict[str, list[dict[str, Any]]]) -> Columns:
    image = Numbers(digits=None)
    words = {name: Words() for name in ("kind", "writer", "campaign", "checks")}
    for row, crop_id in enumerate(ids.words):
        for said in descriptions.get(str(crop_id), []):
            image.add(row)
            words["kind"].add(said["origin"])
            words["writer"].add(said["writer"])
            words["campaign"].add(said["campaign"])
            words["checks"].add(tuple(said["checks"]))
    return {"image": image, **words}


def _measures(work: Path, images: Columns) -> list[dict[str, Any]]:
    """Every numeric score with its bounds: those that decide first, then the others."""
    bounds = limits(work / "filter")
    scores = {name: column for name, column in images.items() if isinstance(column, Numbers) and name not in PLACE}
    ordered = sorted(scores, key=lambda name: name not in bounds)
    told = [(name, bounds.get(name, [])) for name in ordered]
    return [{"column": name, "of": "image", "limits": of, "outside": outside(scores[name], of)} for name, of in told]
