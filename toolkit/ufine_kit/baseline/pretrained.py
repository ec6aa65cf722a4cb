"""Any CLIP in transformers format as a start: safetensors alone, text positions stretched, a mask token added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoTokenizer, CLIPModel, PreTrainedTokenizerFast
from transformers.utils import logging

from ufine_kit.baseline.checkpoint import PICKLES
from ufine_kit.errors import KitError

MASK_TOKEN = "<|mask|>"  # noqa: S105 (a token of text)


def open_pretrained(name: str) -> tuple[CLIPModel, PreTrainedTokenizerFast]:
    """Model (fp32) and tokenizer of a folder or of a name on the Hub, as they are.

    Raises KitError where there are no safetensors (a pickle can run code when it is opened), or it is no CLIPModel.
    """
    local = Path(name).is_dir()
    if local and not any(Path(name).glob("*.safetensors")):
        pickled = sorted(path.name for pattern in PICKLES for path in Path(name).glob(pattern))
        what = f"only pickled weights (`{pickled[0]}`)" if pickled else "no `model.safetensors`"
        raise KitError(f"`{name}` has {what}", "pickles are never opened; save it with `save_pretrained`")
    how: dict[str, Any] = {"local_files_only": local}
    logging.disable_progress_bar()
    try:
        model, told = CLIPModel.from_pretrained(
            name, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **how
        )
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, **how)
    except Exception as error:  # those of transformers, tokenizers, safetensors and huggingface_hub share no base
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise KitError(
            f"`{name}` does not open as a CLIP model: {first}",
            "name a folder, or a model of the Hub, with config.json, tokenizer and model.safetensors",
        ) from None
    if told["missing_keys"]:
        missing = min(told["missing_keys"])
        raise KitError(f"`{name}` is no whole CLIPModel: `{missing}` is missing", "choose another baseline.pretrained")
    _check_tokenizer(name, model, tokenizer)
    _agree_on_the_end(model, tokenizer)
    return model.eval(), tokenizer


def _check_tokenizer(name: str, model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Where a tokenizer's files are missing transformers makes up one that knows next to no token, and says nothing."""
    known, words = len(tokenizer), int(model.config.text_config.vocab_size)
    mend = "put tokenizer.json, or vocab.json and merges.txt, beside the weights, with tokenizer_config.json"
    if known < words / 2:
        raise KitError(f"`{name}` has no tokenizer of its own: {known:,} tokens for {words:,} embeddings", mend)
    if tokenizer.eos_token_id is None:
        raise KitError(f"`{name}` has no end token in its tokenizer, and texts are read there", mend)


def _agree_on_the_end(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Read every text at its first end token.

    Old configurations say `eos_token_id` 2, for which transformers reads at the highest id instead: right only until a
    token with a higher id, such as the mask, is added.
    """
    end = int(tokenizer.eos_token_id)
    for config in (model.config, model.config.text_config):
        config.eos_token_id = end
    model.text_model.eos_token_id = end
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token


def fitted(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, text_tokens: int, mask: bool) -> None:
    """Make room, in place, for texts of `text_tokens` and, with `mask`, for a mask token."""
    held = model.text_model.embeddings.position_embedding.weight
    if text_tokens > len(held):
        _positions(model, stretched(held.detach(), text_tokens))
    tokenizer.model_max_length = text_tokens
    if mask and tokenizer.mask_token is None:
        tokenizer.add_special_tokens({"mask_token": MASK_TOKEN})
    words = model.text_model.embeddings.token_embedding.weight
    if len(tokenizer) > len(words):
        _words(model, len(tokenizer))


def stretched(positions: torch.Tensor, length: int) -> torch.Tensor:
    """Positions [length, D] of positions [L, D]: linear interpolation along the one axis of length, number by number.

    First and last keep their place (`align_corners`): the start token always stands at position 0, so its embedding must stay
    exactly what it was.
    """
    return functional.interpolate(positions.T[None], size=length, mode="linear", align_corners=True)[0].T.contiguous()


def _positions(model: CLIPModel, weights: torch.Tensor) -> None:
    embeddings, config = model.text_model.embeddings, model.config.text_config
    embeddings.position_embedding = nn.Embedding.from_pretrained(weights, freeze=False)
    embeddings.register_buffer("position_ids", torch.arange(len(weights))[None], persistent=False)
    config.max_position_embeddings = len(weights)


def _words(model: CLIPModel, count: int) -> None:
    """Further rows begin as the mean of all words: a token that means any of them."""
    embeddings, config = model.text_model.embeddings, model.config.text_config
    held = embeddings.token_embedding.weight.detach()
    new = held.mean(dim=0, keepdim=True).expand(count - len(held), -1)
    embeddings.token_embedding = nn.Embedding.from_pretrained(torch.cat([held, new]), freeze=False)
    config.vocab_size = count
