"""Texts for a whole world: crops and tracks handed out to the simulated writers, rows in the order they were handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ufine_kit.world.people import Person
from ufine_kit.world.view import View
from ufine_kit.world.writers import EPOCH, Draft, Writer, hand_in

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One picture to be described: `key` goes into the rows as it is (`image`, or `video` and `track`)."""

    key: Row
    person: Person
    view: View


@dataclass
class Desk:
    """What one writer has written so far, and the seconds since the first shift."""

    seconds: float = 0.0
    texts: list[tuple[str, str, int]] = field(default_factory=list)  # description, text, identity


def _stamp(seconds: float) -> str:
    return (datetime.fromisoformat(EPOCH) + timedelta(seconds=int(seconds))).isoformat() + "+00:00"


def _row(name: str, task: Task, draft: Draft, granularity: str, style: str, seconds: float) -> Row:
    return {
        "description": name,
        **task.key,
        "identity": task.person.identity,
        "text": draft.text,
        "writer": draft.writer,
        "created_at": _stamp(seconds),
        "lead_seconds": draft.lead_seconds,
        "granularity": granularity,
        "style": style,
    }


def annotate(
    tasks: Iterable[Task],
    writers: Sequence[Writer],
    seed: int,
    *,
    prefix: str = "d",
    granularities: Sequence[str] = ("fine",),
    styles: Sequence[str] = ("plain", "flowing"),
    texts_each: int = 2,
) -> tuple[list[Row], list[Row]]:
    """(rows, faults): `texts_each` texts of every granularity for every task, each by another writer as far as they go.

    Rows come in order of submission; faults are `description, fault, of`, the description it copies or None.
    """
    desks = {writer.name: Desk() for writer in writers}
    timed: list[tuple[float, Row]] = []
    faults: list[Row] = []
    for place, task in enumerate(tasks):
        rng = np.random.default_rng([seed, place, 7])
        given = 0
        for granularity in granularities:
            order = rng.permutation(len(writers))
            pair: list[tuple[str, str]] = []
            latest = 0.0
            for number in range(texts_each):
                writer, style = writers[int(order[number % len(order)])], styles[int(rng.integers(len(styles)))]
                desk, name = desks[writer.name], f"{prefix}{place:05d}-{given}"
                own = [(key, text) for key, text, identity in desk.texts[-12:] if identity != task.person.identity]
                draft = hand_in(writer, task.person, task.view, granularity, style, rng, own, pair)
                start = max(desk.seconds, latest) if draft.fault == "copy_pair" else desk.seconds
                desk.seconds = start + draft.lead_seconds + 1.0
                timed.append((desk.seconds, _row(name, task, draft, granularity, writer.style or style, desk.seconds)))
                if draft.fault:
                    faults.append({"description": name, "fault": draft.fault, "of": draft.of})
                else:
                    pair.append((name, draft.text))
                    desk.texts.append((name, draft.text, task.person.identity))
                latest, given = max(latest, desk.seconds), given + 1
    timed.sort(key=lambda entry: (int(entry[0]), entry[1]["description"]))
    return [row for _, row in timed], faults
