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

from ufine_kit.dataset.reader import Release, read_rows, shard_paths
from ufine_kit.dataset.splits import draw
from ufine_kit.errors import BadInput, KitError
from ufine_kit.parquet import count_rows, grouped

COLUMNS = ("image_id", "person_id", "source", "image", "image_sha256", "captions", "caption_origins", "provenance")
ORIGIN_FIELDS = ("granularity", "style", "kind")
_DECODE_AT_ONCE = 256


@dataclass(frozen=True)
class Pairs:
    """One split: N images of P persons, M captions. A caption belongs to the image at its place in `caption_images`."""

    pixels: torch.Tensor  # uint8 [N, H, W, 3]
    people: torch.Tensor  # int64 [N], numbers into `person_ids`
    captions: list[str]
    caption_images: torch.Tensor  # int64 [M], ascending
    origins: dict[str, list[str]]  # of every caption [M], by `granularity`, `style` and `kind`
    sources: list[str]
    person_ids: list[str]
    image_ids: list[str]
    crop_ids: list[str | None]
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
        knob = {"train": "test", "val": "val", "test": "test"}.get(split)
        raise KitError(
            f"release `{release.name}` {release.version} has no `{split}` split",
            f"build it with one: ufine-kit build-release --set release.{knob}=0.2"
            if knob
            else f"it has: {', '.join(release.splits)}",
        )
    # One block, filled in place: a list of pictures stacked at the end would need the memory twice.
    pixels = np.empty((count_rows(shard_paths(release, split)), height, width, 3), np.uint8)
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(threads) as pool:
        for group in grouped(read_rows(release, split, COLUMNS), _DECODE_AT_ONCE):
            for place, picture in enumerate(pool.map(partial(decode, height=height, width=width), group), len(rows)):
                pixels[place] = picture
            rows.extend({key: value for key, value in row.items() if key != "image"} for row in group)
    if not rows:
        raise KitError(f"split `{split}` of release `{release.name}` is empty", "ufine-kit check-release")
    return _pairs(rows, pixels)


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
        origins={
            field: [origin[field] for row in rows for origin in row["caption_origins"]] for field in ORIGIN_FIELDS
        },
        sources=[row["source"] for row in rows],
        person_ids=person_ids,
        image_ids=[row["image_id"] for row in rows],
        crop_ids=[row["provenance"]["crop_id"] for row in rows],
        image_sha256=[row["image_sha256"] for row in rows],
    )


def of_people(pairs: Pairs, wanted: set[str]) -> Pairs:
    """The images and captions of some persons, in the order they stood in; labels are numbered anew."""
    chosen = [place for place, label in enumerate(pairs.people.tolist()) if pairs.person_ids[label] in wanted]
    new_place = {place: number for number, place in enumerate(chosen)}
    captions = [number for number, image in enumerate(pairs.caption_images.tolist()) if image in new_place]
    person_ids = sorted(wanted)
    label = {person: number for number, person in enumerate(person_ids)}
    return Pairs(
        pixels=pairs.pixels[chosen],
        people=torch.tensor([label[pairs.person_ids[int(pairs.people[place])]] for place in chosen]),
        captions=[pairs.captions[number] for number in captions],
        caption_images=torch.tensor([new_place[int(pairs.caption_images[number])] for number in captions]),
        origins={field: [values[number] for number in captions] for field, values in pairs.origins.items()},
        sources=[pairs.sources[place] for place in chosen],
        person_ids=person_ids,
        image_ids=[pairs.image_ids[place] for place in chosen],
        crop_ids=[pairs.crop_ids[place] for place in chosen],
        image_sha256=[pairs.image_sha256[place] for place in chosen],
    )


def held_out(pairs: Pairs, share: float, seed: int) -> tuple[Pairs, Pairs]:
    """Train and val of a train split that came without a val: `share` of its identities, each by its own hash."""
    val = {person for person in pairs.person_ids if draw(seed, person) < share}
    if not val or len(val) == len(pairs.person_ids):
        raise KitError(
            f"`baseline.val_share` {share} holds out {len(val)} of {len(pairs.person_ids)} identities",
            "--set baseline.val_share=0.1, or --set baseline.select=last",
        )
    return of_people(pairs, set(pairs.person_ids) - val), of_people(pairs, val)
