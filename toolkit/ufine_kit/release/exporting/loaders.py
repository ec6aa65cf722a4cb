"""The forms that the field's training code reads: CUHK-PEDES, ICFG-PEDES, RSTPReid, UFine6926 and UFine3C."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.files import canonical_json
from ufine_kit.release.exporting.folder import Folder, json_list
from ufine_kit.release.exporting.naming import Numbers, ending, numbers_of, stem
from ufine_kit.text.words import words


@dataclass(frozen=True)
class Form:
    """One dataset's folder: its name, annotation files (the same under each name), and how ids and paths are told."""

    folder: str
    annotations: tuple[str, ...]
    images: str
    path_key: str
    first_id: int
    tokens: bool = True
    numbered: bool = False  # pictures are called 1.jpg, 2.jpg ... and their path includes `images`
    source: bool = False


FORMS = {
    "cuhk": Form("CUHK-PEDES", ("reid_raw.json", "caption_all.json"), "imgs", "file_path", 1),
    "icfg": Form("ICFG-PEDES", ("ICFG-PEDES.json", "ICFG_PEDES.json"), "imgs", "file_path", 0),
    "rstp": Form("RSTPReid", ("data_captions.json",), "imgs", "img_path", 0),
    "ufine": Form("UFine6926", ("UFine6926_Annotations.json",), "images", "file_path", 1, False, True),
    "ufine3c": Form("UFine3C", ("UFine3C_Annotations.json",), "images", "file_path", 1, False, True, True),
}


def write_form(release: Release, folder: Folder, form: Form) -> None:
    """Write pictures, annotations under all names, and `id_map.json` beside them."""
    numbers = numbers_of(release)
    first, *others = (f"{form.folder}/{name}" for name in form.annotations)
    with (
        folder.draft(first) as draft,
        folder.draft(f"{form.folder}/id_map.json") as map_draft,
        json_list(draft) as listed,
        _id_map(map_draft, folder.mark) as mapped,
    ):
        for row in read_rows(release):
            name = picture_name(row, form, numbers)
            inside = f"{form.folder}/{name}" if form.numbered else f"{form.folder}/{form.images}/{name}"
            folder.picture(inside, row["image"]["bytes"])
            listed.add(annotation(row, form, numbers, name))
            mapped(name, _held(row, form, numbers))
    for name in others:
        folder.copy(first, name)


def picture_name(row: dict[str, Any], form: Form, numbers: Numbers) -> str:
    """The path of a picture as the annotations name it."""
    if form.numbered:
        return f"{form.images}/{numbers.images[row['image_id']]}.{ending(row)}"
    return f"{row['split']}/{stem(row['image_id'])}.{ending(row)}"


def annotation(row: dict[str, Any], form: Form, numbers: Numbers, name: str) -> dict[str, Any]:
    """One row of the annotation file, its keys in the order that the original has them."""
    number = numbers.people[row["person_id"]] + form.first_id
    if form.numbered:
        head = {"id": number, "source": row["source"]} if form.source else {}
        return {**head, "split": row["split"], "id": number, form.path_key: name, "captions": row["captions"]}
    tokens = {"processed_tokens": [[word.lower() for word in words(text)] for text in row["captions"]]}
    return {"split": row["split"], "captions": row["captions"], form.path_key: name, **tokens, "id": number}


def _held(row: dict[str, Any], form: Form, numbers: Numbers) -> dict[str, Any]:
    return {
        "image_id": row["image_id"],
        "person_id": row["person_id"],
        "id": numbers.people[row["person_id"]] + form.first_id,
        "source": row["source"],
        "path": row["image"]["path"],
        "upstream_id": row["provenance"]["upstream_id"],
    }


@contextlib.contextmanager
def _id_map(path: Path, mark: Mapping[str, Any]) -> Generator[Any]:
    """`id_map.json` written entry by entry: what the file is, then every picture's names in the release."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(canonical_json(mark)[:-1] + ',"images":{')
        first = True

        def add(name: str, held: dict[str, Any]) -> None:
            nonlocal first
            stream.write(("\n" if first else ",\n") + json.dumps(name) + ":" + canonical_json(held))
            first = False

        yield add
        stream.write("\n}}\n")
