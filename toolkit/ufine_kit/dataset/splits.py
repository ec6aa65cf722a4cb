"""Which identity sits in which split: drawn by hash, written to a ledger, and never moved within a major version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json
from ufine_kit.rows import Split

SPLITS: tuple[Split, ...] = get_args(Split)


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


def read_splits(path: Path) -> dict[str, Split]:
    """The frozen splits of a major version; empty where there are none yet."""
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


def shard_of(identity: str, shards: int) -> int:
    """The shard of an identity: a takedown rewrites one file and leaves the others as they are."""
    return int.from_bytes(hashlib.sha256(f"shard/{identity}".encode()).digest()[:8], "big") % shards
