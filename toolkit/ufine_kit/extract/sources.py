"""Where videos come from and by what right they are used: a table given once, kept by content beside the parts."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.extract.inputs import Video
from ufine_kit.files import make_folder, read_json, write_json
from ufine_kit.parts import lock

FILE = "sources.json"
COLUMNS = ("video", "url", "licence", "consent_basis", "date")
OPTIONAL = ("group", "redistribution")


@dataclass(frozen=True)
class Source:
    """What is known of one video's origin. `consent_basis` says on what ground people in it may be shown.

    Videos of one `group` (a place, a day, a set of cameras) may show the same people: a release keeps them in one split.
    `redistribution` is yes, no or nothing: may crops of it be passed on?
    """

    video: str
    url: str
    licence: str
    consent_basis: str
    date: str
    group: str = ""
    redistribution: str = ""


def read_sources(path: Path) -> list[Source]:
    """The rows of a `sources.csv` with the columns video, url, licence, consent_basis, date; none but `url` may be empty.

    Columns `group` and `redistribution` may stand beside them. Raises KitError that names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            header = reader.fieldnames or ()
            rows = [(reader.line_num, row) for row in reader]  # blank lines count too: an editor shows them
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KitError(
            f"cannot read sources `{path}`: {error}", f"give --sources a CSV with {', '.join(COLUMNS)}"
        ) from None
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise KitError(f"`{path.name}` lacks the column `{missing[0]}`", f"its first line must be {','.join(COLUMNS)}")
    found: dict[str, Source] = {}
    for number, row in rows:
        source = _source(row, path, number)
        if found.setdefault(source.video, source) != source:
            raise KitError(
                f"line {number} of `{path.name}` says something else of `{source.video}`", "leave one of them"
            )
    if not found:
        raise KitError(f"`{path.name}` names no video", "give it a line for each video")
    return list(found.values())


def _source(row: dict[str, Any], path: Path, number: int) -> Source:
    source = Source(**{name: (row.get(name) or "").strip() for name in (*COLUMNS, *OPTIONAL)})
    empty = [name for name, value in asdict(source).items() if not value and name not in ("url", *OPTIONAL)]
    if empty:
        raise KitError(
            f"line {number} of `{path.name}` has no `{empty[0]}`",
            "fill it in: the release card repeats what stands there",
        )
    if source.redistribution not in ("", "yes", "no"):
        raise KitError(
            f"line {number} of `{path.name}`: `redistribution` is `{source.redistribution}`",
            "write yes or no, or leave it empty",
        )
    return source


def record_sources(folder: Path, sources: list[Source], videos: list[Video]) -> tuple[int, list[dict[str, str]]]:
    """Write `sources.json` (video sha256 -> source) in the stage folder, beside what it held; returns how many and notes.

    A source names its video by its path as given, by its file name where only one has it, or by its sha256.
    """
    found: dict[str, Source] = {}
    notes: list[dict[str, str]] = []
    for source in sources:
        video = _named(source.video, videos)
        if video is None:
            notes.append({"input": source.video, "reason": "stands in the sources but is not among the videos"})
        else:
            found[video.sha256] = source
    notes += [{"input": v.name, "reason": "has no row in the sources"} for v in videos if v.sha256 not in found]
    with lock(make_folder(folder), "sources"):
        kept = sources_of(folder) | {sha256: asdict(source) for sha256, source in found.items()}
        write_json(folder / FILE, dict(sorted(kept.items())))
    return len(found), notes


def sources_of(folder: Path) -> dict[str, dict[str, str]]:
    """What is recorded in a stage folder: video sha256 -> its source; empty where nothing is."""
    path = folder / FILE
    return read_json(path) if path.exists() else {}


def _named(word: str, videos: list[Video]) -> Video | None:
    for video in videos:
        if word in (video.name, video.sha256):
            return video
    same = [video for video in videos if Path(video.name).name == word]
    return same[0] if len(same) == 1 else None
