"""Which crops a sheet shows: by reason, identity or tracklet, found in thin columns before any picture is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ufine_kit.dataset import reader
from ufine_kit.dataset.reasons import REASONS
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows
from ufine_kit.report.thumbs import picture_at
from ufine_kit.report.work import Judged, files_of, need_tracklets, verdicts_of


@dataclass(frozen=True)
class Asked:
    """What the crops have in common; None asks for anything."""

    reason: str | None = None
    person: str | None = None
    tracklet: str | None = None


@dataclass(frozen=True)
class Listed:
    """One crop before its picture is read: `row` counts from 0 in its file."""

    file: Path
    row: int
    person: str
    tracklet: str
    reasons: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Shown:
    """One crop of a sheet."""

    picture: bytes
    label: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Picked:
    """The crops of a sheet, and how many there were to choose from."""

    crops: list[Shown]
    matching: int


def pick(work: Path, release: Path | None, asked: Asked, limit: int) -> Picked:
    """Up to `limit` crops that fit, evenly spread over all that do, in their own order.

    Raises KitError where nothing is there, or for an unknown reason, identity or tracklet, with the nearest known ones.
    """
    if release is not None and asked.reason is not None:
        raise KitError("a release has no dropped crops", "leave out --release, or ask by --person")
    listed = list(_of_release(release) if release else _of_work(work))
    _known("reason", asked.reason, [*REASONS, *(name for crop in listed for name in crop.reasons)])
    _known("person", asked.person, (crop.person for crop in listed))
    _known("tracklet", asked.tracklet, (crop.tracklet for crop in listed))
    fitting = [crop for crop in listed if _fits(crop, asked)]
    if not fitting:
        raise KitError(f"no crop is {_told(asked)}", f"ufine-kit report --work {work} shows what there is")
    spread = [fitting[at * len(fitting) // limit] for at in range(limit)] if len(fitting) > limit else fitting
    return Picked([Shown(picture_at(crop.file, crop.row), crop.label, crop.reasons) for crop in spread], len(fitting))


def _fits(crop: Listed, asked: Asked) -> bool:
    return (
        (asked.reason is None or asked.reason in crop.reasons)
        and asked.person in (None, crop.person)
        and asked.tracklet in (None, crop.tracklet)
    )


def _told(asked: Asked) -> str:
    words = [
        f"of {name} `{value}`" for name, value in (("person", asked.person), ("tracklet", asked.tracklet)) if value
    ]
    return " and ".join(([f"dropped as `{asked.reason}`"] if asked.reason else []) + words) or "there"


def _known(what: str, name: str | None, names: Iterable[str]) -> None:
    known = sorted(set(names)) if name is not None else []
    if name is None or name in known:
        return
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or [one for one in known if name in one][:3]
    mend = f"did you mean {', '.join(f'`{one}`' for one in near)}?" if near else f"there are: {', '.join(known[:8])}"
    raise KitError(f"no {what} `{name}`", mend if known else "ufine-kit status")


def _of_work(work: Path) -> Iterator[Listed]:
    need_tracklets(work)
    verdicts = verdicts_of(work)
    for path in files_of(work / "tracklets"):
        for row, crop in enumerate(read_rows(path, ("crop_id", "tracklet", "video", "seconds"))):
            person, _, reasons = verdicts.get(crop["crop_id"]) or Judged(crop["tracklet"], "not judged", ())
            yield Listed(path, row, person, crop["tracklet"], reasons, f"{person}\n{crop['seconds']:.1f} s")


def _of_release(folder: Path) -> Iterator[Listed]:
    release = reader.open_release(folder)
    for path in reader.shard_paths(release):
        for row, image in enumerate(read_rows(path, ("image_id", "person_id", "split", "provenance"))):
            tracklet = (image["provenance"] or {}).get("tracklet") or ""
            yield Listed(path, row, image["person_id"], tracklet, (), f"{image['person_id']}\n{image['split']}")
