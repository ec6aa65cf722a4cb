"""The digest of a release's rows: the same for any writer, order or file layout, different for any changed word or pixel."""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.columns import compute as pc
from ufine_kit.files import canonical_json

# Raised when the definition below changes; it is part of what is hashed.
DIGEST_VERSION = 1


def row_digest(row: Mapping[str, Any]) -> bytes:
    """sha256 of one row: canonical JSON of every column, with the picture standing in by its sha256."""
    plain = {name: value for name, value in row.items() if name != "image"}
    box = plain["provenance"]["box_xywh"]
    if box is not None:
        # As the column stores it: a row must have one digest before it is written and after it is read.
        plain["provenance"] = {**plain["provenance"], "box_xywh": array("f", box).tolist()}
    return hashlib.sha256(canonical_json(plain).encode()).digest()


def row_digests(rows: pa.RecordBatch) -> list[bytes]:
    """`row_digest` of every row, from columns: no dict is made of any row."""
    names = [name for name in rows.schema.names if name != "image"]
    whole = pa.StructArray.from_arrays([rows.column(name) for name in names], names=names)
    return [hashlib.sha256(text.encode()).digest() for text in _json(whole)]


def data_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hex digest of all rows: sha256 over their sorted row digests, so that the order of rows and shards is left out."""
    return combine(row_digest(row) for row in rows)


def combine(row_digests: Iterable[bytes]) -> str:
    """The data digest from row digests that are already at hand."""
    whole = hashlib.sha256(f"ufine-kit rows {DIGEST_VERSION}\n".encode())
    for digest in sorted(row_digests):
        whole.update(digest)
    return whole.hexdigest()


def _json(column: pa.Array) -> list[str]:
    """The canonical JSON of every value of a column. Raises ValueError for a number that JSON does not have."""
    kind = column.type
    if pa.types.is_struct(kind):
        return _json_structs(column)
    if pa.types.is_list(kind):
        return _json_lists(column)
    if pa.types.is_string(kind):
        return _json_strings(column)
    values = column.to_pylist()
    if pa.types.is_floating(kind) and pc.all(pc.is_finite(column)).as_py() is False:
        raise ValueError("a box that is no number")
    if pa.types.is_boolean(kind):
        return ["null" if value is None else "true" if value else "false" for value in values]
    return ["null" if value is None else repr(value) for value in values]


def _json_strings(column: pa.StringArray) -> list[str]:
    """Strings in quotes. Nearly all need nothing escaped, and to see that is ten times faster than to look for it by sign."""
    values = column.to_pylist()
    content = column.buffers()[2]
    if content is not None and np.any(np.frombuffer(content, np.uint8) < ord(" ")):
        return ["null" if value is None else encode_basestring(value) for value in values]
    return [
        "null" if value is None else encode_basestring(value) if '"' in value or "\\" in value else f'"{value}"'
        for value in values
    ]


def _json_structs(column: pa.StructArray) -> list[str]:
    names = sorted(field.name for field in column.type)
    form = "{" + ",".join(f'"{name}":%s' for name in names) + "}"
    lines = [form % values for values in zip(*(_json(column.field(name)) for name in names), strict=True)]
    return _with_nulls(column, lines)


def _json_lists(column: pa.ListArray) -> list[str]:
    inner = iter(_json(column.flatten()))
    lengths = pc.fill_null(column.value_lengths(), 0).to_pylist()
    return _with_nulls(column, ["[" + ",".join(itertools.islice(inner, length)) + "]" for length in lengths])


def _with_nulls(column: pa.Array, lines: list[str]) -> list[str]:
    if not column.null_count:
        return lines
    return [line if valid else "null" for line, valid in zip(lines, column.is_valid().to_pylist(), strict=True)]
