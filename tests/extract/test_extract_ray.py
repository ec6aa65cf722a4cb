"""On Ray with two workers, one killed in the middle: the same bytes as in one process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

from extract.footage import picture, write_boxes, write_video
from typed import REPO, run_cli, snapshot

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("ray")]
VIDEOS, FRAMES = 4, 150


@pytest.fixture
def words(tmp_path):
    for i in range(VIDEOS):
        pictures = (picture(frame, 2, (960, 540), shade=80 + 20 * i) for frame in range(FRAMES))
        write_video(tmp_path / "videos" / f"v{i}.mp4", pictures)
        write_boxes(tmp_path / "boxes" / f"v{i}.txt", FRAMES)
    knobs = ("--set", "extract.pack_seconds=1.0", "--set", "extract.crop_spacing_seconds=0.1")
    given = ("--detector", "file", "--weights", tmp_path / "boxes", "--tracker", "file", *knobs)
    return ["extract-tracklets", tmp_path / "videos", *given]


def kill_one_worker(psutil, parent: int, seconds: float) -> bool:
    """SIGKILL the first process below `parent` that is making a part."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(parent).children(recursive=True):
                if "ray::make_part" in " ".join(child.cmdline()):
                    child.kill()
                    return True
        time.sleep(0.02)
    return False


def test_a_killed_ray_worker_changes_nothing(words, tmp_path):
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("ray")
    assert run_cli(*words, "--work", tmp_path / "here", "--workers", "1").code == 0
    typed = [sys.executable, "-m", "ufine_kit", *map(str, words), "--work", str(tmp_path / "ray"), "--engine", "ray"]
    process = subprocess.Popen(
        [*typed, "--workers", "2"],
        cwd=REPO,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    killed = kill_one_worker(psutil, process.pid, 120)
    _, said = process.communicate(timeout=300)
    assert killed, "no worker was seen at work"
    assert process.returncode == 0, said
    kinds = ("tracklets/*.parquet", "tracklets/*.txt", "tracklets/tracks/*")
    assert snapshot(tmp_path / "ray", *kinds) == snapshot(tmp_path / "here", *kinds)
    assert len(snapshot(tmp_path / "ray", "tracklets/*.parquet")) == VIDEOS
