"""Review decisions laid over the verdicts: which crops go out after all, and whose they are; what cannot be is refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.columns import compute as pc
from ufine_kit.release.crops import Crops
from ufine_kit.release.unions import Unions
from ufine_kit.release.votes import UNITING, Outcome, Votes

# (video, first frame, last frame) of a tracklet
Span = tuple[int, int, int]


@dataclass
class Reviewed:
    """Crops after review: `stays` [N] bool, `person` [N] into `persons`; `members` are the identities that one is made of."""

    stays: np.ndarray
    person: np.ndarray
    persons: list[str]
    members: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    counts: Counter[str] = field(default_factory=Counter[str])
    conflicts: list[str] = field(default_factory=list[str])


def review(crops: Crops, votes: Votes, held: Iterable[str] = ()) -> Reviewed:
    """Apply what was decided. `held` are identities of earlier versions: a union that has one takes its name.

    - `keep` of a crop overrides the filter's reasons, unless its picture does not decode or its identity is dropped;
    - `drop` takes out a crop, or an identity with all its crops;
    - `split` gives crops of one identity to a new one, `<identity>~<label>`, one for each label;
    - `merge` and `same_person` unite two identities, but never what a split or another decision holds apart; and
      `same_person` never two that are in one video at the same time (`merge` may: two boxes of one person).
    """
    reviewed = Reviewed(crops.kept.copy(), crops.person.copy(), list(crops.persons))
    reviewed.conflicts += votes.disputed()
    parents = _apply_to_crops(crops, votes.crops, reviewed)
    _apply_to_persons(votes.persons, reviewed)
    _unite(crops, votes.pairs, parents, set(held), reviewed)
    return reviewed


def _apply_to_crops(crops: Crops, outcomes: Mapping[str, Outcome], reviewed: Reviewed) -> dict[str, str]:
    """Keep, drop and split crops; returns the new identities with the one that each was split from."""
    names = list(outcomes)
    found = pc.index_in(pa.array(names, pa.string()), value_set=crops.crop_id).to_pylist()
    codes = {person: code for code, person in enumerate(reviewed.persons)}
    parents: dict[str, str] = {}
    for name, row in zip(names, found, strict=True):
        outcome = outcomes[name]
        if row is None or crops.person[row] < 0:
            reviewed.counts["unknown"] += 1
            reviewed.conflicts.append(f"a decision on crop `{name}`, which is not there: passed over")
            continue
        reviewed.counts[outcome.word] += 1
        if outcome.word == "keep" and crops.unreadable[row]:
            reviewed.conflicts.append(f"crop `{name}` is to be kept and does not decode: dropped")
        elif outcome.word == "split":
            old = crops.persons[crops.person[row]]
            new = f"{old}~{outcome.label or 'split'}"
            parents[new] = old
            reviewed.person[row] = codes.setdefault(new, len(codes))
        else:
            reviewed.stays[row] = outcome.word == "keep"
    reviewed.persons = list(codes)
    return parents


def _apply_to_persons(outcomes: Mapping[str, Outcome], reviewed: Reviewed) -> None:
    codes = {person: code for code, person in enumerate(reviewed.persons)}
    for person, outcome in outcomes.items():
        if person not in codes:
            reviewed.counts["unknown"] += 1
            reviewed.conflicts.append(f"a decision on identity `{person}`, which is not there: passed over")
            continue
        reviewed.counts[f"{outcome.word} identity"] += 1
        if outcome.word == "drop":
            reviewed.stays &= reviewed.person != codes[person]


def _unite(
    crops: Crops,
    pairs: Mapping[tuple[str, str], Outcome],
    parents: Mapping[str, str],
    held: set[str],
    reviewed: Reviewed,
) -> None:
    """Join identities pair by pair, the surest first, and give each union one name."""
    spans = _spans(crops, reviewed, {person for pair in pairs for person in pair})
    apart = _apart(pairs, parents)
    unions = Unions()
    sets: dict[str, list[str]] = {}
    links = sorted((outcome.word == "same_person", pair) for pair, outcome in pairs.items() if outcome.word in UNITING)
    for strict, (one, other) in links:
        if (against := _against(one, other, unions, sets, spans, apart, strict)) is not None:
            reviewed.counts["union refused"] += 1
            reviewed.conflicts.append(f"`{one}` and `{other}` are not united: {against}")
            continue
        members = [*sets.get(unions.find(one), [one]), *sets.get(unions.find(other), [other])]
        sets[unions.join(one, other)] = sorted(set(members))
        reviewed.counts["united"] += 1
    _rename(sets, unions, held, reviewed)


def _apart(pairs: Mapping[tuple[str, str], Outcome], parents: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Who may not be united with whom, and why."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    told = [(*pair, "a decision holds them apart") for pair, outcome in pairs.items() if outcome.word == "apart"]
    split = [(new, old, "a split separated them") for new, old in parents.items()]
    for one, other, why in [*told, *split]:
        found[one][other] = found[other][one] = why
    return found


def _against(
    one: str,
    other: str,
    unions: Unions,
    sets: Mapping[str, list[str]],
    spans: Mapping[str, list[Span]],
    apart: Mapping[str, Mapping[str, str]],
    strict: bool,
) -> str | None:
    """Why two identities, with all that each is united with already, cannot be one; None where they can."""
    for person in (one, other):
        if person not in spans:
            return f"`{person}` is not there"
    left, right = (sets.get(unions.find(person), [person]) for person in (one, other))
    if unions.find(one) == unions.find(other):
        return None
    for person in left:
        for another in right:
            if why := apart.get(person, {}).get(another):
                return why
            if strict and _meet(spans[person], spans[another]):
                return f"`{person}` and `{another}` are in one video at the same time"
    return None


def _meet(one: list[Span], other: list[Span]) -> bool:
    return any(a[0] == b[0] and a[1] <= b[2] and b[1] <= a[2] for a in one for b in other)


def _spans(crops: Crops, reviewed: Reviewed, persons: set[str]) -> dict[str, list[Span]]:
    """When each tracklet of some identities is seen, by the crops it gave."""
    codes = {person: code for code, person in enumerate(reviewed.persons) if person in persons}
    rows = np.flatnonzero(np.isin(reviewed.person, list(codes.values())))
    seen: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for row in rows.tolist():
        key = (int(reviewed.person[row]), int(crops.tracklet[row]), int(crops.video[row]))
        seen[key].append(int(crops.frame[row]))
    found: dict[str, list[Span]] = defaultdict(list)
    for (person, _, video), frames in seen.items():
        found[reviewed.persons[person]].append((video, min(frames), max(frames)))
    return found


def _rename(sets: Mapping[str, list[str]], unions: Unions, held: set[str], reviewed: Reviewed) -> None:
    """One name for a union: of a member that earlier versions know, else the least."""
    codes = {person: code for code, person in enumerate(reviewed.persons)}
    for root, members in sorted(sets.items()):
        if unions.find(root) != root:
            continue  # joined to another since
        name = min(members, key=lambda member: (member not in held, member))
        reviewed.members[name] = members
        reviewed.person[np.isin(reviewed.person, [codes[member] for member in members])] = codes[name]
