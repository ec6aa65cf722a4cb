"""Join crops, verdicts and descriptions into the rows of a release, and write it with frozen splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.dataset.reader import open_release
from ufine_kit.dataset.reader import read_rows as release_rows
from ufine_kit.dataset.splits import assign, freeze, read_splits
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder
from ufine_kit.manifest import release_folders
from ufine_kit.parquet import read_rows
from ufine_kit.pipeline import outdated
from ufine_kit.rows import Split, granularity_of
from ufine_kit.tables import ReleaseTable
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
    """Read the thin tables and draw the splits. Raises KitError that names the stage that is missing or out of date."""
    folder = work / "releases" / table.name
    if (folder / table.version).exists():
        raise KitError(
            f"`{folder / table.version}` exists, and a released version never changes", "choose another --version"
        )
    captions = _captions(work)
    verdicts = {crop_id: person for crop_id, person in _kept(work) if crop_id in captions}
    if not verdicts:
        raise KitError("no kept crop has a description", f"ufine-kit status --work {work}")
    _refuse_outdated(work)
    splits_file = folder / f"splits-{table.version.split('.')[0]}.json"
    held: dict[str, Split] = {**_splits_of_releases(folder, table.version), **read_splits(splits_file)}
    splits = assign(set(verdicts.values()), held, table.val, table.test, table.seed)
    if "train" not in splits.values():
        raise KitError(
            f"none of {len(splits)} identities falls into train",
            "lower release.test and release.val, or add identities",
        )
    return BuildPlan(
        folder / table.version, splits_file, table, captions, verdicts, splits, _inputs(work), _synthetic(work)
    )


def build(work: Path, table: ReleaseTable) -> dict[str, Any]:
    """Write the release; returns its manifest. One build of a name at a time; its splits are frozen once it stands."""
    folder = make_folder(work / "releases" / table.name)
    with parts.lock(folder, "build"):
        plan = plan_build(work, table)
        manifest = {
            "name": table.name,
            "version": table.version,
            "kind": "dataset",
            "synthetic": plan.synthetic,
            "recipe": table.model_dump(mode="json"),
            "inputs": plan.inputs,
        }
        written = write_release(plan.folder, _rows(plan, work), table.shards, manifest)
        freeze(plan.splits_file, plan.splits)
    return written


def _splits_of_releases(folder: Path, version: str) -> dict[str, Split]:
    """What the released versions of the same major version say: a build cut short after its release stood is not forgotten."""
    major = version.split(".")[0]
    same = [
        path
        for path in release_folders(folder.parent.parent)
        if path.parent == folder and path.name.split(".")[0] == major
    ]
    return {
        row["person_id"]: row["split"]
        for path in same
        for row in release_rows(open_release(path), columns=["person_id", "split"])
    }


def _refuse_outdated(work: Path) -> None:
    """Raise KitError where verdicts or descriptions were made from something that has changed since."""
    campaigns = sorted(path.parent for path in (work / "descriptions").glob("*/plan.json"))
    for folder, mend in [(work / "measures", "filter --redo"), (work / "filter", "filter --redo")]:
        if old := outdated(folder, work):
            raise KitError(
                f"{len(old)} parts of `{folder}` are older than the crops: {old[0]}", f"ufine-kit {mend} --work {work}"
            )
    for folder in campaigns:
        if outdated(folder, work):
            mend = f"ufine-kit campaign close {folder.name} --work {work}"
            raise KitError(f"campaign `{folder.name}` has texts that `{folder}` does not", mend)


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
                if hashlib.sha256(crop["image"]["bytes"]).hexdigest() != crop["image_sha256"]:
                    raise KitError(
                        f"crop `{crop['crop_id']}` in `{work / 'tracklets' / done.part}.parquet` is damaged",
                        "ufine-kit extract-tracklets VIDEOS --redo",
                    )
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
