"""What an annotation's results say, in the words of the campaign; never fails on what a server may hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ufine_kit.campaign.items import Item, Kind

JUDGED = "judge_"  # a review asks of every crop by its number: judge_0, judge_1 ...


def parse(kind: Kind, raw: Iterable[Any], item: Item) -> dict[str, Any]:
    """The answer that the results `raw` (`from_name`, `type`, `value` each) of one annotation give to an item.

    - `describe`, `fix`: `text`, or `skip_reason` where one was ticked;
    - `revise`: `decision` (`accept`, `revise`, `drop`), `text` (as it came back, also with `accept`: see revised.py);
    - `review` of an identity: `drop` and `split` (crop ids), `keep` (false: the whole identity goes), `reason`;
    - `review` of a pair: `same` (`same`, `different`, `unsure`).

    Texts are what the server holds, to the byte. What is missing is None; what cannot be understood is told in one line under
    `odd`.
    """
    said, odd = _said(raw)
    if kind == "review":
        answer = _pair(said, odd) if "other_person_id" in item.about else _identity(said, item, odd)
    elif kind == "revise":
        answer = _revised(said, odd)
    else:
        answer = _described(said, odd)
    odd += [f"an answer to `{name[:40]}`, which was not asked" for name in said]
    return answer if not odd else {**answer, "odd": " ".join("; ".join(odd).split())}


def _said(raw: Iterable[Any]) -> tuple[dict[str, list[str]], list[str]]:
    """The words of every control by its name, and what is no result at all."""
    found: dict[str, list[str]] = {}
    odd: list[str] = []
    for result in raw if isinstance(raw, list | tuple) else [raw]:
        name = result.get("from_name") if isinstance(result, dict) else None
        value = result.get("value") if isinstance(result, dict) else None
        words = value.get("text", value.get("choices")) if isinstance(value, dict) else None
        words = [words] if isinstance(words, str) else words
        if not isinstance(name, str) or not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            odd.append("a result that is neither text nor choice")
            continue
        found.setdefault(name, []).extend(words)
    return found, odd


def _described(said: dict[str, list[str]], odd: list[str]) -> dict[str, str | None]:
    """A text, or the reason why there is none. A ticked reason hides the box; what was typed before is no answer then."""
    text, reason = _text(said.pop("text", None), odd), _one(said.pop("skip", None), odd)
    if text is None and reason is None:
        odd.append("neither a text nor a reason")
    return {"text": text if reason is None else None, "skip_reason": reason}


def _text(words: list[str] | None, odd: list[str]) -> str | None:
    if words is not None and len(words) > 1:
        odd.append(f"{len(words)} texts in one box, joined line by line")
    return "\n".join(words or []) or None


def _one(words: list[str] | None, odd: list[str]) -> str | None:
    """The one word that was chosen."""
    if words is not None and len(words) > 1:
        odd.append(f"`{words[0][:40]}` and {len(words) - 1} more chosen where one is asked")
    return words[0] if words else None


def _chosen(words: list[str] | None, known: tuple[str, ...], odd: list[str]) -> str | None:
    """The decision. Two that differ, as a config changed by hand lets through, are none."""
    word = _one(words, odd)
    if len(set(words or ())) > 1:
        return None
    if word is not None and word in known:
        return word
    odd.append("nothing decided" if word is None else f"`{word[:40]}` is none of {', '.join(known)}")
    return None


def _revised(said: dict[str, list[str]], odd: list[str]) -> dict[str, Any]:
    decision = _chosen(said.pop("decision", None), ("accept", "revise", "drop"), odd)
    text = _text(said.pop("text", None), odd)
    if decision == "revise" and text is None:
        odd.append("`revise` without a text")
    return {"decision": decision, "text": None if decision == "drop" else text}


def _pair(said: dict[str, list[str]], odd: list[str]) -> dict[str, Any]:
    return {"same": _chosen(said.pop("same", None), ("same", "different", "unsure"), odd)}


def _identity(said: dict[str, list[str]], item: Item, odd: list[str]) -> dict[str, Any]:
    marked: dict[str, list[str]] = {"drop": [], "split": []}
    for name in sorted((name for name in said if _number(name) is not None), key=lambda name: _number(name) or 0):
        words = said.pop(name)
        at, word = _number(name) or 0, _one(words, odd)
        if len(set(words)) > 1:
            continue
        if at >= len(item.pictures):
            odd.append(f"crop {at + 1} was judged, and {len(item.pictures)} were shown")
        elif word in marked:
            marked[word].append(item.pictures[at])
        elif word not in (None, "keep"):
            odd.append(f"`{word[:40]}` is nothing that a crop can be")
    whole = _chosen(said.pop("whole", None), ("keep", "drop"), odd)
    reason = _one(said.pop("reason", None), odd)
    return {**marked, "keep": whole != "drop", "reason": reason if whole == "drop" else None}


def _number(name: str) -> int | None:
    digits = name.removeprefix(JUDGED)
    return (
        int(digits) if name.startswith(JUDGED) and digits.isascii() and digits.isdigit() and len(digits) < 4 else None
    )
