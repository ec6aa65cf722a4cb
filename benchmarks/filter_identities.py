"""What `filter` does to identities, against the truth, before and after: on real footage, and on the synthetic world.

PETS09 with YOLOX-nano and `recipes/pets09.toml`: settings were chosen on frames 1 to 397 and are reported on 398 to 795. The
world (crossings, cuts, re-entries, planted noise) with its given detections, the kit's own tracker and the default recipe:
its numbers are synthetic. Both run the commands as a user does. A crop is matched with the true box that it shares
most with (IoU at least 0.5, one to one in a frame). Purity is the share of matched crops that are of their identity's main
person; identities a person counts those with a matched crop. Before: every tracklet an identity, all crops.

    python benchmarks/filter_identities.py [--only pets09|world] [--json FILE] [--keep FOLDER] [--set KEY=VALUE]

The footage and YOLOX-nano are found by UFINE_DATA. Exit 1 where a gate does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from extract_speed import about

from ufine_kit import parts
from ufine_kit.filter.spans import read_spans
from ufine_kit.parquet import read_rows

DATA = Path(os.environ.get("UFINE_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOOTAGE, WEIGHTS = DATA / "pets09-s2l1", DATA / "det-models" / "yolox_nano.onnx"
VIDEO = FOOTAGE / "vtest_480x360_h264.mp4"
# The truth of PETS09 was drawn on 768x576 pictures.
SCALE = 0.625
LEAST_VISIBLE = 0.5
HALVES = {"frames 1-397 (settings chosen here)": (0, 397), "frames 398-795 (reported)": (397, 795)}
REPORTED = "frames 398-795 (reported)"


def command(*words: object) -> None:
    """Run `ufine-kit` as a user does."""
    subprocess.run([sys.executable, "-m", "ufine_kit", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def filter_again(work: Path, recipe: str, sets: list[str]) -> None:
    """Measure what is new, judge anew."""
    changes = [word for value in sets for word in ("--set", value)]
    command("filter", "-r", recipe, "-w", work, "--workers", 1, "--redo", *changes)


def true_people(path: Path, scale: float = 1.0) -> dict[int, list[np.ndarray]]:
    """Frame (from 0) -> rows of person, x, y, w, h in pixels of the video; nobody who is more hidden than seen."""
    found: dict[int, list[np.ndarray]] = defaultdict(list)
    for row in np.loadtxt(path, delimiter=","):
        if scale != 1.0 or row[8] >= LEAST_VISIBLE:  # the truth of PETS09 does not tell
            found[int(row[0]) - 1].append(np.concatenate([row[1:2], row[2:6] * scale]))
    return found


def match(crops: list[dict[str, Any]], truth: dict[int, list[np.ndarray]]) -> dict[str, int]:
    """crop_id -> true person, where the boxes share at least half."""
    from scipy.optimize import linear_sum_assignment

    found: dict[str, int] = {}
    by_frame: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for crop in crops:
        by_frame[crop["frame"]].append(crop)
    for frame, own in by_frame.items():
        if frame not in truth:
            continue
        true = np.array(truth[frame])
        shared = iou(np.array([crop["box_xywh"] for crop in own]), true[:, 1:])
        for i, j in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[i, j] >= 0.5:
                found[own[i]["crop_id"]] = int(true[j, 0])
    return found


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of xywh boxes [n, 4] and [m, 4], [n, m]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:], other[None, :, :2] + other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    return shared / (one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None] - shared)


def rows_of(folder: Path, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """Rows of all finished parts of a stage."""
    return [row for done in parts.done_parts(folder) for row in read_rows(folder / f"{done.part}.parquet", columns)]


def identities(people: dict[str, int], owner: dict[str, str]) -> dict[str, float]:
    """Purity, identities, persons and identities a person over the crops that have both a true person and an owner."""
    met: dict[str, Counter[int]] = defaultdict(Counter)
    for crop_id, person in owner.items():
        if crop_id in people:
            met[person][people[crop_id]] += 1
    total = sum(counts.total() for counts in met.values())
    main = sum(counts.most_common(1)[0][1] for counts in met.values())
    persons = {people[crop_id] for crop_id in owner if crop_id in people}
    return {
        "matched_crops": total, "identities": len(met), "persons": len(persons),
        "purity": round(main / max(total, 1), 4), "identities_a_person": round(len(met) / max(len(persons), 1), 3),
    }  # fmt: skip


def together(work: Path, crops: list[dict[str, Any]], owner: dict[str, str]) -> int:
    """Pairs of tracklets that were in sight at one time and yet have crops under one identity."""
    spans = {
        key: span
        for path in sorted((work / "tracklets").glob("*.tracks.txt"))
        for key, span in read_spans(path).items()
    }
    held: dict[str, set[tuple[str, int, str]]] = defaultdict(set)
    for crop in crops:
        if crop["crop_id"] in owner:
            key = (crop["video_sha256"], crop["segment"], crop["tracklet"].rpartition("-")[2])
            held[owner[crop["crop_id"]]].add(key)
    return sum(
        a < b and a[0] == b[0] and spans[a][0] <= spans[b][1] and spans[b][0] <= spans[a][1]
        for keys in held.values()
        for a in keys
        for b in keys
    )


def figures(work: Path, crops: list[dict[str, Any]], people: dict[str, int], within: tuple[int, int]) -> dict[str, Any]:
    """Before and after, for the crops of some frames."""
    some = {crop["crop_id"]: crop for crop in crops if within[0] <= crop["frame"] < within[1]}
    verdicts = [row for row in rows_of(work / "filter") if row["crop_id"] in some]
    kept = {row["crop_id"]: row["person_id"] for row in verdicts if row["kept"]}
    before = identities(people, {crop_id: crop["tracklet"] for crop_id, crop in some.items()})
    same_crops = identities(people, {crop_id: some[crop_id]["tracklet"] for crop_id in kept})
    after = identities(people, kept)
    matched = Counter(people[crop_id] for crop_id in some if crop_id in people)
    left = Counter(people[crop_id] for crop_id in kept if crop_id in people)
    return {
        "before": before, "tracklets_of_kept_crops": same_crops, "after": after,
        "kept_share": round(after["matched_crops"] / before["matched_crops"], 4),
        "copresent_merges": together(work, crops, kept),
        "lost_persons": sorted(person for person, number in matched.items() if number >= 10 and not left[person]),
        "fewer_identities_a_person": round(1 - after["identities_a_person"] / before["identities_a_person"], 4),
        "fewer_by_merging_alone": round(1 - after["identities"] / same_crops["identities"], 4),
        "reasons": dict(Counter(reason for row in verdicts for reason in row["reasons"]).most_common()),
    }  # fmt: skip


def gates(found: dict[str, Any]) -> dict[str, bool]:
    """What has to hold."""
    return {
        "purity after at least .96": found["after"]["purity"] >= 0.96,
        "purity at most .01 lower": found["before"]["purity"] - found["after"]["purity"] <= 0.01,
        "no merge of people seen together": found["copresent_merges"] == 0,
        "identities a person 10 % fewer": found["fewer_identities_a_person"] >= 0.10,
        "fewer by merging alone, too": found["fewer_by_merging_alone"] >= 0.10,
        "60 % of matched crops kept": found["kept_share"] >= 0.60,
        "nobody with 10 crops lost": not found["lost_persons"],
    }


CROP = ["crop_id", "video", "tracklet", "frame", "box_xywh", "video_sha256", "segment"]


def pets09(work: Path, sets: list[str]) -> dict[str, Any]:
    """Run the commands on the footage; the figures of both halves."""
    command("extract-tracklets", VIDEO, "--weights", WEIGHTS, "-r", "pets09", "-w", work, "--workers", 1)
    filter_again(work, "pets09", sets)
    crops = rows_of(work / "tracklets", CROP)
    people = match(crops, true_people(FOOTAGE / "gt" / "gt.txt", SCALE))
    return {name: figures(work, crops, people, within) for name, within in HALVES.items()}


def world(root: Path, sets: list[str]) -> dict[str, Any]:
    """Draw the demo's world and run the commands on it; a person is another one in every video."""
    command("world", root / "world", "-r", "demo")
    work, videos = root / "work", root / "world" / "videos"
    tracker = ("--set", "extract.tracker=byte", "--weights", root / "world" / "det")
    command("extract-tracklets", videos, "-r", "demo", *tracker, "-w", work, "--workers", 1)
    filter_again(work, "demo", sets)
    crops = rows_of(work / "tracklets", CROP)
    people: dict[str, int] = {}
    for number, path in enumerate(sorted((root / "world" / "gt").glob("*.txt"))):
        of_video = [crop for crop in crops if Path(crop["video"]).stem == path.stem]
        people |= {crop_id: 1000 * number + person for crop_id, person in match(of_video, true_people(path)).items()}
    return figures(work, crops, people, (0, 1 << 60))


def main() -> None:
    """Print one JSON object; exit 1 where a gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("pets09", "world"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="folder that stays: extraction is done once")
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    record: dict[str, Any] = {"benchmark": "filter_identities", **about("numpy", "pillow"), "gates": {}}
    with tempfile.TemporaryDirectory() as place:
        root = asked.keep or Path(place)
        if asked.only != "world":
            record["PETS09-S2L1"] = pets09(root / "pets09", asked.set)
            record["gates"]["PETS09-S2L1"] = gates(record["PETS09-S2L1"][REPORTED])
        if asked.only != "pets09":
            record["synthetic world"] = world(root, asked.set)
            record["gates"]["synthetic world"] = gates(record["synthetic world"])
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    raise SystemExit(0 if all(all(held.values()) for held in record["gates"].values()) else 1)


if __name__ == "__main__":
    main()
