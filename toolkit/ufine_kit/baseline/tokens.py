"""Words to token ids: a byte-level BPE learned from a release's train captions, in the form CLIPModel wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ufine_kit.baseline.device import on_device
from ufine_kit.errors import KitError

# CLIPTextModel pools at the first `eos_token_id`, but at the *highest* id of the sequence where that setting is 2: a rule
# kept for old checkpoints. So the end token is 3, and 2 is the mask that text augmentation needs.
PAD, START, MASK, END = 0, 1, 2, 3
SPECIAL = ("<pad>", "<start>", "<mask>", "<end>")
_BYTES = 256

_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_OTHER_SIDE = {"left": "right", "right": "left"}


def learn_tokenizer(captions: Sequence[str], vocabulary: int, longest: int) -> PreTrainedTokenizerFast:
    """Learn at most `vocabulary` tokens from `captions`; a text becomes `<start> ... <end>` of at most `longest` tokens.

    Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019) on lower-cased NFC text: no text is ever unknown.
    Raises KitError for a vocabulary that cannot hold the 256 bytes and the special tokens.
    """
    least = _BYTES + len(SPECIAL)
    if vocabulary < least:
        raise KitError(
            f"`baseline.vocabulary` {vocabulary} is below {least}, the bytes and special tokens",
            "--set baseline.vocabulary=1024",
        )
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", START), ("<end>", END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<start>",  # noqa: S106 (a token of text)
        eos_token="<end>",  # noqa: S106
        pad_token="<pad>",  # noqa: S106
        mask_token="<mask>",  # noqa: S106
        model_max_length=longest,
        padding_side="right",
        truncation_side="right",
    )


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer saved in a checkpoint folder.

    Raises KitError where a file of it is missing: transformers would make one up that knows no word.
    """
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise KitError(
                f"`{folder}` has no `{name}`: it has lost its tokenizer",
                "restore the checkpoint from a copy, or train again",
            )
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def encode(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> tuple[torch.Tensor, int]:
    """Ids int32 [M, L], padded on the right, L the longest of `texts`; and how many texts were cut at the limit."""
    limit, end, pad = int(tokenizer.model_max_length), int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
    whole = tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
    cut = sum(len(ids) > limit for ids in whole)
    kept = [ids if len(ids) <= limit else [*ids[: limit - 1], end] for ids in whole]
    table = torch.full((len(kept), max(map(len, kept), default=1)), pad, dtype=torch.int32)
    for row, ids in enumerate(kept):
        table[row, : len(ids)] = torch.tensor(ids, dtype=torch.int32)
    return table, cut


def lengths_of(ids: torch.Tensor, end: int) -> torch.Tensor:
    """Tokens [B] of ids [B, L] up to the first end token and with it: what follows is padding, whatever its id."""
    return (ids == end).int().argmax(dim=1) + 1


def ordinary_ids(tokenizer: PreTrainedTokenizerFast) -> np.ndarray:
    """Ids int32 of all tokens that are not special: what may stand in for a word."""
    return np.setdiff1d(np.arange(len(tokenizer), dtype=np.int32), np.array(tokenizer.all_special_ids, np.int32))


def masked(
    ids: torch.Tensor,
    lengths: np.ndarray,
    chance: np.ndarray,
    others: np.ndarray,
    mask: float,
    replace: float,
    sign: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """New ids [B, L] with some words masked or replaced, and `told` [B, L]: the word that was there, -100 where it still is.

    `chance` [B, L] in [0, 1) decides, `others` [B, L] replaces, `sign` is the mask token. Start and end stay. `ids` are
    never changed in place: in IRRA's trainer the masks leak into every loss through shared memory; here they are asked for.
    """
    places = np.arange(ids.shape[1])[None]
    word = (places >= 1) & (places < lengths[:, None] - 1)
    marks, swaps = word & (chance < mask), word & (chance >= mask) & (chance < mask + replace)
    on = on_device
    changed = torch.where(on(swaps, ids.device), on(others, ids.device).to(ids.dtype), ids)
    changed = torch.where(on(marks, ids.device), sign, changed)
    return changed, torch.where(on(marks | swaps, ids.device), ids.long(), -100)


def mirrored(text: str) -> str:
    """The text of the mirror image: `left` and `right` change places, the case of their first letter stays."""

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        other = _OTHER_SIDE[word.lower()]
        return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other

    return _SIDES.sub(swap, text)
