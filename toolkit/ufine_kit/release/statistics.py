"""Numbers on releases, as UFineBench's Table 1 has them and beyond: gathered in one pass that reads no picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.text.attributes import read as read_attributes
from ufine_kit.text.statistics import CLIP_LENGTH, LONG_LENGTH, estimated_tokens, open_tokenizer
from ufine_kit.text.words import words

WORD_RULE = (
    "a word is a longest run of letters and digits with single hyphens or apostrophes inside (T-shirt is one word,"
    " black/white are two); unique words are counted in lower case"
)
BIN = 5
COLUMNS = ("image_id", "person_id", "split", "source", "captions", "caption_origins")
NOWHERE = "host"  # what a detail has for its kind where the text does not say what it is a part of
PERSON_WORDS = ("gender", "age", "build", "height", "actions")


@dataclass
class Tally:
    """Counts of one group of rows, filled as they pass."""

    images: int = 0
    texts: int = 0
    words: int = 0
    most: int = 0
    least: int = 0
    over: dict[int, int] = field(default_factory=lambda: {CLIP_LENGTH: 0, LONG_LENGTH: 0})
    identities: set[str] = field(default_factory=set[str])
    vocabulary: set[str] = field(default_factory=set[str])
    lengths: Counter[int] = field(default_factory=Counter[int])
    captions_each: Counter[int] = field(default_factory=Counter[int])
    granularity: Counter[str] = field(default_factory=Counter[str])
    style: Counter[str] = field(default_factory=Counter[str])
    origin: Counter[str] = field(default_factory=Counter[str])

    def add_image(self, person_id: str, captions: int) -> None:
        """One image with its number of captions."""
        self.images += 1
        self.identities.add(person_id)
        self.captions_each[captions] += 1

    def add_text(self, found: list[str], tokens: int, origin: dict[str, Any]) -> None:
        """One caption by its words in lower case and its number of tokens."""
        length = len(found)
        self.least = min(length, self.least) if self.texts else length
        self.most = max(length, self.most)
        self.texts += 1
        self.words += length
        self.vocabulary.update(found)
        self.lengths[length // BIN * BIN] += 1
        for limit in self.over:
            self.over[limit] += tokens > limit
        self.granularity[origin["granularity"]] += 1
        self.style[origin["style"]] += 1
        self.origin[origin["kind"]] += 1

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers; shares are parts of 1."""
        texts = self.texts or 1
        return {
            "images": self.images,
            "identities": len(self.identities),
            "texts": self.texts,
            "words_max": self.most,
            "words_min": self.least,
            "words_average": self.words / texts,
            "unique_words": len(self.vocabulary),
            **{f"over_{limit}_tokens": number / texts for limit, number in self.over.items()},
            "captions_each": dict(sorted(self.captions_each.items())),
            "lengths": dict(sorted(self.lengths.items())),
            **{name: _shares(getattr(self, name), self.texts) for name in ("granularity", "style", "origin")},
        }


@dataclass(frozen=True)
class Statistics:
    """All numbers of one release. `attributes` is None where none were read."""

    name: str
    version: str
    kind: str
    synthetic: bool
    data_digest: str
    whole: dict[str, Any]
    splits: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    attributes: dict[str, Any] | None
    tokens: str

    @property
    def title(self) -> str:
        """The release in a table: what is synthetic says so."""
        return f"{self.name} {self.version}{' (synthetic)' if self.synthetic else ''}"


def token_counter(tokenizer: str | None) -> tuple[Callable[[str], int], str]:
    """Tokens of a text with both end marks, and how they are counted. Raises KitError for a folder without a tokenizer."""
    if tokenizer is None:
        return estimated_tokens, "estimated"
    return open_tokenizer(tokenizer), "counted"


def statistics_of(release: Release, tokenizer: str | None = None, attribute_texts: int = 0) -> Statistics:
    """Numbers of one release; attributes are read in about `attribute_texts` of its texts, evenly drawn (0: none)."""
    count_tokens, rule = token_counter(tokenizer)
    whole = Tally()
    splits: dict[str, Tally] = {}
    sources: dict[str, Tally] = {}
    every = max(1, -(-sum(counts["captions"] for counts in release.splits.values()) // max(1, attribute_texts)))
    drawn: list[str] = []
    for row in read_rows(release, columns=COLUMNS):
        groups = (
            whole, splits.setdefault(row["split"], Tally()), sources.setdefault(row["source"], Tally())
        )  # fmt: skip
        for tally in groups:
            tally.add_image(row["person_id"], len(row["captions"]))
        for text, origin in zip(row["captions"], row["caption_origins"], strict=True):
            if attribute_texts and whole.texts % every == 0:
                drawn.append(text)
            found, tokens = words(text.lower()), count_tokens(text)
            for tally in groups:
                tally.add_text(found, tokens, origin)
    return Statistics(
        name=release.name,
        version=release.version,
        kind=release.manifest["kind"],
        synthetic=release.manifest["synthetic"],
        data_digest=release.data_digest,
        whole=whole.to_dict(),
        splits={name: tally.to_dict() for name, tally in splits.items()},
        sources={name: tally.to_dict() for name, tally in sorted(sources.items())},
        attributes=attributes_of(drawn) if drawn else None,
        tokens=rule,
    )


def attributes_of(texts: Iterable[str]) -> dict[str, Any]:
    """What texts speak of: share of texts with an item of each kind, with a value of each slot, with words on the person."""
    number = items = values = 0
    mentioned: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    person: Counter[str] = Counter()
    for text in texts:
        reading = read_attributes(text)
        there = [item for item in reading.items if not item.absent]
        number += 1
        items += len(there)
        values += sum(len(held) for item in there for held in item.values.values())
        mentioned.update({item.concept for item in there} - {NOWHERE})
        slots.update({slot for item in there for slot, held in item.values.items() if held})
        person.update(word for word in PERSON_WORDS if getattr(reading.person, word))
    return {
        "texts": number,
        "items_average": items / (number or 1),
        "values_average": values / (number or 1),
        **{
            name: _shares(found, number)
            for name, found in (("items", mentioned), ("values", slots), ("person", person))
        },
    }


def _shares(found: Counter[str], whole: int) -> dict[str, float]:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return {name: number / whole for name, number in ordered}
