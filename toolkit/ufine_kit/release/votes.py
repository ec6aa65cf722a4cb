"""What reviewers decided, counted: one outcome for every crop, identity and pair, and where they did not agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.files import canonical_json
from ufine_kit.parquet import read_rows

# On a tie in votes and in time the more careful word stands: less goes out, and fewer are united.
CAREFUL = ("apart", "same_person", "merge", "drop", "split", "keep")
UNITING = ("merge", "same_person")


@dataclass(frozen=True)
class Outcome:
    """What holds for one crop, identity or pair. `label` names the new identity of a crop that is split off."""

    word: str
    label: str
    at: str
    disputed: bool


@dataclass(frozen=True)
class Votes:
    """Outcomes by crop id, by person id, and by pair of person ids in order of their names."""

    crops: Mapping[str, Outcome]
    persons: Mapping[str, Outcome]
    pairs: Mapping[tuple[str, str], Outcome]

    def disputed(self) -> list[str]:
        """What reviewers did not agree on, a line each."""
        everything: list[tuple[str, Outcome]] = [
            *((f"crop `{name}`", outcome) for name, outcome in self.crops.items()),
            *((f"identity `{name}`", outcome) for name, outcome in self.persons.items()),
            *((f"pair `{one}` and `{other}`", outcome) for (one, other), outcome in self.pairs.items()),
        ]
        return [f"reviewers disagree on {what}: {outcome.word}" for what, outcome in everything if outcome.disputed]


def read_decisions(work: Path) -> list[dict[str, Any]]:
    """The `ReviewDecision` rows of all campaigns."""
    folders = sorted(path.parent for path in (work / "decisions").glob("*/plan.json"))
    return [
        row
        for folder in folders
        for done in parts.done_parts(folder)
        for row in read_rows(folder / f"{done.part}.parquet")
    ]


def count_votes(rows: Iterable[Mapping[str, Any]]) -> Votes:
    """The outcome of every question: of each reviewer the last word counts, the majority decides, on a tie the later vote.

    A pair of identities is united by `merge` and `same_person` alike and held apart by any other word.
    """
    cast: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: (row["created_at"], canonical_json(dict(row)))):
        cast[_target(row)][row["reviewer"]] = row
    outcomes = {target: _outcome(target[0], list(last.values())) for target, last in sorted(cast.items())}
    return Votes(
        {target[1]: outcome for target, outcome in outcomes.items() if target[0] == "crop"},
        {target[1]: outcome for target, outcome in outcomes.items() if target[0] == "person"},
        {(target[1], target[2]): outcome for target, outcome in outcomes.items() if target[0] == "pair"},
    )


def _target(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["crop_id"] is not None:
        return "crop", row["crop_id"]
    if row["other_person_id"] is None:
        return "person", row["person_id"]
    return "pair", *sorted((row["person_id"], row["other_person_id"]))


def _outcome(kind: str, votes: list[Mapping[str, Any]]) -> Outcome:
    """Two rounds: which side has most votes (to unite or not, or each word for itself), then the word of that side."""
    sides = [_side(kind, vote) for vote in votes]
    won = _most(sides, votes)
    inside = [vote for vote, side in zip(votes, sides, strict=True) if side == won]
    word, label = _most([_word(kind, vote) for vote in inside], inside)
    return Outcome(word, label, max(vote["created_at"] for vote in inside), len(set(sides)) > 1)


def _side(kind: str, vote: Mapping[str, Any]) -> tuple[str, str]:
    word, label = _word(kind, vote)
    return ("same_person", "") if kind == "pair" and word in UNITING else (word, label)


def _word(kind: str, vote: Mapping[str, Any]) -> tuple[str, str]:
    word = vote["decision"]
    if kind == "pair":
        return (word if word in UNITING else "apart"), ""
    return word, (vote["other_person_id"] or "") if word == "split" else ""


def _most(words: list[tuple[str, str]], votes: list[Mapping[str, Any]]) -> tuple[str, str]:
    times = Counter(words)
    last: dict[tuple[str, str], str] = {}
    for word, vote in zip(words, votes, strict=True):
        last[word] = max(last.get(word, ""), vote["created_at"])
    ranked = sorted(times, key=lambda word: (CAREFUL.index(word[0]), word[1]))
    return max(ranked, key=lambda word: (times[word], last[word]))
