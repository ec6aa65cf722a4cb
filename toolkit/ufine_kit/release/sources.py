"""Where the images of a built release come from: the recorded sources of its videos, counted, for `release.json`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ufine_kit.files import read_json
from ufine_kit.manifest import ReleaseSource

# Licences that let anyone pass on changed copies; for any other nobody is taken at their word.
OPEN = re.compile(r"(?i)(cc0|cc-by|cc-by-sa)-\d|mit|apache-2\.0|pddl|odc-by|odbl|cdla-")
# What a release repeats of a video's source; videos that agree in all of it are one entry.
TERMS = ("licence", "consent_basis", "url", "date", "redistribution")


def video_sources(work: Path) -> dict[str, dict[str, str]]:
    """What is recorded beside the crops: video sha256 -> its source; empty where nothing is."""
    path = work / "tracklets" / "sources.json"
    found: dict[str, Any] = read_json(path) if path.exists() else {}
    return {video: {str(key): str(value) for key, value in source.items()} for video, source in found.items()}


def video_groups(recorded: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The group of each video whose source names one."""
    return {video: source["group"] for video, source in recorded.items() if source.get("group")}


def release_sources(
    images: Mapping[str, int], recorded: Mapping[str, Mapping[str, str]], word: str, licence: str, synthetic: bool
) -> list[dict[str, Any]]:
    """An entry for all videos of the same terms (`images`: video -> images that go out). `word` is the rows' `source`.

    A video without a record has no licence of its own (`other`); a drawn one has the release's.
    """
    unrecorded = {"licence": licence, "consent_basis": "drawn figures"} if synthetic else {"licence": "other"}
    videos: dict[tuple[str, ...], list[str]] = defaultdict(list)
    pictures: Counter[tuple[str, ...]] = Counter()
    for video, number in images.items():
        source = recorded.get(video, unrecorded)
        terms = tuple(source.get(key, "") for key in TERMS)
        videos[terms].append(video)
        pictures[terms] += number
    return [
        ReleaseSource(
            source=word, licence=terms[0], consent_basis=terms[1], url=terms[2], date=terms[3],
            redistribution=_may_go_on(terms[4], terms[0]),
            videos=len(videos[terms]), images=pictures[terms], video_sha256=sorted(videos[terms]),
        ).model_dump(mode="json")
        for terms in sorted(videos)
    ]  # fmt: skip


def _may_go_on(word: str, licence: str) -> bool | None:
    """What the source says of being passed on, else what its licence says; None where neither does."""
    return {"yes": True, "no": False}.get(word, True if OPEN.match(licence) else None)
