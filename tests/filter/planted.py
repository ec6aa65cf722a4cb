"""Crops with known answers: rows made at test time, laid into a work folder as `extract-tracklets` would leave them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit import parts, pipeline
from ufine_kit.dataset.look import encode_jpeg, facts_of
from ufine_kit.engine import Job
from ufine_kit.filter.columns import Crops
from ufine_kit.filter.spans import Tracklets
from ufine_kit.parquet import read_rows
from ufine_kit.recipe import load_recipe
from ufine_kit.rows import Crop


def picture(seed: int, size: tuple[int, int] = (48, 120)) -> np.ndarray:
    """A person of `seed`'s colours in front of grey, uint8 [H, W, 3]; the same seed with other noise every time it is asked."""
    width, height = size
    colours = np.random.default_rng(seed).integers(20, 235, (4, 3))
    rgb = np.full((height, width, 3), 120, dtype=np.int64)
    for stripe in range(4):
        rgb[stripe * height // 4 : (stripe + 1) * height // 4, width // 5 : -width // 5] = colours[stripe]
    return rgb.astype(np.uint8)


def crop_row(name: str, tracklet: str, frame: int, rgb: np.ndarray | None, **changes: Any) -> dict[str, Any]:
    """One crop row; without a picture its bytes do not decode."""
    jpeg = encode_jpeg(rgb, 95) if rgb is not None else b"no picture"
    facts = facts_of(jpeg) if rgb is not None else {"sharpness": 500.0, "dhash": "0" * 16}
    height, width = rgb.shape[:2] if rgb is not None else (120, 48)
    video = tracklet.partition("-")[0]
    return {
        "crop_id": name, "video": f"{video}.mp4", "video_sha256": video, "segment": 0, "tracklet": tracklet,
        "frame": frame, "seconds": frame / 10, "box_xywh": [10.0, 10.0, float(width), float(height)],
        "frame_width": 640, "frame_height": 480, "confidence": 0.9, "max_overlap": 0.0, "border_px": 10.0,
        "image": {"bytes": jpeg, "path": f"{name}.jpg"}, "image_sha256": hashlib.sha256(jpeg).hexdigest(),
        "width": width, "height": height, **facts, **changes,
    }  # fmt: skip


def planned_row(video: str, segment: int) -> dict[str, Any]:
    return {"video": f"{video}.mp4", "video_sha256": video, "segment": segment}


def lay_out(work: Path, groups: Sequence[Sequence[dict[str, Any]]]) -> Path:
    """Finished `tracklets/` parts, one for each group of crop rows."""
    folder = work / "tracklets"
    videos = [sorted({row["video_sha256"] for row in rows}) for rows in groups]
    entries = [
        parts.PlanEntry("", f"{i}", {}, [planned_row(video, i) for video in group]) for i, group in enumerate(videos)
    ]
    for entry, rows in zip(parts.append_plan(folder, entries), groups, strict=True):
        count = parts.write_part(folder, entry.part, rows, Crop, parts.Facts())
        path = folder / f"{entry.part}.parquet"
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        parts.write_done(folder, parts.Done(
            entry.part, "tracklets", count, {}, sha, path.stat().st_size, {}, "d", {}, {}, {}, [], {}, None,
        ))  # fmt: skip
    return work


def run_stage(work: Path, name: str, *sets: str, redo: bool = False) -> list[dict[str, Any]]:
    """Run one stage as `filter` does, in this process; its rows."""
    stage = pipeline.BY_NAME[name]
    wanted = pipeline.mirrored(stage, work) if name == "measures" else pipeline.gathered(stage, work)
    plan = pipeline.plan(name, work, load_recipe(None, sets), wanted, redo=redo)
    outcome = pipeline.run(plan, "local", 1, lambda _: None)
    assert not outcome.failed, outcome.failed
    return rows_of(work / name)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for done in parts.done_parts(folder) for row in read_rows(folder / f"{done.part}.parquet")]


def verdicts(work: Path, *sets: str) -> dict[str, dict[str, Any]]:
    """Measure and judge; crop_id -> verdict."""
    run_stage(work, "measures")
    return {row["crop_id"]: row for row in run_stage(work, "filter", *sets, redo=True)}


def columns(count: int, embedding: np.ndarray | None = None, **changes: Any) -> Crops:
    """Good crops as columns; `changes` replace whole columns or give one value to all."""
    plain: dict[str, Any] = {
        "crop_id": [f"c{i}" for i in range(count)], "video_sha256": "v", "segment": 0, "tracklet": "v-0-1",
        "frame": np.arange(count), "seconds": np.arange(count) / 10, "confidence": 0.9, "max_overlap": 0.0,
        "border_px": 20.0, "sharpness": 300.0, "width": 60, "height": 150, "brightness": 120.0, "contrast": 40.0,
    } | changes  # fmt: skip
    table = {name: np.array(value if np.ndim(value) else [value] * count) for name, value in plain.items()}
    table = {name: value.astype(object) if value.dtype.kind == "U" else value for name, value in table.items()}
    none = np.zeros((count, 0), dtype=np.float32)
    points = np.full((count, 17, 3), np.nan, dtype=np.float32)
    return Crops(table, np.arange(count, dtype=np.uint64), none if embedding is None else embedding, points)


def tracks(spans: Sequence[tuple[int, int]], of_crop: Sequence[int], video: Sequence[int] | None = None) -> Tracklets:
    """Tracklets by their first and last frame."""
    first, last = np.array(spans).T
    names = np.array([f"v-0-{i}" for i in range(len(spans))])
    return Tracklets(names, np.array(video or [0] * len(spans)), first, last, np.array(of_crop))


def job(**upstream: Path) -> Job:
    return Job("part-00000", [], {name: (path,) for name, path in upstream.items()}, {})


def decoded(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))
