"""Reuse within a campaign: templates and copies of one writer, copies between the two texts of a crop, and across writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ufine_kit.text import copies
from ufine_kit.text import lexicon as lx
from ufine_kit.text.wordsets import word_sets

FRAME_ALIKE = 0.9  # share of frame words in common order from which two texts have one frame
FRAME_WORDS = 10  # fewer fixed words than this are no frame
PAIR_FRAME_ALIKE, PAIR_FRAME_WORDS = 0.97, 20  # what two texts alone need to be called uses of a template
COPY_NOT_TEMPLATE = 0.9  # texts more alike than this have no exchanged words to speak of
SLOT_TAGS = frozenset((lx.HEAD, lx.MODIFIER, lx.PERSON))
SETS = word_sets("reuse")
SLOT_WORDS = SETS["slot_words"]
TRIPLES_OF_COPY, TRIPLES_OF_FRAME = 0.3, 0.45  # shared word triples below which a pair is not looked at
SMALL_GROUP = 48  # up to here all pairs are compared; larger groups go through MinHash


@dataclass(frozen=True)
class Prepared:
    """A submission made ready: index in the rows, who, where, words, and the frame (fixed words, slots closed up)."""

    index: int
    writer: str | None
    crop: str | None
    identity: str | None
    words: tuple[str, ...]
    frame: tuple[str, ...]


def frame_of(words: Sequence[str], lexicon: lx.Lexicon) -> tuple[str, ...]:
    """The text with every run of exchangeable words (items, looks, persons, articles) closed up to one mark."""
    frame: list[str] = []
    for word in words:
        slot = word in SLOT_WORDS or lexicon.entries[word].tag in SLOT_TAGS
        if not slot:
            frame.append(word)
        elif not frame or frame[-1] != "_":
            frame.append("_")
    return tuple(frame)


def fixed(frame: Sequence[str]) -> int:
    """Number of fixed words of a frame."""
    return sum(word != "_" for word in frame)


def pairs_of(rows: list[tuple[str, ...]], triples: float, words: float = 0.0) -> list[tuple[int, int]]:
    """Candidate pairs: all for a small group; for a large one those that may be alike.

    `triples` is the least share of word triples (Jaccard, estimated), `words` of words in any order (exact; a bound on
    `copies.similarity`).
    """
    if len(rows) <= SMALL_GROUP:
        return [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    signs = copies.signatures(rows)
    pairs = np.asarray(copies.candidates(signs), np.int64).reshape(-1, 2)
    bags = word_bags(rows) if words else None
    kept: list[np.ndarray] = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = pairs[start : start + PAIRS_AT_ONCE]
        part = part[(signs[part[:, 0]] == signs[part[:, 1]]).mean(1) >= triples]
        if bags is not None:
            first, second = bags[part[:, 0]], bags[part[:, 1]]
            shared, total = np.minimum(first, second).sum(1), first.sum(1) + second.sum(1)
            part = part[2 * shared >= words * total]
        kept.append(part)
    return [(int(i), int(j)) for part in kept for i, j in part]


PAIRS_AT_ONCE = 20_000


def word_bags(rows: list[tuple[str, ...]]) -> np.ndarray:
    """How often each word stands in each row, [N, V] int32."""
    codes: dict[str, int] = {}
    coded = [[codes.setdefault(word, len(codes)) for word in row] for row in rows]
    bags = np.zeros((len(rows), max(1, len(codes))), np.int32)
    for at, row in enumerate(coded):
        np.add.at(bags[at], row, 1)
    return bags


class Groups:
    """Union-find over indices."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def find(self, at: int) -> int:
        """Root of a group."""
        while self.parent[at] != at:
            self.parent[at] = self.parent[self.parent[at]]
            at = self.parent[at]
        return at

    def join(self, a: int, b: int) -> None:
        """Put two groups together under the smaller root."""
        a, b = sorted((self.find(a), self.find(b)))
        self.parent[b] = a

    def members(self) -> dict[int, list[int]]:
        """Root -> members, for groups of two or more."""
        grouped: dict[int, list[int]] = {}
        for at in range(len(self.parent)):
            grouped.setdefault(self.find(at), []).append(at)
        return {root: found for root, found in grouped.items() if len(found) > 1}


def other_person(a: Prepared, b: Prepared) -> bool:
    """Whether two submissions speak of different persons (of different crops where no identity is known)."""
    if a.identity is not None and b.identity is not None:
        return a.identity != b.identity
    return a.crop is None or b.crop is None or a.crop != b.crop


def templates(texts: list[Prepared]) -> list[list[int]]:
    """Groups (positions in `texts`) of one writer's texts on different persons that share one frame."""
    usable = [i for i, text in enumerate(texts) if fixed(text.frame) >= FRAME_WORDS]
    groups, strict = Groups(len(texts)), Groups(len(texts))
    for a, b in pairs_of([texts[i].frame for i in usable], TRIPLES_OF_FRAME, FRAME_ALIKE):
        i, j = usable[a], usable[b]
        if not other_person(texts[i], texts[j]) or groups.find(i) == groups.find(j):
            continue
        alike = copies.similarity(texts[i].frame, texts[j].frame)
        if alike >= FRAME_ALIKE:
            groups.join(i, j)
            if alike >= PAIR_FRAME_ALIKE and min(fixed(texts[i].frame), fixed(texts[j].frame)) >= PAIR_FRAME_WORDS:
                strict.join(i, j)
    found: list[list[int]] = []
    for members in groups.members().values():
        uses = distinct(texts, members)
        if uses >= 3 or (uses == 2 and len(members) == 2 and strict.find(members[0]) == strict.find(members[1])):
            found.append(members)
    return found


def distinct(texts: list[Prepared], members: list[int]) -> int:
    """How many of the members differ in more than a few words (counted up to three)."""
    chosen: list[int] = []
    for member in members:
        if all(copies.similarity(texts[member].words, texts[other].words) < COPY_NOT_TEMPLATE for other in chosen):
            chosen.append(member)
            if len(chosen) == 3:
                break
    return len(chosen)


def own_copies(texts: list[Prepared]) -> list[tuple[int, int]]:
    """(earlier, later) positions of near-copies that one writer gave for different persons; each later text once."""
    found: dict[int, int] = {}
    for i, j in pairs_of([text.words for text in texts], TRIPLES_OF_COPY):
        if j not in found and other_person(texts[i], texts[j]) and copies.is_near_copy(texts[i].words, texts[j].words):
            found[j] = i
    return [(earlier, later) for later, earlier in sorted(found.items())]


def pair_copies(texts: list[Prepared]) -> list[tuple[int, int]]:
    """(earlier, later) among the texts of one crop."""
    found: list[tuple[int, int]] = []
    for j in range(len(texts)):
        for i in range(j):
            if copies.is_near_copy(texts[i].words, texts[j].words):
                found.append((i, j))
                break
    return found


def other_copies(texts: list[Prepared]) -> list[tuple[int, int]]:
    """(earlier, later) of nearly equal texts by different writers for different crops; 30 words or more."""
    long = [i for i, text in enumerate(texts) if len(text.words) >= 30]
    signs = copies.signatures([texts[i].words for i in long])
    found: dict[int, int] = {}
    for a, b in copies.candidates(signs, rows_per_band=16):
        i, j = long[a], long[b]
        if j in found or texts[i].writer == texts[j].writer or texts[i].crop == texts[j].crop:
            continue
        if np.count_nonzero(signs[a] == signs[b]) >= 90 and copies.similarity(texts[i].words, texts[j].words) >= 0.95:
            found[j] = i
    return [(earlier, later) for later, earlier in sorted(found.items())]
