"""The join: kept crops with texts go out, in frozen splits, with the way back to their video; the rest stays."""

from __future__ import annotations

import pytest

from contract.chain import copy
from typed import run_cli
from ufine_kit.dataset.reader import open_release, read_rows, verify
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows as part_rows
from ufine_kit.recipe import ReleaseTable
from ufine_kit.release.build import build, plan_build

pytestmark = pytest.mark.xdist_group("chain")


@pytest.fixture
def work(chain, tmp_path):
    return copy(chain, "campaign close", tmp_path)


def rows_of(folder) -> dict[str, dict]:
    found = {}
    for path in sorted(folder.glob("part-*.parquet")):
        found |= {row["crop_id"]: row for row in part_rows(path)}
    return found


def test_exactly_the_kept_crops_with_texts_go_out_byte_for_byte(work):
    build(plan_build(work, ReleaseTable()), work)
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
    assert build(plan_build(work, ReleaseTable()), work)["synthetic"] is True


def test_no_identity_sits_in_two_splits(work):
    build(plan_build(work, ReleaseTable()), work)
    held = {}
    for row in read_rows(open_release(work / "releases/dataset/0.1.0")):
        assert held.setdefault(row["person_id"], row["split"]) == row["split"]


def test_the_manifest_names_every_part_it_was_made_from(work):
    manifest = build(plan_build(work, ReleaseTable()), work)
    assert {name.partition("/")[0] for name in manifest["inputs"]} == {"tracklets", "filter", "descriptions"}
    assert all(len(sha) == 64 for sha in manifest["inputs"].values())


def test_words_and_granularity_are_those_of_the_text(work):
    build(plan_build(work, ReleaseTable()), work)
    for row in read_rows(open_release(work / "releases/dataset/0.1.0"), columns=["captions", "caption_origins"]):
        for caption, origin in zip(row["captions"], row["caption_origins"], strict=True):
            assert origin["granularity"] == (
                "coarse" if origin["words"] < 30 else "medium" if origin["words"] < 50 else "fine"
            )
            assert abs(origin["words"] - len(caption.split())) <= 0.1 * len(caption.split())


def test_a_frozen_split_holds_in_the_next_version_whatever_the_shares(work):
    build(plan_build(work, ReleaseTable()), work)
    before = {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.1.0"))}
    build(plan_build(work, ReleaseTable(version="0.2.0", test=0.9, val=0.05)), work)
    after = {row["person_id"]: row["split"] for row in read_rows(open_release(work / "releases/dataset/0.2.0"))}
    assert after == before


def test_nothing_described_is_one_line(chain, tmp_path):
    work = copy(chain, "filter", tmp_path)
    with pytest.raises(KitError, match="no descriptions"):
        plan_build(work, ReleaseTable())


def test_the_report_of_a_build_is_the_manifest(work):
    ran = run_cli("build-release", "-w", work, "--json")
    assert ran.json["splits"] == open_release(work / "releases/dataset/0.1.0").splits
