"""Source releases for rewriting: small worlds with a test split, on the path where `build-3c` looks for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ufine_kit.dataset.look import facts_of
from ufine_kit.dataset.reader import Release, open_release
from ufine_kit.dataset.writer import write_release
from ufine_kit.rows import granularity_of
from ufine_kit.tables import FamilyTable, RewriteTable
from ufine_kit.text.words import count
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

FAMILIES = (FamilyTable(name="qwen", model="tiny/qwen"), FamilyTable(name="llama", model="tiny/llama"))
NOWHERE = {
    "crop_id": None, "video_sha256": None, "tracklet": None, "frame": None, "box_xywh": None, "upstream_id": None,
}  # fmt: skip


def row(name: str, number: int, person: str, image: bytes, captions: tuple[str, ...], split: str = "test") -> dict:
    words = [count(text) for text in captions]
    origins = [
        {"kind": "human", "writer": "writer-001", "parent": None, "words": one,
         "granularity": granularity_of(one), "style": "plain"}
        for one in words
    ]  # fmt: skip
    return {
        "image_id": f"{name}-{number:05d}", "person_id": person, "split": split, "source": name,
        "image": {"bytes": image, "path": f"{number}.jpg"}, "captions": list(captions), "caption_origins": origins,
        "image_sha256": hashlib.sha256(image).hexdigest(), "width": 16, "height": 32, "dhash": facts_of(image)["dhash"],
        "provenance": NOWHERE,
    }  # fmt: skip


def rows(
    name: str, people: int, images: int = 2, captions: int = 2, start: int = 0, words: str = "medium"
) -> list[dict]:
    samples = retrieval_set(
        people, images, size=(32, 16), captions_each=captions, granularity=words, style="plain", start=start
    )
    return [
        row(name, number, f"{sample.person_id:04d}", jpeg(sample.image), sample.captions)
        for number, sample in enumerate(samples)
    ]


def write(work: Path, name: str, content: list[dict], **manifest: object) -> Release:
    folder = work / "releases" / name / "1.0.0"
    facts = {"name": name, "version": "1.0.0", "kind": "dataset", "synthetic": True, "recipe": {}} | manifest
    write_release(folder, content, 1, facts)
    return open_release(folder)


def table(**changes: object) -> RewriteTable:
    values = {
        "persons": 3,
        "families": FAMILIES,
        "window": 4,
        "patience_seconds": 600.0,
        "near_distance": -1,
        "sampled": 0.0,
    }
    return RewriteTable.model_validate(values | changes)
