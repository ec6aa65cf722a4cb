"""Descriptions of one picture of a person, true of what it shows, at three granularities and in four styles.

Averages follow the papers that the world stands in for: about 23 words (CUHK-PEDES), 37 (ICFG-PEDES) and 80 (UFine6926).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ufine_kit.world import phrasing, sentences, telling
from ufine_kit.world.facts import ITEMS, Fact, facts_of
from ufine_kit.world.lexicon import SYNONYMS, article
from ufine_kit.world.people import Person
from ufine_kit.world.phrasing import Known, Voice
from ufine_kit.world.view import View

GRANULARITIES = ("coarse", "medium", "fine")
STYLES = ("plain", "flowing", "list", "llm")
AIMS = {
    "coarse": (21.0, 4.0),
    "medium": (35.5, 4.0),
    "fine": (80.0, 10.0),
}  # mean and deviation; sentences overshoot a little
CORE = ("hair", "upper", "lower", "shoes")


def _words(told: Sequence[tuple[str, str]]) -> int:
    return sum(len(sentence.split()) for _, sentence in told)


def _sentences(voice: Voice, known: Mapping[str, Known], style: str, rich: bool, target: float) -> str:
    """Several sentences: the core items first, then others and details until the wanted length is reached."""
    subject = telling.subject_of(voice, known, rich)
    shown = [
        item
        for item in ITEMS
        if item in sentences.MAIN[style] and item in known and known[item].get("presence") != "none"
    ]
    split = frozenset(
        item for item in ("upper", "lower") if "second colour" in known.get(item, {}) and rich and voice.chance(0.5)
    )
    if rich and "sole" in known.get("shoes", {}) and voice.chance(0.5):
        split |= {"shoes"}
    layered = "upper" in known

    def main(item: str) -> tuple[str, str]:
        return item, telling.main(voice, style, item, known[item], subject, rich, item in split, layered)

    told = [main(item) for item in shown if item in (*CORE, "outer")] + telling.owed(voice, known, split)
    others = [main(item) for item in shown if item not in (*CORE, "outer")]
    details = telling.more(voice, known, subject) if rich else []
    candidates = [others[k] for k in voice.rng.permutation(len(others))]
    candidates += [details[k] for k in voice.rng.permutation(len(details))]
    if not rich and len(told) > 3 and _words(told) > target:  # leave out what matters least
        told = [sentence for sentence in told if sentence[0] != "shoes"]
    for sentence in candidates:
        if abs(_words([*told, sentence]) - target) < abs(_words(told) - target):
            told.append(sentence)
    rank = {item: place for place, item in enumerate(telling.order(voice, style))}
    return telling.fill(sorted(told, key=lambda sentence: rank[sentence[0]]), subject, voice)


def _listed(voice: Voice, known: Mapping[str, Known], rich: bool, target: float) -> str:
    """Short notes, one an item: `Hair: short black hair; Upper body: a red shirt; ...`."""
    subject = telling.subject_of(voice, known, rich)
    notes = [telling.capital(subject.noun)]
    build = known.get("person", {}).get("build")
    if build and not any(word in subject.noun for word in SYNONYMS[build]):
        notes[0] += f" of {voice.word(build)} build"
    labelled = voice.chance(0.5)
    for item in (*CORE, "outer", "bag", "carried", "headwear", "glasses", "posture"):
        if (
            item not in known
            or known[item].get("presence") == "none"
            or sum(len(note.split()) for note in notes) >= target - 2
        ):
            continue
        note = telling.noun_phrase(voice, item, known[item], rich, False, subject)
        if item == "bag":
            where = voice.choose(sentences.BAG_PLACES[known[item]["kind"]])
            note += " " + where.replace("{side}", known[item]["side"]).replace("{his}", subject.possessive)
        if item == "carried":
            note += f" in the {known[item]['hand']} hand"
        notes.append(f"{sentences.LABELS[item]}: {note}" if labelled else note)
    if rich:
        details = [
            form for _, form in telling.more(voice, known, subject) if " build" not in form and "figure" not in form
        ]
        for k in voice.rng.permutation(len(details)):
            if sum(len(note.split()) for note in notes) < target - 4:
                pronoun = telling.fill_slots(details[k], subject, subject.pronoun, subject.pronoun)
                notes.append(telling.lowered(pronoun))
    return "; ".join(notes) + "."


def _one_sentence(voice: Voice, known: Mapping[str, Known], target: float) -> str:
    """One sentence on the main items: `A woman with long hair in a red shirt and black trousers, carrying ...`."""
    subject = telling.subject_of(voice, known, False)

    def say(item: str) -> str:
        return telling.noun_phrase(voice, item, known[item], False, False, subject)

    worn = [say(item) for item in ("outer", "upper", "lower", "shoes") if item in known]
    if len(worn) > 2 and "shoes" in known and len(" ".join(worn).split()) > target - 8:
        worn.pop()  # too long already: shoes go first
    if "outer" in known and "upper" in known:
        worn[:2] = [f"{worn[0]} over {worn[1]}"]
    has = f" with {say('hair')}" if "hair" in known and voice.chance(0.8) else ""
    clothes = phrasing.joined(worn) or "clothes that are hardly visible"
    who = article(subject.noun)
    forms = (
        f"{who}{has} wearing {clothes}",
        f"the {subject.noun}{has} is wearing {clothes}",
        f"{who}{has} dressed in {clothes}",
        "",
    )
    text = voice.choose(forms)
    if not text:
        also = has.replace(" with", " and having", 1)
        text = f"{who} {sentences.posture(voice, known['posture'], subject.possessive)}, wearing {clothes}{also}"
    tails = {
        "bag": "carrying {}",
        "carried": "holding {}",
        "headwear": "with {} on the head",
        "glasses": "wearing {}",
        "posture": "{}",
    }
    for item, form in tails.items():
        room = target - len(text.split())
        if (
            room >= 3
            and item in known
            and known[item].get("presence") != "none"
            and not (item == "posture" and "camera" in text)
        ):
            text += ", " + form.format(say(item))
    return telling.capital(text) + "."


def compose(facts: Sequence[Fact], granularity: str, style: str, voice: Voice) -> str:
    """A text on given facts; see `describe`."""
    known = phrasing.by_item(facts)
    mean, deviation = AIMS[granularity]
    target = float(np.clip(voice.rng.normal(mean, deviation), mean - 2 * deviation, mean + 2.5 * deviation))
    if style == "list":
        return _listed(voice, known, granularity == "fine", target)
    if granularity == "coarse":
        return _one_sentence(voice, known, target)
    return _sentences(voice, known, style, granularity == "fine", target)


def describe(
    person: Person,
    view: View,
    granularity: str = "fine",
    style: str = "plain",
    writer: Mapping[str, str] | None = None,
    rng: np.random.Generator | int = 0,
) -> str:
    """A description of `person` in `view`: true of it and of nothing that it hides.

    `granularity` is one of GRANULARITIES, `style` one of STYLES; `writer` maps concepts to the words its writer always takes.
    """
    chance = rng if isinstance(rng, np.random.Generator) else np.random.default_rng([rng, person.identity, 2])
    return compose(facts_of(person, view), granularity, style, Voice(chance, writer or {}))
