"""Precision and recall of every rule of `filter` against noise planted in drawn people: its numbers are synthetic.

Tracklets of six crops, two or three of them altered by one kind of noise each: blurred, dark, over-exposed, washed out, tiny,
cut to a piece, cut off by the frame, hidden by somebody, given twice, given another person's crop, torn. A rule is right where
its reason stands on the crop that was altered so.

    python benchmarks/filter_rules.py [--persons 80] [--json FILE]

Gate: precision and recall of every rule at least 0.9.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from extract_speed import about
from filter_speed import run
from PIL import Image, ImageFilter

from ufine_kit import parts
from ufine_kit.dataset.look import encode_jpeg, facts_of
from ufine_kit.parquet import read_rows
from ufine_kit.rows import Crop
from ufine_kit.world import draw_crop, sample_people

EACH, ALTERED = 6, 0.4
PLANNED = {"video": "planted.mp4", "video_sha256": "planted", "segment": 0}
SIZE = (220, 90)  # height and width of a drawn crop, px
Altered = tuple[np.ndarray, dict[str, Any]]


def blurred(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Out of focus."""
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(float(draw.uniform(5, 9))))), {}


def dark(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Hardly any light."""
    return (rgb * draw.uniform(0.02, 0.1)).astype(np.uint8), {}


def bright(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Over-exposed."""
    return (255 - (255 - rgb.astype(float)) * draw.uniform(0.02, 0.1)).astype(np.uint8), {}


def flat(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Fog: hardly any contrast."""
    return (128 + (rgb.astype(float) - rgb.mean()) * draw.uniform(0.02, 0.1)).astype(np.uint8), {}


def small(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Far away."""
    height = int(draw.integers(28, 60))
    return np.asarray(Image.fromarray(rgb).resize((round(height * SIZE[1] / SIZE[0]), height))), {}


def aspect(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Only a piece of the person, as high as wide."""
    top = int(draw.integers(0, SIZE[0] - SIZE[1]))
    return rgb[top : top + SIZE[1]], {}


def cut_off(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """The frame ends within the person."""
    lost = int(draw.integers(8, 40))
    return rgb[: SIZE[0] - lost], {"border_px": -float(lost)}


def occluded(rgb: np.ndarray, draw: np.random.Generator) -> Altered:
    """Somebody stands in front."""
    share = float(draw.uniform(0.5, 0.9))
    hidden = rgb.copy()
    hidden[:, : round(share * SIZE[1])] = hidden[:, ::-1][:, : round(share * SIZE[1])]
    return hidden, {"max_overlap": share}


PLANTS: dict[str, Callable[[np.ndarray, np.random.Generator], Altered]] = {
    "blurred": blurred, "dark": dark, "bright": bright, "flat": flat, "small": small, "aspect": aspect,
    "cut_off": cut_off, "occluded": occluded,
}  # fmt: skip
# Without light there are no edges and no contrast: these reasons, too, are right for such a picture, and count neither way.
IMPLIED = {"blurred": {"dark", "bright", "flat"}, "flat": {"dark", "bright"}}
KINDS = (*PLANTS, "duplicate", "outlier", "unreadable")


def planted(persons: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Crop rows of one video, a tracklet a person, one after the other; and crop_id -> the noise that it was given."""
    people = sample_people(persons, 1, 0.0)
    draw = np.random.default_rng(7)
    rows: list[dict[str, Any]] = []
    noise: dict[str, str] = {}
    for number, person in enumerate(people):
        before: np.ndarray | None = None
        for at in range(EACH):
            name = f"{number:03d}-{at}"
            kind = KINDS[int(draw.integers(len(KINDS)))] if draw.random() < ALTERED else ""
            kind = "" if kind == "duplicate" and before is None else kind
            shown = people[(number + persons // 2) % persons] if kind == "outlier" else person
            rgb = draw_crop(shown, np.random.default_rng([number, at]), SIZE).image
            changes: dict[str, Any] = {"confidence": 0.9}
            if kind in PLANTS:
                rgb, changes = PLANTS[kind](rgb, draw)
            if kind == "duplicate" and before is not None:
                rgb, changes = np.minimum(before, 251) + np.uint8(4), {"confidence": 0.5}
            rows.append(row(name, number, at, rgb, kind == "unreadable", changes))
            before = rgb if not kind else before
            if kind:
                noise[name] = kind
    return rows, noise


def row(name: str, tracklet: int, at: int, rgb: np.ndarray, torn: bool, changes: dict[str, Any]) -> dict[str, Any]:
    """One crop as `extract-tracklets` writes it."""
    jpeg = encode_jpeg(rgb, 95)
    facts = facts_of(jpeg)
    jpeg = jpeg[: len(jpeg) // 3] if torn else jpeg
    frame = 60 * tracklet + 6 * at
    height, width = rgb.shape[:2]
    return {
        "crop_id": name, "video": "planted.mp4", "video_sha256": "planted", "segment": 0,
        "tracklet": f"planted-0-{tracklet}", "frame": frame, "seconds": frame / 10,
        "box_xywh": [10.0, 10.0, float(width), float(height)], "frame_width": 1280, "frame_height": 720,
        "max_overlap": 0.0, "border_px": 10.0, "confidence": 0.9, "image": {"bytes": jpeg, "path": None},
        "image_sha256": hashlib.sha256(jpeg).hexdigest(), "width": width, "height": height, **facts, **changes,
    }  # fmt: skip


def reasons(rows: list[dict[str, Any]], *sets: str) -> dict[str, list[str]]:
    """crop_id -> reasons, by the stages themselves."""
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        folder = work / "tracklets"
        (entry,) = parts.append_plan(folder, [parts.PlanEntry("", "planted", {}, [PLANNED])])
        count = parts.write_part(folder, entry.part, rows, Crop, parts.Facts())
        size = (folder / f"{entry.part}.parquet").stat().st_size
        done = parts.Done(entry.part, "tracklets", count, {}, "", size, {}, "d", {}, {}, {}, [], {}, None)
        parts.write_done(folder, done)
        run(work, "measures")
        run(work, "filter", *sets)
        return {found["crop_id"]: found["reasons"] for found in read_rows(work / "filter" / f"{entry.part}.parquet")}


def figures(noise: dict[str, str], found: dict[str, list[str]]) -> dict[str, dict[str, float]]:
    """Precision and recall of every rule, with how many crops were altered so."""
    table: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        true = {name for name, what in noise.items() if what == kind}
        said = {name for name, why in found.items() if kind in why and noise.get(name) not in IMPLIED.get(kind, ())}
        table[kind] = {
            "planted": len(true),
            "precision": round(len(true & said) / max(len(said), 1), 4),
            "recall": round(len(true & said) / max(len(true), 1), 4),
        }
    good = set(found) - set(noise)
    table["good crops kept"] = {
        "crops": len(good), "share": round(sum(not found[name] for name in good) / max(len(good), 1), 4)
    }  # fmt: skip
    return table


def main() -> None:
    """Plant, filter, print one JSON object; exit 1 where the gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=80)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows, noise = planted(asked.persons)
    table = figures(noise, reasons(rows, *asked.set))
    held = all(min(table[kind]["precision"], table[kind]["recall"]) >= 0.9 for kind in KINDS)
    record = {
        "benchmark": "filter_rules", **about("numpy", "pillow"), "synthetic": True, "crops": len(rows),
        "rules": table, "gates": {"every rule at least .9": held},
    }  # fmt: skip
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    raise SystemExit(0 if held else 1)


if __name__ == "__main__":
    main()
