"""Work folders made by hand: crops, verdicts, texts and decisions as parts, so that a test knows all that is released."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit import parts
from ufine_kit.dataset.look import facts_of
from ufine_kit.dataset.reader import open_release, read_rows
from ufine_kit.files import sha256_file, write_json
from ufine_kit.rows import Crop, Description, ReviewDecision, Verdict

SHA = {letter: hashlib.sha256(letter.encode()).hexdigest() for letter in "abcdefghijklmnop"}


def picture(seed: int, size: tuple[int, int] = (32, 16), **how: Any) -> bytes:
    """A small JPEG of noise; `how` goes to the encoder."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80, **how)
    return stream.getvalue()


def crop(name: str, video: str, tracklet: str, frame: int, jpeg: bytes | None = None) -> dict[str, Any]:
    """One crop row; its picture is drawn from its name."""
    jpeg = jpeg or picture(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]))
    return {
        "crop_id": name, "video": f"{video}.mp4", "video_sha256": SHA[video], "segment": 0, "tracklet": tracklet,
        "frame": frame, "seconds": frame / 25, "box_xywh": [1.5, 2.0, 16.1, 32.0], "frame_width": 64, "frame_height": 64,
        "confidence": 0.9, "max_overlap": 0.0, "border_px": 3.0, "sharpness": 50.0,
        "image": {"bytes": jpeg, "path": None}, "image_sha256": hashlib.sha256(jpeg).hexdigest(), "width": 16, "height": 32,
        "dhash": facts_of(jpeg)["dhash"],
    }  # fmt: skip


def write(
    folder: Path, part: str, rows: Iterable[Mapping[str, Any]], row: Any, reads: Mapping[str, str] | None = None
) -> str:
    """One finished part; returns its sha256."""
    count = parts.write_part(folder, part, rows, row, parts.Facts())
    path = folder / f"{part}.parquet"
    sha256 = sha256_file(path)
    done = parts.Done(
        part, folder.name, count, {}, sha256, path.stat().st_size, dict(reads or {}), "0" * 64, {}, {}, {}, [], {}, None
    )
    parts.write_done(folder, done)
    parts.append_plan(folder, [parts.PlanEntry(part, part, dict.fromkeys(reads or {}))])
    return sha256


def people(videos: str, each: int, crops: int = 2) -> dict[str, list[dict[str, Any]]]:
    """Crops of `each` persons in every video, by person: `a0`, `a1`, ... `b0`; one after the other, each for 10 frames."""
    return {
        f"{video}{number}": [
            crop(f"{video}{number}-{at}", video, f"{video}{number}", 10 * number + 4 * at) for at in range(crops)
        ]
        for video in videos
        for number in range(each)
    }


def make_work(
    work: Path,
    crops: Mapping[str, list[dict[str, Any]]],
    dropped: Mapping[str, list[str]] | None = None,
    texts: int = 2,
) -> Path:
    """Parts of all stages before a release, one a video. `dropped`: crop id -> reasons; `texts` descriptions of every crop."""
    rows = [(person, row) for person, own in crops.items() for row in own]
    for number, video in enumerate(sorted({row["video"] for _, row in rows})):
        here = [(person, row) for person, row in rows if row["video"] == video]
        part = f"part-{number:05d}"
        sha256 = write(work / "tracklets", part, [row for _, row in here], Crop)
        verdicts = [
            {"crop_id": row["crop_id"], "person_id": person, "kept": not reasons, "reasons": reasons}
            for person, row in here
            for reasons in [list((dropped or {}).get(row["crop_id"], []))]
        ]
        write(work / "filter", part, verdicts, Verdict, {f"tracklets/{part}": sha256})
    describe(
        work, [f"text {n} of {row['crop_id']}." for n in range(texts) for _, row in rows], [r for _, r in rows] * texts
    )
    return work


def describe(work: Path, texts: list[str], crops: list[dict[str, Any]], campaign: str = "demo") -> None:
    """A closed campaign with these texts, in this order."""
    rows = [
        {
            "description_id": f"d{number:04d}", "crop_id": row["crop_id"], "text": text,
            "writer": f"writer-{ord(row['crop_id'][1]) % 3:03d}",
            "created_at": "2026-01-01T00:00:00Z", "lead_seconds": 40.0, "origin": "human", "parent_id": None, "checks": [],
        }
        for number, (text, row) in enumerate(zip(texts, crops, strict=True))
    ]  # fmt: skip
    write(work / "descriptions" / campaign, "part-00000", rows, Description)


def decision(
    word: str, crop: str | None = None, person: str | None = None, other: str | None = None, **more: str
) -> dict:
    """One review decision."""
    plain = {"reviewer": "writer-001", "created_at": "2026-01-01T00:00:00Z"}
    return {"crop_id": crop, "person_id": person, "other_person_id": other, "decision": word, **plain, **more}


def decide(work: Path, *decisions: dict[str, Any]) -> None:
    """A closed campaign with these decisions."""
    write(work / "decisions/demo", "part-00000", decisions, ReviewDecision)


def group_videos(work: Path, groups: Mapping[str, str]) -> None:
    """Record the group of some videos, as `extract-tracklets --sources` does."""
    row = {"url": "", "licence": "cc-by-4.0", "consent_basis": "signed", "date": "2026"}
    write_json(
        work / "tracklets/sources.json", {SHA[v]: {"video": f"{v}.mp4", **row, "group": g} for v, g in groups.items()}
    )


def released(folder: Path, columns: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Rows of a release by image id."""
    return {row["image_id"]: row for row in read_rows(open_release(folder), columns=columns)}


def splits_of(folder: Path) -> dict[str, str]:
    """Identity -> split of a release."""
    return {row["person_id"]: row["split"] for row in read_rows(open_release(folder), columns=["person_id", "split"])}


def lines(path: Path, *rows: dict[str, Any] | str) -> Path:
    """A JSONL file."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path
