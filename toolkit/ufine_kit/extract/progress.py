"""How far the parts at work are: frame counts that any process on the file system can read, worth nothing after the run."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ufine_kit.errors import BadInput
from ufine_kit.extract.decode import frames_promised, image_files

# Under this name `job.paths` has the folder of the counts; a run without it does not count.
PROGRESS = "progress"
_EVERY_SECONDS = 0.5


def counter(paths: dict[str, str], part: str) -> Callable[[], None]:
    """To be called once a frame; writes the count of its part twice a second."""
    folder = paths.get(PROGRESS)
    if folder is None:
        return lambda: None
    file, count, written = Path(folder) / part, 0, time.monotonic()

    def one_more() -> None:
        nonlocal count, written
        count += 1
        if time.monotonic() - written > _EVERY_SECONDS:
            written = time.monotonic()
            with contextlib.suppress(OSError):  # a bar is not worth a failed part
                file.write_text(str(count))

    return one_more


def begin_counts(folder: Path) -> Path:
    """An empty place for counts in a stage folder."""
    place = folder / ".progress"
    end_counts(place)
    with contextlib.suppress(OSError):
        place.mkdir(parents=True)
    return place


def end_counts(place: Path) -> None:
    """Take the counts away."""
    shutil.rmtree(place, ignore_errors=True)


def counts(place: Path) -> dict[str, int]:
    """Frames done by part."""
    found: dict[str, int] = {}
    for file in place.glob("part-*"):
        with contextlib.suppress(OSError, ValueError):
            found[file.name] = int(file.read_text())
    return found


def frames_in(rows: Iterable[dict[str, Any]], paths: dict[str, str]) -> int:
    """About how many frames the segments of a part have, by what the containers say; broken ones count nothing."""
    total = 0
    for row in rows:
        end = row["end_frame"]
        if end is None:
            path = Path(paths[row["video_sha256"]])
            with contextlib.suppress(BadInput):
                end = len(image_files(path)[0]) if path.is_dir() else frames_promised(path)
        total += max(0, (end or 0) - row["first_frame"])
    return total
