"""What a release costs beside a bare pyarrow writer: CPU seconds and peak memory, at UFine6926's size and at 100,000 crops.

The bare writer reads the same parts and writes the same columns, row groups, chunking and page index into one file; it draws
no splits, counts no words and checks nothing. `hashed` is the same writer with the hashes that a release cannot do without:
each picture compared with its sha256, and sha256 of what was written. Pictures are noise, ~20 kB each, 300 different ones.

    PYTHONPATH=toolkit python benchmarks/release_build.py [--crops 26206] [--rounds 5] [--record FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ufine_kit import parts
from ufine_kit.dataset.look import encode_jpeg, facts_of
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.writer import CHUNKING, GROUP_ROWS
from ufine_kit.files import sha256_file
from ufine_kit.parquet import open_writer
from ufine_kit.release.build import build
from ufine_kit.rows import Crop, Description, Verdict
from ufine_kit.tables import ReleaseTable

PART_CROPS = 4096
PEOPLE_CROPS = 4
TEXTS = 2
COLUMNS = (
    "crop_id",
    "image",
    "video_sha256",
    "tracklet",
    "frame",
    "box_xywh",
    "image_sha256",
    "width",
    "height",
    "dhash",
)


def make_parts(work: Path, crops: int) -> None:
    """Finished parts of all stages before a release: texts come in no order of their crops."""
    rng = np.random.default_rng(0)
    noise = (rng.integers(0, 256, (384, 128, 3), dtype=np.uint8) // 3 + 80 for _ in range(300))
    pictures = [encode_jpeg(pixels.astype(np.uint8), 83) for pixels in noise]
    facts = [(jpeg, hashlib.sha256(jpeg).hexdigest(), facts_of(jpeg)["dhash"]) for jpeg in pictures]
    for number, first in enumerate(range(0, crops, PART_CROPS)):
        name, here = f"part-{number:05d}", range(first, min(crops, first + PART_CROPS))
        sha256 = _part(work / "tracklets", name, (_crop(at, name, facts) for at in here), Crop, {})
        verdicts = ({"crop_id": _id(at), "person_id": _person(at, name), "kept": True, "reasons": []} for at in here)
        _part(work / "filter", name, verdicts, Verdict, {f"tracklets/{name}": sha256})
    words = [f"word{number}" for number in range(1000)]
    texts = [" ".join(rng.choice(words, 80)) + "." for _ in range(2000)]
    order = rng.permutation(TEXTS * crops).tolist()
    _part(work / "descriptions/demo", "part-00000", (_text(at, texts) for at in order), Description, {})


def _id(at: int) -> str:
    return hashlib.sha256(str(at).encode()).hexdigest()[:24]


def _person(at: int, part: str) -> str:
    return f"{part}-0-{at // PEOPLE_CROPS}"


def _crop(at: int, part: str, facts: list[tuple[bytes, str, str]]) -> dict[str, Any]:
    jpeg, sha256, dhash = facts[at % len(facts)]
    return {
        "crop_id": _id(at), "video": f"{part}.mp4", "video_sha256": hashlib.sha256(part.encode()).hexdigest(), "segment": 0,
        "tracklet": _person(at, part), "frame": at, "seconds": at / 25, "box_xywh": [1.5, 2.25, 128.7, 384.1],
        "frame_width": 1920, "frame_height": 1080, "confidence": 0.9, "max_overlap": 0.0, "border_px": 9.0, "sharpness": 99.0,
        "image": {"bytes": jpeg, "path": None}, "image_sha256": sha256, "width": 128, "height": 384, "dhash": dhash,
    }  # fmt: skip


def _text(at: int, texts: list[str]) -> dict[str, Any]:
    return {
        "description_id": f"{at:020d}", "crop_id": _id(at // TEXTS), "text": texts[at % len(texts)],
        "writer": f"writer-{at % 58:03d}", "created_at": "2026-01-01T00:00:00Z", "lead_seconds": 120.0, "origin": "human",
        "parent_id": None, "checks": [],
    }  # fmt: skip


def _part(folder: Path, name: str, rows: Iterator[dict[str, Any]], row: Any, inputs: dict[str, str]) -> str:
    count = parts.write_part(folder, name, rows, row, parts.Facts())
    path = folder / f"{name}.parquet"
    sha256 = sha256_file(path)
    size = path.stat().st_size
    mark = parts.Done(name, folder.name, count, {}, sha256, size, inputs, "0" * 64, {}, {}, {}, [], {}, None)
    parts.write_done(folder, mark)
    parts.append_plan(folder, [parts.PlanEntry(name, name, dict.fromkeys(inputs))])
    return sha256


def bare(work: Path, out: Path, hashed: bool) -> None:
    """Parts in, one file with the rows of a release out."""
    schema = release_schema()
    told = pq.read_table(work / "descriptions/demo/part-00000.parquet", columns=["crop_id", "text", "writer"])
    told = told.sort_by("crop_id").combine_chunks()
    ids = told.column("crop_id").chunk(0).take(pa.array(range(0, told.num_rows, TEXTS)))
    with open_writer(out, schema, use_content_defined_chunking=CHUNKING) as writer:
        for path in sorted((work / "tracklets").glob("*.parquet")):
            with pq.ParquetFile(path, pre_buffer=False) as file:
                at = pc.index_in(file.read(columns=["crop_id"]).column(0).combine_chunks(), value_set=ids).to_numpy()
                for number, crops in enumerate(file.iter_batches(GROUP_ROWS, columns=list(COLUMNS), use_threads=False)):
                    if hashed:
                        _compare(crops)
                    here = at[number * GROUP_ROWS :][: crops.num_rows]
                    texts = (here[:, None] * TEXTS + np.arange(TEXTS)).ravel()
                    writer.write_table(_rows(crops, told.take(pa.array(texts)), schema), row_group_size=GROUP_ROWS)
    if hashed:
        sha256_file(out)


def _compare(crops: pa.RecordBatch) -> None:
    for image, sha256 in zip(crops.column("image"), crops.column("image_sha256").to_pylist(), strict=True):
        assert hashlib.sha256(image["bytes"].as_buffer()).hexdigest() == sha256


def _rows(crops: pa.RecordBatch, told: pa.Table, schema: pa.Schema) -> pa.Table:
    count = crops.num_rows
    offsets = pa.array(np.arange(0, TEXTS * count + 1, TEXTS, dtype=np.int32))
    origins = schema.field("caption_origins").type
    values = {"kind": "human", "parent": None, "words": 80, "granularity": "fine", "style": "annotator"}
    origin = pa.StructArray.from_arrays(
        [
            told.column("writer").combine_chunks()
            if field.name == "writer"
            else pa.repeat(pa.scalar(values[field.name], field.type), TEXTS * count)
            for field in origins.value_type
        ],
        fields=list(origins.value_type),
    )
    place = schema.field("provenance").type
    back = [
        pa.nulls(count, pa.string()) if field.name == "upstream_id" else crops.column(field.name).cast(field.type)
        for field in place
    ]
    columns = {
        "image_id": crops.column("crop_id"),
        "person_id": crops.column("tracklet"),
        "split": pa.repeat("train", count),
        "source": pa.repeat("own", count),
        "captions": pa.ListArray.from_arrays(offsets, told.column("text").combine_chunks()),
        "caption_origins": pa.ListArray.from_arrays(offsets, origin, type=origins),
        "provenance": pa.StructArray.from_arrays(back, fields=list(place)),
    }
    arrays = [columns.get(name, crops.column(name) if name not in columns else None) for name in schema.names]
    return pa.table([array.cast(field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema)


def run_side(side: str, work: Path, out: Path) -> dict[str, float]:
    """CPU seconds of one writer in this process, and the peak of its memory."""
    shutil.rmtree(work / "releases", ignore_errors=True)
    before = _cpu_seconds()
    if side == "kit":
        build(work, ReleaseTable())
    else:
        bare(work, out, hashed=side == "hashed")
    cpu = _cpu_seconds() - before
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {"cpu_s": cpu, "peak_mib": peak / 1024}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(work: Path, rounds: int) -> dict[str, Any]:
    """All three writers in turn, each in a process of its own; the first round warms the page cache and is not counted.

    CPU seconds grow with what else runs on the machine, so the least of all rounds is compared.
    """
    found: dict[str, list[dict[str, float]]] = {"bare": [], "hashed": [], "kit": []}
    for number in range(rounds + 1):
        for side, runs in found.items():
            typed = [sys.executable, __file__, "--side", side, "--work", str(work)]
            done = subprocess.run(typed, capture_output=True, text=True, check=True)
            if number:
                runs.append(json.loads(done.stdout))
    cpu = {side: min(run["cpu_s"] for run in runs) for side, runs in found.items()}
    peak = {side: max(run["peak_mib"] for run in runs) for side, runs in found.items()}
    ratios = {f"kit_to_{side}": round(cpu["kit"] / cpu[side], 2) for side in ("bare", "hashed")}
    return {"least_cpu_s": cpu, "peak_mib": peak, "cpu_ratios": ratios, "runs": found}


def main() -> None:
    """Measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, nargs="+", default=[26_206])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--side", choices=["bare", "hashed", "kit"])
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    if args.side:
        print(json.dumps(run_side(args.side, args.work, args.work / "bare.parquet")))
        return
    cases = []
    for crops in args.crops:
        with tempfile.TemporaryDirectory() as folder:
            make_parts(Path(folder) / "work", crops)
            cases.append({"crops": crops, "texts": TEXTS * crops, **measure(Path(folder) / "work", args.rounds)})
    record = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "pyarrow": pa.__version__,
        "cases": cases,
    }
    print(
        json.dumps(
            [{key: case[key] for key in ("crops", "least_cpu_s", "peak_mib", "cpu_ratios")} for case in cases], indent=2
        )
    )
    if args.record:
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
