"""Features of a whole split, and the metrics between its captions and its images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import CLIPModel

from ufine_kit.baseline.augment import normalised
from ufine_kit.baseline.data import Pairs
from ufine_kit.baseline.model import encode_images, encode_texts, end_of
from ufine_kit.baseline.tokens import lengths_of
from ufine_kit.dataset.metrics import RetrievalMetrics, retrieval_metrics

AT_ONCE = 256  # images or texts in one pass; fixed, since it may touch the last bits


def image_features(model: CLIPModel, pixels: torch.Tensor) -> np.ndarray:
    """Float32 [N, D] of uint8 [N, H, W, 3], in the order given."""
    with torch.inference_mode():
        parts = [
            encode_images(model, normalised(some.to(model.device))).float().cpu() for some in pixels.split(AT_ONCE)
        ]
    return torch.cat(parts).numpy()


def text_features(model: CLIPModel, ids: torch.Tensor) -> np.ndarray:
    """Float32 [M, D] of token ids [M, L], in the order given; read from short to long, so that little is padding."""
    lengths = lengths_of(ids, end_of(model))
    order = torch.argsort(lengths, stable=True)
    with torch.inference_mode():
        parts = [
            encode_texts(model, ids[some, : int(lengths[some[-1]])].to(model.device)).float().cpu()
            for some in order.split(AT_ONCE)
        ]
    features = torch.cat(parts)
    return features[torch.argsort(order)].numpy()


def score_pairs(model: CLIPModel, pairs: Pairs, ids: torch.Tensor) -> RetrievalMetrics:
    """Every caption of `pairs` asks the gallery of all its images; `ids` [M, L] are the captions' tokens."""
    was_training = model.training
    model.eval()
    queries, gallery = text_features(model, ids), image_features(model, pairs.pixels)
    model.train(was_training)
    labels: dict[str, Any] = {"query_ids": pairs.caption_people.numpy(), "gallery_ids": pairs.people.numpy()}
    return retrieval_metrics(query_features=queries, gallery_features=gallery, **labels)
