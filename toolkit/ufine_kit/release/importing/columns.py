"""`--map image=file,person=pid,caption=text1,caption=text2`: which column of a table or a Hub dataset holds what."""

from __future__ import annotations

from collections.abc import Iterable

from ufine_kit.errors import KitError
from ufine_kit.release.importing.entries import Keys

FIELDS = ("image", "person", "caption", "split", "source", "id")
USUAL = {
    "image": ("image", "file_name", "file_path", "img_path", "path"),
    "person": ("person", "person_id", "pid", "id"),
    "caption": ("captions", "caption", "text"),
    "split": ("split",),
    "source": ("source",),
    "id": (),
}


def read_map(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Field -> columns, from words `field=column` parted by commas. Raises KitError for a field that does not exist."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in [piece.strip() for words in given for piece in words.split(",")]:
        field, equals, column = (step.strip() for step in pair.partition("="))
        if field not in FIELDS or not equals or not column:
            raise KitError(f"`--map {pair}` is no FIELD=COLUMN", f"fields are: {', '.join(FIELDS)}")
        found[field] = (*found.get(field, ()), column)
    return found


def keys_of(mapped: dict[str, tuple[str, ...]]) -> Keys:
    """The keys of a row: what was mapped, else the usual names."""
    chosen = {**USUAL, **mapped}
    return Keys(
        image=chosen["image"],
        person=chosen["person"],
        split=chosen["split"],
        captions=chosen["caption"],
        source=chosen["source"],
        every_caption="caption" in mapped,
        text_alone=True,
    )
