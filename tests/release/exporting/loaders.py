"""What the training code of the field asks of a dataset's folder, rebuilt in own words from how its loaders behave."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image


@dataclass
class Loaded:
    """What a loader ends up with: a train sample for every caption, and lists of images and captions elsewhere."""

    train: list[tuple[int, int, str, str]] = field(default_factory=list)  # label, image number, path, caption
    test: dict[str, list] = field(default_factory=dict)
    val: dict[str, list] = field(default_factory=dict)


@dataclass(frozen=True)
class Loader:
    """Where a loader looks and what it takes away from an id so that labels begin at 0."""

    folder: str
    annotations: str
    images: str
    key: str
    base: int


LOADERS = {
    "cuhk": [Loader("CUHK-PEDES", name, "imgs", "file_path", 1) for name in ("reid_raw.json", "caption_all.json")],
    "icfg": [Loader("ICFG-PEDES", name, "imgs", "file_path", 0) for name in ("ICFG-PEDES.json", "ICFG_PEDES.json")],
    "rstp": [Loader("RSTPReid", "data_captions.json", "imgs", "img_path", 0)],
    "ufine": [Loader("UFine6926", "UFine6926_Annotations.json", ".", "file_path", 1)],
}


def load(root: Path, loader: Loader) -> Loaded:
    """Read as strictly as the loaders do; fails where any of them would."""
    base = root / loader.folder
    assert base.is_dir()
    assert (base / loader.images).is_dir()
    rows = json.loads((base / loader.annotations).read_text(encoding="utf-8"))
    assert isinstance(rows, list)
    parts: dict[str, list[dict]] = {"train": [], "test": [], "val": []}
    for row in rows:
        parts[row["split"] if row["split"] in ("train", "test") else "val"].append(row)
    found = Loaded()
    labels: set[int] = set()
    for number, row in enumerate(parts["train"]):
        label = int(row["id"]) - loader.base
        labels.add(label)
        assert isinstance(row["captions"], list)
        for text in row["captions"]:
            assert isinstance(text, str)
            found.train.append((label, number, picture(base, loader, row), text))
    assert sorted(labels) == list(range(len(labels))), "labels of train must be 0, 1, 2 ... without a gap"
    found.test, found.val = (listed(base, loader, parts[part]) for part in ("test", "val"))
    return found


def listed(base: Path, loader: Loader, rows: list[dict]) -> dict[str, list]:
    """Gallery and queries of a part."""
    held: dict[str, list] = {"image_pids": [], "img_paths": [], "caption_pids": [], "captions": []}
    for row in rows:
        held["image_pids"].append(int(row["id"]))
        held["img_paths"].append(picture(base, loader, row))
        for text in row["captions"]:
            held["captions"].append(text)
            held["caption_pids"].append(int(row["id"]))
    return held


def picture(base: Path, loader: Loader, row: dict) -> str:
    """The joined path; the file must be there and decode to RGB, since a loader would try for ever."""
    path = base / loader.images / row[loader.key]
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.convert("RGB")
    return str(path)
