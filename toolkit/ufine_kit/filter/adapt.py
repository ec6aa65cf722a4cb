"""What all looks of a video share is taken out of them: light, camera, background, and how one person's look wavers."""

from __future__ import annotations

import numpy as np

# Fewer tracklets are no crowd to compare with.
LEAST_TRACKLETS = 8
# How far the spread within tracklets is believed: its mean variance is added to every direction.
_SHRINK = 1.0


def unit(looks: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays."""
    looks = looks.astype(np.float64)
    return looks / np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), 1e-12)


def adapted(looks: np.ndarray, of_crop: np.ndarray) -> np.ndarray | None:
    """Unit looks of one video [n, d] against the mean of its tracklets, directions in which tracklets waver weighed down.

    `of_crop` [n] says whose crop each is. This is within-class covariance normalisation (Hatch et al., Interspeech 2006)
    with tracklets as classes, shrunk towards none. None where there are too few tracklets to tell what they share.
    """
    _, place, counts = np.unique(of_crop, return_inverse=True, return_counts=True)
    if len(counts) < LEAST_TRACKLETS:
        return None
    looks = looks.astype(np.float64)
    means = np.zeros((len(counts), looks.shape[1]))
    np.add.at(means, place, looks)
    means /= counts[:, None]
    residue = looks - means[place]
    spread = residue.T @ residue / len(looks)
    level = np.trace(spread) / len(spread)
    if level <= 0:
        return unit(looks - means.mean(axis=0))
    root = np.linalg.cholesky(spread + _SHRINK * level * np.eye(len(spread)))
    return unit(np.linalg.solve(root, (looks - means.mean(axis=0)).T).T)
