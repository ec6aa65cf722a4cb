"""One row of an annotation file with every spelling of the field: told apart, checked, and never trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.release.importing.captions import clean
from ufine_kit.release.importing.findings import Finding, Refused
from ufine_kit.release.importing.json_stream import DoubleKeys
from ufine_kit.release.importing.paths import safe_name
from ufine_kit.rows import Split

MOST_CAPTIONS = 1000
_MOST_WORD_CHARS = 128
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Keys:
    """Under which keys a format keeps what; the first that a row has is taken. `source` may be kept nowhere."""

    image: tuple[str, ...] = ("file_path", "img_path")
    person: tuple[str, ...] = ("id",)
    split: tuple[str, ...] = ("split",)
    captions: tuple[str, ...] = ("captions",)
    source: tuple[str, ...] = ()
    every_caption: bool = False  # each key of `captions` that a row has gives some of its captions
    text_alone: bool = False  # one text is as right as a list of them


@dataclass(frozen=True)
class Entry:
    """One usable row. `image` is a safe relative name; `pixels` is there where the row itself holds the picture."""

    row: int
    image: str
    person: str
    split: Split
    captions: tuple[str, ...]
    source: str
    pixels: bytes | None = None
    path: str = ""


def entry_of(row: int, given: Any, keys: Keys, source: str, split: str | None) -> tuple[Entry | None, list[Finding]]:
    """The entry of a row, or None and why; `source` and `split` stand in where the row names none."""
    notes: list[Finding] = []
    try:
        return _entry(row, given, keys, source, split, notes), notes
    except Refused as why:
        image, person = (_word(given, names) for names in (keys.image, keys.person))
        return None, [Finding(row, why.reason, image, person, why.detail)]


def _entry(row: int, given: Any, keys: Keys, source: str, split: str | None, notes: list[Finding]) -> Entry:
    if not isinstance(given, dict):
        raise Refused("wrong_type", f"a row must be an object, found {_kind(given)}")
    if isinstance(given, DoubleKeys):
        raise Refused("double_key", f"`{given.doubled[:60]}` stands twice")
    name, path, pixels = _image(given, keys)
    person = _person(given, keys)

    def note(reason: str, detail: str = "") -> None:
        notes.append(Finding(row, reason, name, person, detail))

    captions = _captions(given, keys, note)
    if not captions:
        raise Refused("no_captions")
    word = _text(given, keys.split, "split") if split is None or _has(given, keys.split) else split
    return Entry(
        row=row,
        image=name,
        person=person,
        split=_split(word, note),
        captions=captions,
        source=_text(given, keys.source, "source") if _has(given, keys.source) else source,
        pixels=pixels,
        path=path,
    )


def _image(given: Mapping[str, Any], keys: Keys) -> tuple[str, str, bytes | None]:
    """Name, name in the dataset it came from, and the bytes where the row holds them."""
    names = {safe_name(value) for key in keys.image if isinstance(value := given.get(key), str)}
    if len(names) > 1:
        raise Refused("wrong_type", f"`{'` and `'.join(key for key in keys.image if key in given)}` differ")
    if not names:
        raise Refused("wrong_type", f"`{keys.image[0]}` must be text, found {_kind(_first(given, keys.image))}")
    (name,) = names
    pixels = given.get("pixels")
    path = given.get("path")
    return name, path if isinstance(path, str) else name, pixels if isinstance(pixels, bytes) else None


def _person(given: Mapping[str, Any], keys: Keys) -> str:
    value = _first(given, keys.person)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip() and len(value) <= _MOST_WORD_CHARS and not _BAD.search(value):
        return value
    raise Refused("wrong_type", f"`{keys.person[0]}` must be a number or a short text, found {_kind(value)}")


def _captions(given: Mapping[str, Any], keys: Keys, note: Any) -> tuple[str, ...]:
    used = [key for key in keys.captions if key in given]
    texts: list[Any] = []
    for key in used if keys.every_caption else used[:1]:
        value = given[key]
        if isinstance(value, str):
            if not keys.text_alone:
                note("text_for_list", f"`{key}`")
            value = [value]
        if not isinstance(value, list):
            raise Refused("wrong_type", f"`{key}` must be a list of texts, found {_kind(value)}")
        texts += value
    if not used:
        raise Refused("wrong_type", f"no `{keys.captions[0]}`")
    if len(texts) > MOST_CAPTIONS:
        raise Refused("wrong_type", f"{len(texts):,} captions on one image")
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise Refused("wrong_type", f"`{used[0]}` must hold texts, found {_kind(wrong[0])}")
    return tuple(kept for text in texts if (kept := _caption(text, note)) is not None)


def _caption(text: str, note: Any) -> str | None:
    kept, notes = clean(text)
    for reason in notes:
        note(reason, kept[:80])
    return None if "empty_caption" in notes else kept


def _split(word: str, note: Any) -> Split:
    """The rule of the field's loaders: what is neither train nor test is val, misspelt names too."""
    if word == "train" or word == "test":
        return word
    if word != "val":
        note("split_name", word[:60])
    return "val"


def _text(given: Mapping[str, Any], names: tuple[str, ...], what: str) -> str:
    value = _first(given, names)
    if isinstance(value, str) and value.strip() and len(value) <= _MOST_WORD_CHARS and not _BAD.search(value):
        return value
    raise Refused("wrong_type", f"`{what}` must be a short text, found {_kind(value)}")


def _has(given: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(given.get(name) is not None for name in names)


def _first(given: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((given[name] for name in names if name in given), None)


def _word(given: Any, names: tuple[str, ...]) -> str:
    """What a row that cannot be used calls something, made fit to be printed."""
    value = _first(given, names) if isinstance(given, dict) else None
    return _BAD.sub("?", str(value))[:200] if isinstance(value, str | int) else ""


def _kind(value: Any) -> str:
    words = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number", str: "text",
             list: "a list", dict: "an object"}  # fmt: skip
    return words.get(type(value), type(value).__name__)
