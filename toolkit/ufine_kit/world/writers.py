"""Simulated annotators: words they always take, phrases they like, how fast they are, and the faults some of them plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ufine_kit.world import phrasing
from ufine_kit.world.facts import Fact, facts_of
from ufine_kit.world.lexicon import SYNONYMS
from ufine_kit.world.palette import contrasting
from ufine_kit.world.people import Person
from ufine_kit.world.phrasing import Voice
from ufine_kit.world.texts import compose
from ufine_kit.world.view import View

FAULTS = ("template", "copy_self", "copy_pair", "too_fast", "too_short", "boilerplate", "gibberish", "contradiction")
FAVOURITES = (
    "The clothes look casual overall.",
    "Nothing else stands out.",
    "The outfit makes a tidy impression.",
    "That is what can be seen here.",
    "The colours go well together.",
)
EPOCH = "2024-03-04T08:00:00"  # the first shift of every world; nothing of the clock enters


@dataclass(frozen=True)
class Writer:
    """One annotator. `fault` names what this one does wrong, in the share `fault_rate` of the texts; None does honest work."""

    name: str
    habits: dict[str, str] = field(default_factory=dict)
    favourite: str | None = None
    style: str | None = None
    typo_rate: float = 0.0
    seconds_a_word: float = 1.4
    fault: str | None = None
    fault_rate: float = 1.0


@dataclass(frozen=True)
class Draft:
    """A text as it was handed in: who wrote it in how many seconds, and the planted fault (`of` is the text it copies)."""

    text: str
    writer: str
    lead_seconds: float
    fault: str | None = None
    of: str | None = None


def _habits(rng: np.random.Generator, share: float) -> dict[str, str]:
    kept = {}
    for concept, words in SYNONYMS.items():
        if rng.random() < share:
            kept[concept] = words[int(rng.integers(len(words)))]
    return kept


def sample_writers(n: int = 8, seed: int = 0, faults: Sequence[str] = ()) -> list[Writer]:
    """`n` honest annotators, each with habits of their own, then one for every fault named."""
    writers = []
    for number in range(n + len(faults)):
        rng = np.random.default_rng([seed, number, 3])
        fault = faults[number - n] if number >= n else None
        writers.append(
            Writer(
                name=f"w{number:02d}",
                habits=_habits(rng, float(rng.uniform(0.4, 0.9))),
                favourite=FAVOURITES[int(rng.integers(len(FAVOURITES)))] if rng.random() < 0.4 else None,
                style=(None, "plain", "flowing", "list")[int(rng.integers(4))] if fault is None else None,
                typo_rate=float(rng.choice([0.0, 0.0, 0.004, 0.012])),
                seconds_a_word=float(rng.uniform(1.0, 2.2)),
                fault=fault,
                fault_rate=1.0 if fault == "template" else 0.5,
            )
        )
    return writers


def mistyped(text: str, rate: float, rng: np.random.Generator) -> str:
    """Some words with two letters exchanged or one left out; short words and words with signs stay whole."""
    if rate <= 0:
        return text
    words = text.split(" ")
    for place in np.nonzero(rng.random(len(words)) < rate)[0]:
        word = words[place]
        if len(word) < 5 or not word.isalpha():
            continue
        at = int(rng.integers(1, len(word) - 2))
        words[place] = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :] if rng.random() < 0.5 else word[:at] + word[at + 1 :]
        )
    return " ".join(words)


def from_template(facts: Sequence[Fact], voice: Voice) -> str:
    """The frame of the template writer: the same sentences every time, with the words of this picture put in."""
    known = phrasing.by_item(facts)

    def say(item: str, otherwise: str) -> str:
        if item not in known or known[item].get("presence") == "none":
            return otherwise
        forms = {"hair": phrasing.hair, "upper": phrasing.upper, "lower": phrasing.lower, "shoes": phrasing.shoes}
        return forms[item](voice, known[item], False) if item in forms else phrasing.thing(voice, known[item])

    noun = known.get("person", {}).get("gender", "person")
    return (
        f"This picture is about a {noun} who can be seen with {say('hair', 'hair that is hidden')}. "
        f"The top part of the outfit of this {noun} is {say('upper', 'not visible')}. "
        f"The bottom part of the outfit of this {noun} is {say('lower', 'not visible')}. "
        f"What this {noun} wears on the feet is {say('shoes', 'not visible')}. "
        f"What this {noun} carries along is {say('bag', 'nothing')}."
    )


def _false_colour(facts: Sequence[Fact], rng: np.random.Generator) -> tuple[Fact, ...]:
    """The facts with the colour of one garment exchanged for one that contrasts."""
    places = [
        k
        for k, fact in enumerate(facts)
        if fact.attribute == "colour" and fact.item in ("upper", "lower", "shoes", "outer")
    ]
    if not places:
        return tuple(facts)
    place = places[int(rng.integers(len(places)))]
    choices = contrasting(facts[place].value)
    return tuple(
        fact._replace(value=choices[int(rng.integers(len(choices)))]) if k == place else fact
        for k, fact in enumerate(facts)
    )


def _gibberish(words: int, rng: np.random.Generator) -> str:
    letters = "asdfghjklqwertzuiop"
    return " ".join(
        "".join(letters[int(k)] for k in rng.integers(0, len(letters), int(rng.integers(3, 9)))) for _ in range(words)
    )


def _faulty_text(fault: str, facts: Sequence[Fact], granularity: str, style: str, voice: Voice) -> str:
    rng = voice.rng
    if fault == "template":
        return from_template(facts, voice)
    if fault == "too_short":
        return " ".join(compose(facts, "coarse", "plain", voice).split()[: int(rng.integers(4, 12))]).rstrip(",") + "."
    if fault == "gibberish":
        return _gibberish(int(rng.integers(32, 50)), rng)
    if fault == "contradiction":
        return compose(_false_colour(facts, rng), granularity, style, voice)
    text = compose(facts, granularity, style, voice)
    if fault == "boilerplate":
        return f"The image shows a person. In this image, we can see the following: {text[:1].lower()}{text[1:]}"
    return text


def hand_in(
    writer: Writer,
    person: Person,
    view: View,
    granularity: str,
    style: str,
    rng: np.random.Generator,
    own: Sequence[tuple[str, str]] = (),
    pair: Sequence[tuple[str, str]] = (),
) -> Draft:
    """One text by one writer. `own` and `pair` are (key, text) of this writer's texts on others, and of others' on this crop.

    A copier with nothing to copy yet does honest work; the draft's `fault` says what was really planted.
    """
    facts, voice = facts_of(person, view), Voice(rng, writer.habits)
    style = writer.style or style
    fault = writer.fault if writer.fault and rng.random() < writer.fault_rate else None
    sources = {"copy_self": own, "copy_pair": pair}.get(fault or "")
    if sources is not None:
        if not sources:
            fault = None
        else:
            of, text = sources[int(rng.integers(len(sources)))]
            return Draft(text, writer.name, round(float(rng.uniform(9, 25)), 1), fault, of)
    text = _faulty_text(fault, facts, granularity, style, voice) if fault else compose(facts, granularity, style, voice)
    if writer.favourite and fault is None and granularity == "fine" and rng.random() < 0.3:
        text += " " + writer.favourite
    text = mistyped(text, writer.typo_rate, rng) if fault is None else text
    pace = writer.seconds_a_word * float(rng.uniform(0.8, 1.3))
    seconds = len(text.split()) * (0.06 if fault == "too_fast" else pace) + (1.0 if fault == "too_fast" else 8.0)
    return Draft(text, writer.name, round(seconds, 1), fault)
