"""Fixtures of the extraction tests: tiny videos made here, and real footage where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from extract.footage import walk, write_boxes, write_video

REPO = Path(__file__).parents[2]


@pytest.fixture
def two_walkers(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with one video of two walkers over 40 frames, and a folder with their boxes."""
    write_video(tmp_path / "videos" / "walk.mp4", walk(40))
    write_boxes(tmp_path / "boxes" / "walk.txt", 40)
    return tmp_path / "videos", tmp_path / "boxes"


@pytest.fixture(scope="session")
def footage() -> Path:
    """Real footage with tracking truth, where it is at hand."""
    folder = Path(os.environ.get("UFINE_DATA", REPO.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real footage in `{folder}` (set UFINE_DATA)")
    return folder
