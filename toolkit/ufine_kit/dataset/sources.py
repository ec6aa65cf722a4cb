"""The sources that `release.json` names, counted anew for a release that holds only some of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ufine_kit.manifest import ReleaseSource


def recounted(
    sources: Sequence[ReleaseSource], by_video: Mapping[str | None, int], by_word: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The sources of a release from which images went: counts by video where they are named, else by the rows' `source`."""
    found: list[ReleaseSource] = []
    for entry in sources:
        alone = sum(other.source == entry.source for other in sources) == 1
        if entry.video_sha256:
            videos = [video for video in entry.video_sha256 if by_video.get(video)]
            images = sum(by_video[video] for video in videos)
            found.append(entry.model_copy(update={"videos": len(videos), "images": images, "video_sha256": videos}))
        else:
            found.append(entry.model_copy(update={"images": by_word.get(entry.source, 0)}) if alone else entry)
    return [entry.model_dump(mode="json") for entry in found if entry.images]
