"""The join itself: pictures of the crops that go out, a batch at a time, with their identity, split and captions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import damaged_at, read_batches
from ufine_kit.dataset.schema import release_schema
from ufine_kit.errors import KitError
from ufine_kit.release.captions import Captions
from ufine_kit.release.crops import Stretch

COLUMNS = (
    "crop_id", "image", "video_sha256", "tracklet", "frame", "box_xywh", "image_sha256", "width", "height", "dhash",
)  # fmt: skip


@dataclass(frozen=True)
class Going:
    """The crops that go out [N], in the order of the parts: row among all crops, identity and split as numbers."""

    row: np.ndarray
    person: np.ndarray
    persons: pa.StringArray
    splits: pa.StringArray
    source: str


def joined(work: Path, stretches: tuple[Stretch, ...], going: Going, captions: Captions) -> Iterator[pa.RecordBatch]:
    """Release rows. Raises KitError for a picture that is not what its sha256 says."""
    texts = captions.columns()
    first, last, lists = 0, 0, ()
    for start, crops in _pictures(work, stretches, going):
        done = 0
        while done < crops.num_rows:
            if start + done >= last:
                first, *lists = next(texts)
                last = first + len(lists[0])
            rows = min(crops.num_rows - done, last - start - done)
            told = [column.slice(start + done - first, rows) for column in lists]
            yield _rows(crops.slice(done, rows), start + done, told, going)
            done += rows


def _pictures(work: Path, stretches: tuple[Stretch, ...], going: Going) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of crops that go out, each with the place of its first among them."""
    for stretch in stretches:
        low, high = np.searchsorted(going.row, (stretch.first, stretch.end)).tolist()
        if low == high:
            continue
        path = work / "tracklets" / f"{stretch.part}.parquet"
        at = stretch.first
        for batch in read_batches(path, COLUMNS):
            end = int(np.searchsorted(going.row, at + batch.num_rows))
            chosen = going.row[low:end] - at
            at += batch.num_rows
            if len(chosen) == 0:
                continue
            crops = batch if len(chosen) == batch.num_rows else batch.take(pa.array(chosen))
            _refuse_damage(crops, path)
            yield low, crops
            low = end


def _refuse_damage(crops: pa.RecordBatch, path: Path) -> None:
    row = damaged_at(crops.column("image"), crops.column("image_sha256"))
    if row is not None:
        name = crops.column("crop_id")[row].as_py()
        raise KitError(
            f"crop `{name}` in `{path}` is damaged",
            f"ufine-kit extract-tracklets videos/ --redo --work {path.parent.parent}",
        )


def _rows(crops: pa.RecordBatch, start: int, texts: list[pa.ListArray], going: Going) -> pa.RecordBatch:
    schema = release_schema()
    crop_id = crops.column("crop_id")
    person = pa.array(going.person[start : start + crops.num_rows])
    names = pc.binary_join_element_wise(crop_id, ".jpg", "")
    captions, origins = texts
    columns = {
        "image_id": crop_id,
        "person_id": going.persons.take(person),
        "split": going.splits.take(person),
        "source": pa.repeat(going.source, crops.num_rows),
        "image": pa.StructArray.from_arrays(
            [crops.column("image").field("bytes"), names], fields=list(schema.field("image").type)
        ),
        "captions": captions.cast(schema.field("captions").type),
        "caption_origins": origins,
        "provenance": _provenance(crops, schema.field("provenance").type),
    }
    return pa.RecordBatch.from_arrays(
        [columns[name] if name in columns else crops.column(name) for name in schema.names], schema=schema
    )


def _provenance(crops: pa.RecordBatch, form: pa.StructType) -> pa.StructArray:
    """The way back to the video. The identity as another dataset named it is none here."""
    none = pa.nulls(crops.num_rows, pa.string())
    columns = [none if field.name == "upstream_id" else crops.column(field.name).cast(field.type) for field in form]
    return pa.StructArray.from_arrays(columns, fields=list(form))
