"""What `filter` costs, in CPU seconds: judging again, and the rules beside decoding the same crops once.

Crops are people of the synthetic world in several sizes, laid out as `extract-tracklets` leaves them. CPU seconds are this
process's own (user and system); every side runs in turn, the least of the rounds counts.

    python benchmarks/filter_speed.py [--crops 20000] [--rounds 3] [--json FILE]

Gates: judging 20,000 crops again under 5 s; all measures but look and pose at most 2x decoding the crops once.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from extract_speed import about
from PIL import Image

from ufine_kit import parts, pipeline
from ufine_kit.dataset.look import encode_jpeg, facts_of
from ufine_kit.parquet import read_rows
from ufine_kit.recipe import load_recipe
from ufine_kit.rows import Crop
from ufine_kit.world import draw_crop, sample_people

EACH = 8  # crops of a tracklet
# Height and width of the drawn people, px.
SIZES = ((160, 64), (256, 104), (384, 160))


def pictures(persons: int) -> list[tuple[bytes, dict[str, Any]]]:
    """JPEGs with what is computed from them, a few of every person."""
    found: list[tuple[bytes, dict[str, Any]]] = []
    for person in sample_people(persons, 0, 0.1):
        for number, size in enumerate(SIZES):
            drawn = draw_crop(person, np.random.default_rng([person.identity, number]), size).image
            jpeg = encode_jpeg(drawn, 95)
            found.append((jpeg, {**facts_of(jpeg), "width": drawn.shape[1], "height": drawn.shape[0]}))
    return found


def crops(count: int, drawn: list[tuple[bytes, dict[str, Any]]], video: str) -> Iterator[dict[str, Any]]:
    """Rows of one long video: five tracklets at a time, each with crops of one person."""
    for i in range(count):
        tracklet, at = divmod(i, EACH)
        jpeg, facts = drawn[3 * (tracklet % (len(drawn) // 3)) + at % 3]
        frame = 40 * (tracklet // 5) + 5 * at
        yield {
            "crop_id": f"{video}{i:07d}", "video": f"{video}.mp4", "video_sha256": video, "segment": 0,
            "tracklet": f"{video}-0-{tracklet}", "frame": frame, "seconds": frame / 10,
            "box_xywh": [10.0, 10.0, 60.0, 150.0], "frame_width": 1280, "frame_height": 720, "confidence": 0.9,
            "max_overlap": 0.0, "border_px": 10.0, "image": {"bytes": jpeg, "path": None},
            "image_sha256": hashlib.sha256(jpeg).hexdigest(), **facts,
        }  # fmt: skip


def lay_out(work: Path, count: int, videos: int) -> None:
    """`tracklets/` with one part a video."""
    folder, drawn = work / "tracklets", pictures(120)
    entries = [
        parts.PlanEntry("", f"v{i}", {}, [{"video": f"v{i}.mp4", "video_sha256": f"v{i}", "segment": 0}])
        for i in range(videos)
    ]
    for i, entry in enumerate(parts.append_plan(folder, entries)):
        rows = parts.write_part(folder, entry.part, crops(count // videos, drawn, f"v{i}"), Crop, parts.Facts())
        path = folder / f"{entry.part}.parquet"
        parts.write_done(folder, parts.Done(
            entry.part, "tracklets", rows, {}, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size,
            {}, "d", {}, {}, {}, [], {}, None,
        ))  # fmt: skip


def run(work: Path, name: str, *sets: str) -> None:
    """Make all parts of a stage again, in this process."""
    stage = pipeline.BY_NAME[name]
    for part in (work / name).glob("part-*"):
        part.unlink()
    wanted = pipeline.mirrored(stage, work) if name == "measures" else pipeline.gathered(stage, work)
    plan = pipeline.plan(name, work, load_recipe(None, sets), wanted, redo=True)
    outcome = pipeline.run(plan, "local", 1, lambda _: None)
    assert outcome.made and not outcome.failed


def decode(work: Path) -> None:
    """Read and decode every crop once, as any reader would."""
    for path in sorted((work / "tracklets").glob("*.parquet")):
        for row in read_rows(path, ["crop_id", "image"]):
            Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB").load()


def least(rounds: int, act: Callable[[], None]) -> float:
    """CPU seconds of the fastest round."""
    found: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return round(min(found), 3)


def main() -> None:
    """Measure, print one JSON object; exit 1 where a gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=20_000)
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        lay_out(work, asked.crops, asked.videos)
        cpu = {
            "decode_once": least(asked.rounds, lambda: decode(work)),
            "measure_rules": least(asked.rounds, lambda: run(work, "measures", "measure.embedding=none")),
            "measure_with_look": least(asked.rounds, lambda: run(work, "measures")),
            "judge_again": least(asked.rounds, lambda: run(work, "filter")),
        }
    ratio = round(cpu["measure_rules"] / cpu["decode_once"], 3)
    held = {
        "judging again under 5 s a 20,000 crops": cpu["judge_again"] / asked.crops * 20_000 < 5,
        "rules at most 2x decoding": ratio <= 2,
    }
    record = {
        "benchmark": "filter_speed", **about("numpy", "pillow", "pyarrow"), "crops": asked.crops, "cpu_seconds": cpu,
        "rules/decode": ratio, "gates": held,
    }  # fmt: skip
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    raise SystemExit(0 if all(held.values()) else 1)


if __name__ == "__main__":
    main()
