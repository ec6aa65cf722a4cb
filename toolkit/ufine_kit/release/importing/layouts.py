"""Where every known dataset keeps its annotations and pictures, under all spellings that are in circulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ufine_kit.errors import KitError
from ufine_kit.release.importing.entries import Keys


@dataclass(frozen=True)
class Layout:
    """`annotations` are tried in order in `folders` under the given folder; pictures lie in `images` beside them."""

    source: str
    folders: tuple[str, ...]
    annotations: tuple[str, ...]
    images: str = "imgs"
    keys: Keys = field(default_factory=Keys)
    kind: str = "dataset"


LAYOUTS = {
    "cuhk-pedes": Layout("CUHK-PEDES", (".", "CUHK-PEDES"), ("reid_raw.json", "caption_all.json")),
    "icfg-pedes": Layout("ICFG-PEDES", (".", "ICFG-PEDES", "ICFG_PEDES"), ("ICFG-PEDES.json", "ICFG_PEDES.json")),
    "rstpreid": Layout("RSTPReid", (".", "RSTPReid"), ("data_captions.json",)),
    "ufine6926": Layout(
        "UFine6926", (".", "UFine6926"), ("UFine6926_Annotations.json", "UFine6926_Annotations_1024.json"), "."
    ),
    "ufine3c": Layout(
        "UFine3C", (".", "UFine3C", "UFine3C/UFine3C"), ("UFine3C_Annotations.json",), ".", Keys(source=("source",)),
        "ufine3c",
    ),
}  # fmt: skip


def annotation_file(path: Path, layout: Layout, given: Path | None) -> Path:
    """The annotation file of a dataset under `path` (its folder, the folder above it, or the file itself).

    Raises KitError that says where it was looked for, or that it is a link out of the folder.
    """
    if given is not None or path.is_file():
        return _there(given or path)
    if not path.is_dir():
        raise KitError(f"no folder `{path}`", "name the folder of the dataset")
    for name in [f"{folder}/{file}" for folder in layout.folders for file in layout.annotations]:
        if (path / name).is_file():
            return _not_out(path, path / name)
    held = ", ".join(sorted(file.name for file in path.glob("*.json"))[:5]) or "no .json file"
    raise KitError(
        f"no {' or '.join(f'`{name}`' for name in layout.annotations)} in `{path}` (it holds {held})",
        "is it another dataset? else name the file: --annotations FILE",
    )


def picture_root(annotations: Path, folder: str, given: Path | None) -> Path:
    """The resolved folder that picture names are relative to. Raises KitError where a link leads elsewhere unasked."""
    root = given or annotations.parent / folder
    if not root.is_dir():
        raise KitError(f"no folder of pictures `{root}`", "name it: --images DIR")
    if given is None and not root.resolve().is_relative_to(annotations.parent.resolve()):
        raise KitError(
            f"`{root}` is a link to `{root.resolve()}`, outside the dataset",
            f"if that is right, say so: --images {root.resolve()}",
        )
    return root.resolve()


def _not_out(folder: Path, file: Path) -> Path:
    """The file, unless a link leads out of the folder that was named."""
    if file.resolve().is_relative_to(folder.resolve()):
        return file
    raise KitError(f"`{file}` is a link to `{file.resolve()}`", "if that is right, name the folder that it lies in")


def _there(path: Path) -> Path:
    if not path.is_file():
        raise KitError(f"no annotation file `{path}`", "name one that exists: --annotations FILE")
    return path
