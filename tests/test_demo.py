"""The demo, from drawn videos to a report, as `make demo` runs it, only smaller; and its resume after a pulled plug."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("demo")]

REPO = Path(__file__).parents[1]
SMALL = [
    "world.identities=24", "world.videos=3", "world.seconds=6", "world.shots=3", "extract.pack_seconds=0.1",
    "baseline.steps=30", "baseline.batch=16", "baseline.evaluate_every=15",
]  # fmt: skip
STEPS = ("tracklets", "measures", "filter", "descriptions/demo")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The finished demo: its folder and all that it said."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run(folder)


def run(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"UFINE_SET": " ".join(SMALL), "PATH": path, "UFINE_WORKERS": "2"}
    typed = ["bash", REPO / "examples/demo.sh", folder]
    return subprocess.run(
        typed, cwd=REPO, env={**os.environ, **settings, **env}, capture_output=True, text=True, check=False
    )


def test_it_runs_to_its_end_and_names_the_report(demo):
    folder, done = demo
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(folder / "work/report.html")
    assert (folder / "work/report.html").stat().st_size > 100_000


def test_every_stage_left_its_artefact(demo):
    folder, _ = demo
    for stage in STEPS:
        assert list((folder / "work" / stage).glob("part-*.parquet")), stage
    assert (folder / "work/releases/demo/0.1.0/SHA256SUMS").is_file()
    assert (folder / "work/checkpoints/demo/model.safetensors").is_file()
    assert (folder / "hub/README.md").is_file()


def test_the_record_is_of_these_rows_and_says_that_they_are_synthetic(demo):
    folder, _ = demo
    manifest = json.loads((folder / "work/releases/demo/0.1.0/release.json").read_text())
    (path,) = (folder / "work/baselines").glob("*/*.json")
    record = json.loads(path.read_text())
    assert record["data_digest"] == manifest["data_digest"]
    assert record["synthetic"] is True
    assert record["queries"] == manifest["splits"]["test"]["captions"]
    assert "synthetic" in (folder / "hub/README.md").read_text().lower()
    assert "Synthetic world" in (folder / "work/report.html").read_text()


def test_the_pushed_folder_loads_as_the_hub_would_load_it(demo, tmp_path):
    import datasets

    folder, _ = demo
    manifest = json.loads((folder / "work/releases/demo/0.1.0/release.json").read_text())
    loaded = datasets.load_dataset(str(folder / "hub"), cache_dir=str(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {
        split: counts["images"] for split, counts in manifest["splits"].items()
    }
    assert loaded["test"][0]["image"].size == (loaded["test"][0]["width"], loaded["test"][0]["height"])


def test_a_second_run_goes_through_and_makes_nothing_new(demo):
    folder, _ = demo
    held = {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("part-*.parquet")}
    again = run(folder)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("part-*.parquet")} == held
    assert "was done already" in again.stdout


def test_another_machine_of_the_same_kind_makes_the_same_rows(demo, tmp_path):
    folder, _ = demo
    fresh = run(tmp_path, UFINE_WORKERS="1", UFINE_CRASH_AT="release.before_rename")
    assert fresh.returncode == 137, "the plug was to be pulled"
    assert run(tmp_path, UFINE_WORKERS="1").returncode == 0
    sums = [(where / "work/releases/demo/0.1.0/SHA256SUMS").read_text() for where in (folder, tmp_path)]
    assert sums[0] == sums[1]
    weights = [(where / "work/checkpoints/demo/model.safetensors").read_bytes() for where in (folder, tmp_path)]
    assert weights[0] == weights[1]
