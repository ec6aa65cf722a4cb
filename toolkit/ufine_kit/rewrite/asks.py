"""What is asked of which model: one `Ask` a rewrite and attempt, known by a key that holds all that could change the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ufine_kit.files import digest_of
from ufine_kit.rewrite.selection import Picture
from ufine_kit.tables import FamilyTable, RewriteTable

# What is sent where the answer does not matter.
PROBE = "A woman in a red coat."


@dataclass(frozen=True)
class Original:
    """One description that is to be rewritten: the text and where it stands."""

    image_id: str
    caption_index: int
    source: str
    text: str

    @property
    def text_sha256(self) -> str:
        """sha256 of the words."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Slot:
    """One rewrite that shall exist: the `number`-th of an original by a family. Attempts fill it."""

    original: Original
    family: str
    number: int


@dataclass(frozen=True)
class Ask:
    """One attempt at a slot, with the key of its row in the ledger."""

    slot: Slot
    attempt: int
    max_tokens: int
    key: str

    @property
    def seed(self) -> int:
        """Of the sampler: another for every row and attempt, the same in every run."""
        return int(self.key[:8], 16) % 2**31


def originals(pictures: Sequence[Picture]) -> Iterator[Original]:
    """Every description of the chosen pictures, in order."""
    for picture in pictures:
        for index, text in enumerate(picture.captions):
            yield Original(picture.image_id, index, picture.source, text)


def slots(pictures: Sequence[Picture], table: RewriteTable) -> list[Slot]:
    """Every rewrite that the recipe wants: originals x families x `rewrites_each`."""
    return [
        Slot(original, family.name, number)
        for original in originals(pictures)
        for family in table.families
        for number in range(table.rewrites_each)
    ]


def ask(slot: Slot, attempt: int, max_tokens: int, table: RewriteTable, template: str) -> Ask:
    """The attempt with its key. `template` is the digest of how the model's server renders a chat ("" if it does not tell).

    The place of the text is part of the key, not its words alone: two crops may well have the same description.
    """
    family = family_of(table, slot.family)
    original = slot.original
    key = digest_of(
        [
            original.image_id, original.caption_index, original.text_sha256, slot.number, attempt, max_tokens,
            family.model, family.revision, table.prompt, template, sampling(family),
        ]
    )  # fmt: skip
    return Ask(slot, attempt, max_tokens, key)


def family_of(table: RewriteTable, name: str) -> FamilyTable:
    """The family of that name."""
    return next(family for family in table.families if family.name == name)


def sampling(family: FamilyTable) -> dict[str, Any]:
    """Every parameter that shapes the answer, as it is sent."""
    chosen: dict[str, Any] = {"temperature": family.temperature, "top_p": family.top_p}
    for name in ("top_k", "repetition_penalty"):
        value = getattr(family, name)
        if value is not None:
            chosen[name] = value
    if family.template:
        chosen["chat_template_kwargs"] = dict(family.template)
    return chosen


def payload(one: Ask, table: RewriteTable) -> dict[str, Any]:
    """The body of the chat request."""
    family = family_of(table, one.slot.family)
    return {
        "model": family.model,
        "messages": [{"role": "user", "content": prompt(table, one.slot.original.text)}],
        "max_tokens": one.max_tokens,
        "seed": one.seed,
        **sampling(family),
    }


def probe(family: FamilyTable) -> dict[str, Any]:
    """The body of the shortest chat there is: whether this server answers anything at all."""
    return {
        "model": family.model,
        "messages": [{"role": "user", "content": PROBE}],
        "max_tokens": 4,
        "seed": 0,
        **sampling(family),
    }


def prompt(table: RewriteTable, text: str) -> str:
    """The prompt with the description in its place; braces in the description mean nothing."""
    return table.prompt.replace("{description}", text)


def entry_facts(one: Ask) -> Mapping[str, Any]:
    """What a ledger entry repeats of its ask, so that the ledger can be read alone."""
    original = one.slot.original
    return {
        "image_id": original.image_id,
        "caption_index": original.caption_index,
        "source": original.source,
        "source_text_sha256": original.text_sha256,
        "family": one.slot.family,
        "number": one.slot.number,
        "attempt": one.attempt,
        "seed": one.seed,
        "max_tokens": one.max_tokens,
    }
