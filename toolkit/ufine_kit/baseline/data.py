"""A split of a release in memory: pixels decoded once, captions with their images; batches are drawn by step number."""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.errors import BadInput, KitError
from ufine_kit.parquet import grouped

COLUMNS = ("image_id", "person_id", "source", "image", "image_sha256", "captions", "caption_origins")
_DECODE_AT_ONCE = 256


@dataclass(frozen=True)
class Pairs:
    """One split: N images of P persons, M captions. A caption belongs to the image at its place in `caption_images`."""

    pixels: torch.Tensor  # uint8 [N, H, W, 3]
    people: torch.Tensor  # int64 [N], numbers into `person_ids`
    captions: list[str]
    caption_images: torch.Tensor  # int64 [M], ascending
    granularities: list[str]
    sources: list[str]
    person_ids: list[str]
    image_sha256: list[str]

    @property
    def caption_people(self) -> torch.Tensor:
        """Label of every caption's person, int64 [M]."""
        return self.people[self.caption_images]

    @property
    def caption_offsets(self) -> np.ndarray:
        """Where the captions of image n begin, int64 [N + 1]; those of n end where those of n + 1 begin."""
        return np.searchsorted(self.caption_images.numpy(), np.arange(len(self.people) + 1))


def load_pairs(release: Release, split: str, height: int, width: int, threads: int = 2) -> Pairs:
    """Read and decode a split once. Raises KitError for an empty split, BadInput that names the image it cannot use."""
    if split not in release.splits:
        raise KitError(
            f"release `{release.name}` {release.version} has no `{split}` split",
            f"build it with one: ufine-kit build-release --set release.{'test' if split == 'train' else split}=0.2",
        )
    rows: list[dict[str, Any]] = []
    pixels: list[np.ndarray] = []
    with ThreadPoolExecutor(threads) as pool:
        for group in grouped(read_rows(release, split, COLUMNS), _DECODE_AT_ONCE):
            pixels.extend(pool.map(partial(decode, height=height, width=width), group))
            rows.extend({key: value for key, value in row.items() if key != "image"} for row in group)
    if not rows:
        raise KitError(f"split `{split}` of release `{release.name}` is empty", "ufine-kit check-release")
    return _pairs(rows, np.stack(pixels))


def decode(row: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """Pixels uint8 [H, W, 3] of a row, resized with Pillow's bilinear filter. Raises BadInput that names the image."""
    try:
        with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
            sized = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
        # Pillow raises SyntaxError for a broken PNG, and the release may hold null bytes.
        raise BadInput(
            f"image `{row['image_id']}` cannot be decoded: {str(error).splitlines()[0]}",
            "ufine-kit check-release, then build the release without it",
        ) from None
    return np.asarray(sized, dtype=np.uint8)


def _pairs(rows: list[dict[str, Any]], pixels: np.ndarray) -> Pairs:
    for row in rows:
        for field in ("person_id", "captions"):
            if not row[field]:
                raise BadInput(f"image `{row['image_id']}` has no {field}", "ufine-kit check-release")
    person_ids = sorted({row["person_id"] for row in rows})
    label = {person: number for number, person in enumerate(person_ids)}
    return Pairs(
        pixels=torch.from_numpy(pixels),
        people=torch.tensor([label[row["person_id"]] for row in rows]),
        captions=[caption for row in rows for caption in row["captions"]],
        caption_images=torch.tensor([place for place, row in enumerate(rows) for _ in row["captions"]]),
        granularities=[origin["granularity"] for row in rows for origin in row["caption_origins"]],
        sources=[row["source"] for row in rows],
        person_ids=person_ids,
        image_sha256=[row["image_sha256"] for row in rows],
    )
