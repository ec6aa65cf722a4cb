"""What reviewers agree on: their answers as votes, the decisions that enough of them share, and what wants a second look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ufine_kit.campaign.standing import Standing
from ufine_kit.campaign.versions import Answer

# A pair of identities: what the answer means as a decision; `unsure` decides nothing.
PAIR = {"same": "same_person", "different": "keep"}
STAYS = "stays"  # a crop on which a reviewer said nothing stays where it is


@dataclass
class Agreed:
    """`rows` are `ReviewDecision` rows; `second_look` what reviewers did not agree on; `waiting` what too few have judged."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    second_look: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    waiting: int = 0
    of: list[str] = field(default_factory=list[str])  # the item of each row, until they are sorted


def agreed(found: Standing) -> Agreed:
    """Decisions that more than half of the people asked share (both of two); nothing else is applied."""
    needed = found.overlap // 2 + 1
    result = Agreed()
    asked: dict[str, list[Answer]] = defaultdict(list)
    for answer in found.answers:
        if answer.kind == "review" and answer.role == "work":
            asked[answer.item_key].append(answer)
    for _, answers in sorted(asked.items()):
        if len(answers) < needed:
            result.waiting += 1
            continue
        undecided = len(result.second_look)
        for target, votes in _votes(answers).items():
            _decide(target, votes, needed, result)
        if len(result.second_look) > undecided and len(answers) < found.overlap:
            del result.second_look[undecided:]  # somebody who was asked may still decide it
            result.waiting += 1
    _mark_torn(result, _of_strips((one for answers in asked.values() for one in answers), result))
    result.rows.sort(key=lambda row: tuple(str(row[name]) for name in sorted(row)))
    return result


Target = tuple[str | None, str | None, str | None]  # crop, person, other person


def _votes(answers: Iterable[Answer]) -> dict[Target, list[tuple[str, Answer]]]:
    """What every reviewer said of every crop, identity or pair of an item."""
    answers = list(answers)
    votes: dict[Target, list[tuple[str, Answer]]] = defaultdict(list)
    # A crop is voted on where anybody would move it; who said nothing of it lets it stay.
    moved = {crop for answer in answers for word in ("drop", "split") for crop in answer.said.get(word) or ()}
    for answer in answers:
        person, other = answer.about.get("person_id"), answer.about.get("other_person_id")
        if other is not None:
            votes[None, person, other].append((PAIR.get(str(answer.said.get("same")), "unsure"), answer))
            continue
        votes[None, person, None].append((_of_identity(answer), answer))
        for crop in sorted(moved):
            votes[crop, person, None].append((_of_crop(answer, crop), answer))
    return votes


def _of_identity(answer: Answer) -> str:
    """`keep`, `drop`, or `unsure` where the reviewer decided nothing that could be read."""
    touched = answer.said.get("drop") or answer.said.get("split")
    if answer.said.get("keep") is False:
        return "drop"
    return "unsure" if "odd" in answer.said and not touched else "keep"


def _of_crop(answer: Answer, crop: str) -> str:
    """Who drops the whole identity drops each of its crops."""
    if answer.said.get("keep") is False:
        return "drop"
    return next((word for word in ("drop", "split") if crop in (answer.said.get(word) or ())), STAYS)


def _decide(target: Target, votes: list[tuple[str, Answer]], needed: int, result: Agreed) -> None:
    crop, person, other = target
    by_word: dict[str, list[Answer]] = defaultdict(list)
    for word, answer in votes:
        by_word[word].append(answer)
    word = next((word for word, answers in sorted(by_word.items()) if len(answers) >= needed), "unsure")
    if word == "unsure":
        said = {answer.writer: word for word, answer in votes}
        result.second_look.append(
            {
                "item_key": votes[0][1].item_key,
                "crop_id": crop,
                "person_id": person,
                "other_person_id": other,
                "said": said,
            }
        )
    elif word != STAYS:
        result.rows += [_row(target, word, answer) for answer in by_word[word]]
        result.of += [votes[0][1].item_key] * len(by_word[word])


def _of_strips(asked: Iterable[Answer], result: Agreed) -> dict[str, set[str | None]]:
    """What the strips of each identity say of it as a whole; None of one that was judged and has not decided.

    One that nobody has judged says nothing: it may be of an identity that the filter has made anew since.
    """
    said: dict[str, dict[str, str | None]] = defaultdict(dict)
    for answer in asked:
        if "other_person_id" not in answer.about:
            said[str(answer.about.get("person_id"))][answer.item_key] = None
    for row, item_key in zip(result.rows, result.of, strict=True):
        if row["crop_id"] is None and row["other_person_id"] is None:
            said[row["person_id"]][item_key] = row["decision"]
    return {person: set(words.values()) for person, words in said.items()}


def _mark_torn(result: Agreed, strips: Mapping[str, set[str | None]]) -> None:
    """An identity is shown in strips that begin with one crop: what one of them says and another denies is neither.

    An identity goes only when all strips that were judged say so; one of which some are undecided waits.
    """
    crops: dict[str, set[str]] = defaultdict(set)
    for row in result.rows:
        if row["crop_id"] is not None:
            crops[row["crop_id"]].add(row["decision"])
    torn_crops = {crop: said for crop, said in crops.items() if len(said) > 1}
    torn = {person for person, said in strips.items() if {"keep", "drop"} <= said}
    open_still = {person for person, said in strips.items() if {None, "drop"} <= said} - torn
    result.rows = [
        row
        for row in result.rows
        if (row["crop_id"] is not None and row["crop_id"] not in torn_crops)
        or (row["crop_id"] is None and row["person_id"] not in torn | open_still)
        or row["other_person_id"] is not None
    ]
    result.waiting += len(open_still)
    result.second_look += [
        *(_torn(crop, None, said) for crop, said in sorted(torn_crops.items())),
        *(_torn(None, person, {"keep", "drop"}) for person in sorted(torn)),
    ]


def _torn(crop: str | None, person: str | None, said: Iterable[str]) -> dict[str, Any]:
    return {
        "item_key": None,
        "crop_id": crop,
        "person_id": person,
        "other_person_id": None,
        "said": {"strips": ", ".join(sorted(said, reverse=True))},
    }


def _row(target: Target, word: str, answer: Answer) -> dict[str, Any]:
    crop, person, other = target
    return {
        "crop_id": crop,
        # A decision on a crop is told by its crop alone, as those that come by file.
        "person_id": None if crop is not None else person,
        "other_person_id": other,
        "decision": word,
        "reviewer": answer.writer,
        "created_at": answer.updated_at,
    }
