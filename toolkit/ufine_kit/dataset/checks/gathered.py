"""All rows of a release as a few columns of numbers, gathered batch by batch for the checks that need them all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.checks.batch import Thin
from ufine_kit.dataset.checks.check import Fault
from ufine_kit.dataset.checks.pictures import THUMB


class Words:
    """Words as numbers, in order of appearance."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def coded(self, values: list[str]) -> np.ndarray:
        """int32 [n]."""
        return np.array([self.codes.setdefault(value, len(self.codes)) for value in values], np.int32)

    @property
    def names(self) -> list[str]:
        """The word of every number."""
        return list(self.codes)


@dataclass(frozen=True, eq=False)
class Gathered:
    """N rows in order of shard and row. `video` is -1 where provenance names none; `decoded` rows have hash and thumb."""

    files: tuple[str, ...]
    shard: np.ndarray
    row: np.ndarray
    image_id: pa.ChunkedArray
    person: np.ndarray
    persons: list[str]
    split: np.ndarray
    splits: list[str]
    video: np.ndarray
    videos: list[str]
    source: np.ndarray
    sources: list[str]
    built: np.ndarray
    captions: np.ndarray
    sha256: np.ndarray
    digests: list[bytes]
    dhash: np.ndarray
    thumb: np.ndarray
    decoded: np.ndarray
    caption_row: np.ndarray
    caption_key: np.ndarray
    with_pixels: bool = True
    unreadable: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    def fault(self, at: int, message: str) -> Fault:
        """A fault of the row at a place."""
        return Fault(
            message,
            self.image_id[at].as_py(),
            self.persons[self.person[at]],
            self.splits[self.split[at]],
            self.files[self.shard[at]],
            int(self.row[at]),
        )

    def name(self, at: int) -> str:
        """The image_id at a place, with its split, for a message."""
        return f"`{self.image_id[at].as_py()}` ({self.splits[self.split[at]]})"


@dataclass
class Gathering:
    """Takes batches one after the other."""

    with_pixels: bool
    columns: dict[str, list[np.ndarray]] = field(default_factory=dict[str, list[np.ndarray]])
    image_ids: list[pa.Array] = field(default_factory=list[pa.Array])
    digests: list[bytes] = field(default_factory=list[bytes])
    persons: Words = field(default_factory=Words)
    splits: Words = field(default_factory=Words)
    videos: Words = field(default_factory=Words)
    sources: Words = field(default_factory=Words)
    rows: int = 0

    def add(self, thin: Thin) -> None:
        """Take the rows of one batch."""
        video = self.videos.coded(thin.video)
        columns: dict[str, np.ndarray] = {
            "shard": np.array(thin.shard, np.int32),
            "row": np.array(thin.row, np.int64),
            "person": self.persons.coded(thin.person_id),
            "split": self.splits.coded(thin.split),
            "video": np.where(np.array(thin.built, bool), video, -1).astype(np.int32),
            "source": self.sources.coded(thin.source),
            "built": np.array(thin.built, bool),
            "captions": np.array(thin.captions, np.int32),
            "sha256": _hashes(thin.sha256),
            "dhash": np.array(thin.dhash, np.uint64),
            "decoded": np.array(thin.decoded, bool),
            "thumb": np.array(thin.thumb, np.uint8).reshape(-1, THUMB[0] * THUMB[1]),
            "caption_row": np.array(thin.caption_row, np.int64) + self.rows,
            "caption_key": np.array(thin.caption_key, np.uint64),
        }  # fmt: skip
        for name, column in columns.items():
            self.columns.setdefault(name, []).append(column)
        self.image_ids.append(pa.array(thin.image_id, pa.string()))
        self.digests.append(b"".join(thin.digest))
        self.rows += len(thin.row)

    def all(self, files: Iterable[str], unreadable: Iterable[tuple[str, str]] = ()) -> Gathered:
        """The columns, whole."""
        self.add(Thin())  # so that there is a column of every name
        columns = {name: np.concatenate(pieces) for name, pieces in self.columns.items()}
        self.columns.clear()
        whole = b"".join(self.digests)
        return Gathered(
            files=tuple(files),
            image_id=pa.chunked_array(self.image_ids, pa.string()),
            persons=self.persons.names,
            splits=self.splits.names,
            videos=self.videos.names,
            sources=self.sources.names,
            digests=[whole[at : at + 32] for at in range(0, len(whole), 32)],
            with_pixels=self.with_pixels,
            unreadable=tuple(unreadable),
            **columns,
        )


def _hashes(found: list[bytes]) -> np.ndarray:
    """32 bytes each as four numbers: uint64 [n, 4]."""
    return np.frombuffer(b"".join(found), ">u8").astype(np.uint64).reshape(-1, 4)
