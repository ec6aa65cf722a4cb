"""Tracking side by side: `--tracks-only` with the library preset and boxmot itself on the same detections, by TrackEval.

Also what the strict preset buys: identity purity and the number of tracklets against the library preset.
Run: python benchmarks/tracking.py [--trackers bytetrack,ocsort,sfsort] [--json FILE]; the footage is found by UFINE_DATA.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from extract_speed import about

from ufine_kit import pipeline
from ufine_kit.extract.mot import ID, read_boxes, read_seqinfo
from ufine_kit.extract.plan import plan_videos
from ufine_kit.extract.tracks import join_tracks
from ufine_kit.recipe import Recipe
from ufine_kit.tables import ExtractTable

DATA = Path(os.environ.get("UFINE_DATA", Path(__file__).parents[2] / "shared" / "data"))
# Sequence: folder, given detections, the benchmark whose rules TrackEval applies.
SEQUENCES = {
    "PETS09-S2L1": ("pets09-s2l1", "det_frcnn_sort/det.txt", "MOT15"),
    "ETH-Sunnyday": ("mot15-txt/ETH-Sunnyday", "det_frcnn_sort/det.txt", "MOT15"),
    "KITTI-17": ("mot15-txt/KITTI-17", "det_frcnn_sort/det.txt", "MOT15"),
    "TUD-Campus": ("mot15-txt/TUD-Campus", "det_frcnn_sort/det.txt", "MOT15"),
    "MOT17-02-FRCNN": ("mot17-mini/MOT17-02-FRCNN", "det/det.txt", "MOT17"),
}


def lay_out(root: Path) -> tuple[Path, Path]:
    """A folder of sequences without pictures, with truth, and a folder of their detections by name."""
    for name, (folder, detections, _) in SEQUENCES.items():
        source, target = DATA / folder, root / "sequences" / name
        (target / "gt").mkdir(parents=True)
        shutil.copyfile(source / "seqinfo.ini", target / "seqinfo.ini")
        shutil.copyfile(source / "gt" / "gt.txt", target / "gt" / "gt.txt")
        (root / "det").mkdir(exist_ok=True)
        shutil.copyfile(source / detections, root / "det" / f"{name}.txt")
    return root / "sequences", root / "det"


def track_here(root: Path, tracker: str, preset: str) -> float:
    """Our tracks, through the stage as the command runs it; returns CPU seconds."""
    table = ExtractTable(detector="file", tracker=tracker, tracker_preset=preset, tracks_only=True)
    work = root / "work" / f"{tracker}-{preset}"
    began = time.process_time()
    wanted = plan_videos([root / "sequences"], table, work / "tracklets", root / "det")
    plan = pipeline.plan("tracklets", work, Recipe(extract=table), wanted.entries, wanted.paths)
    outcome = pipeline.run(plan, "local", 1, lambda _: None)
    assert not outcome.failed, outcome.failed
    join_tracks(work / "tracklets")
    results = root / "results" / f"ufine-{tracker}-{preset}" / "data"
    shutil.copytree(work / "tracklets" / "tracks", results)
    return time.process_time() - began


def track_boxmot(root: Path, tracker: str) -> float:
    """boxmot's own tracks: its factory, its defaults, its update loop; returns CPU seconds."""
    from boxmot.trackers.registry import create_tracker

    began = time.process_time()
    results = root / "results" / f"boxmot-{tracker}" / "data"
    results.mkdir(parents=True)
    for name in SEQUENCES:
        info = read_seqinfo(root / "sequences" / name)
        table = np.loadtxt(root / "det" / f"{name}.txt", delimiter=",", usecols=range(7))
        engine = create_tracker(tracker)
        picture = np.zeros((info.height, info.width, 3), dtype=np.uint8)
        lines: list[str] = []
        for frame in range(1, info.length + 1):
            found = table[table[:, 0] == frame]
            given = np.zeros((len(found), 6), dtype=np.float32)
            given[:, :2], given[:, 2:4], given[:, 4] = found[:, 2:4], found[:, 2:4] + found[:, 4:6], found[:, 6]
            for x1, y1, x2, y2, identity, confidence, *_ in np.asarray(engine.update(given, picture)):
                box = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                lines.append(f"{frame},{int(identity) + 1},{box},{confidence:.4f},-1,-1,-1\n")
        (results / f"{name}.txt").write_text("".join(lines))
    return time.process_time() - began


def evaluate(root: Path, names: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    """TrackEval's figures in percent: result name -> sequence -> HOTA, AssA, MOTA, IDF1, IDSW."""
    import trackeval

    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names}
    for benchmark in ("MOT15", "MOT17"):
        sequences = {name: None for name, row in SEQUENCES.items() if row[2] == benchmark}
        sequences = {name: read_seqinfo(root / "sequences" / name).length for name in sequences}
        with contextlib.redirect_stdout(io.StringIO()):
            quiet = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "TIME_PROGRESS": False, "OUTPUT_SUMMARY": False}
            quiet |= {"OUTPUT_DETAILED": False, "PLOT_CURVES": False, "LOG_ON_ERROR": None}
            data = trackeval.datasets.MotChallenge2DBox({
                "GT_FOLDER": str(root / "sequences"), "TRACKERS_FOLDER": str(root / "results"), "BENCHMARK": benchmark,
                "TRACKERS_TO_EVAL": names, "SEQ_INFO": sequences, "SKIP_SPLIT_FOL": True, "PRINT_CONFIG": False,
                "DO_PREPROC": benchmark != "MOT15",
            })  # fmt: skip
            metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(), trackeval.metrics.Identity()]
            figures, _ = trackeval.Evaluator(quiet).evaluate([data], metrics)
        for name in names:
            for sequence, row in figures["MotChallenge2DBox"][name].items():
                if sequence in SEQUENCES:
                    found[name][sequence] = _figures(row["pedestrian"])
    return found


def _figures(row: dict[str, Any]) -> dict[str, float]:
    return {
        "HOTA": round(100 * float(np.mean(row["HOTA"]["HOTA"])), 2),
        "AssA": round(100 * float(np.mean(row["HOTA"]["AssA"])), 2),
        "MOTA": round(100 * float(row["CLEAR"]["MOTA"]), 2),
        "IDF1": round(100 * float(row["Identity"]["IDF1"]), 2),
        "IDSW": int(row["CLEAR"]["IDSW"]),
    }


def purity(truth: Path, tracks: Path, iou: float = 0.5) -> dict[str, float]:
    """Over tracked boxes that fit a true one: the share that is of its tracklet's main identity; impure tracklets' share."""
    from scipy.optimize import linear_sum_assignment

    gt, own = read_boxes(truth), read_boxes(tracks)
    met: dict[int, dict[int, int]] = {}
    for frame, boxes in own.by_frame.items():
        true = gt.at(frame)
        shared = _iou(boxes, true)
        for i, j in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[i, j] >= iou:
                counts = met.setdefault(int(boxes[i, ID]), {})
                counts[int(true[j, ID])] = counts.get(int(true[j, ID]), 0) + 1
    total = sum(sum(counts.values()) for counts in met.values())
    main = sum(max(counts.values()) for counts in met.values())
    impure = sum(max(counts.values()) < sum(counts.values()) for counts in met.values())
    return {"tracklets": len(met), "purity": round(main / total, 4), "impure_share": round(impure / len(met), 4)}


def purities(root: Path, result: str) -> dict[str, dict[str, float]]:
    """Purity on the sequences whose truth holds people alone."""
    return {
        name: purity(root / "sequences" / name / "gt" / "gt.txt", root / "results" / result / "data" / f"{name}.txt")
        for name, row in SEQUENCES.items()
        if row[2] == "MOT15"
    }


def _iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:4], other[None, :, :2] + other[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = one[:, 2:4].prod(axis=1)[:, None] + other[:, 2:4].prod(axis=1)[None]
    return shared / (areas - shared)


def main() -> None:
    """Track, evaluate, print one JSON object; exit 1 where HOTA differs by more than 1.0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trackers", default="bytetrack,ocsort,sfsort")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    from boxmot.utils import logger

    logger.setLevel(logging.ERROR)
    trackers = list(dict.fromkeys(["bytetrack", *asked.trackers.split(",")]))
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        lay_out(root)
        cpu = {f"boxmot-{tracker}": round(track_boxmot(root, tracker), 2) for tracker in trackers}
        ours = [*trackers, "byte"]  # the kit's own, beside boxmot's bytetrack
        for preset in ("library", "strict"):
            cpu |= {f"ufine-{t}-{preset}": round(track_here(root, t, preset), 2) for t in ours}
        figures = evaluate(root, list(cpu))
        pure = {
            f"{t}-{preset}": purities(root, f"ufine-{t}-{preset}") for t in ours for preset in ("library", "strict")
        }
    gaps = {
        t: max(abs(figures[f"ufine-{t}-library"][s]["HOTA"] - figures[f"boxmot-{t}"][s]["HOTA"]) for s in SEQUENCES)
        for t in trackers
    }
    gaps["byte, beside boxmot's bytetrack"] = max(
        abs(figures["ufine-byte-library"][s]["HOTA"] - figures["boxmot-bytetrack"][s]["HOTA"]) for s in SEQUENCES
    )
    record = {
        "benchmark": "tracking", **about("boxmot", "trackeval", "numpy"), "largest_hota_difference": gaps,
        "figures": figures, "purity": pure, "cpu_seconds": cpu,
    }  # fmt: skip
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    raise SystemExit(0 if max(gaps.values()) <= 1.0 else 1)


if __name__ == "__main__":
    main()
