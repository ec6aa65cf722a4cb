"""Join crops, verdicts and descriptions into the rows of a release, and write it with frozen splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.dataset.splits import assign, freeze, read_splits
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder
from ufine_kit.parquet import read_rows
from ufine_kit.recipe import ReleaseTable
from ufine_kit.rows import Split, granularity_of
from ufine_kit.text.words import count as count_words

Captions = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class BuildPlan:
    """What a build would do: where, from which parts, with which identities in which split."""

    folder: Path
    splits_file: Path
    table: ReleaseTable
    captions: Captions
    verdicts: dict[str, str]
    splits: dict[str, Split]
    inputs: dict[str, str]
    synthetic: bool

    def counts(self) -> dict[str, int]:
        """Identities, images and captions that would go out."""
        return {
            "identities": len(self.splits),
            "images": len(self.verdicts),
            "captions": sum(len(self.captions[crop_id]) for crop_id in self.verdicts),
        }


def plan_build(work: Path, table: ReleaseTable) -> BuildPlan:
    """Read the thin tables and draw the splits. Raises KitError that names the stage that is missing."""
    captions = _captions(work)
    verdicts = {crop_id: person for crop_id, person in _kept(work) if crop_id in captions}
    if not verdicts:
        raise KitError("no kept crop has a description", f"ufine-kit status --work {work}")
    folder = work / "releases" / table.name
    splits_file = folder / f"splits-{table.version.split('.')[0]}.json"
    splits = assign(set(verdicts.values()), read_splits(splits_file), table.val, table.test, table.seed)
    return BuildPlan(
        folder / table.version, splits_file, table, captions, verdicts, splits, _inputs(work), _synthetic(work)
    )


def build(plan: BuildPlan, work: Path) -> dict[str, Any]:
    """Write the release of a plan; returns its manifest. The split ledger is frozen before the first row goes out."""
    if plan.folder.exists():
        raise KitError(f"`{plan.folder}` exists, and a released version never changes", "choose another --version")
    make_folder(plan.folder.parent)
    freeze(plan.splits_file, plan.splits)
    manifest = {
        "name": plan.table.name,
        "version": plan.table.version,
        "kind": "dataset",
        "synthetic": plan.synthetic,
        "recipe": plan.table.model_dump(mode="json"),
        "inputs": plan.inputs,
    }
    return write_release(plan.folder, _rows(plan, work), plan.table.shards, manifest)


def _synthetic(work: Path) -> bool:
    """Whether any video says of itself that it shows the synthetic world: its numbers must never pass as real ones."""
    return any(done.facts.get("synthetic") for done in parts.done_parts(work / "tracklets"))


def _captions(work: Path) -> Captions:
    found: Captions = defaultdict(list)
    folders = sorted(path.parent for path in (work / "descriptions").glob("*/plan.json"))
    for folder in folders:
        for done in parts.done_parts(folder):
            for row in read_rows(folder / f"{done.part}.parquet"):
                found[row["crop_id"]].append(row)
    if not found:
        raise KitError(f"no descriptions in `{work / 'descriptions'}`", "ufine-kit campaign close NAME")
    return found


def _kept(work: Path) -> Iterator[tuple[str, str]]:
    done = parts.done_parts(work / "filter")
    if not done:
        raise KitError(f"nothing in `{work / 'filter'}` yet", f"ufine-kit filter --work {work}")
    for part in done:
        for row in read_rows(work / "filter" / f"{part.part}.parquet"):
            if row["kept"]:
                yield row["crop_id"], row["person_id"]


def _inputs(work: Path) -> dict[str, str]:
    folders = [work / "tracklets", work / "filter", *sorted((work / "descriptions").glob("*/"))]
    return {
        f"{folder.relative_to(work).as_posix()}/{done.part}": done.sha256
        for folder in folders
        for done in parts.done_parts(folder)
    }


def _rows(plan: BuildPlan, work: Path) -> Iterator[dict[str, Any]]:
    for done in parts.done_parts(work / "tracklets"):
        for crop in read_rows(work / "tracklets" / f"{done.part}.parquet"):
            person = plan.verdicts.get(crop["crop_id"])
            if person is not None:
                yield sample(crop, person, plan.splits[person], plan.table.source, plan.captions[crop["crop_id"]])


def sample(
    crop: Mapping[str, Any], person: str, split: Split, source: str, descriptions: list[dict[str, Any]]
) -> dict[str, Any]:
    """One release row from a crop and its descriptions. The picture's bytes pass through as they are."""
    place = {name: crop[name] for name in ("crop_id", "video_sha256", "tracklet", "frame", "box_xywh")}
    return {
        "image_id": crop["crop_id"],
        "person_id": person,
        "split": split,
        "source": source,
        "image": {"bytes": crop["image"]["bytes"], "path": f"{crop['crop_id']}.jpg"},
        "captions": [row["text"] for row in descriptions],
        "caption_origins": [_origin(row) for row in descriptions],
        **{name: crop[name] for name in ("image_sha256", "width", "height", "dhash")},
        "provenance": {**place, "upstream_id": None},
    }


def _origin(description: Mapping[str, Any]) -> dict[str, Any]:
    words = count_words(description["text"])
    return {
        "kind": description["origin"],
        "writer": description["writer"],
        "parent": None,
        "words": words,
        "granularity": granularity_of(words),
        "style": "annotator",
    }
