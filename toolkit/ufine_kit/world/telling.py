"""The sentences of one text: its subject, one sentence an item, and the details that may be added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ufine_kit.world import phrasing, sentences
from ufine_kit.world.facts import ITEMS
from ufine_kit.world.lexicon import PLACES, SYNONYMS
from ufine_kit.world.phrasing import Known, Voice


@dataclass(frozen=True)
class Subject:
    """How the text speaks of its person."""

    noun: str
    pronoun: str
    possessive: str
    objective: str


def subject_of(voice: Voice, known: Mapping[str, Known], rich: bool) -> Subject:
    person = known.get("person", {})
    noun = phrasing.who(voice, person, rich)
    if "gender" not in person:
        return Subject(noun, "the person", "the person's", "this person")
    return Subject(noun, "he", "his", "him") if person["gender"] == "man" else Subject(noun, "she", "her", "her")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def noun_phrase(voice: Voice, item: str, known: Known, rich: bool, plain: bool, subject: Subject) -> str:
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


def main(
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
    return form.replace("{np}", noun_phrase(voice, item, known, rich, plain, subject))


def more(voice: Voice, known: Mapping[str, Known], subject: Subject) -> list[tuple[str, str]]:
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


def owed(voice: Voice, known: Mapping[str, Known], split: frozenset[str]) -> list[tuple[str, str]]:
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
            ("{Second}", capital(second)),
            ("{second}", second),
            ("{The}", f"The {noun}"),
            ("{the}", f"the {noun}"),
        ):
            form = form.replace(slot, word)
        owed.append((item, form))
    return owed


def order(voice: Voice, style: str) -> list[str]:
    """Items in the order of telling: from the head down, or as a rewrite may turn it."""
    items = [item for item in ITEMS if item not in ("person", "place")]
    if style == "llm" and voice.chance(0.4):
        worn = ["shoes", "lower", "upper", "outer"]
        return ["posture", *worn, "bag", "carried", "hair", "headwear", "glasses"]
    if style == "flowing" and voice.chance(0.5):
        return ["posture", *(item for item in items if item != "posture")]
    return items


def fill_slots(form: str, subject: Subject, name: str, pronoun: str) -> str:
    """A sentence with its subject slots filled."""
    his = subject.possessive
    slots = {"{S}": capital(name), "{P}": capital(pronoun), "{p_obj}": subject.objective, "{p}": pronoun}
    for slot, word in (slots | {"{His}": capital(his), "{his}": his}).items():
        form = form.replace(slot, word)
    return form


def lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def fill(told: Sequence[tuple[str, str]], subject: Subject, voice: Voice) -> str:
    """Name the person once, then mostly by pronoun; close every sentence."""
    text = []
    for place, (_, form) in enumerate(told):
        name = (
            f"{voice.choose(('The', 'This'))} {subject.noun}" if place == 0 or voice.chance(0.12) else subject.pronoun
        )
        pronoun = f"the {subject.noun}" if place == 0 else subject.pronoun
        if place == 0 and form.startswith("{His}"):
            form = form.replace("{His}", f"The {subject.noun}'s", 1)
        text.append(capital(fill_slots(form, subject, name, pronoun)) + ".")
    return " ".join(text)
