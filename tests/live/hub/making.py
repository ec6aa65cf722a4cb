"""Small whole releases of the drawn world, and a recipe whose owner has answered everything."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
from pathlib import Path

from PIL import Image

from ufine_kit.dataset.checks import check_release, report_folder
from ufine_kit.dataset.checks.report import keep
from ufine_kit.dataset.look import dhash
from ufine_kit.dataset.reader import Release, open_release
from ufine_kit.dataset.splits import shard_of
from ufine_kit.dataset.writer import write_release, write_sums
from ufine_kit.recipe import Recipe, load_recipe
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

PEOPLE, SHARDS = 12, 3
SPLITS = {"train": range(6), "val": range(6, 9), "test": range(9, 12)}
OWNER = {
    "authors": ["A. Person", "B. Other"], "year": 2026, "contact": "owner@example.org", "takedown": "Within 14 days.",
    "purpose": "To try the push.", "funding": "none", "consent": "Nobody is shown.", "ethics": "none: nobody is shown",
    "annotators": "Simulated writers.", "instructions": "Tell what is drawn.", "pay": "none: nobody worked on it",
    "maintenance": "The tests.",
}  # fmt: skip


def recipe_text(**changes: object) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in (OWNER | changes).items()]
    return "[card]\n" + "\n".join(lines) + "\n"


def recipe(*sets: str, **changes: object) -> Recipe:
    loaded = load_recipe(None, sets)
    return loaded.model_copy(update={"card": loaded.card.model_validate(OWNER | changes)})


@functools.cache
def rows() -> tuple[dict, ...]:
    """Two drawn pictures each of twelve people, in three splits."""
    made = []
    for number, sample in enumerate(retrieval_set(PEOPLE, 2, size=(96, 48), near_alike=0.0)):
        picture = jpeg(sample.image)
        split = next(name for name, people in SPLITS.items() if sample.person_id in people)
        made.append(
            {
                "image_id": f"i{number:04d}", "person_id": f"p{sample.person_id:02d}", "split": split,
                "source": "synthetic-world", "image": {"bytes": picture, "path": f"i{number:04d}.jpg"},
                "captions": list(sample.captions), "caption_origins": [_origin(text) for text in sample.captions],
                "image_sha256": hashlib.sha256(picture).hexdigest(), "width": 48, "height": 96,
                "dhash": dhash(Image.open(io.BytesIO(picture)).convert("L")),
                "provenance": {
                    "crop_id": f"c{number:04d}", "video_sha256": None, "tracklet": None, "frame": None, "box_xywh": None,
                    "upstream_id": None,
                },
            }
        )  # fmt: skip
    return tuple(made)


def _origin(text: str) -> dict:
    words = count(text)
    return {
        "kind": "human", "writer": "writer-1", "parent": None, "words": words, "granularity": granularity_of(words),
        "style": "plain",
    }  # fmt: skip


def release(work: Path, version: str = "0.1.0", without: tuple[str, ...] = (), **manifest: object) -> Release:
    """Write a release into `work`; `without` are people who were taken out, with their tombstones."""
    folder = work / "releases/toy" / version
    kept = [row for row in rows() if row["person_id"] not in without]
    told = {
        "name": "toy", "version": version, "kind": "dataset", "synthetic": True, "changes": [f"Version {version}."],
        "recipe": {"name": "toy", "version": version, "license": "cc0-1.0"}, **manifest,
    }  # fmt: skip
    write_release(folder, kept, SHARDS, {**told, "sources": [source(len(kept))], **manifest})
    (folder / "CHANGELOG.md").write_text(f"# Changes of toy\n\n## {version}\n\n- Version {version}.\n")
    if without:
        lines = "".join(json.dumps(tombstone(person, version)) + "\n" for person in without)
        (folder / "removed.jsonl").write_text(lines)
        (folder.parent / "removed.jsonl").write_text(lines)
    write_sums(folder)
    keep(check_release(folder), report_folder(work, "toy", version))
    return open_release(folder)


def source(images: int) -> dict:
    return {
        "source": "synthetic-world", "licence": "cc0-1.0", "redistribution": True, "consent_basis": "nobody is shown",
        "url": "", "date": "2026-01-01", "videos": 0, "images": images,
    }  # fmt: skip


def tombstone(person: str, version: str) -> dict:
    gone = [row for row in rows() if row["person_id"] == person]
    return {
        "version": version, "reason": "asked to be taken out", "person": sha(f"toy:{person}"),
        "images": [row["image_sha256"] for row in gone], "crops": [sha(row["provenance"]["crop_id"]) for row in gone],
    }  # fmt: skip


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def shards_of(person: str, split: str) -> set[str]:
    number = shard_of(person, SHARDS)
    return {f"{folder}/{split}-{number:05d}-of-{SHARDS:05d}.parquet" for folder in ("data", "texts")}


def copy(made: Path, to: Path) -> Path:
    """A work folder to do with as one likes."""
    shutil.copytree(made, to)
    return to
