"""What is measured: a checkpoint of the kit, or any CLIP in transformers format as it is; and its features of a split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import CLIPModel, PreTrainedTokenizerFast

from ufine_kit.baseline.checkpoint import open_checkpoint
from ufine_kit.baseline.data import Pairs
from ufine_kit.baseline.features import image_features, text_features
from ufine_kit.baseline.origin import trained_by_kit
from ufine_kit.baseline.pretrained import open_pretrained
from ufine_kit.baseline.tokens import encode
from ufine_kit.dataset.metrics import RetrievalMetrics, retrieval_metrics
from ufine_kit.errors import KitError

TALL = 3  # a person's picture is about three times as tall as wide


@dataclass(frozen=True)
class Subject:
    """A model with its tokenizer and the size at which it sees; `about` is what a record says of it."""

    model: CLIPModel
    tokenizer: PreTrainedTokenizerFast
    height_px: int
    width_px: int
    about: dict[str, Any]
    synthetic: bool
    folder: Path | None  # of a checkpoint of the kit, which knows whom it was trained on
    card: dict[str, Any]


@dataclass(frozen=True)
class Features:
    """What a model makes of a split: captions [M, D], images [N, D], and how many captions were cut."""

    texts: np.ndarray
    images: np.ndarray
    cut: int


def trained_subject(checkpoint: Path) -> Subject:
    """A checkpoint of the kit. Raises KitError where it does not open."""
    model, tokenizer, card = open_checkpoint(checkpoint)
    about = {key: card[key] for key in ("name", "weights_sha256", "made_of", "trained_on", "selection")}
    size = card["image_height_px"], card["image_width_px"]
    return Subject(model, tokenizer, *size, about, card["synthetic"], checkpoint, card)


def zero_shot_subject(name: str) -> Subject:
    """Any CLIP, as it is, at its own text length: a row to hold a trained one against.

    Raises KitError for a checkpoint of the kit: it knows whom it was trained on, and must be measured as what it is.
    """
    if trained_by_kit(name):
        local = Path(name).is_dir()
        mend = (
            f"ufine-kit evaluate {name}"
            if local
            else f"hf download {name} --local-dir DIR, then ufine-kit evaluate DIR"
        )
        raise KitError(f"`{name}` was trained by the kit", mend)
    model, tokenizer = open_pretrained(name)
    tokenizer.model_max_length = model.config.text_config.max_position_embeddings
    size = zero_shot_size(model.config.vision_config.image_size, model.config.vision_config.patch_size)
    about = {"name": slug(name), "pretrained": called(name), "selection": {"rule": "zero-shot"}, "trained_on": None}
    return Subject(model, tokenizer, *size, about, False, None, {})


def zero_shot_size(square_px: int, patch_px: int) -> tuple[int, int]:
    """Height and width with about as many patches as the square that the model knows: 384 x 128 for 224 at patches of 16."""
    side = square_px / patch_px
    return round(side * TALL**0.5) * patch_px, max(1, round(side / TALL**0.5)) * patch_px


def called(name: str) -> str:
    """What a record calls a model: its whole name on the Hub, where two may share the last part; that part of a folder."""
    return Path(name).resolve().name if Path(name).is_dir() else name


def slug(name: str) -> str:
    """A name of a model as a file can bear it."""
    return "zero-shot-" + re.sub(r"[^a-z0-9_-]+", "-", called(name).lower()).strip("-")[:80]


def features_of(subject: Subject, pairs: Pairs, texts: Sequence[str] | None = None) -> Features:
    """Features of a split; `texts` [M] may stand in for its captions."""
    ids, cut = encode(subject.tokenizer, texts if texts is not None else pairs.captions)
    return Features(text_features(subject.model, ids), image_features(subject.model, pairs.pixels), cut)


def scored(texts: np.ndarray, images: np.ndarray, pairs: Pairs) -> RetrievalMetrics:
    """Every caption asks the gallery of all images."""
    people: torch.Tensor = pairs.caption_people
    return retrieval_metrics(
        query_features=texts, gallery_features=images, query_ids=people.numpy(), gallery_ids=pairs.people.numpy()
    )
