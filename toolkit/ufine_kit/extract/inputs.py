"""Which videos are meant by what was given: files, folders, image sequences and list files, each named and hashed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ufine_kit.errors import KitError
from ufine_kit.extract.decode import IMAGE_SUFFIXES, image_files
from ufine_kit.files import digest_of, sha256_file

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp",
    ".ogv", ".mxf", ".vob", ".h264", ".hevc", ".mjpeg",
)  # fmt: skip
LIST_SUFFIXES = (".txt", ".lst", ".list")


@dataclass(frozen=True)
class Video:
    """A video or image sequence by name (relative to the folder that was given), place and content."""

    name: str
    path: Path
    sha256: str

    @property
    def stem(self) -> str:
        """The name that its detections and tracks go by."""
        return Path(self.name).name if self.path.is_dir() else Path(self.name).stem


@dataclass
class Found:
    """Videos in the order of their names, each content once; what could not be used, and what is worth a word."""

    videos: list[Video] = field(default_factory=list[Video])
    unusable: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    notes: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    boxes_alone: bool = False


def find_videos(inputs: Iterable[Path], boxes_alone: bool = False) -> Found:
    """Everything that is meant by `inputs`. With `boxes_alone` a folder with `seqinfo.ini` counts without its pictures.

    Raises KitError when an input does not exist or nothing at all is found.
    """
    found = Found(boxes_alone=boxes_alone)
    inputs = list(inputs)
    seen: dict[str, str] = {}
    places: set[Path] = set()
    for name, path in (pair for given in inputs for pair in _named(given, found)):
        if path.resolve() in places:
            continue  # one file reached on two ways is no second video
        places.add(path.resolve())
        if not _fits_in_a_line(name):
            found.unusable.append({"input": name, "reason": "its name has a line break, or is no UTF-8: rename it"})
            continue
        try:
            sha256 = hash_source(path)
        except KitError as error:
            found.unusable.append({"input": name, "reason": error.problem})
            continue
        if sha256 in seen:
            found.notes.append({"input": name, "reason": f"same content as `{seen[sha256]}`, taken once"})
            continue
        seen[sha256] = name
        found.videos.append(Video(name, path, sha256))
    if not found.videos and not found.unusable:
        given = ", ".join(f"`{path}`" for path in inputs) or "nothing"
        raise KitError(f"no videos in {given}", "give video files, folders of them, image sequences, or a list file")
    return found


def _fits_in_a_line(name: str) -> bool:
    """Whether plans, track files and releases can hold the name, and tell it in one line."""
    try:
        return name.encode().decode().splitlines() == [name]
    except UnicodeEncodeError:
        return False


def hash_source(path: Path) -> str:
    """sha256 of a file, or of the names and contents of a sequence folder's files."""
    if not path.is_dir():
        return sha256_file(path)
    files = [*(path / name for name in ("seqinfo.ini",) if (path / name).exists()), *image_files(path)[0]]
    if not any(file.suffix.lower() in IMAGE_SUFFIXES for file in files):
        files += sorted(path.glob("det/*.txt"))
    return digest_of([[file.relative_to(path).as_posix(), sha256_file(file)] for file in files])


def hash_tree(path: Path) -> str:
    """sha256 of a file, or of every file below a folder: for weights that are exported as folders."""
    if not path.is_dir():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def is_sequence(folder: Path, boxes_alone: bool = False) -> bool:
    """Whether a folder is one image sequence: MOT layout, or pictures and no videos directly in it."""
    if (folder / "img1").is_dir() or (boxes_alone and (folder / "seqinfo.ini").is_file()):
        return True
    suffixes = {path.suffix.lower() for path in folder.iterdir() if not path.name.startswith(".")}
    pictures = any(suffix in IMAGE_SUFFIXES for suffix in suffixes) or (folder / "seqinfo.ini").is_file()
    return pictures and not any(suffix in VIDEO_SUFFIXES for suffix in suffixes)


def _named(given: Path, found: Found) -> Iterator[tuple[str, Path]]:
    if not given.exists():
        raise KitError(f"`{given}` does not exist", "give an existing video, folder or list file")
    if given.is_dir():
        yield from _walk(given, found)
    elif given.suffix.lower() in LIST_SUFFIXES:
        yield from _listed(given, found)
    else:
        yield given.name, given


def _walk(root: Path, found: Found) -> Iterator[tuple[str, Path]]:
    def unreadable(error: OSError) -> None:
        found.unusable.append({"input": str(error.filename), "reason": f"folder cannot be read: {error.strerror}"})

    for place, folders, files in os.walk(root, onerror=unreadable):
        folder = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if is_sequence(folder, found.boxes_alone):
            folders.clear()
            yield (folder.relative_to(root).as_posix() if folder != root else folder.resolve().name), folder
            continue
        for name in sorted(files):
            path = folder / name
            if path.suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                yield path.relative_to(root).as_posix(), path


def _listed(listing: Path, found: Found) -> Iterator[tuple[str, Path]]:
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(f"cannot read list `{listing}`: {error}", "write one path a line") from None
    for line in lines:
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        path = listing.parent / entry  # an absolute entry stays absolute
        if not path.exists():
            found.unusable.append({"input": entry, "reason": f"named in `{listing.name}` but does not exist"})
        elif path.is_dir():
            yield from _walk(path, found)
        else:
            yield path.name, path
