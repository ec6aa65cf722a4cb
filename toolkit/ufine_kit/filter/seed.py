"""PLIP's Seed Filter Strategy: put out what is unlike its identity, give it to a neighbour, merge neighbours alike.

Zuo et al., PLIP, NeurIPS 2024 (arXiv 2305.08386), appendix A.7.2, Algorithm 1. One rule is added: tracklets that were in
sight together are never one identity, and no crop moves between them. What the paper leaves open is decided here and told
in docs/filter.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

# Similarities are compared as written to nine digits, so that equal ones are equal on every machine.
_DIGITS = 9
Together = Callable[[int, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SeedRules:
    """Cosines `keep` (the paper's sigma_s), `move` (sigma_r), `merge` (sigma_m) and windows (its ra and rb)."""

    keep: float
    move: float
    merge: float
    move_window: int
    merge_window: int


@dataclass
class Identities:
    """`owner` [n]: the identity of every crop, -1 where it was put out; `root` [k]: the identity that each one became.

    `origins` says for every root whose tracklets' crops it holds.
    """

    owner: np.ndarray
    root: np.ndarray
    origins: dict[int, set[int]] = field(default_factory=dict[int, set[int]])


def seed_filter(looks: np.ndarray, of_crop: np.ndarray, count: int, together: Together, rules: SeedRules) -> Identities:
    """Mend the identities of one video. `looks` [n, d] are unit vectors, `of_crop` [n] the place of each crop's tracklet
    among `count`, in order of time; each has a crop. `together(i, others)` says which others were in sight with i.
    """
    origin = of_crop.copy()
    owner = np.where(alike(looks, of_crop, count, rules.keep), of_crop, -1)
    origins = {i: {i} for i in range(count)}
    for crop, place in _moves(looks, owner, origin, _centres(looks, owner, count), rules):
        if owner[crop] < 0 and _may_join(together, {int(origin[crop])}, origins[place]):
            owner[crop] = place
            origins[place].add(int(origin[crop]))
    root = np.arange(count)
    for one, other in _pairs(_centres(looks, owner, count), rules):
        first, second = sorted((int(root[one]), int(root[other])))
        if first != second and _may_join(together, origins[first], origins[second]):
            root[root == second] = first
            origins[first] |= origins.pop(second)
    owner[owner >= 0] = root[owner[owner >= 0]]
    return Identities(owner, root, origins)


def alike(looks: np.ndarray, of_crop: np.ndarray, count: int, least: float) -> np.ndarray:
    """Filter-out: which crops stay, bool [n]. Of each identity the crop least like the centre of the others goes, again and
    again, until all are alike by `least`; of equals the later one. A crop that is alone stays.
    """
    sums = np.zeros((count, looks.shape[1]))
    np.add.at(sums, of_crop, looks)
    rest = sums[of_crop] - looks
    sizes = np.bincount(of_crop, minlength=count)
    near = np.where(sizes[of_crop] > 1, _cosine(looks, rest), np.inf)
    kept = np.ones(len(looks), dtype=bool)
    for place in np.unique(of_crop[near < least]):
        members = np.flatnonzero(of_crop == place)
        while len(members) > 1:
            others = looks[members].sum(axis=0) - looks[members]
            similar = _cosine(looks[members], others)
            worst = len(members) - 1 - int(np.argmin(similar[::-1]))
            if similar[worst] >= least:
                break
            kept[members[worst]] = False
            members = np.delete(members, worst)
    return kept


def _moves(
    looks: np.ndarray, owner: np.ndarray, origin: np.ndarray, centres: np.ndarray, rules: SeedRules
) -> Iterator[tuple[int, int]]:
    """Reassignment: (crop, place) where a crop that was put out is like an identity nearby, the most alike first."""
    found: list[tuple[float, int, int]] = []
    for crop in np.flatnonzero(owner < 0).tolist():
        low = max(0, int(origin[crop]) - rules.move_window)
        near = np.round(centres[low : int(origin[crop]) + rules.move_window + 1] @ looks[crop], _DIGITS)
        found += [(-float(near[i]), crop, low + i) for i in np.flatnonzero(near >= rules.move).tolist()]
    return ((crop, place) for _, crop, place in sorted(found))


def _pairs(centres: np.ndarray, rules: SeedRules) -> Iterator[tuple[int, int]]:
    """Merger: pairs of identities within the window whose centres are alike, the most alike first."""
    found: list[tuple[float, int, int]] = []
    for step in range(1, rules.merge_window + 1):
        near = np.round((centres[:-step] * centres[step:]).sum(axis=1), _DIGITS) if step < len(centres) else np.zeros(0)
        found += [(-float(near[i]), i, i + step) for i in np.flatnonzero(near > rules.merge).tolist()]
    return ((one, other) for _, one, other in sorted(found))


def _centres(looks: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Mean of each identity's unit looks, of length 1 [k, d]."""
    sums = np.zeros((count, looks.shape[1]))
    np.add.at(sums, owner[owner >= 0], looks[owner >= 0])
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def _cosine(looks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosine of unit rows with other rows [n]."""
    lengths = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    return np.round((looks * others).sum(axis=1) / lengths, _DIGITS)


def _may_join(together: Together, some: set[int], others: set[int]) -> bool:
    """Whether no tracklet of `some` was in sight with one of `others`; a tracklet itself does not stand in its own way."""
    rest = np.array(sorted(others - some), dtype=np.int64)
    return not any(bool(together(one, rest).any()) for one in some - others)
