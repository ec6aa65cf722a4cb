"""Trouble that comes from outside: a full disk, no right to write, two workers at once, a new video, a raised version."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from contract.chain import APART, STEPS, before, copy
from contract.test_commands import assert_error
from typed import REPO, run_cli, snapshot
from ufine_kit import pipeline

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("chain")]


@contextlib.contextmanager
def mounted(folder, size: str):
    """A small file system of its own, where this process may make one."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", folder], check=True)


def parts_of(work) -> dict[str, str]:
    return snapshot(work, "*/part-*.parquet", "descriptions/*/part-*.parquet", "releases/**/*", "hub/**/*")


LIMITS = {
    "extract-tracklets": 30_000,
    "filter": 900,
    "campaign pull": 500,
    "campaign close": 900,
    "build-release": 30_000,
    "push-hub": 30_000,
}


@pytest.mark.parametrize("step", STEPS)
def test_a_file_that_may_not_grow_gives_one_line_and_the_rerun_completes(chain, tmp_path, step):
    work = copy(chain, before(step), tmp_path)
    words = [sys.executable, "-m", "ufine_kit", *map(str, STEPS[step].words(work))]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMITS[step], LIMITS[step]))

    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, preexec_fn=limit, env=env, check=False)
    assert done.returncode == 2, done.stderr
    assert "error: file size limit reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(work.rglob("*.tmp"))
    assert run_cli(*STEPS[step].words(work)).code == 0
    assert parts_of(work) == parts_of(chain / step)


def test_a_full_disk_gives_one_line_keeps_what_is_done_and_the_rerun_completes(chain, tmp_path):
    with mounted(tmp_path / "small", "150k") as possible:
        if not possible:
            pytest.skip("wants the right to mount")
        (tmp_path / "small/world").symlink_to(chain / "given")
        work = tmp_path / "small/work"
        ran = run_cli(*STEPS["extract-tracklets"].words(work))
        assert_error(ran, 2, "no space left for", "finished parts are kept")
        assert not list(work.rglob("*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=64m", tmp_path / "small"], check=True)
        assert run_cli(*STEPS["extract-tracklets"].words(work)).code == 0
        assert parts_of(work) == parts_of(chain / "extract-tracklets")


@pytest.mark.parametrize("step", STEPS)
def test_a_read_only_folder_gives_one_line(chain, tmp_path, step):
    with mounted(tmp_path / "sealed", "64m") as possible:
        folder = tmp_path / "sealed"
        work = copy(chain, before(step), folder)
        if possible:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        elif os.geteuid() == 0:
            pytest.skip("wants a user without root's rights, or the right to mount")
        else:
            for path in [work, *work.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        ran = run_cli(*STEPS[step].words(work), PYTHONDONTWRITEBYTECODE="1")
        for path in [work, *work.rglob("*")] if not possible else []:
            path.chmod(0o755 if path.is_dir() else 0o644)
        assert ran.code == 2, ran.err
        assert "Traceback" not in ran.err
        assert "read-only file system" in ran.err or "no right to write" in ran.err


@pytest.mark.parametrize("step", ["extract-tracklets", "filter", "campaign close"])
def test_two_workers_at_once_share_the_work_and_give_the_same_bytes(chain, tmp_path, step):
    work = copy(chain, before(step), tmp_path)
    words = [sys.executable, "-m", "ufine_kit", *map(str, STEPS[step].words(work))]
    both = [
        subprocess.Popen(words, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        _, said = process.communicate(timeout=900)
        assert process.returncode == 0, said
    assert parts_of(work) == parts_of(chain / step)


def test_two_pulls_at_once_lose_nothing_and_double_nothing(chain, tmp_path):
    work = copy(chain, before("campaign pull"), tmp_path)
    words = [sys.executable, "-m", "ufine_kit", *map(str, STEPS["campaign pull"].words(work))]
    both = [
        subprocess.Popen(words, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        _, said = process.communicate(timeout=900)
        assert process.returncode == 0, said
    assert run_cli(*STEPS["campaign close"].words(work)).code == 0
    assert parts_of(work) == parts_of(chain / "campaign close")


def test_shards_together_make_what_one_run_makes(chain, tmp_path):
    work = copy(chain, "world", tmp_path)
    for shard in ("2/2", "1/2"):
        assert run_cli(*STEPS["extract-tracklets"].words(work), "--shard", shard).code == 0
    assert parts_of(work) == parts_of(chain / "extract-tracklets")


def test_two_worker_processes_give_the_same_bytes_as_one(chain, tmp_path):
    work = copy(chain, "world", tmp_path)
    words = STEPS["extract-tracklets"].words(work)
    words[words.index("--workers") + 1] = "2"
    assert run_cli(*words).code == 0
    assert len(parts_of(work)) >= 2
    assert parts_of(work) == parts_of(chain / "extract-tracklets")


@pytest.mark.full
def test_a_local_ray_gives_the_same_bytes_as_one_process(chain, tmp_path):
    work = copy(chain, "world", tmp_path)
    for step in ("extract-tracklets", "filter"):
        words = STEPS[step].words(work)
        words[words.index("--workers") + 1] = "2"
        ran = run_cli(*words, "--engine", "ray")
        assert ran.code == 0, ran.err
    assert parts_of(work) == parts_of(chain / "filter")


def test_an_added_video_appends_parts_and_leaves_the_others_alone(chain, tmp_path):
    work = copy(chain, "extract-tracklets", tmp_path)
    held = parts_of(work)
    world = tmp_path / "more"
    shutil.copytree(tmp_path / "world", world)
    first = sorted((world / "videos").iterdir())[0]
    # A video with other bytes and the same pictures: MP4 readers skip a trailing `free` box.
    (world / "videos/added.mp4").write_bytes(first.read_bytes() + (8).to_bytes(4, "big") + b"free")
    shutil.copy(world / "tracks" / f"{first.stem}.txt", world / "tracks/added.txt")
    words = [str(word).replace(str(tmp_path / "world"), str(world)) for word in STEPS["extract-tracklets"].words(work)]
    ran = run_cli(*words, "--json")
    assert ran.code == 0, ran.err
    assert len(ran.json["done"]) == len(held)
    after = parts_of(work)
    assert {name: after[name] for name in held} == held
    assert len(after) == len(held) + 1


def test_a_changed_recipe_names_the_stale_parts_and_redo_makes_them_again(chain, tmp_path):
    work = copy(chain, "filter", tmp_path)
    held = parts_of(work)
    words = [*STEPS["filter"].words(work), "--set", "filter.max_overlap=0.05"]
    assert_error(run_cli(*words), 2, "stale", "filter", "--redo")
    assert parts_of(work) == held
    assert run_cli(*words, "--redo").code == 0
    changed = {name.partition("/")[0] for name, sha in parts_of(work).items() if held[name] != sha}
    assert changed - {"pairs"} == {"filter"}, "a threshold is judged again, and nothing is measured again"


def test_a_redone_upstream_part_makes_what_follows_stale(chain, tmp_path):
    work = copy(chain, "filter", tmp_path)
    words = [*STEPS["extract-tracklets"].words(work), "--set", "extract.padding=0.2", "--redo"]
    assert run_cli(*words).code == 0
    assert_error(run_cli(*STEPS["filter"].words(work)), 2, "stale")
    stages = {stage["stage"]: stage for stage in run_cli("status", "-w", work, "--json").json["stages"]}
    assert stages["measures"]["stale"] > 0


def test_a_raised_stage_version_is_noticed(chain, tmp_path, monkeypatch):
    work = copy(chain, "filter", tmp_path)
    stage = pipeline.BY_NAME["filter"]
    mark = next((work / "filter").glob("part-*.json"))
    done = json.loads(mark.read_text())
    assert done["digest"] == pipeline.digest(stage, done["recipe"])
    raised = stage.__class__(**{**stage.__dict__, "version": stage.version + 1})
    monkeypatch.setitem(pipeline.BY_NAME, "filter", raised)
    from ufine_kit.errors import KitError
    from ufine_kit.recipe import load_recipe

    with pytest.raises(KitError, match="stale"):
        pipeline.plan("filter", work, load_recipe(None), pipeline.mirrored(raised, work))


def test_status_tells_what_is_there_and_verify_sees_a_flipped_byte(chain, tmp_path):
    work = copy(chain, "build-release", tmp_path)
    view = run_cli("status", "-w", work, "-r", "demo", *APART, "--json").json
    assert {stage["stage"] for stage in view["stages"]} == {
        "tracklets",
        "measures",
        "filter",
        "pairs",
        "descriptions/demo",
    }
    assert all(stage["done"] >= 1 and not stage["stale"] and not stage["missing"] for stage in view["stages"])
    assert len(view["releases"]) == 1
    part = next((work / "tracklets").glob("part-*.parquet"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    ran = run_cli("status", "-w", work, "--verify", "--json")
    assert (ran.code, ran.json["damaged"]) == (1, [f"tracklets/{part.name}"])
