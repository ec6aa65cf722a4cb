"""What `extract-tracklets` shall make: parts planned from videos, and where each of their inputs lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ufine_kit.adapters import boxmot, ultralytics
from ufine_kit.errors import KitError, need
from ufine_kit.extract.inputs import Video, find_videos, hash_tree
from ufine_kit.extract.segments import cut, pack
from ufine_kit.files import digest_of, sha256_file
from ufine_kit.parts import PlanEntry, read_plan
from ufine_kit.tables import ExtractTable

# Names under which a step finds its helper files in `job.paths`; videos stand there by their sha256.
WEIGHTS, REID_WEIGHTS = "weights", "reid_weights"

# The kit's own tracker: by motion alone, with nothing to install.
BUILT_IN = "byte"


def boxes_key(video_sha256: str) -> str:
    """Where `job.paths` has the given boxes of a video."""
    return f"boxes:{video_sha256}"


@dataclass
class Wanted:
    """Plan entries, the path of every input, and what is to be told of the inputs."""

    entries: list[PlanEntry]
    paths: dict[str, str]
    videos: list[Video]
    unusable: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    notes: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def plan_videos(
    inputs: Sequence[Path],
    table: ExtractTable,
    folder: Path,
    weights: Path | None = None,
    reid_weights: Path | None = None,
    trust_weights: bool = False,
) -> Wanted:
    """Parts for all videos that `inputs` mean. What the plan in `folder` holds already keeps its segments and its part.

    Raises KitError for inputs that do not exist, for weights that are missing, and where a planned part cannot be told whole.
    """
    check_choice(table, reid_weights)
    found = find_videos(inputs, table.tracks_only)
    if table.tracker in boxmot.NAMES:
        need("boxmot", "extract-boxmot")
    if table.detector != "file":
        weights = network_weights(table.detector, weights, trust_weights)
    helpers = _Helpers(table, weights, reid_weights, found.videos)
    planned = {row["video_sha256"]: entry for entry in read_plan(folder) for row in entry.rows}
    fresh = [video for video in found.videos if video.sha256 not in planned]
    cuts = [cut(video, table.segment_seconds, table.shot_threshold) for video in fresh]
    rows = [*_planned_rows(folder, {video.sha256 for video in found.videos}), *pack(cuts, table.pack_seconds)]
    return Wanted(
        [PlanEntry("", _key(group), helpers.inputs(group), group) for group in rows],
        {video.sha256: str(video.path.resolve()) for video in found.videos} | helpers.paths,
        found.videos,
        found.unusable + helpers.unusable,
        found.notes,
    )


def _key(rows: list[dict[str, Any]]) -> str:
    """A part's identity: which stretches of which contents, whatever the files are called."""
    return digest_of([[row["video_sha256"], row["segment"], row["first_frame"], row["end_frame"]] for row in rows])


def _planned_rows(folder: Path, given: set[str]) -> list[list[dict[str, Any]]]:
    kept: list[list[dict[str, Any]]] = []
    for entry in read_plan(folder):
        missing = [row["video"] for row in entry.rows if row["video_sha256"] not in given]
        if len(missing) == len(entry.rows):
            continue
        if missing:
            raise KitError(
                f"`{entry.part}` was planned with `{missing[0]}`, which is not among the videos given",
                "give the same folder again (adding videos is fine), or choose another --work",
            )
        kept.append(entry.rows)
    return kept


class _Helpers:
    """Weights, or given boxes by video: hashed once, part of every entry that uses them."""

    def __init__(self, table: ExtractTable, weights: Path | None, reid: Path | None, videos: Iterable[Video]) -> None:
        self.paths: dict[str, str] = {}
        self.unusable: list[dict[str, str]] = []
        self._common: dict[str, str] = {}
        self._boxes: dict[str, str] = {}
        if table.detector == "file":
            self._take_boxes(weights, list(videos))
        elif weights is not None:
            self._take(WEIGHTS, weights)
        if reid is not None:
            if not reid.exists():
                raise KitError(f"weights `{reid}` do not exist", "give an existing file to --reid-weights")
            self._take(REID_WEIGHTS, reid)

    def inputs(self, rows: list[dict[str, Any]]) -> dict[str, str | None]:
        """Inputs of one part: name -> sha256."""
        found: dict[str, str | None] = {}
        for row in rows:
            name, sha256 = row["video"], row["video_sha256"]
            found[name if found.get(name, sha256) == sha256 else f"{name}#{sha256[:8]}"] = sha256
            if sha256 in self._boxes:
                found[f"boxes/{sha256[:16]}"] = self._boxes[sha256]
        return found | self._common

    def _take(self, key: str, path: Path) -> None:
        self.paths[key] = str(path.resolve())
        self._common[f"{key}/{path.name}"] = hash_tree(path)

    def _take_boxes(self, given: Path | None, videos: list[Video]) -> None:
        for video in videos:
            path = boxes_file(given, video, len(videos))
            if path is None:
                continue  # its part will say so: the other videos go on
            self.paths[boxes_key(video.sha256)] = str(path.resolve())
            self._boxes[video.sha256] = sha256_file(path)


def check_choice(table: ExtractTable, reid_weights: Path | None) -> None:
    """Detector and tracker must fit each other; what cannot work is said before anything is read."""
    given = "--detector file --weights det.txt"
    if table.tracker == "file":
        if table.detector != "file":
            raise KitError("tracker `file` takes its ids from given boxes", f"add {given}, or choose --tracker byte")
        return
    if table.tracker not in (BUILT_IN, *boxmot.NAMES):
        raise KitError(
            f"no tracker `{table.tracker}`", f"choose one of: {', '.join((BUILT_IN, *boxmot.NAMES, 'file'))}"
        )
    if table.tracks_only and table.detector != "file":
        raise KitError("--tracks-only tracks given boxes", f"add {given}")
    if table.tracks_only and table.tracker not in (BUILT_IN, *boxmot.MOTION_ONLY):
        raise KitError(
            f"tracker `{table.tracker}` looks at pixels, and --tracks-only reads none",
            f"choose one of: {', '.join((BUILT_IN, *boxmot.MOTION_ONLY))}",
        )
    if table.tracker in boxmot.NEEDS_REID and reid_weights is None:
        raise KitError(
            f"tracker `{table.tracker}` compares looks and needs a network for it", "give --reid-weights PATH"
        )


def network_weights(detector: str, given: Path | None, trusted: bool) -> Path | None:
    """The weights of a detector, official ones fetched into the cache. Raises KitError, at once, where there are none."""
    if detector == "hog":
        return None
    if detector == "onnx":
        if given is None or not given.exists():
            what = "detector `onnx` needs weights" if given is None else f"weights `{given}` do not exist"
            raise KitError(what, "give --weights yolox_nano.onnx (an export of YOLOX), or --detector hog (needs none)")
        return given
    name = str(given) if given is not None else ultralytics.OFFICIAL_DEFAULT
    if given is None or (not given.exists() and name in ultralytics.OFFICIAL):
        need("ultralytics", "extract-yolo")
        return ultralytics.official_weights(name)
    if not given.exists():
        raise KitError(
            f"weights `{given}` do not exist",
            f"give an existing file, or an official name such as {ultralytics.OFFICIAL_DEFAULT}, or --detector hog",
        )
    if given.suffix == ".pt" and not trusted:
        raise KitError(
            f"`{given}` is a pickle: loading it runs code that it holds",
            "add --trust-weights if you trust who made it, or give an export (.onnx, an OpenVINO folder)",
        )
    return given


def boxes_file(given: Path | None, video: Video, videos: int) -> Path | None:
    """The file with a video's boxes: the one given, `<stem>.txt` in the folder given, or a sequence's own `det/det.txt`.

    Raises KitError where nothing was given and nothing stands in the video's folder, or one file is given for many videos.
    """
    own = video.path / "det" / "det.txt"
    if given is None:
        if own.is_file():
            return own
        raise KitError(f"no boxes for `{video.name}`", "give --weights det.txt, or a folder of <video stem>.txt")
    if not given.exists():
        raise KitError(f"`{given}` does not exist", "give --weights det.txt, or a folder of <video stem>.txt")
    if given.is_file():
        if videos > 1:
            raise KitError(
                f"one box file `{given.name}` for {videos} videos", "give --weights a folder of <video stem>.txt"
            )
        return given
    tries = [
        given / f"{video.stem}.txt",
        given / f"{Path(video.name).name}.txt",
        given / video.stem / "det" / "det.txt",
    ]
    return next((path for path in tries if path.is_file()), None)
