"""COCO: captions for caption tools, and one box a picture (the whole crop) for tools that label boxes."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.files import make_folder
from ufine_kit.release.exporting.folder import DRAFTS, Folder, json_list
from ufine_kit.release.exporting.naming import Numbers, ending, numbers_of, stem

PERSON = {"id": 1, "name": "person", "supercategory": "person"}
LISTS = ("images", "captions", "boxes")


def write_coco(release: Release, folder: Folder) -> None:
    """`images/{split}/` with `annotations/captions_{split}.json` and `instances_{split}.json`."""
    numbers = numbers_of(release)
    spool = make_folder(folder.path / DRAFTS)
    info = {"description": f"{release.name} {release.version}", "data_digest": release.data_digest}
    info |= {"synthetic": release.manifest["synthetic"]}
    captions = 0
    for split in release.splits:
        paths = {name: spool / f"{name} of {split}" for name in LISTS}
        captions = _write_lists(release, split, folder, numbers, paths, captions)
        for file, rows, more in (("captions", "captions", {}), ("instances", "boxes", {"categories": [PERSON]})):
            with folder.draft(f"annotations/{file}_{split}.json") as draft:
                _join(draft, {"info": info, "licenses": [], **more}, paths["images"], paths[rows])


def _write_lists(
    release: Release, split: str, folder: Folder, numbers: Numbers, paths: Mapping[str, Path], captions: int
) -> int:
    """Pictures and the three lists of a split; returns the last caption's number. A release's rows never lie in memory."""
    with contextlib.ExitStack() as writers:
        images, texts, boxes = (writers.enter_context(json_list(paths[name])) for name in LISTS)
        for row in read_rows(release, split):
            number = numbers.images[row["image_id"]]
            name = f"{split}/{stem(row['image_id'])}.{ending(row)}"
            folder.picture(f"images/{name}", row["image"]["bytes"])
            images.add(_image(row, number, name))
            boxes.add(_box(row, number))
            for text in row["captions"]:
                captions += 1
                texts.add({"id": captions, "image_id": number, "caption": text})
    return captions


def _image(row: Mapping[str, Any], number: int, name: str) -> dict[str, Any]:
    more = {key: row[key] for key in ("image_id", "person_id", "source")}
    return {"id": number, "file_name": name, "width": row["width"], "height": row["height"], "release": more}


def _box(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    width, height = row["width"], row["height"]
    return {
        "id": number, "image_id": number, "category_id": 1, "bbox": [0, 0, width, height], "area": width * height,
        "iscrowd": 0, "segmentation": [[0, 0, width, 0, width, height, 0, height]],
        "attributes": {"person_id": row["person_id"]},
    }  # fmt: skip


def _join(target: Path, head: Mapping[str, Any], images: Path, annotations: Path) -> None:
    with target.open("wb") as stream:
        stream.write(json.dumps(head, ensure_ascii=False).encode()[:-1])
        for key, path in (("images", images), ("annotations", annotations)):
            stream.write(f', "{key}": '.encode())
            with path.open("rb") as rows:
                shutil.copyfileobj(rows, stream)
        stream.write(b"}\n")
