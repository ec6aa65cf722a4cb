"""A release of a few rows that is quick to write, and what its documents are made from; nothing is judged here."""

from __future__ import annotations

import json
from pathlib import Path

from dataset.test_release_on_disk import ROWS, written
from live.hub.making import OWNER, recipe
from ufine_kit.dataset.reader import Release
from ufine_kit.hub.card import Told
from ufine_kit.hub.documents import documents
from ufine_kit.hub.facts import gather
from ufine_kit.hub.lint import Candidate
from ufine_kit.hub.repository import candidate_of
from ufine_kit.hub.texts import write_texts
from ufine_kit.manifest import Record

METRICS = {"R@1": 51.2, "R@5": 80.0, "R@10": 90.0, "mAP": 55.5, "mINP": 40.0, "mSD": 33.3}
SOURCE = {
    "source": "toy", "licence": "cc-by-4.0", "redistribution": True, "consent_basis": "signed consent", "date": "2025-05-01",
    "url": "https://example.org/toy", "videos": 3, "images": 60,
}  # fmt: skip
__all__ = ["METRICS", "OWNER", "ROWS", "SOURCE", "candidate", "keep_record", "record", "release", "told"]


def record(digest: str, **changes: object) -> dict:
    plain = {
        "data_digest": digest, "metrics": METRICS, "synthetic": True, "queries": 10, "gallery": 20, "identities": 5,
        "checkpoint": {"name": "tiny", "selection": {"rule": "best R@1 on val"}}, "release": {"split": "test"},
    }  # fmt: skip
    return plain | changes


def keep_record(work: Path, digest: str, **changes: object) -> None:
    path = work / "baselines" / digest[:16] / "tiny-test.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record(digest) | changes))


def release(work: Path, rows: list[dict] = ROWS, **manifest: object) -> Release:
    licensed = {"recipe": {"license": "cc0-1.0", "name": "toy"}, "sources": [SOURCE]}
    return written(work / "releases/toy/0.1.0", rows=rows, **(licensed | manifest))


def told(
    release: Release, *sets: str, record: Record | None = None, faults: tuple[str, ...] = (), **owner: object
) -> Told:
    reason = None if record else "no GPU this week"
    return Told(release, recipe(*sets, **owner), gather(release), record, reason, faults, "org/set")


def candidate(told: Told) -> Candidate:
    """Documents and shard names as a push would make them."""
    sums = {line.partition("  ")[2]: line[:64] for line in (told.release.path / "SHA256SUMS").read_text().splitlines()}
    shards = {name: (sha256, 1) for name, sha256 in sums.items() if name.endswith(".parquet")}
    texts = {name.replace("data/", "texts/"): pair for name, pair in shards.items()}
    return candidate_of(told, documents(told, shards | texts), {**dict.fromkeys(sums, 0), **texts})


def texts_of(release: Release, folder: Path) -> Path:
    folder.mkdir()
    for path in sorted((release.path / "data").glob("*.parquet")):
        write_texts(path, folder / path.name)
    return folder
