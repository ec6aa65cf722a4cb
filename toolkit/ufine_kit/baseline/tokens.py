"""Words to token ids: a byte-level BPE learned from a release's train captions, in the form CLIPModel wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

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
            "ufine-kit baseline-train --set baseline.vocabulary=1024",
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
    """The tokenizer saved in a checkpoint folder."""
    return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def encode(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> tuple[torch.Tensor, int]:
    """Ids int32 [M, L], padded on the right, L the longest of `texts`; and how many texts were cut at the limit."""
    limit = int(tokenizer.model_max_length)
    whole = tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
    cut = sum(len(ids) > limit for ids in whole)
    kept = [ids if len(ids) <= limit else [*ids[: limit - 1], END] for ids in whole]
    table = torch.full((len(kept), max(map(len, kept), default=1)), PAD, dtype=torch.int32)
    for row, ids in enumerate(kept):
        table[row, : len(ids)] = torch.tensor(ids, dtype=torch.int32)
    return table, cut


def mirrored(text: str) -> str:
    """The text of the mirror image: `left` and `right` change places, the case of their first letter stays."""

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        other = _OTHER_SIDE[word.lower()]
        return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other

    return _SIDES.sub(swap, text)
