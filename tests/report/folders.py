"""Work folders and releases with known content, written as the stages write them, without running a stage."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ufine_kit import parts
from ufine_kit.dataset.writer import write_release
from ufine_kit.files import sha256_file
from ufine_kit.recipe import Recipe
from ufine_kit.rows import ROWS, granularity_of

HOSTILE = "<script>alert(1)</script>"


def picture(number: int, height: int = 160, width: int = 64) -> bytes:
    """A small JPEG that differs from its neighbours."""
    rng = np.random.default_rng(number)
    rows = np.linspace(0, 1, height)[:, None, None]
    colours = rng.integers(40, 220, (2, 3))
    pixels = colours[0] * (1 - rows) + colours[1] * rows + rng.normal(0, 6, (height, width, 3))
    pixels[height // 4 : height // 2, width // 4 : 3 * width // 4] = rng.integers(0, 255, 3)
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@dataclass(frozen=True)
class Crop:
    """One crop of a made-up work folder; `reasons` None: not judged."""

    video: str = "a.mp4"
    tracklet: str = "a:0:1"
    seconds: float = 0.0
    person: str | None = None
    reasons: Sequence[str] | None = ()
    texts: Sequence[str] = ()
    sharpness: float = 100.0
    image: bytes = field(default_factory=lambda: picture(0))


def crop_id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:16]


def write_stage(work: Path, stage: str, row: str, rows: Iterable[dict], part: str = "part-00000", table=None) -> None:
    """One finished part of a stage, done mark and plan included."""
    folder = work / stage
    said = parts.Facts()
    entry = parts.PlanEntry(part, part, {})
    count = parts.write_part(folder, part, rows, ROWS[row], said)
    path = folder / f"{part}.parquet"
    mark = parts.Done(
        part, stage, count, dict(said.reasons), sha256_file(path), path.stat().st_size, {}, "", table or {},
        versions={}, facts={}, bad_inputs=[], attachments={}, error=None,
    )  # fmt: skip
    parts.write_done(folder, mark)
    parts.append_plan(folder, [entry])


def blank(row: str) -> dict:
    """Every field of a row that may be empty, empty: fields added later need no change here."""
    return dict.fromkeys(ROWS[row].model_fields)


def make_work(work: Path, crops: Sequence[Crop], part: str = "part-00000", first: int = 0) -> Path:
    """A work folder with these crops, their verdicts, scores and texts."""
    numbered = list(enumerate(crops, first))
    write_stage(work, "tracklets", "crop", (_crop(number, crop) for number, crop in numbered), part)
    judged = [(number, crop) for number, crop in numbered if crop.reasons is not None]
    if judged:
        scores = ({**blank("measure"), **_scores(number)} for number, _ in judged)
        write_stage(work, "measures", "measure", scores, part)
        table = Recipe().filter.model_dump(mode="json")
        verdicts = ({**blank("verdict"), **_verdict(number, crop)} for number, crop in judged)
        write_stage(work, "filter", "verdict", verdicts, part, table)
    texts = [(number, at, text) for number, crop in numbered for at, text in enumerate(crop.texts)]
    if texts:
        write_stage(work, "descriptions/demo", "description", (_description(*said) for said in texts), part)
    return work


def _crop(number: int, crop: Crop) -> dict:
    return {
        **blank("crop"),
        "crop_id": crop_id(number), "video": crop.video, "video_sha256": "0" * 64, "segment": 0, "tracklet": crop.tracklet,
        "frame": int(crop.seconds * 10), "seconds": crop.seconds, "box_xywh": [0.0, 0.0, 64.0, 160.0], "frame_width": 640,
        "frame_height": 480, "confidence": 0.9, "max_overlap": 0.1, "border_px": 5.0, "sharpness": crop.sharpness,
        "image": {"bytes": crop.image, "path": None}, "image_sha256": hashlib.sha256(crop.image).hexdigest(),
        "width": 64, "height": 160, "dhash": "0" * 16,
    }  # fmt: skip


def _scores(number: int) -> dict:
    return {"crop_id": crop_id(number), "brightness": 40.0 + number % 150, "contrast": 30.0}


def _verdict(number: int, crop: Crop) -> dict:
    reasons = list(crop.reasons or ())
    return {
        "crop_id": crop_id(number),
        "person_id": crop.person or crop.tracklet,
        "kept": not reasons,
        "reasons": reasons,
    }


def _description(number: int, at: int, text: str) -> dict:
    return {
        **blank("description"),
        "description_id": f"d{number}-{at}", "crop_id": crop_id(number), "text": text, "writer": f"w{number % 3}",
        "created_at": "2026-01-01T00:00:00Z", "lead_seconds": 60.0, "origin": "human", "parent_id": None, "checks": [],
    }  # fmt: skip


@dataclass(frozen=True)
class Image_:
    """One image of a made-up release; a caption is (text, kind, style)."""

    person: str
    split: str = "train"
    source: str = "own"
    captions: Sequence[tuple[str, str, str]] = (("a person", "human", "annotator"),)
    image: bytes = field(default_factory=lambda: picture(0))


def make_release(folder: Path, images: Iterable[Image_], name: str = "demo", version: str = "1.0.0") -> Path:
    """A release folder `<folder>/<name>/<version>` with these images."""
    path = folder / name / version
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest = {
        "name": name, "version": version, "kind": "dataset", "synthetic": False, "recipe": {}, "inputs": {},
        "sources": [{"source": "own", "licence": "other", "redistribution": True, "consent_basis": "asked",
                     "url": "", "date": "", "videos": 1, "images": 2}],
    }  # fmt: skip
    write_release(path, (_sample(number, image) for number, image in enumerate(images)), 1, manifest)
    return path


def _sample(number: int, image: Image_) -> dict:
    origins = [
        {"kind": kind, "writer": f"w{number % 3}", "parent": None if at == 0 else 0, "words": len(text.split()),
         "granularity": granularity_of(len(text.split())), "style": style}
        for at, (text, kind, style) in enumerate(image.captions)
    ]  # fmt: skip
    return {
        "image_id": f"i{number}", "person_id": image.person, "split": image.split, "source": image.source,
        "image": {"bytes": image.image, "path": f"i{number}.jpg"}, "captions": [text for text, _, _ in image.captions],
        "caption_origins": origins, "image_sha256": hashlib.sha256(image.image).hexdigest(), "width": 64, "height": 160,
        "dhash": "0" * 16,
        "provenance": dict.fromkeys(("crop_id", "video_sha256", "tracklet", "frame", "box_xywh", "upstream_id")),
    }  # fmt: skip
