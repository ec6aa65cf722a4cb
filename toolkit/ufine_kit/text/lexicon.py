"""The lexicon of looks: loads the TOML files beside it (and users' own) and answers for any word what it can be.

What a word is in its sentence is decided by those who read tokens (`tokens`, `phrases`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ufine_kit.errors import KitError

DATA = Path(__file__).parent / "data"
PACKAGED = ("words", "modifiers", "heads", "families")
CONCEPTS = [
    "hat",
    "hair",
    "glasses",
    "face",
    "upper",
    "lower",
    "skirt",
    "dress",
    "shoes",
    "bag",
    "belt",
    "scarf",
    "other",
]  # the 13 groups of Person-SAM's classes

# One letter a word class, so that a sentence's classes can be read as a row.
HEAD, MODIFIER, DETERMINER, PRONOUN, PREPOSITION, CONJUNCTION = "H", "M", "D", "O", "P", "C"
COPULA, AUXILIARY, NEGATOR, BODY, PLACE, ADVERB, VERB, PERSON = "K", "X", "N", "B", "L", "A", "V", "S"
AND, COMMA, STOP, UNKNOWN, PLURAL_UNKNOWN = "&", ",", ".", "U", "G"
STOP_CLASSES = {
    "determiner": DETERMINER,
    "pronoun": PRONOUN,
    "preposition": PREPOSITION,
    "conjunction": CONJUNCTION,
    "copula": COPULA,
    "auxiliary": AUXILIARY,
    "negator": NEGATOR,
    "body": BODY,
    "place": PLACE,
    "adverb": ADVERB,
    "misc": CONJUNCTION,
}


class Head(NamedTuple):
    """A head noun: its canonical name, what kind of thing it is, its concept and whether it was written in the plural."""

    canonical: str
    kind: str
    concept: str
    plural: bool


class Entry(NamedTuple):
    """What the lexicon knows of one lower-case word: class, head noun if it is one, values by slot, listed or guessed."""

    tag: str
    head: Head | None
    values: tuple[tuple[str, str], ...]
    listed: bool


class Entries(dict[str, Entry]):
    """Entries of all words seen; a word that is not listed is guessed once by its form."""

    def __missing__(self, word: str) -> Entry:
        from ufine_kit.text.morphology import guess

        entry = guess(word, self)
        if len(self) < 200_000:  # texts of one dataset hold tens of thousands of words; a bound against junk
            self[word] = entry
        return entry


@dataclass(frozen=True)
class Lexicon:
    """All tables. `modifying` words may stand before a head, `nouns` among them name kinds; `colours`: name -> basic ones."""

    entries: Entries
    modifying: frozenset[str]
    nouns: frozenset[str]
    joins: dict[tuple[str, str], str]
    colours: dict[str, frozenset[str]]
    families: dict[str, frozenset[str]]
    apart: frozenset[tuple[str, str]]
    people: dict[str, frozenset[str]]
    vague: frozenset[str]
    actions: dict[str, str]
    builds: dict[str, str]
    implied: dict[str, str]
    join_firsts: frozenset[str] = field(default_factory=frozenset)
    english: dict[str, bool] = field(default_factory=dict)  # memory of `language.is_english`
    alike: dict[tuple[str, str], bool] = field(default_factory=dict)  # memory of `known`

    def head(self, word: str) -> Head:
        """The head noun of a word; an unlisted word that stands for an item is its own, of concept `other`."""
        known_head = self.entries[word].head
        if known_head is not None:
            return known_head
        plural = word.endswith("s") and not word.endswith("ss")
        return Head(word[:-1] if plural else word, "item", "other", plural)


def plural_forms(word: str) -> list[str]:
    """Regular plurals of a singular form; none where the word already looks plural."""
    if word.endswith(("ss", "sh", "ch", "x", "z")):
        return [word + "es"]
    if word.endswith("s"):
        return []
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return [word[:-1] + "ies", word + "s"]
    if word in ("scarf", "kerchief", "handkerchief", "neckerchief"):
        return [word[:-1] + "ves", word + "s"]
    return [word + "s"]


def verb_forms(base: str) -> list[str]:
    """Base, third person, past and -ing forms of a regular verb, with final consonants doubled where usual."""
    stem = base[:-1] if base.endswith("e") else base
    third = plural_forms(base)[0] if plural_forms(base) else base + "es"
    forms = [base, third, stem + "ed", stem + "ing"]
    if base.endswith("y") and base[-2] not in "aeiou":
        forms[2] = base[:-1] + "ied"
    if base[-1] in "bgmnprt" and base[-2] in "aeiou" and base[-3:-2] not in "aeiou":
        forms += [base + base[-1] + "ed", base + base[-1] + "ing"]
    return forms


def read_tables(paths: Iterable[Path]) -> dict[str, dict[str, dict[str, object]]]:
    """Merge TOML tables: section -> table -> key -> value; later files add words to earlier keys."""
    merged: dict[str, dict[str, dict[str, object]]] = {}
    for path in paths:
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise KitError(f"no lexicon file `{path}`", "name an existing TOML file") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise KitError(
                f"`{path}` is not a lexicon: {error}", f"copy the shape of `{DATA / 'heads.toml'}`"
            ) from None
        for section, content in tables.items():
            for key, value in content.items():
                nested = value if isinstance(value, dict) else {"": value}
                table = merged.setdefault(section, {}).setdefault(key, {})
                for name, text in nested.items():
                    table[name] = f"{table[name]} {text}" if name in table else text
    return merged


NO_PLURAL = frozenset(("wear", "hair", "bear"))  # `wears` is a verb


def add_heads(entries: Entries, tables: dict[str, dict[str, dict[str, object]]]) -> None:
    """Heads win over every other class; a word that is also a modifier keeps its values."""
    for kind in ("body", "detail", "generic", "item"):
        for concept, names in tables.get(kind, {}).items():
            if concept not in (*CONCEPTS, "host"):
                raise KitError(f"unknown concept `{concept}` in the lexicon", f"use one of {', '.join(CONCEPTS)}")
            for canonical, forms in names.items():
                for form in str(forms).split():
                    known_plural = form.endswith("s") and not form.endswith(("ss", "dress"))
                    plurals = [] if form in NO_PLURAL else plural_forms(form)
                    for word, plural in [(form, known_plural), *((w, True) for w in plurals)]:
                        old = entries.get(word)
                        values = old.values if old is not None else ()
                        entries[word] = Entry(HEAD, Head(canonical, kind, concept, plural), values, True)


def add_modifiers(entries: Entries, tables: dict[str, dict[str, dict[str, object]]]) -> set[str]:
    """Words with a value in a slot (colour, pattern, ...) and words of looks without one; the set of all of them."""
    words: set[str] = set()
    for slot in MODIFIER_SLOTS:
        for canonical, value in tables.get(slot, {}).items():
            forms = str(value[""]).rpartition("|")[2]
            for word in forms.split():
                old = entries.get(word)
                values = (*(old.values if old is not None else ()), *([] if slot == "looks" else [(slot, canonical)]))
                entries[word] = Entry(MODIFIER, None, values, True)
                words.add(word)
    return words


MODIFIER_SLOTS = [
    "colour",
    "shade",
    "pattern",
    "material",
    "fit",
    "length",
    "sleeve",
    "neck",
    "closure",
    "hairstyle",
    "size",
    "style",
    "looks",
]  # slots of an item


def add_stops(entries: Entries, tables: dict[str, dict[str, dict[str, object]]]) -> None:
    """Verbs, then the closed classes, then persons: later ones win."""
    verbs = tables["verb"]
    for base in str(verbs["base"][""]).split():
        for word in verb_forms(base):
            entries[word] = Entry(VERB, None, (), True)
    for word in str(verbs["irregular"][""]).split():
        entries[word] = Entry(VERB, None, (), True)
    for word in str(verbs["describing"][""]).split():
        entries[word] = Entry(MODIFIER, None, (), True)
    for name, tag in STOP_CLASSES.items():
        for word in str(tables["stop"][name][""]).split():
            entries[word] = Entry(tag, None, (), True)
    for name, value in tables["person"].items():
        for word in str(value[""]).split():
            if word not in entries or entries[word].tag == VERB:
                entries[word] = Entry(MODIFIER if name in ("young", "middle", "old") else PERSON, None, (), True)


def read_joins(entries: Entries, tables: dict[str, dict[str, dict[str, object]]]) -> dict[tuple[str, str], str]:
    """Pairs of written words that are one: `back pack` -> backpack, `knee length` -> knee-length."""
    joins: dict[tuple[str, str], str] = {}
    for pair in str(tables["join"]["pairs"][""]).split():
        first, _, second = pair.partition("_")
        joins[first, second] = first + second if first + second in entries else f"{first}-{second}"
    for rule in str(tables["compound"]["pairs"][""]).split():
        first, _, seconds = rule.partition(":")
        for second in seconds.split(","):
            joins[first, second] = f"{first}-{second}"
    return joins


def forms_to_canonical(table: dict[str, dict[str, object]]) -> dict[str, str]:
    """Each form of a table `canonical = "forms"` -> its canonical name."""
    return {form: name for name, value in table.items() for form in str(value[""]).split()}


@lru_cache(maxsize=8)
def load(extra: tuple[str, ...] = ()) -> Lexicon:
    """The packaged lexicon with users' TOML files of the same shape added; raises `KitError` on a file that cannot be read."""
    tables = read_tables([*(DATA / f"{name}.toml" for name in PACKAGED), *map(Path, extra)])
    entries = Entries()
    add_stops(entries, tables)
    modifying = add_modifiers(entries, tables)
    add_heads(entries, tables)
    joins = read_joins(entries, tables)
    for joined in joins.values():
        if joined not in entries:
            values = tuple(value for part in joined.split("-") for value in entries[part].values)
            entries[joined] = Entry(MODIFIER, None, values, True)
    colours = {
        name: frozenset(str(value[""]).partition("|")[0].split()) or frozenset([name])
        for name, value in tables["colour"].items()
    }
    families: dict[str, set[str]] = {}
    for value in tables["family"].values():
        members = str(value[""]).split()
        for member in members:
            families.setdefault(member, set()).update(members)
    apart = [tuple(sorted(pair.split(":"))) for pair in str(tables["apart"]["pairs"][""]).split()]
    return Lexicon(
        entries=entries,
        modifying=frozenset(modifying),
        nouns=frozenset(str(tables["looks"]["nouns"][""]).split()),
        joins=joins,
        colours=colours,
        families={name: frozenset(members) for name, members in families.items()},
        apart=frozenset((a, b) for a, b in apart),
        people={name: frozenset(str(value[""]).split()) for name, value in tables["person"].items()},
        vague=frozenset(str(tables["stop"]["vague"][""]).split()),
        actions=forms_to_canonical(tables["action"]),
        builds=forms_to_canonical(tables["body_kind"]),
        implied=dict(pair.split(":") for pair in str(tables["implied"]["pairs"][""]).split()),
        join_firsts=frozenset(first for first, _ in joins),
    )


def known(lexicon: Lexicon, first: str, second: str) -> bool:
    """Whether two canonical heads may name one thing: same head, or one family and not told apart."""
    if first == second:
        return True
    return second in lexicon.families.get(first, ()) and tuple(sorted((first, second))) not in lexicon.apart
