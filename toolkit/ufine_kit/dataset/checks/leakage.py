"""Checks between rows: who and what stands in more than one split, and pictures and captions that come again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ufine_kit.dataset.checks.alike import ACROSS_IDENTITIES, ACROSS_SPLITS, WITHIN, near_rows
from ufine_kit.dataset.checks.check import Fault, checks_of
from ufine_kit.dataset.checks.gathered import Gathered
from ufine_kit.dataset.checks.subject import NotRun, Subject


def unique_ids(_: Subject, rows: Gathered) -> Iterator[Fault]:
    """Every image_id comes once."""
    codes = rows.image_id.combine_chunks().dictionary_encode().indices
    for at, first in _again(codes.to_numpy()):
        yield rows.fault(at, f"also in {rows.files[rows.shard[first]]}, row {rows.row[first]}")


def _again(keys: np.ndarray) -> Iterator[tuple[int, int]]:
    """Places whose key [N] stood before, each with the first place of it."""
    order = np.argsort(keys, kind="stable")
    held = keys[order]
    start = np.append(True, held[1:] != held[:-1]) if len(held) else np.zeros(0, bool)
    firsts = order[start][np.cumsum(start) - 1] if len(held) else order
    later = np.flatnonzero(~start)
    for at in later[np.argsort(order[later])]:
        yield int(order[at]), int(firsts[at])


def _in_two_splits(rows: Gathered, keys: np.ndarray) -> Iterator[tuple[int, int]]:
    """The first row of every further split in which a key [N] stands, with the first row of the key."""
    known = np.flatnonzero(keys >= 0)
    pair = keys[known].astype(np.int64) * (len(rows.splits) + 1) + rows.split[known]
    _, first = np.unique(pair, return_index=True)
    places = np.sort(known[first])
    for at, before in _again(keys[places]):
        yield int(places[at]), int(places[before])


def identity_split(_: Subject, rows: Gathered) -> Iterator[Fault]:
    """No identity stands in two splits."""
    for at, first in _in_two_splits(rows, rows.person):
        yield rows.fault(at, f"its person is in {rows.splits[rows.split[first]]} too: {rows.name(first)}")


def same_image(_: Subject, rows: Gathered) -> Iterator[Fault]:
    """No two rows hold the same picture, byte for byte."""
    codes = _coded(rows.sha256)
    for at, first in _again(codes):
        who = "the same person" if rows.person[at] == rows.person[first] else "another person"
        yield rows.fault(at, f"the picture of {rows.name(first)}, of {who}")


def _coded(hashes: np.ndarray) -> np.ndarray:
    """uint64 [N, 4] -> int [N], equal where all four are."""
    return np.unique(np.ascontiguousarray(hashes).view("V32").ravel(), return_inverse=True)[1].astype(np.int64)


def same_caption(_: Subject, rows: Gathered) -> Iterator[Fault]:
    """No caption stands on two identities."""
    person = rows.person[rows.caption_row]
    pair = np.unique(np.stack([rows.caption_key, person.astype(np.uint64)], 1), axis=0, return_index=True)[1]
    pair.sort()
    told = set[int]()
    for at, first in _again(rows.caption_key[pair]):
        row, other = int(rows.caption_row[pair[at]]), int(rows.caption_row[pair[first]])
        if row not in told:
            told.add(row)
            yield rows.fault(row, f"a caption of {rows.name(other)}, of another person")


def video_split(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """No video gives pictures to two splits; this warns where the recipe splits by identity alone."""
    if not rows.built.any():
        raise NotRun("no row says which video it is from")
    by_identity = subject.manifest is not None and subject.manifest.recipe.get("split_by") == "identity"
    for at, first in _in_two_splits(rows, rows.video):
        yield rows.fault(at, f"its video gave {rows.name(first)} too")._replace(level="warn" if by_identity else None)


def near_splits(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """No two pictures in different splits look the same."""
    return _near_faults(subject, rows, ACROSS_SPLITS)


def near_identities(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """No two pictures of different identities in one split look the same."""
    return _near_faults(subject, rows, ACROSS_IDENTITIES)


def near_within(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """No two pictures of one identity in one split look the same."""
    return _near_faults(subject, rows, WITHIN)


def _near_faults(subject: Subject, rows: Gathered, relation: int) -> Iterator[Fault]:
    if not rows.with_pixels:
        raise NotRun("no picture was decoded")
    table = subject.table
    witness, distance = near_rows(rows, table.near_distance, table.near_likeness)
    for at in np.flatnonzero(witness[relation] >= 0):
        bits = int(distance[relation][at])
        yield rows.fault(int(at), f"looks like {rows.name(int(witness[relation][at]))}, {bits} bits apart")


CHECKS = checks_of(
    "leakage",
    (unique_ids, identity_split, video_split, same_image, same_caption, near_splits),
    (near_identities, near_within),
)
