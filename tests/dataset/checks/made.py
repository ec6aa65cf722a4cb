"""Small releases with nothing wrong: pictures of drawn noise, texts of the world, and everything a release carries."""

from __future__ import annotations

import copy
import hashlib
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from ufine_kit.dataset.look import dhash, encode_jpeg
from ufine_kit.dataset.splits import freeze
from ufine_kit.dataset.writer import write_release, write_sums
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count
from ufine_kit.world import retrieval_set

VERSION = "0.1.0"
SPLITS = ("train", "val", "test")
SOURCE = {
    "source": "own", "licence": "cc-by-4.0", "redistribution": True, "consent_basis": "signed forms", "url": "", "date": "2026",
    "videos": 3, "images": 0,
}  # fmt: skip


@lru_cache(maxsize=2)
def texts(persons: int) -> list[tuple[str, ...]]:
    """Two descriptions of each person, by two writers of the world who contradict each other nowhere."""
    drawn = retrieval_set(persons, 1, seed=5, size=(48, 24), style="plain")
    return [tuple(sample.captions) for sample in drawn]


def picture(number: int, height: int = 96, width: int = 40) -> bytes:
    """A JPEG of soft noise: no two numbers look alike."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (8, 4, 3), dtype=np.uint8)
    large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    return encode_jpeg(np.asarray(large), 90)


def look(row: dict, jpeg: bytes) -> dict:
    """Put a picture into a row, with the columns that speak of it."""
    import io

    with Image.open(io.BytesIO(jpeg)) as image:
        row |= {"width": image.width, "height": image.height, "dhash": dhash(image.convert("L"))}
    row["image"] = {"bytes": jpeg, "path": row["image"]["path"]}
    row["image_sha256"] = hashlib.sha256(jpeg).hexdigest()
    return row


def say(row: dict, captions: list[str]) -> dict:
    """Give a row captions, with origins that fit."""
    row["captions"] = captions
    row["caption_origins"] = [
        {
            "kind": "human", "writer": f"w{at:03d}", "parent": None, "words": count(text),
            "granularity": granularity_of(count(text)), "style": "annotator",
        }
        for at, text in enumerate(captions)
    ]  # fmt: skip
    return row


def sample(number: int, person: int, captions: list[str]) -> dict:
    split = SPLITS[person % 3]
    row = {
        "image_id": f"i{number:05d}",
        "person_id": f"p{person:04d}",
        "split": split,
        "source": "own",
        "image": {"bytes": b"", "path": f"i{number:05d}.jpg"},
        "provenance": {
            "crop_id": f"i{number:05d}", "video_sha256": hashlib.sha256(split.encode()).hexdigest(), "tracklet": f"t{person}",
            "frame": number, "box_xywh": [1.5, 2, 40, 96], "upstream_id": None,
        },
    }  # fmt: skip
    return say(look(row, picture(number)), captions)


@lru_cache(maxsize=4)
def _rows(persons: int, each: int) -> list[dict]:
    said = texts(persons)
    return [
        sample(person * each + place, person, [f"{text} View {person * each + place}." for text in said[person]])
        for person in range(persons)
        for place in range(each)
    ]


def rows(persons: int = 12, each: int = 2) -> list[dict]:
    """Rows to do with as one likes."""
    return copy.deepcopy(_rows(persons, each))


def release(root: Path, given: list[dict], shards: int = 2, **changes) -> Path:
    """A release of the rows under `root`, with CHANGELOG, ledger of splits and checksums."""
    folder = root / "releases" / "toy" / VERSION
    manifest = {
        "name": "toy", "version": VERSION, "kind": "dataset", "synthetic": False, "recipe": {"license": "cc-by-nc-4.0"},
        "sources": [SOURCE | {"images": len(given)}], "changes": ["first version"],
    }  # fmt: skip
    write_release(folder, given, shards, manifest | changes)
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## {VERSION}\n\n- first version\n")
    freeze(folder.parent / "splits-0.json", {row["person_id"]: row["split"] for row in given})
    write_sums(folder)
    return folder


def retold(folder: Path, **changes) -> Path:
    """The release with other words in its manifest, checksums and all."""
    path = folder / "release.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    write_sums(folder)
    return folder
