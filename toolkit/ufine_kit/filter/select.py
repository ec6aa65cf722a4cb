"""Selection for annotation: how many crops of every identity go to people, which ones, and what one video may cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ufine_kit.tables import FilterTable


@dataclass(frozen=True)
class Candidates:
    """Good crops to choose from, columns of length n. `look` are unit vectors [n, d]; d may be 0."""

    person: np.ndarray
    video: np.ndarray
    seconds: np.ndarray
    quality: np.ndarray
    look: np.ndarray
    name: np.ndarray  # of the person: what chance is drawn by


def select(crops: Candidates, recipe: FilterTable) -> tuple[np.ndarray, np.ndarray]:
    """(not selected, over budget), bool [n] each. Persons are few to look at in every video, and unlike in time and look."""
    chosen = np.zeros(len(crops.person), dtype=bool)
    groups = list(_groups(crops.person))
    sizes = np.array([len(members) for members in groups], dtype=np.int64)
    for members, quota in zip(groups, quotas(sizes, recipe.max_images, recipe.mean_images), strict=True):
        chosen[_choose(crops, members, int(quota), recipe)] = True
    over = _over_budget(crops, groups, chosen, recipe.video_budget) if recipe.video_budget else np.zeros_like(chosen)
    return ~chosen & ~over, over


def quotas(sizes: np.ndarray, most: int, mean: float) -> np.ndarray:
    """How many crops of each identity are chosen [k]: at most `most`, `mean` on average where there are as many (0: no bound).

    The average is reached by one level for all: who has fewer crops gives them all.
    """
    found = np.minimum(sizes, most) if most else sizes.copy()
    total = round(mean * len(sizes))
    if not mean or found.sum() <= total:
        return found
    level = max(level for level in range(int(found.max()) + 1) if np.minimum(found, level).sum() <= total)
    level = max(level, 1)  # nobody is left without a picture
    lower = np.minimum(found, level)
    more = np.flatnonzero(found > level)
    more = more[np.lexsort((more, -found[more]))][: max(0, total - int(lower.sum()))]
    lower[more] += 1
    return lower


def _groups(person: np.ndarray) -> Iterator[np.ndarray]:
    order = np.argsort(person, kind="stable")
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(person[order])) + 1)


def _choose(crops: Candidates, members: np.ndarray, quota: int, recipe: FilterTable) -> np.ndarray:
    if quota >= len(members):
        return members
    if recipe.choose == "random":
        word = f"{recipe.seed}:{crops.name[members[0]]}".encode()
        draw = np.random.default_rng(int.from_bytes(hashlib.sha256(word).digest()[:8], "big"))
        return np.sort(draw.choice(members, quota, replace=False))
    return spread(crops, members, quota)


def spread(crops: Candidates, members: np.ndarray, quota: int) -> np.ndarray:
    """The best crop, then again and again the one farthest from all chosen: in time, as a share of the whole, and in look."""
    seconds, look = crops.seconds[members], crops.look[members]
    span = max(float(np.ptp(seconds)), 1e-9)
    chosen = [int(np.argmax(crops.quality[members]))]
    apart = np.full(len(members), np.inf)
    while len(chosen) < quota:
        last = chosen[-1]
        unlike = (1 - look @ look[last]) / 2 if look.shape[1] else 0.0
        apart = np.minimum(apart, np.abs(seconds - seconds[last]) / span + unlike)
        apart[last] = -1.0
        chosen.append(int(np.argmax(apart)))
    return members[np.sort(chosen)]


def _over_budget(crops: Candidates, groups: list[np.ndarray], chosen: np.ndarray, budget: int) -> np.ndarray:
    """Crops of identities that no longer fit their video's budget: those with most chosen crops go first, then the earlier."""
    over = np.zeros(len(chosen), dtype=bool)
    counts = [int(chosen[members].sum()) for members in groups]
    spent: dict[int, int] = {}
    for i in sorted(range(len(groups)), key=lambda i: (-counts[i], float(crops.seconds[groups[i]].min()), i)):
        video = int(crops.video[groups[i][0]])
        if spent.get(video, 0) + counts[i] > budget:
            over[groups[i]] = True
        else:
            spent[video] = spent.get(video, 0) + counts[i]
    return over
