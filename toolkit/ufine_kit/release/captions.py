"""Descriptions as the caption columns of a release: joined to their crops stretch by stretch, so that memory stays flat."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ufine_kit import parts
from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import read_batches, read_columns
from ufine_kit.dataset.schema import release_schema
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder
from ufine_kit.parquet import THIN_GROUP_ROWS
from ufine_kit.release.crops import whole
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count as count_words

COLUMNS = ("text", "writer", "origin")
# Crops whose texts are in memory at a time.
STRETCH = 8192
PIECE = 256
_FOUND = pa.schema([("at", pa.int64()), *((name, pa.string()) for name in COLUMNS)])


@dataclass(frozen=True)
class Described:
    """The crops that have texts (ids, once each), and the files the texts lie in."""

    paths: tuple[Path, ...]
    crop_ids: pa.StringArray


def described(work: Path) -> Described:
    """Which crops the closed campaigns describe. Raises KitError where nothing is described yet."""
    folders = sorted(path.parent for path in (work / "descriptions").glob("*/plan.json"))
    paths = tuple(folder / f"{done.part}.parquet" for folder in folders for done in parts.done_parts(folder))
    ids = [whole(read_columns(path, ["crop_id"]), "crop_id") for path in paths]
    if not any(len(column) for column in ids):
        name = next((path.parent.name for path in sorted(work.glob("campaigns/*/ledger"))), "NAME")
        raise KitError(
            f"no descriptions in `{work / 'descriptions'}`", f"ufine-kit campaign close {name} --work {work}"
        )
    return Described(paths, pc.unique(pa.concat_arrays(ids)))


class Captions:
    """The caption columns of crops [N] that go out, in their order.

    Campaigns tell texts as they came, not by crop. So they are first sorted into files of `STRETCH` crops each in a folder
    of one's own choice, and read back one file at a time.
    """

    def __init__(self, known: Described, crop_ids: pa.StringArray, folder: Path) -> None:
        self._folder = make_folder(folder)
        self._crops = len(crop_ids)
        self._sort(known, crop_ids)

    def __enter__(self) -> Captions:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sort(self, known: Described, crop_ids: pa.StringArray) -> None:
        sinks: list[Any] = [
            pa.ipc.new_stream(str(self._folder / f"{number}.arrow"), _FOUND)
            for number in range((self._crops + STRETCH - 1) // STRETCH)
        ]
        for path in known.paths:
            at = pc.index_in(whole(read_columns(path, ["crop_id"]), "crop_id"), value_set=crop_ids)
            first = 0
            for batch in read_batches(path, COLUMNS, THIN_GROUP_ROWS):
                place = at.slice(first, batch.num_rows).cast(pa.int64())
                first += batch.num_rows
                rows = pa.RecordBatch.from_arrays([place, *batch.columns], schema=_FOUND)
                if place.null_count:
                    rows = rows.filter(place.is_valid())
                stretch = rows.column("at").to_numpy() // STRETCH
                for number in np.unique(stretch).tolist():
                    sinks[number].write_batch(rows.filter(pa.array(stretch == number)))
        for sink in sinks:
            sink.close()

    def columns(self) -> Iterator[tuple[int, pa.ListArray, pa.ListArray]]:
        """(first crop, `captions`, `caption_origins`) of one stretch of crops after the other."""
        for number in range((self._crops + STRETCH - 1) // STRETCH):
            first = number * STRETCH
            with pa.ipc.open_stream(str(self._folder / f"{number}.arrow")) as stream:
                found = stream.read_all()
            yield first, *_lists(found, first, min(STRETCH, self._crops - first))


def _lists(found: pa.Table, first: int, crops: int) -> tuple[pa.ListArray, pa.ListArray]:
    """`captions` and `caption_origins` of crops `first` to `first + crops`, texts in the order they came."""
    place = whole(found, "at").to_numpy() - first
    ordered = found.take(pa.array(np.argsort(place, kind="stable")))
    ends = np.cumsum(np.bincount(place, minlength=crops))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    text, writer, kind = (whole(ordered, name) for name in COLUMNS)
    origins = release_schema().field("caption_origins").type
    return pa.ListArray.from_arrays(offsets, text), pa.ListArray.from_arrays(
        offsets, _origins(text, writer, kind, origins.value_type), type=origins
    )


def _origins(text: pa.StringArray, writer: pa.StringArray, kind: pa.StringArray, form: pa.StructType) -> pa.StructArray:
    words = word_counts(text)
    columns = {
        "kind": kind,
        "writer": writer,
        "parent": pa.nulls(len(text), pa.int32()),
        "words": pa.array(words.astype(np.int32)),
        "granularity": granularities(words),
        "style": pa.repeat("annotator", len(text)),
    }
    return pa.StructArray.from_arrays([columns[field.name] for field in form], fields=list(form))


def granularities(words: np.ndarray) -> pa.StringArray:
    """`granularity_of` of many word counts [N]."""
    numbers, at = np.unique(words, return_inverse=True)
    return pa.array([granularity_of(number) for number in numbers.tolist()], pa.string()).take(pa.array(at))


def word_counts(texts: pa.StringArray) -> np.ndarray:
    """`text.words.count` of many texts [N]."""
    # As many at a time as stay in the processor's cache.
    pieces = [_word_counts(texts.slice(first, PIECE)) for first in range(0, len(texts), PIECE)]
    return np.concatenate([np.empty(0, np.int64), *pieces])


def _word_counts(texts: pa.StringArray) -> np.ndarray:
    """By the rule of `text.words`: bytes of plain ASCII all at once, other texts one by one.

    A word begins where a run of letters and digits does; a single `-` or `'` between two runs makes one word of them.
    """
    lines = pc.binary_join_element_wise("", texts, "\n")  # no word goes on over the border
    offsets = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
    signs = np.frombuffer(lines.buffers()[2] or b"", np.uint8)[: offsets[-1]]
    # Below 26 and 10: letters and digits; what is smaller than the first of them has wrapped around.
    inside = ((signs | 32) - 97 < 26) | (signs - 48 < 10)
    begins = np.flatnonzero(inside[1:] > inside[:-1]) + 1
    joins = np.flatnonzero((signs == ord("-")) | (signs == ord("'")))
    joins = joins[joins + 1 < len(signs)]  # each line begins with its border, the last one ends without
    joins = joins[inside[joins - 1] & inside[joins + 1]]
    counts = np.diff(np.searchsorted(begins, offsets)) - np.diff(np.searchsorted(joins, offsets))
    plain = pc.string_is_ascii(texts).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(~plain).tolist():
        counts[row] = count_words(texts[row].as_py())
    return counts
