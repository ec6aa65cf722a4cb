"""`check-release` on a release of UFine6926's size: CPU seconds, crops a second, and peak memory of the checking process.

Pictures are soft noise of 384 x 128 pixels, texts the synthetic world's with a number of their own; the release is made by one
process and checked by another, in this one's words: nothing here is a claim about real pictures.

    PYTHONPATH=toolkit python benchmarks/check_release.py [--crops 26206 5000] [--record benchmarks/records/check_release.json]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

EACH = 4
SPLITS = ("train", "train", "test")
SOURCE = {"source": "own", "licence": "cc-by-4.0", "redistribution": True, "consent_basis": "noise", "images": 0}


def rows(crops: int) -> Iterator[dict]:
    """Rows of a release, one at a time."""
    from ufine_kit.dataset.look import dhash, encode_jpeg
    from ufine_kit.rows import granularity_of
    from ufine_kit.text.words import count
    from ufine_kit.world import retrieval_set

    pool = [sample.captions for sample in retrieval_set(300, 1, seed=5, size=(48, 24), style="plain")]
    for number in range(crops):
        person = number // EACH
        rng = np.random.default_rng(number)
        small = Image.fromarray(rng.integers(0, 256, (12, 4, 3), dtype=np.uint8))
        jpeg = encode_jpeg(np.asarray(small.resize((128, 384), Image.Resampling.BICUBIC)), 95)
        with Image.open(io.BytesIO(jpeg)) as image:
            hashed = dhash(image.convert("L"))
        captions = [f"{text} Picture {number}." for text in pool[person % len(pool)]]
        words = [count(text) for text in captions]
        split = SPLITS[person % len(SPLITS)]
        yield {
            "image_id": f"i{number:06d}", "person_id": f"p{person:05d}", "split": split, "source": "own",
            "image": {"bytes": jpeg, "path": f"i{number:06d}.jpg"}, "captions": captions,
            "caption_origins": [
                {"kind": "human", "writer": f"w{at}", "parent": None, "words": many, "style": "plain",
                 "granularity": granularity_of(many)}
                for at, many in enumerate(words)
            ],
            "image_sha256": hashlib.sha256(jpeg).hexdigest(), "width": 128, "height": 384, "dhash": hashed,
            "provenance": {
                "crop_id": f"i{number:06d}", "video_sha256": hashlib.sha256(f"{split}{person % 50}".encode()).hexdigest(),
                "tracklet": None, "frame": number, "box_xywh": [0.0, 0.0, 128.0, 384.0], "upstream_id": None,
            },
        }  # fmt: skip


def make(folder: Path, crops: int) -> None:
    """Write the release."""
    from ufine_kit.dataset.splits import freeze
    from ufine_kit.dataset.writer import write_release

    manifest = {
        "name": "noise", "version": "0.1.0", "kind": "dataset", "synthetic": True, "recipe": {"license": "cc-by-4.0"},
        "sources": [SOURCE | {"images": crops}],
    }  # fmt: skip
    write_release(folder, rows(crops), 2, manifest)
    freeze(folder.parent / "splits-0.json", {f"p{n:05d}": SPLITS[n % 3] for n in range(-(-crops // EACH))})


def check(folder: Path) -> dict[str, object]:
    """Check it in this process, one worker: CPU and memory are its own."""
    from ufine_kit.dataset.checks import check_release

    start = time.process_time()
    report = check_release(folder, findings=folder.parent / "findings.parquet", skip=["peers"])
    seconds = time.process_time() - start
    return {
        "cpu_seconds": round(seconds, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "checks": sum(one.state != "not run" for one in report.checks),
        "findings": report.findings,
    }


def main() -> None:
    """One release after the other, each step in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, nargs="+", default=[5_000, 26_206])
    parser.add_argument("--record", type=Path)
    parser.add_argument("--make", type=Path)
    parser.add_argument("--check", type=Path)
    args = parser.parse_args()
    if args.make or args.check:
        print(json.dumps(make(args.make, args.crops[0]) if args.make else check(args.check)))
        return
    cases = []
    for crops in args.crops:
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / "noise" / "0.1.0"
            for act in ("--make", "--check"):
                typed = [sys.executable, __file__, act, str(folder), "--crops", str(crops)]
                said = json.loads(subprocess.run(typed, check=True, capture_output=True, text=True).stdout)
        cases.append(
            {"crops": crops, "texts": 2 * crops, **said, "crops_a_cpu_second": round(crops / said["cpu_seconds"])}
        )
        print(json.dumps(cases[-1]), flush=True)
    record = {
        "benchmark": "check_release", "cases": cases, "python": platform.python_version(), "machine": platform.machine(),
        "numpy": np.__version__,
    }  # fmt: skip
    if args.record:
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
