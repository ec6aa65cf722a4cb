"""Descriptions of one picture of a person, true of what it shows, at three granularities and in four styles.

Averages follow the papers that the world stands in for: about 23 words (CUHK-PEDES), 37 (ICFG-PEDES) and 80 (UFine6926).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ufine_kit.world import phrasing, sentences
from ufine_kit.world.facts import ITEMS, Fact, facts_of
from ufine_kit.world.lexicon import PLACES, SYNONYMS, article
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


@dataclass(frozen=True)
class Subject:
    """How the text speaks of its person."""

    noun: str
    pronoun: str
    possessive: str
    objective: str


def _subject(voice: Voice, known: Mapping[str, Known], rich: bool) -> Subject:
    person = known.get("person", {})
    noun = phrasing.who(voice, person, rich)
    if "gender" not in person:
        return Subject(noun, "the person", "the person's", "this person")
    return Subject(noun, "he", "his", "him") if person["gender"] == "man" else Subject(noun, "she", "her", "her")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _noun_phrase(voice: Voice, item: str, known: Known, rich: bool, plain: bool, subject: Subject) -> str:
    if item == "hair":
        return phrasing.hair(voice, known, rich)
    if item == "outer":
        return phrasing.outer(voice, known, rich)
    if item == "posture":
        return sentences.posture(voice, known, subject.possessive)
    if item in ("upper", "lower", "shoes"):
        return {"upper": phrasing.upper, "lower": phrasing.lower, "shoes": phrasing.shoes}[item](
            voice, known, rich, plain
        )
    return phrasing.thing(voice, known)


def _main(
    voice: Voice, style: str, item: str, known: Known, subject: Subject, rich: bool, plain: bool, layered: bool
) -> str:
    """The sentence of one item, its subject slots still open."""
    form = voice.choose(sentences.MAIN[style][item])
    if item == "outer" and not layered:  # nothing is seen under it
        form = voice.choose(sentences.MAIN["plain"]["upper"])
    if item == "carried" and known["kind"] == "suitcase":
        form = "{S} pulls {np} along with {his} {hand} hand"
    if item == "bag":
        where = voice.choose(sentences.BAG_PLACES[known["kind"]]).replace("{side}", known["side"])
        form = form.replace("{where}", where)
    form = form.replace("{hand}", known.get("hand", ""))
    return form.replace("{np}", _noun_phrase(voice, item, known, rich, plain, subject))


def _more(voice: Voice, known: Mapping[str, Known], subject: Subject) -> list[tuple[str, str]]:
    """Sentences that add a detail, as (item they follow, sentence)."""
    more: list[tuple[str, str]] = []
    upper, lower, person = known.get("upper", {}), known.get("lower", {}), known.get("person", {})
    if upper.get("sleeves"):
        more.append(("upper", voice.choose(sentences.SLEEVES_MORE[upper["sleeves"]])))
    if known.get("outer", {}).get("closing"):
        closing = known["outer"]["closing"]
        forms = {"open": "The {} is left open in front", "closed": "The {} is closed in front"}
        more.append(("outer", forms[closing].format(voice.word(known["outer"]["kind"]))))
    if lower.get("length"):
        more.append(("lower", voice.choose(sentences.LENGTH_MORE[lower["length"]])))
    if "build" in person and not any(word in subject.noun for word in SYNONYMS[person["build"]]):
        form = voice.choose(sentences.BUILD_MORE[person["build"]])
        more.append(("hair", form.replace("{word}", voice.word(person["build"]))))
    absent = tuple(item for item in ("headwear", "glasses") if known.get(item, {}).get("presence") == "none")
    if absent:
        more.append(("hair", voice.choose(sentences.ABSENT[absent])))
    if known.get("bag", {}).get("presence") == "none":
        more.append(("bag", voice.choose(sentences.ABSENT[("bag",)])))
    if "place" in known:
        place = voice.choose(PLACES[known["place"]["kind"]])
        way = (
            "{S} is out "
            if place.startswith(("along", "across"))
            else voice.choose(("{S} is ", "The picture was taken "))
        )
        more.append(("posture", way + place))
    return more


def _owed(voice: Voice, known: Mapping[str, Known], split: frozenset[str]) -> list[tuple[str, str]]:
    """The sentences of patterns and soles that their noun phrases left out."""
    owed = []
    for item in sorted(split):
        worn = known[item]
        if item == "shoes":
            sole = voice.word(worn["sole"])
            owed.append((item, voice.choose((f"The soles are {sole}", f"The shoes have {sole} soles"))))
            continue
        noun = voice.word(worn.get("kind", "top")) if item == "upper" else "fabric"
        second = voice.word(worn["second colour"])
        form = voice.choose(sentences.PATTERN_MORE[worn["pattern"]])
        for slot, word in (
            ("{Second}", _capital(second)),
            ("{second}", second),
            ("{The}", f"The {noun}"),
            ("{the}", f"the {noun}"),
        ):
            form = form.replace(slot, word)
        owed.append((item, form))
    return owed


def _order(voice: Voice, style: str) -> list[str]:
    """Items in the order of telling: from the head down, or as a rewrite may turn it."""
    items = [item for item in ITEMS if item not in ("person", "place")]
    if style == "llm" and voice.chance(0.4):
        worn = ["shoes", "lower", "upper", "outer"]
        return ["posture", *worn, "bag", "carried", "hair", "headwear", "glasses"]
    if style == "flowing" and voice.chance(0.5):
        return ["posture", *(item for item in items if item != "posture")]
    return items


def _slots(form: str, subject: Subject, name: str, pronoun: str) -> str:
    """A sentence with its subject slots filled."""
    his = subject.possessive
    slots = {"{S}": _capital(name), "{P}": _capital(pronoun), "{p_obj}": subject.objective, "{p}": pronoun}
    for slot, word in (slots | {"{His}": _capital(his), "{his}": his}).items():
        form = form.replace(slot, word)
    return form


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _fill(told: Sequence[tuple[str, str]], subject: Subject, voice: Voice) -> str:
    """Name the person once, then mostly by pronoun; close every sentence."""
    text = []
    for place, (_, form) in enumerate(told):
        name = (
            f"{voice.choose(('The', 'This'))} {subject.noun}" if place == 0 or voice.chance(0.12) else subject.pronoun
        )
        pronoun = f"the {subject.noun}" if place == 0 else subject.pronoun
        if place == 0 and form.startswith("{His}"):
            form = form.replace("{His}", f"The {subject.noun}'s", 1)
        text.append(_capital(_slots(form, subject, name, pronoun)) + ".")
    return " ".join(text)


def _words(told: Sequence[tuple[str, str]]) -> int:
    return sum(len(sentence.split()) for _, sentence in told)


def _sentences(voice: Voice, known: Mapping[str, Known], style: str, rich: bool, target: float) -> str:
    """Several sentences: the core items first, then others and details until the wanted length is reached."""
    subject = _subject(voice, known, rich)
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
        return item, _main(voice, style, item, known[item], subject, rich, item in split, layered)

    told = [main(item) for item in shown if item in (*CORE, "outer")] + _owed(voice, known, split)
    others = [main(item) for item in shown if item not in (*CORE, "outer")]
    details = _more(voice, known, subject) if rich else []
    candidates = [others[k] for k in voice.rng.permutation(len(others))]
    candidates += [details[k] for k in voice.rng.permutation(len(details))]
    if not rich and len(told) > 3 and _words(told) > target:  # leave out what matters least
        told = [sentence for sentence in told if sentence[0] != "shoes"]
    for sentence in candidates:
        if abs(_words([*told, sentence]) - target) < abs(_words(told) - target):
            told.append(sentence)
    rank = {item: place for place, item in enumerate(_order(voice, style))}
    return _fill(sorted(told, key=lambda sentence: rank[sentence[0]]), subject, voice)


def _listed(voice: Voice, known: Mapping[str, Known], rich: bool, target: float) -> str:
    """Short notes, one an item: `Hair: short black hair; Upper body: a red shirt; ...`."""
    subject = _subject(voice, known, rich)
    notes = [_capital(subject.noun)]
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
        note = _noun_phrase(voice, item, known[item], rich, False, subject)
        if item == "bag":
            where = voice.choose(sentences.BAG_PLACES[known[item]["kind"]])
            note += " " + where.replace("{side}", known[item]["side"]).replace("{his}", subject.possessive)
        if item == "carried":
            note += f" in the {known[item]['hand']} hand"
        notes.append(f"{sentences.LABELS[item]}: {note}" if labelled else note)
    if rich:
        details = [form for _, form in _more(voice, known, subject) if " build" not in form and "figure" not in form]
        for k in voice.rng.permutation(len(details)):
            if sum(len(note.split()) for note in notes) < target - 4:
                pronoun = _slots(details[k], subject, subject.pronoun, subject.pronoun)
                notes.append(_lowered(pronoun))
    return "; ".join(notes) + "."


def _one_sentence(voice: Voice, known: Mapping[str, Known], target: float) -> str:
    """One sentence on the main items: `A woman with long hair in a red shirt and black trousers, carrying ...`."""
    subject = _subject(voice, known, False)

    def say(item: str) -> str:
        return _noun_phrase(voice, item, known[item], False, False, subject)

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
    return _capital(text) + "."


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
