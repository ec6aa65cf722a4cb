"""On Ray with two workers, one killed in the middle: the same bytes as in one process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from extract.footage import picture, write_boxes, write_video
from typed import REPO, run_cli, snapshot

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("ray")]
VIDEOS, FRAMES = 4, 30

# Every interpreter that is told this folder runs it as it starts; only a worker of Ray passes the point, and only the first
# to do so dies there, with its part half made.
KILLER = """\
import os, signal
from ufine_kit import crash

def point(name, passed=crash.point):
    if name == "extract.encode":
        try:
            os.close(os.open({mark!r}, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    passed(name)

crash.point = point
"""


@pytest.fixture
def words(tmp_path):
    for i in range(VIDEOS):
        pictures = (picture(frame, 2, (960, 540), shade=80 + 20 * i) for frame in range(FRAMES))
        write_video(tmp_path / "videos" / f"v{i}.mp4", pictures)
        write_boxes(tmp_path / "boxes" / f"v{i}.txt", FRAMES)
    knobs = ("--set", "extract.pack_seconds=1.0", "--set", "extract.crop_spacing_seconds=0.1")
    given = ("--detector", "file", "--weights", tmp_path / "boxes", "--tracker", "file", *knobs)
    return ["extract-tracklets", tmp_path / "videos", *given]


def test_a_killed_ray_worker_changes_nothing(words, tmp_path):
    pytest.importorskip("ray")
    assert run_cli(*words, "--work", tmp_path / "here", "--workers", "1").code == 0
    mark, killer = tmp_path / "killed", tmp_path / "killer"
    killer.mkdir()
    (killer / "sitecustomize.py").write_text(KILLER.format(mark=str(mark)))
    typed = [sys.executable, "-m", "ufine_kit", *map(str, words), "--work", str(tmp_path / "ray"), "--engine", "ray"]
    done = subprocess.run(
        [*typed, "--workers", "2"], cwd=REPO, capture_output=True, text=True, timeout=900, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(killer), os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert mark.exists(), "no worker was killed"
    kinds = ("tracklets/*.parquet", "tracklets/*.txt", "tracklets/tracks/*")
    assert snapshot(tmp_path / "ray", *kinds) == snapshot(tmp_path / "here", *kinds)
    assert len(snapshot(tmp_path / "ray", "tracklets/*.parquet")) == VIDEOS
