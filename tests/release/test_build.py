"""The join: kept crops with texts go out, in frozen splits, with the way back to their video; the rest stays."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from contract.chain import STEPS, copy
from typed import run_cli
from ufine_kit.dataset.reader import open_release, read_rows, verify
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows as part_rows
from ufine_kit.release.build import build, plan_build
from ufine_kit.tables import ReleaseTable

pytestmark = [pytest.mark.xdist_group("chain"), pytest.mark.full]


@pytest.fixture
def work(chain, tmp_path):
    return copy(chain, "campaign close", tmp_path)


def rows_of(folder) -> dict[str, dict]:
    found = {}
    for path in sorted(folder.glob("part-*.parquet")):
        found |= {row["crop_id"]: row for row in part_rows(path)}
    return found


def test_exactly_the_kept_crops_with_texts_go_out_byte_for_byte(work):
    build(work, ReleaseTable())
    release = open_release(work / "releases/dataset/0.1.0")
    verify(release)
    crops, verdicts = rows_of(work / "tracklets"), rows_of(work / "filter")
    described = {row["crop_id"] for path in (work / "descriptions/demo").glob("*.parquet") for row in part_rows(path)}
    out = {row["image_id"]: row for row in read_rows(release)}
    assert set(out) == {crop for crop in crops if verdicts[crop]["kept"] and crop in described}
    assert all(row["image"]["bytes"] == crops[crop]["image"]["bytes"] for crop, row in out.items())
    assert all(row["provenance"]["video_sha256"] == crops[crop]["video_sha256"] for crop, row in out.items())
    assert all(len(row["captions"]) == len(row["caption_origins"]) >= 1 for row in out.values())


def test_the_release_of_drawn_videos_says_that_it_is_synthetic(work):
    assert build(work, ReleaseTable())["synthetic"] is True


def test_no_identity_sits_in_two_splits(work):
    build(work, ReleaseTable())
    held = {}
    for row in read_rows(open_release(work / "releases/dataset/0.1.0")):
        assert held.setdefault(row["person_id"], row["split"]) == row["split"]


def test_the_manifest_names_every_part_it_was_made_from(work):
    manifest = build(work, ReleaseTable())
    assert {name.partition("/")[0] for name in manifest["inputs"]} == {"tracklets", "filter", "descriptions"}
    assert all(len(sha) == 64 for sha in manifest["inputs"].values())


def test_words_and_granularity_are_those_of_the_text(work):
    build(work, ReleaseTable())
    for row in read_rows(open_release(work / "releases/dataset/0.1.0"), columns=["captions", "caption_origins"]):
        for caption, origin in zip(row["captions"], row["caption_origins"], strict=True):
            assert origin["granularity"] == (
                "coarse" if origin["words"] < 30 else "medium" if origin["words"] < 50 else "fine"
            )
            assert abs(origin["words"] - len(caption.split())) <= 0.1 * len(caption.split())


def test_a_frozen_split_holds_in_the_next_version_whatever_the_shares(work):
    build(work, ReleaseTable())
    before = {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.1.0"))}
    build(work, ReleaseTable(version="0.2.0", test=0.9, val=0.05))
    after = {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.2.0"))}
    assert after == before


def test_a_build_cut_short_freezes_nothing_and_a_release_alone_tells_its_splits(work):
    killed = run_cli("build-release", "-w", work, "--set", "release.test=0.8", crash_at="release.before_rename")
    assert killed.code == 137
    assert run_cli("status", "-w", work, "--json").json["releases"] == []
    build(work, ReleaseTable())
    first = {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.1.0"))}
    assert "train" in first.values()
    (work / "releases/dataset/splits-0.json").unlink()
    build(work, ReleaseTable(version="0.2.0", seed=7))
    assert {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.2.0"))} == first


def test_shares_that_leave_nobody_to_train_on_are_refused(work):
    with pytest.raises(KitError, match="falls into train"):
        build(work, ReleaseTable(test=0.999, val=0.0, split_by="identity"))


def test_texts_that_came_after_the_close_are_not_left_out_unseen(work, tmp_path):
    crop = next(iter(rows_of(work / "tracklets")))
    line = {"crop_id": crop, "text": "A late text.", "writer": "w", "created_at": "2026-01-01T00:00:00Z"}
    (tmp_path / "late.jsonl").write_text(json.dumps(line))
    assert run_cli("campaign", "pull", "demo", "--from", tmp_path / "late.jsonl", "-w", work).code == 0
    with pytest.raises(KitError, match="campaign `demo` has texts") as caught:
        build(work, ReleaseTable())
    assert "campaign close demo" in caught.value.mend
    assert run_cli("campaign", "close", "demo", "-w", work).code == 0
    build(work, ReleaseTable())


def test_verdicts_older_than_the_crops_are_not_joined_to_them(work):
    words = [*STEPS["extract-tracklets"].words(work), "--set", "extract.padding=0.2", "--redo"]
    assert run_cli(*words).code == 0
    with pytest.raises(KitError, match="older than the crops"):
        build(work, ReleaseTable())


def test_a_damaged_crop_is_never_released(work):
    verdicts, part = rows_of(work / "filter"), next((work / "tracklets").glob("part-*.parquet"))
    described = {row["crop_id"] for path in (work / "descriptions/demo").glob("*.parquet") for row in part_rows(path)}
    crop = next(row for row in part_rows(part) if verdicts[row["crop_id"]]["kept"] and row["crop_id"] in described)
    content = bytearray(part.read_bytes())
    content[content.index(crop["image"]["bytes"]) + len(crop["image"]["bytes"]) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(KitError, match="is damaged"):
        build(work, ReleaseTable())
    assert run_cli(*STEPS["extract-tracklets"].words(work), "--redo").code == 0
    build(work, ReleaseTable())


@pytest.mark.full
def test_two_builds_at_once_make_one_whole_release(work):
    words = [sys.executable, "-m", "ufine_kit", "build-release", "-w", str(work)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = sorted((process.communicate(timeout=600)[1], process.returncode) for process in both)
    assert sorted(code for _, code in ended) == [0, 2]
    assert not any("Traceback" in said for said, _ in ended)
    verify(open_release(work / "releases/dataset/0.1.0"))


def test_nothing_described_is_one_line(chain, tmp_path):
    work = copy(chain, "filter", tmp_path)
    with pytest.raises(KitError, match="no descriptions"):
        plan_build(work, ReleaseTable())


def test_the_report_of_a_build_is_the_manifest(work):
    ran = run_cli("build-release", "-w", work, "--json")
    assert ran.json["splits"] == open_release(work / "releases/dataset/0.1.0").splits
