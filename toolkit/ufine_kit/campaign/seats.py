"""Who gets which item, in which order: balanced seats, independent answers, known answers mixed in; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from ufine_kit.campaign.items import Item
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of


def seat_names(seats: int) -> list[str]:
    """`seat-01`, `seat-02` ...: names for people who are not known yet."""
    return [f"seat-{number:02d}" for number in range(1, seats + 1)]


def plan(items: Sequence[Item], seats: int, overlap: int, seed: int, before: Iterable[Item] = ()) -> list[Item]:
    """Give every item its seats: `overlap` different ones, everybody for what qualifies.

    No seat has more than one item more than another, of the work as of the known answers. A seat meets an identity at most once
    where there are enough seats for all its questions, never an item twice; identities of the rounds `before` are kept from the
    seats that met them as far as that leaves all seats even. Raises KitError with fewer seats than `overlap`.
    """
    if seats < overlap:
        raise KitError(f"{overlap} different people an item need as many seats", f"give --seats {overlap} or more")
    names, chance = seat_names(seats), np.random.default_rng(seed)
    given: dict[str, tuple[str, ...]] = {}
    known: dict[str, set[str]] = {}
    for item in before:
        if item.role != "qualify":
            known.setdefault(_identity(item), set()).update(item.seats)
    for role in ("work", "honeypot"):
        asked = sorted((item for item in items if item.role == role), key=lambda item: _shuffled(item, seed))
        given |= _dealt(asked, names, overlap, chance, known)
    return [replace(item, seats=given.get(item.item_key, tuple(names))) for item in items]


def order(items: Iterable[Item], seed: int, seat: str | None = None) -> list[Item]:
    """The order in which a seat, or everybody, meets items: what qualifies first, then work with known answers spread in it.

    It depends on the seed, the seat and the keys alone.
    """
    ranked = sorted(items, key=lambda item: digest_of([seed, seat, item.item_key]))
    first = [item for item in ranked if item.role == "qualify"]
    work = [item for item in ranked if item.role == "work"]
    known = [item for item in ranked if item.role == "honeypot"]
    stretch = len(work) / len(known) if known else 0.0
    for number, item in enumerate(known):
        # One in each stretch, at a place that nobody can count out.
        inside = int(digest_of([seed, seat, "place", item.item_key])[:8], 16) / 0x100000000
        work.insert(min(len(work), int((number + inside) * stretch) + number), item)
    return first + work


def _identity(item: Item) -> str:
    return str(item.about.get("person_id") or item.item_key)


def _shuffled(item: Item, seed: int) -> tuple[str, str]:
    """Identities in an order of chance, the questions on one side by side."""
    return digest_of([seed, _identity(item)]), digest_of([seed, item.item_key])


def _dealt(
    asked: Sequence[Item],
    names: Sequence[str],
    overlap: int,
    chance: np.random.Generator,
    known: Mapping[str, set[str]],
) -> dict[str, tuple[str, ...]]:
    """Deal seats round after round; every round has each seat once, so that nobody gets two items more than another.

    Whoever has not met the identity comes first in a new round, whoever holds the item already last.
    """
    given: dict[str, tuple[str, ...]] = {}
    stack: list[str] = []
    for identity, same in groupby(asked, _identity):
        met = set(known.get(identity, ()))
        for item in same:
            mine: list[str] = []
            while len(mine) < overlap:
                if not stack:
                    shuffled = [names[int(at)] for at in chance.permutation(len(names))]
                    stack = sorted(shuffled, key=lambda name: (name in mine, name in met))
                best = min(range(len(stack)), key=lambda at: (stack[at] in mine, stack[at] in met, at))
                mine.append(stack.pop(best))
                met.add(mine[-1])
            given[item.item_key] = tuple(sorted(mine))
    return given
