"""Which identity sits in which split: drawn by hash, written to a ledger, and never moved within a major version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json
from ufine_kit.rows import Split

SPLITS: tuple[Split, ...] = get_args(Split)


def place_key(kind: Literal["video", "group"], name: str) -> str:
    """How a video (by its sha256) or a group of videos stands in the ledger of splits, beside the identities."""
    return f"{kind}:{name}"


def draw(seed: int, identity: str) -> float:
    """A number in [0, 1) that belongs to this identity and seed alone: adding identities moves nobody."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{identity}".encode()).digest()[:8], "big") / 2**64


def assign(
    identities: Iterable[str], held: Mapping[str, Split], val: float, test: float, seed: int
) -> dict[str, Split]:
    """A split for every identity: the one it already holds, else one drawn with shares `test`, `val` and the rest train."""
    if val + test >= 1:
        raise KitError(f"`val` {val} and `test` {test} leave no share for train", "lower release.val or release.test")
    return {identity: held.get(identity) or _drawn(draw(seed, identity), val, test) for identity in sorted(identities)}


def _drawn(number: float, val: float, test: float) -> Split:
    return "test" if number < test else "val" if number < test + val else "train"


def apportion(
    groups: Mapping[str, int], targets: Mapping[Split, float], filled: Mapping[Split, int], seed: int
) -> dict[str, Split]:
    """A split for every new group of identities, so that the targets are met about as nearly as whole groups allow.

    `groups` gives the identities of each group, `targets` those wanted in each split, `filled` those held there already. The
    largest group comes first, of equal ones that with the least hash, and goes where (held + half of the group) / target is
    least (Webster's divisor rule): so each split gets its share of large and of small groups. A wanted split that nobody
    came to gets the smallest group of the split with most groups, if that has another.
    """
    counts: dict[Split, int] = {split: filled.get(split, 0) for split in SPLITS}
    wanted: list[Split] = [split for split in SPLITS if targets.get(split, 0) > 0]
    drawn: dict[str, Split] = {}
    for group in sorted(groups, key=lambda name: (-groups[name], draw(seed, name), name)):
        half = groups[group] / 2
        chosen = _least(wanted, {split: (counts[split] + half) / targets[split] for split in wanted})
        drawn[group] = chosen
        counts[chosen] += groups[group]
    for split in wanted:
        if counts[split] == 0:
            _fill(split, drawn, groups, counts)
    return drawn


def _least(splits: list[Split], quotients: Mapping[Split, float]) -> Split:
    return min(splits, key=lambda split: quotients[split])


def _fill(split: Split, drawn: dict[str, Split], groups: Mapping[str, int], counts: dict[Split, int]) -> None:
    held = {other: [group for group in drawn if drawn[group] == other] for other in SPLITS}
    richest = max(SPLITS, key=lambda other: len(held[other]))
    if len(held[richest]) < 2:
        return
    smallest = min(held[richest], key=lambda group: (groups[group], group))
    drawn[smallest] = split
    counts[richest] -= groups[smallest]
    counts[split] += groups[smallest]


def read_splits(path: Path) -> dict[str, Split]:
    """The frozen splits of a major version: identities, and videos and groups of videos by their `key`; may be empty."""
    if not path.exists():
        return {}
    held = read_json(path)
    if not isinstance(held, dict):
        raise KitError(
            f"`{path}` is no table of splits", "restore it, or take it away: releases tell their splits themselves"
        )
    wrong = [identity for identity, split in held.items() if split not in SPLITS]
    if wrong:
        raise KitError(f"`{path}` has no split for `{wrong[0]}`", f"use one of: {', '.join(SPLITS)}")
    return held


def freeze(path: Path, splits: Mapping[str, Split]) -> None:
    """Write the splits of a major version, keeping every identity that was there before."""
    held = read_splits(path)
    moved = [identity for identity, split in splits.items() if held.get(identity, split) != split]
    assert not moved, f"identities changed their split: {moved[:3]}"
    write_json(path, dict(sorted({**held, **splits}.items())))


@lru_cache(maxsize=4096)  # an identity's images come one after the other
def shard_of(identity: str, shards: int) -> int:
    """The shard of an identity: a takedown rewrites one file and leaves the others as they are."""
    return int.from_bytes(hashlib.sha256(f"shard/{identity}".encode()).digest()[:8], "big") % shards
