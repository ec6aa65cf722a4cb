"""Identities and groups as integer codes: any integer or text labels in, codes that sort as the labels out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ufine_kit.errors import KitError

Labels = npt.NDArray[Any] | Sequence[int] | Sequence[str]


def as_labels(labels: Labels, name: str, length: int | None = None) -> npt.NDArray[Any]:
    """[N] int64 or str; raises KitError where the labels are neither, not in one row, or not `length` many."""
    array = np.asarray(labels)
    if array.dtype == object:
        array = np.asarray(array.tolist())
    if array.ndim != 1:
        raise KitError(
            f"{name} has shape {list(array.shape)}, wanted one label a row", "save one integer or text a row"
        )
    if length is not None and len(array) != length:
        raise KitError(f"{name} has {len(array)} labels for {length} rows", "save one label a row, in the same order")
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError as error:
            raise KitError(f"{name} holds bytes that are no UTF-8", "save the labels as text or integers") from error
    if array.dtype.kind == "u" and len(array) and int(array.max()) > np.iinfo(np.int64).max:
        raise KitError(f"{name} holds an integer above 2^63 - 1", "save the labels as text")
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    if array.dtype.kind != "U":
        raise KitError(f"{name} holds `{array.dtype}`, wanted integers or text", "save it as `int64` or as text")
    return array


def shared_codes(
    query_ids: npt.NDArray[Any], gallery_ids: npt.NDArray[Any], names: tuple[str, str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Codes [Q] and [G]: equal where the labels are equal, ascending as the labels."""
    if query_ids.dtype.kind != gallery_ids.dtype.kind:
        kinds = ["integers" if ids.dtype.kind == "i" else "text" for ids in (query_ids, gallery_ids)]
        raise KitError(f"{names[0]} holds {kinds[0]}, {names[1]} {kinds[1]}", "save both with the same kind of labels")
    codes = np.unique(np.concatenate([query_ids, gallery_ids]), return_inverse=True)[1].astype(np.int64)
    return codes[: len(query_ids)], codes[len(query_ids) :]
