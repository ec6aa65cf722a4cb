"""The digest of a release's rows: the same for any writer, order or file layout, different for any changed word or pixel."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

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


def data_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hex digest of all rows: sha256 over their sorted row digests, so that the order of rows and shards is left out."""
    return combine(row_digest(row) for row in rows)


def combine(row_digests: Iterable[bytes]) -> str:
    """The data digest from row digests that are already at hand."""
    whole = hashlib.sha256(f"ufine-kit rows {DIGEST_VERSION}\n".encode())
    for digest in sorted(row_digests):
        whole.update(digest)
    return whole.hexdigest()
