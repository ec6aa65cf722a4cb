"""Small releases of the world, written at test time, and the smallest model that can learn from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ufine_kit.dataset.reader import Release, open_release
from ufine_kit.dataset.writer import write_release
from ufine_kit.rows import granularity_of
from ufine_kit.tables import BaselineTable
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

NOWHERE = {
    "crop_id": None,
    "video_sha256": None,
    "tracklet": None,
    "frame": None,
    "box_xywh": None,
    "upstream_id": None,
}


def sample_row(
    number: int, person: str, split: str, image: bytes, captions: Iterable[str], source: str = "synthetic world"
) -> dict:
    texts = list(captions)
    origins = [
        {"kind": "model", "writer": "w1", "parent": None, "words": len(text.split()),
         "granularity": granularity_of(len(text.split())), "style": "plain"}
        for text in texts
    ]  # fmt: skip
    return {
        "image_id": f"{person}-{number:05d}", "person_id": person, "split": split, "source": source,
        "image": {"bytes": image, "path": f"{number}.jpg"}, "captions": texts, "caption_origins": origins,
        "image_sha256": hashlib.sha256(image).hexdigest(), "width": 16, "height": 32, "dhash": "0" * 16,
        "provenance": NOWHERE,
    }  # fmt: skip


def world_rows(
    split: str, identities: int, start: int, images_each: int = 2, granularity: str = "coarse"
) -> list[dict]:
    samples = retrieval_set(
        identities, images_each, size=(32, 16), captions_each=2, granularity=granularity, start=start, near_alike=0.0
    )
    return [
        sample_row(number, f"p{sample.person_id}", split, jpeg(sample.image), sample.captions)
        for number, sample in enumerate(samples)
    ]


def written(folder: Path, rows: Iterable[dict], name: str = "world", synthetic: bool = True) -> Release:
    manifest = {"name": name, "version": "0.1.0", "kind": "retrieval", "synthetic": synthetic, "recipe": {}}
    write_release(folder, rows, 1, manifest)
    return open_release(folder)


def small_table(**changes: object) -> BaselineTable:
    """A model of 20 thousand parameters on images of 32 x 16 px: a step takes milliseconds."""
    small = {
        "device": "cpu", "threads": 1, "steps": 12, "batch": 8, "evaluate_every": 4, "image_height_px": 32,
        "image_width_px": 16, "patch_px": 8, "width": 32, "heads": 2, "vision_layers": 1, "text_layers": 1,
        "vocabulary": 300, "text_tokens": 120, "decoder": {"queries": 3, "width": 16, "blocks": 1, "heads": 2},
    }  # fmt: skip
    return BaselineTable.model_validate(small | changes)


def flags(**changes: object) -> list[str]:
    """`small_table` as it is typed."""
    said = small_table(**changes).model_dump(exclude_defaults=True)
    words = [f"baseline.{name}={value}" for name, value in said.items() if not isinstance(value, dict)]
    words += [f"baseline.decoder.{name}={value}" for name, value in said["decoder"].items()]
    return [part for word in words for part in ("--set", word)]


def only(**weights: float) -> dict:
    """The losses of these weights and no others."""
    return {"contrastive": 0.0} | weights


# Every loss at once, with masked words for the one that tells them.
ALL_LOSSES = {
    "losses": only(sdm=1.0, tal=1.0, granularity=1.0, match=1.0, cross_identity=1.0, identity=1.0, words=1.0),
    "mask": 0.15, "replace": 0.05,
}  # fmt: skip


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def gallery_rows(split: str, identities: int, start: int, captions_each: int) -> list[dict]:
    """Two images of 96 x 48 px a person, as `baseline_world` sees them."""
    samples = retrieval_set(
        identities, 2, size=(96, 48), captions_each=captions_each, granularity="coarse", start=start
    )
    return [
        sample_row(number, f"p{sample.person_id}", split, jpeg(sample.image), sample.captions)
        for number, sample in enumerate(samples)
    ]
