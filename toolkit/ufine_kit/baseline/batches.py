"""Batches drawn by step number: a resumed run draws what the unbroken one drew, and no random state need be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from ufine_kit.baseline.augment import Augmentation, augmented
from ufine_kit.baseline.device import cached, on_device, sent
from ufine_kit.baseline.processes import Processes
from ufine_kit.baseline.tokens import encode, lengths_of, masked, mirrored, ordinary_ids
from ufine_kit.errors import KitError

if TYPE_CHECKING:
    from ufine_kit.baseline.data import Pairs
    from ufine_kit.tables import BaselineTable

ALONE = Processes()


@dataclass(frozen=True)
class Source:
    """What batches are drawn from. Tensors lie on the device, what is only looked up stays on the host."""

    pixels: torch.Tensor  # uint8 [N, H, W, 3]
    people: torch.Tensor  # int64 [N]
    ids: torch.Tensor  # int32 [2, M, L]: the captions, and those of the mirror images
    ordinary: np.ndarray  # int32, ids that are no special token
    mask_id: int
    lengths: np.ndarray  # int64 [2, M], tokens
    offsets: np.ndarray  # int64 [N + 1], where each image's captions begin
    ranks: np.ndarray  # int64 [M], each image's captions from short to long
    cut: int  # captions that were longer than the limit


@dataclass(frozen=True)
class Drawn:
    """One batch as the model takes it."""

    images: torch.Tensor  # float32 [B, 3, H, W], normalised
    ids: torch.Tensor  # int32 [B, L], L the longest of this batch
    people: torch.Tensor  # int64 [B]
    told: torch.Tensor | None  # int64 [B, L], the word under every mask; None where nothing is masked


def open_source(pairs: Pairs, tokenizer: PreTrainedTokenizerFast, table: BaselineTable, device: torch.device) -> Source:
    """Tokenise the captions of a split once. Raises KitError where every one is longer than the tokenizer's limit."""
    plain, cut = encode(tokenizer, pairs.captions)
    if cut == len(pairs.captions):
        raise KitError(
            f"every caption is longer than {tokenizer.model_max_length} tokens",
            f"--set baseline.text_tokens={2 * tokenizer.model_max_length}",
        )
    mirror = encode(tokenizer, [mirrored(caption) for caption in pairs.captions])[0] if table.mirror_words else plain
    # One compiled graph needs one shape; elsewhere a batch is as long as its longest text.
    longest = table.text_tokens if table.compile else max(plain.shape[1], mirror.shape[1])
    pad, end = int(tokenizer.pad_token_id), int(tokenizer.eos_token_id)
    ids = torch.stack(
        [torch.nn.functional.pad(each, (0, longest - each.shape[1]), value=pad) for each in (plain, mirror)]
    )
    lengths, offsets = torch.stack([lengths_of(each, end) for each in ids]).numpy(), pairs.caption_offsets
    return Source(
        pixels=cached(pairs.pixels, device, table.cache),
        people=pairs.people.to(device),
        ids=ids.to(device),
        ordinary=ordinary_ids(tokenizer),
        mask_id=int(tokenizer.mask_token_id or 0),
        lengths=lengths,
        offsets=offsets,
        ranks=from_short_to_long(lengths[0], offsets),
        cut=cut,
    )


def draw(source: Source, table: BaselineTable, step: int, processes: Processes = ALONE) -> Drawn:
    """The batch of `step` 0, 1, ...; everything random in it comes from the recipe's seed and the step.

    Each process draws for the whole batch and takes its own part: two processes see what one would.
    """
    rng = np.random.default_rng([table.seed, 1, step])
    images = images_of_step(step, len(source.people), table.batch, table.seed)
    captions = captions_of_images(images, source.offsets, source.ranks, rng.random())
    flipped = (rng.random(len(images)) < 0.5) & table.mirror
    side = flipped.astype(np.int64)
    how = Augmentation(table.shift_px, table.erase, table.erase_most, table.brightness, table.contrast)
    share = len(images) // processes.count
    part = slice(processes.rank * share, (processes.rank + 1) * share)
    device = source.people.device
    chosen = on_device(images[part], source.pixels.device)
    seen = augmented(sent(source.pixels[chosen], device), flipped, how, rng, part)
    lengths = source.lengths[side, captions]
    longest = source.ids.shape[2] if table.compile else int(lengths.max())
    ids = source.ids[on_device(side[part], device), on_device(captions[part], device), :longest]
    told = None
    if table.mask or table.replace:
        chance = rng.random((len(images), longest))
        others = source.ordinary[rng.integers(0, len(source.ordinary), chance.shape)]
        ids, told = masked(ids, lengths[part], chance[part], others[part], table.mask, table.replace, source.mask_id)
    return Drawn(seen, ids, source.people[on_device(images[part], device)], told)


def images_of_step(step: int, count: int, batch: int, seed: int) -> np.ndarray:
    """Image numbers of step 0, 1, ...: every epoch is its own permutation, its incomplete last batch is left out.

    A function of the step alone: a resumed run draws what the unbroken one drew. With fewer images than a batch holds,
    each batch is all of them.
    """
    batch = min(batch, count)
    epoch, place = divmod(step, count // batch)
    order = np.random.default_rng([seed, 0, epoch]).permutation(count)
    return order[place * batch : (place + 1) * batch]


def captions_of_images(images: np.ndarray, offsets: np.ndarray, ranks: np.ndarray, share: float) -> np.ndarray:
    """One caption number for each image: of its captions from short to long, the one at `share` (0 to 1) of the list.

    One share for the whole batch gives it texts of like length: no time goes into padding, and over the steps every length
    is drawn. `ranks` [M] lists each image's captions from short to long, `offsets` [N + 1] where they begin.
    """
    counts = offsets[images + 1] - offsets[images]
    return ranks[offsets[images] + np.minimum((share * counts).astype(np.int64), counts - 1)]


def from_short_to_long(lengths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Caption numbers [M]: image by image, each image's captions ordered by length [M], ties as they stand."""
    image = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.lexsort((np.arange(len(lengths)), lengths, image))
