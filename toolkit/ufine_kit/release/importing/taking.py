"""The second half of an import: pictures fetched and looked at side by side, rows made, in the order of the file."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ufine_kit.release.importing import metadata
from ufine_kit.release.importing.entries import Entry
from ufine_kit.release.importing.findings import Finding, Refused
from ufine_kit.release.importing.opening import Dataset
from ufine_kit.release.importing.paths import read_picture, safe_name
from ufine_kit.release.importing.pictures import Looked, look
from ufine_kit.release.importing.survey import Reading, image_id, person_id
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count as count_words

# Pictures that wait, decoded, for their turn; each holds its file's bytes.
AHEAD = 16
_SAME = {"jpeg": "jpg", "jpe": "jpg"}
_KNOWN = {"jpg", "png", "bmp", "webp"}


@dataclass(frozen=True)
class Taken:
    """A picture that can be used: its bytes as they go out, and what they say.

    `known_by` are its sha256 as found and without metadata: a removal may have seen either.
    """

    content: bytes
    looked: Looked
    sha256: str
    known_by: frozenset[str]
    notes: tuple[tuple[str, str], ...]


def take(dataset: Dataset, entry: Entry, strip: bool, most_pixels: int) -> Taken | Refused:
    """Fetch and look at one picture; what speaks against it is handed back, since one bad picture stops nothing."""
    try:
        content = _bytes(dataset, entry)
        looked = look(content, most_pixels)
    except Refused as why:
        return why
    notes: list[tuple[str, str]] = []
    held = ", ".join(sorted(looked.metadata))
    bare = metadata.stripped(content) if looked.metadata else content
    known_by = frozenset(hashlib.sha256(cut).hexdigest() for cut in {content, bare})
    if looked.metadata and strip:
        content = bare
        notes.append(("metadata_stripped", held))
    elif looked.metadata:
        notes += [("metadata", held), *([("gps", held)] if "gps" in looked.metadata else [])]
    ending = PurePosixPath(entry.path or entry.image).suffix[1:].lower()
    if _SAME.get(ending, ending) in _KNOWN - {looked.ending}:
        notes.append(("extension", f"named .{ending}, is .{looked.ending}"))
    return Taken(content, looked, hashlib.sha256(content).hexdigest(), known_by, tuple(notes))


def _bytes(dataset: Dataset, entry: Entry) -> bytes:
    if dataset.root is not None:
        return read_picture(dataset.root, entry.image)
    if not entry.pixels and dataset.beside is not None:
        return read_picture(dataset.beside, safe_name(entry.path))
    if not entry.pixels:
        raise Refused("missing", "the row holds no bytes of a picture")
    return entry.pixels


def take_all(
    dataset: Dataset, entries: Iterable[Entry], strip: bool, most_pixels: int, workers: int
) -> Iterator[tuple[Entry, Taken | Refused]]:
    """`take` for every entry, in order, a few ahead (`workers` 0: as many as there are cores).

    Decoding lets go of the interpreter, so threads suffice.
    """
    waiting: deque[tuple[Entry, Future[Taken | Refused]]] = deque()
    with ThreadPoolExecutor(min(workers or os.cpu_count() or 1, AHEAD)) as pool:
        for entry in entries:
            waiting.append((entry, pool.submit(take, dataset, entry, strip, most_pixels)))
            if len(waiting) > AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def findings_of(entry: Entry, taken: Taken | Refused) -> list[Finding]:
    """What is to be said of one picture."""
    said = [(taken.reason, taken.detail)] if isinstance(taken, Refused) else list(taken.notes)
    return [Finding(entry.row, reason, entry.image, entry.person, detail) for reason, detail in said]


def sample(dataset: Dataset, reading: Reading, entry: Entry, taken: Taken) -> dict[str, Any]:
    """One release row."""
    held = dataset.ids.images.get(entry.image)
    source = held.source if held is not None else entry.source
    return {
        "image_id": image_id(dataset, entry),
        "person_id": person_id(dataset, reading, entry),
        "split": entry.split,
        "source": source,
        "image": {"bytes": taken.content, "path": _upstream_path(entry, held.path if held is not None else None)},
        "captions": list(entry.captions),
        "caption_origins": [origin(text, source) for text in entry.captions],
        "image_sha256": taken.sha256,
        "width": taken.looked.width,
        "height": taken.looked.height,
        "dhash": taken.looked.dhash,
        "provenance": {
            **dict.fromkeys(("crop_id", "video_sha256", "tracklet", "frame", "box_xywh")),
            "upstream_id": (held.upstream_id if held is not None else None) or entry.person,
        },
    }


def _upstream_path(entry: Entry, held: str | None) -> str:
    """The name of the file in the dataset it came from, or the row's own where that leads anywhere else."""
    try:
        return safe_name(held or entry.path or entry.image)
    except Refused:
        return entry.image


def origin(text: str, writer: str) -> dict[str, Any]:
    """Where an imported caption comes from: nobody says more of it than the dataset's name."""
    words = count_words(text)
    return {
        "kind": "imported", "writer": writer, "parent": None, "words": words, "granularity": granularity_of(words),
        "style": "imported",
    }  # fmt: skip
