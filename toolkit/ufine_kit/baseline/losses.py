"""Losses between image and text features that know which pairs show the same person; models and loops lie elsewhere."""

from __future__ import annotations

import torch
from torch.nn import functional

# IRRA adds this inside the logarithm, so that a pair of two persons costs a large number and not infinity.
EPSILON = 1e-8


def same_person(people: torch.Tensor) -> torch.Tensor:
    """Target distribution [B, B] of labels [B]: row i spreads its mass evenly over the columns of the same person."""
    same = (people[:, None] == people[None, :]).float()
    return same / same.sum(dim=1, keepdim=True)


def sdm(images: torch.Tensor, texts: torch.Tensor, people: torch.Tensor, temperature: float) -> torch.Tensor:
    """Similarity distribution matching (IRRA, CVPR 2023, eq. 5 to 7): the mean reverse divergence, both directions added.

    With normalised features v_i, t_j [B, D] and labels y [B]:
        p_ij = exp(v_i.t_j / temperature) / sum_k exp(v_i.t_k / temperature)
        q_ij = [y_i = y_j] / sum_k [y_i = y_k]
        loss = 1/B sum_i sum_j p_ij log(p_ij / (q_ij + 1e-8)), images to texts, plus the same with texts to images.
    """
    target = (same_person(people) + EPSILON).log()
    logits = images @ texts.T / temperature  # [B, B]

    def divergence(rows: torch.Tensor) -> torch.Tensor:
        log_p = rows.log_softmax(dim=1)
        return (log_p.exp() * (log_p - target)).sum(dim=1).mean()

    return divergence(logits) + divergence(logits.T)


def contrastive(images: torch.Tensor, texts: torch.Tensor, people: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE with the same person's pairs as further positives: cross-entropy of p to q of `sdm`, both directions added."""
    target = same_person(people)
    logits = images @ texts.T / temperature  # [B, B]
    return functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)


LOSSES = {"sdm": sdm, "contrastive": contrastive}
