"""Small datasets in the forms in which the real ones are handed out, drawn at test time, with room for planted oddities."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

TEXT = "A man in a {colour} jacket and dark trousers walks with a small bag over his left shoulder, image {number}."
COLOURS = ("red", "green", "blue", "white", "black")


def picture(number: int, form: str = "JPEG", size: tuple[int, int] = (24, 48), **more) -> bytes:
    """A small picture that no other number gives."""
    rng = np.random.default_rng([7, number])
    coarse = rng.integers(0, 255, (6, 3, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize(size).save(stream, form, **more)
    return stream.getvalue()


def caption(number: int, nth: int = 0) -> str:
    return TEXT.format(colour=COLOURS[(number + nth) % 5], number=number) + " He looks ahead." * nth


def rows(people: dict[str, int], images_each: int = 2, captions_each: int = 2, base: int = 1) -> list[dict]:
    """Rows of `people` per split, numbered on from `base`, with names of pictures as CUHK-PEDES has them."""
    found = []
    for split, number_of in people.items():
        for _ in range(number_of):
            person = base + len(found) // images_each
            for _ in range(images_each):
                number = len(found)
                texts = [caption(number, nth) for nth in range(captions_each)]
                found.append({"split": split, "captions": texts, "file_path": f"CUHK01/{number:05d}.jpg", "id": person})
    return found


def write(folder: Path, name: str, listed: list, images: str = "imgs", pictures: dict | None = None) -> Path:
    """Annotation file and a picture for every name in it; `pictures` plants other bytes, None none at all."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")
    for number, row in enumerate(listed):
        key = (row.get("file_path") or row.get("img_path")) if isinstance(row, dict) else None
        if isinstance(key, str) and "\0" not in key and ".." not in key and not key.startswith("/"):
            put(folder / images / key, (pictures or {}).get(key, picture(number)))
    return folder


def put(path: Path, content: bytes | None) -> None:
    if content is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def cuhk(folder: Path, people=None, **more) -> Path:
    listed = rows(people or {"train": 4, "val": 1, "test": 2})
    for row in listed:
        row["processed_tokens"] = [text.lower().split() for text in row["captions"]]
    return write(folder, "reid_raw.json", listed, **more)


def icfg(folder: Path, name: str = "ICFG-PEDES.json") -> Path:
    return write(folder, name, rows({"train": 3, "test": 2}, captions_each=1, base=0))


def rstp(folder: Path) -> Path:
    listed = [{("img_path" if key == "file_path" else key): value for key, value in row.items()} for row in
              rows({"train": 3, "val": 1, "test": 1}, base=0)]  # fmt: skip
    return write(folder, "data_captions.json", listed)


def ufine(folder: Path) -> Path:
    listed = rows({"train": 3, "test": 2})
    for number, row in enumerate(listed):
        row["file_path"] = f"images/{number + 1}.jpg"
    return write(folder, "UFine6926_Annotations.json", listed, images=".")


def ufine3c(folder: Path) -> Path:
    listed = rows({"test": 3}, captions_each=6)
    for number, row in enumerate(listed):
        source = ("CUHK-PEDES", "ICFG-PEDES", "UFine6926")[number // 2 % 3]
        row |= {"file_path": f"images/{number + 1}.jpg", "source": source}
    return write(folder, "UFine3C_Annotations.json", listed, images=".")


def take(work: Path, format: str, path: Path, name: str = "", version: str = "0.1.0", where=None, reading=None, **more):
    """Import a dataset as the command does; returns the opened release and what was said of its rows."""
    from ufine_kit.dataset.reader import open_release
    from ufine_kit.release.importing.importing import Wanted, import_dataset
    from ufine_kit.release.importing.opening import Where, open_dataset
    from ufine_kit.release.importing.survey import Reading, survey_of

    dataset = open_dataset(format, str(path), where or Where())
    wanted = Wanted(name or format, version, reading=reading or Reading(), **more)
    imported = import_dataset(work, dataset, survey_of(dataset, wanted.reading), wanted)
    return open_release(imported.folder), imported


def by_path(release) -> dict[str, dict]:
    """Rows by the name that their picture had."""
    from ufine_kit.dataset.reader import read_rows

    return {row["image"]["path"]: row for row in read_rows(release)}


def findings(imported) -> list[dict]:
    from ufine_kit.parquet import read_rows

    return list(read_rows(imported.report[1]))
