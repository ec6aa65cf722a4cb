"""Noun phrases for visible facts: `a grey hoodie with white stripes`, `long black hair tied back in a ponytail`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ufine_kit.world.facts import Fact
from ufine_kit.world.lexicon import HAIR_STYLES, PLURAL, SYNONYMS, article

Known = Mapping[str, str]  # attribute -> value of one item


@dataclass(frozen=True)
class Voice:
    """One act of writing: its chance, and the words its writer always takes."""

    rng: np.random.Generator
    habits: Mapping[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    def choose(self, options: Sequence[str]) -> str:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """True in `share` of the cases."""
        return bool(self.rng.random() < share)

    def word(self, concept: str) -> str:
        """The word for a concept: the writer's habit, else any synonym, the same one to the end of the text."""
        if concept not in self.taken:
            self.taken[concept] = self.habits.get(concept) or self.choose(SYNONYMS.get(concept, (concept,)))
        return self.taken[concept]


def by_item(facts: Sequence[Fact]) -> dict[str, dict[str, str]]:
    """Facts gathered by item."""
    gathered: dict[str, dict[str, str]] = {}
    for item, attribute, value in facts:
        gathered.setdefault(item, {})[attribute] = value
    return gathered


def who(voice: Voice, person: Known, rich: bool) -> str:
    """`young woman`, `stocky man`, `person`."""
    noun = voice.word(person["gender"]) if "gender" in person else "person"
    age = person.get("age", "")
    words = [voice.word("elderly")] if age == "elderly" else ["young"] if age == "young" and voice.chance(0.7) else []
    if age == "middle-aged" and voice.chance(0.5):
        words = ["middle-aged"]
    if rich and person.get("build") in ("slim", "sturdy") and voice.chance(0.4):
        words.insert(0, voice.word(person["build"]))
    return " ".join([*words, noun])


def hair(voice: Voice, known: Known, rich: bool) -> str:
    """`short curly black hair`, `a bald head`."""
    if known.get("length") == "bald":
        return "a bald head"
    style = known.get("style")
    before = [known["length"]] if "length" in known else []
    if style in ("straight", "curly") and (rich or voice.chance(0.4)):
        before.append(style)
    phrase = " ".join([*before, voice.word(known["colour"]), "hair"])
    if style in ("ponytail", "bun") and (rich or voice.chance(0.6)):
        phrase += f" {voice.choose(HAIR_STYLES[style])}"
    return phrase


def _pattern_before(voice: Voice, known: Known, colour: str) -> str | None:
    """A pattern as an adjective before the noun: `red and white striped`."""
    second, pattern = voice.word(known["second colour"]), known["pattern"]
    two = f"{colour} and {second}"
    adjectives = {
        "horizontal stripes": ("striped", "horizontally striped"),
        "vertical stripes": ("vertically striped",),
        "checks": ("checked", "plaid"),
        "colour block": ("two-tone", "two-coloured"),
    }
    return f"{two} {voice.choose(adjectives[pattern])}" if pattern in adjectives else None


def _pattern_after(voice: Voice, known: Known) -> str:
    """A pattern after the noun: `with white horizontal stripes`."""
    second, pattern = voice.word(known["second colour"]), known["pattern"]
    forms = {
        "horizontal stripes": (f"with {second} horizontal stripes", f"with {second} stripes running across it"),
        "vertical stripes": (f"with {second} vertical stripes", f"with {second} stripes running down it"),
        "checks": (f"with {second} checks", f"with {article(second)} check pattern"),
        "dots": (f"with {second} dots", f"with {second} polka dots"),
        "print": (f"with {article(second)} print on the chest", f"with {article(second)} graphic on the front"),
        "colour block": (f"with {second} on its lower half", f"whose lower half is {second}"),
        "side stripes": (f"with {second} stripes down the sides", f"with {second} side stripes"),
    }
    return voice.choose(forms[pattern])


def garment(
    voice: Voice, known: Known, noun: str, before: Sequence[str] = (), rich: bool = True, plain: bool = False
) -> str:
    """Colour, pattern and noun of one garment, without article; `plain` keeps the pattern for a sentence of its own."""
    colour = voice.word(known["colour"])
    if "second colour" in known and not plain:
        ahead = _pattern_before(voice, known, colour) if voice.chance(0.5) else None
        if ahead is not None:
            return " ".join([*before, ahead, noun])
        return " ".join([*before, colour, noun, _pattern_after(voice, known)])
    if known.get("pattern") == "plain" and rich and voice.chance(0.15):
        before = ["plain", *before]
    return " ".join([*before, colour, noun])


def upper(voice: Voice, known: Known, rich: bool, plain: bool = False) -> str:
    """`a short-sleeved red shirt with white dots`."""
    noun = voice.word(known["kind"]) if "kind" in known else "top"
    sleeves = known.get("sleeves")
    before = []
    if (
        sleeves
        and known.get("kind") not in ("vest top", "hoodie", "sweater")
        and (rich or voice.chance(0.3))
        and not (plain and voice.chance(0.5))
    ):
        before = [{"short": "short-sleeved", "long": "long-sleeved", "sleeveless": "sleeveless"}[sleeves]]
    return article(garment(voice, known, noun, before, rich, plain))


def outer(voice: Voice, known: Known, rich: bool) -> str:
    """`an open black coat`."""
    before = ["open"] if rich and known.get("closing") == "open" and voice.chance(0.4) else []
    return article(" ".join([*before, voice.word(known["colour"]), voice.word(known["kind"])]))


def lower(voice: Voice, known: Known, rich: bool, plain: bool = False) -> str:
    """`a pair of cropped blue jeans`, `a knee-length skirt`."""
    length = known.get("length", "")
    before = []
    if length in ("knee-length", "cropped") and (rich or voice.chance(0.4)):
        before = [length]
    elif length in ("short", "full") and known["kind"] == "skirt":
        before = ["short" if length == "short" else "long"]
    elif length == "short" and known["kind"] == "shorts" and rich and voice.chance(0.3):
        before = ["thigh-length"]
    phrase = garment(voice, known, voice.word(known["kind"]), before, rich, plain)
    return _counted(voice, known["kind"], phrase, rich)


def _counted(voice: Voice, kind: str, phrase: str, rich: bool) -> str:
    if kind not in PLURAL:
        return article(phrase)
    return f"a pair of {phrase}" if rich and voice.chance(0.35) else phrase


def shoes(voice: Voice, known: Known, rich: bool, plain: bool = False) -> str:
    """`white sneakers with black soles`."""
    phrase = _counted(voice, known["kind"], f"{voice.word(known['colour'])} {voice.word(known['kind'])}", rich)
    if "sole" in known and rich and not plain:
        sole = voice.word(known["sole"])
        phrase += voice.choose((f" with {sole} soles", f" on {sole} soles"))
    return phrase


def thing(voice: Voice, known: Known) -> str:
    """`a red backpack`, `a white paper cup`, `a cap`, `glasses`."""
    noun = voice.word(known["kind"])
    if known["kind"] in PLURAL:
        return f"a pair of {noun}" if voice.chance(0.4) else noun
    return article(f"{voice.word(known['colour'])} {noun}")


def joined(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
