"""A push into a folder: refused unless the release is whole and validated, completed by a rerun, with a card that is safe."""

from __future__ import annotations

import json

import pytest

from dataset.test_release_on_disk import MANIFEST, ROWS, written
from ufine_kit.dataset.reader import open_release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.hub.card import card, plain, size_category
from ufine_kit.hub.folder import lay_out, plan_folder

METRICS = {"R@1": 51.2, "R@5": 80.0, "R@10": 90.0, "mAP": 55.5, "mINP": 40.0, "mSD": 33.3}
RECIPE = {"license": "cc0-1.0", "name": "toy"}


def record(digest: str, **changes) -> dict:
    plain_record = {
        "data_digest": digest, "metrics": METRICS, "synthetic": True, "queries": 10, "gallery": 20, "identities": 5,
        "checkpoint": {"name": "tiny", "selection": {"rule": "best R@1 on val"}}, "release": {"split": "test"},
    }  # fmt: skip
    return plain_record | changes


@pytest.fixture
def release(tmp_path):
    return written(tmp_path / "releases/toy/0.1.0", recipe=RECIPE)


def kept(work, entry) -> None:
    path = work / "baselines" / entry["data_digest"][:16] / "tiny-test.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(entry))


def test_a_release_without_a_record_of_its_rows_is_refused(tmp_path, release):
    with pytest.raises(CheckFailed, match="no baseline record") as caught:
        plan_folder(release, tmp_path, tmp_path / "out", None)
    assert "baseline-train" in caught.value.mend


@pytest.mark.parametrize(
    "change", [{"data_digest": "f" * 64}, {"release": {"split": "val"}}], ids=["other rows", "validation split"]
)
def test_a_record_of_other_rows_or_of_the_validation_split_does_not_count(tmp_path, release, change):
    entry = record(release.data_digest)
    path = tmp_path / "baselines" / release.data_digest[:16] / "tiny-test.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(entry | change))
    with pytest.raises(CheckFailed, match="no baseline record"):
        plan_folder(release, tmp_path, tmp_path / "out", None)


def test_a_damaged_release_is_refused(tmp_path, release):
    (release.path / "release.json").write_text(json.dumps({**release.manifest, "name": "other"}))
    with pytest.raises(CheckFailed, match="SHA256SUMS"):
        plan_folder(release, tmp_path, tmp_path / "out", "a reason")


def test_what_is_laid_out_is_the_release_and_a_card_with_its_numbers(tmp_path, release):
    kept(tmp_path, record(release.data_digest))
    plan = plan_folder(release, tmp_path, tmp_path / "out", None)
    lay_out(plan)
    for path in release.path.rglob("*"):
        if path.is_file():
            assert (tmp_path / "out" / path.relative_to(release.path)).read_bytes() == path.read_bytes()
    text = (tmp_path / "out/README.md").read_text()
    assert "| 51.20 | 80.00 | 90.00 | 55.50 | 40.00 | 33.30 |" in text
    assert "**Synthetic.**" in text
    assert release.data_digest in text
    again = plan_folder(release, tmp_path, tmp_path / "out", None)
    assert (again.fresh, again.gone) == ([], [])


def test_shards_of_another_version_are_removed_last_and_nothing_else_is(tmp_path, release):
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "data/train-00000-of-00009.parquet").write_bytes(b"old")
    (out / "notes.txt").write_text("mine")
    plan = plan_folder(release, tmp_path, out, "a reason")
    assert plan.gone == ["data/train-00000-of-00009.parquet"]
    lay_out(plan)
    assert not (out / plan.gone[0]).exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_a_file_that_nobody_checked_is_not_published(tmp_path, release):
    (release.path / "private-notes.txt").write_text("call Ann")
    with pytest.raises(CheckFailed, match=r"private-notes\.txt` is no file of this release"):
        plan_folder(release, tmp_path, tmp_path / "out", "a reason")
    (release.path / "private-notes.txt").unlink()
    shard = next((release.path / "data").glob("*.parquet"))
    shard.rename(tmp_path / "elsewhere.parquet")
    shard.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(KitError, match="points outside"):
        plan_folder(release, tmp_path, tmp_path / "out", "a reason")


def test_a_readme_that_is_no_card_is_asked_about_and_the_release_itself_is_no_target(tmp_path, release):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "README.md").write_bytes(b"my own readme \xff")
    assert plan_folder(release, tmp_path, out, "a reason").foreign == ["README.md"]
    with pytest.raises(KitError, match="lies in the release itself"):
        plan_folder(release, tmp_path, release.path / "hub", "a reason")


FORGED = [
    ("version", "1 <script>alert(1)</script>"),
    ("name", "../../x"),
    ("data_digest", "../" * 20),
    ("splits", 3),
    ("splits", {"x\ngated: false": {}}),
]


@pytest.mark.parametrize(("field", "value"), FORGED, ids=lambda value: str(value)[:20])
def test_a_forged_manifest_is_refused_by_field(release, field, value):
    forged = release.manifest | {field: value}
    (release.path / "release.json").write_text(json.dumps(forged))
    with pytest.raises(KitError, match=field):
        open_release(release.path)


def test_the_reason_for_publishing_unvalidated_stands_on_the_card(release):
    assert "Published without a baseline: no GPU this week" in card(release, None, "no GPU this week")


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "[x](http://evil)", "a | b", "**bold**", "line\nbreak", "`code`", "{{ 7 * 7 }}"],
)
def test_words_from_outside_are_neither_markdown_nor_html_on_the_card(release, hostile):
    text = card(release, None, hostile)
    shown = text.split("Published without a baseline: ")[1].split("\n")[0]
    assert not set(shown) & set("<>[]()*`|")
    assert "49" not in shown


def test_a_name_cannot_break_out_of_the_yaml_block(tmp_path):
    yaml = written(tmp_path / "releases/toy/0.1.0", recipe={**RECIPE, "license": 'mit"\ngated: false\nx: "'})
    head = card(yaml, None, "r").split("---")[1]
    assert "\ngated: false" not in head


@pytest.mark.parametrize(
    ("images", "word"), [(1, "n<1K"), (1_000, "1K<n<10K"), (26_206, "10K<n<100K"), (2_000_000, "1M<n<10M")]
)
def test_the_size_is_told_in_the_hubs_words(images, word):
    assert size_category(images) == word


def test_plain_leaves_plain_words_alone():
    assert plain("a plain sentence, 3.5 %") == "a plain sentence, 3.5 %"
    assert len(ROWS) == 60 and MANIFEST["kind"] == "dataset"
