"""Losses between images and texts that know which pairs show one person; models, gathering and loops lie elsewhere.

Every loss takes one direction: the similarities [b, B] of this process's rows to the whole batch, and `same` [b, B], true
where row and column are one person. Images to texts and texts to images are added by `objective.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

Loss = Callable[..., torch.Tensor]  # (similarity [b, B], same [b, B], settings of its own) -> []

# IRRA adds this inside the logarithm, so that a pair of two persons costs a large number and not infinity.
EPSILON = 1e-8


def same_person(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Bool [b, B]: where the labels `rows` [b] and `columns` [B] are one person's."""
    return rows[:, None] == columns[None, :]


def shares(same: torch.Tensor) -> torch.Tensor:
    """Target distribution [b, B]: each row spreads its mass evenly over the columns of its own person."""
    return same.float() / same.sum(dim=1, keepdim=True)


def sdm(similarity: torch.Tensor, same: torch.Tensor, temperature: float) -> torch.Tensor:
    """Similarity distribution matching (IRRA, CVPR 2023, eq. 5 to 7), one direction: the mean reverse divergence.

    With cosines s_ij of normalised features and labels y:
        p_ij = exp(s_ij / temperature) / sum_k exp(s_ik / temperature)
        q_ij = [y_i = y_j] / sum_k [y_i = y_k]
        loss = 1/b sum_i sum_j p_ij log(p_ij / (q_ij + 1e-8))
    """
    log_p = (similarity / temperature).log_softmax(dim=1)
    return (log_p.exp() * (log_p - (shares(same) + EPSILON).log())).sum(dim=1).mean()


def contrastive(similarity: torch.Tensor, same: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE with the same person's pairs as further positives, one direction: cross-entropy of p to q of `sdm`."""
    return functional.cross_entropy(similarity / temperature, shares(same))


def tal(similarity: torch.Tensor, same: torch.Tensor, temperature: float, margin: float) -> torch.Tensor:
    """Triplet alignment loss (RDE, CVPR 2024, section 3.4), one direction.

    loss = 1/b sum_i max(0, margin - s_i+ + temperature log sum_{j: y_j != y_i} exp(s_ij / temperature)), where s_i+ is the mean
    of the row's positives, weighted by their softmax; no gradient goes through the weights.
    """
    scaled = similarity / temperature
    weights = scaled.masked_fill(~same, -torch.inf).softmax(dim=1).detach()
    hardest_negatives = temperature * scaled.masked_fill(same, -torch.inf).logsumexp(dim=1)
    return (margin - (weights * similarity).sum(dim=1) + hardest_negatives).clamp(min=0).mean()


def hardest(similarity: torch.Tensor, same: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For each row the column [b] of highest similarity that shows another person, and whether there is one, bool [b].

    Labels are persons, so another image of the row's own person is never a negative, paired with it or not.
    """
    others = similarity.detach().masked_fill(same, -torch.inf)
    return others.argmax(dim=1), ~same.all(dim=1)


def matching(logits: torch.Tensor, matched: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy [n] of `logits` [n], 0 where not `counted` [n].

    -log(p) for a pair, -log(1 - p) for a mismatch. Equation 5 of UFineBench prints (1 - log p) and no sign; that expression
    falls without end as p goes to 0, so it is read as the cross-entropy that the sentence before it names.
    """
    return functional.binary_cross_entropy_with_logits(logits, matched.float(), reduction="none") * counted
