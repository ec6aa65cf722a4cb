"""Pairing: which item of one text is which item of the other."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.items import Item, agree


def align(a: list[Item], b: list[Item], lexicon: lx.Lexicon) -> list[tuple[Item, Item]]:
    """Pair items that may be one thing: best scores first, each item once."""
    scored: list[tuple[float, int, int]] = []
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            score = affinity(x, y, lexicon)
            if score > 0:
                scored.append((-score, i + j, i * 1000 + j))
    scored.sort()
    pairs: list[tuple[Item, Item]] = []
    used_a: set[int] = set()
    used_b: set[int] = set()
    for _, _, code in scored:
        i, j = divmod(code, 1000)
        if i not in used_a and j not in used_b:
            used_a.add(i)
            used_b.add(j)
            pairs.append((a[i], b[j]))
    return pairs


def affinity(x: Item, y: Item, lexicon: lx.Lexicon) -> float:
    """How likely two items are one thing; 0 where they cannot be."""
    if x.kind != y.kind and "detail" in (x.kind, y.kind):
        return 0.0
    if x.head == y.head:
        score = 10.0
    else:
        alike = lexicon.alike.get((x.head, y.head))
        if alike is None:
            alike = lexicon.alike[x.head, y.head] = lx.known(lexicon, x.head, y.head)
        if not alike:
            return 0.0
        score = 6.0
    if x.named == y.named:
        score += 0.5
    for slot in ("colour", "pattern", "side", "size"):
        for v in x.values.get(slot, ()):
            others = y.values.get(slot, ())
            if any(v == w for w in others):
                score += 1.2
            elif any(agree(slot, v, w, lexicon.colours) for w in others):
                score += 1.0
            elif others:
                score -= 0.8
    if x.absent != y.absent:
        score -= 3.0
    if x.host is not None and y.host is not None and not lx.known(lexicon, x.host.head, y.host.head):
        score -= 2.0
    return score
