"""A push into a folder: refused unless the release is whole and validated, completed by a rerun, nothing foreign lost."""

from __future__ import annotations

import json
import shutil

import pytest

from hub.preparing import OWNER, ROWS, keep_record, record
from hub.preparing import release as toy
from live.hub.making import recipe, rows, sha, tombstone
from live.hub.making import release as whole_release
from ufine_kit.dataset.reader import open_release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.hub import admit
from ufine_kit.hub.folder import lay_out, plan_folder
from ufine_kit.hub.repository import ours, prepare

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    work = tmp_path_factory.mktemp("whole")
    return work, whole_release(work)


def prepared(made, tmp_path, without_baseline="a reason", **changes):
    work, release = made
    return prepare(release, recipe(**changes), work, tmp_path / "scratch", without_baseline)


def test_what_is_laid_out_is_the_release_its_texts_and_its_documents(made, tmp_path):
    plan = plan_folder(prepared(made, tmp_path), tmp_path / "out")
    assert plan.fresh[-1] == "README.md", "no card speaks of shards that are not there yet"
    lay_out(plan)
    for path in made[1].path.rglob("*"):
        if path.is_file():
            assert (tmp_path / "out" / path.relative_to(made[1].path)).read_bytes() == path.read_bytes()
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"README.md", "DATASHEET.md", "CITATION.cff", "croissant.json", "LICENSE", "CHANGELOG.md"} <= names
    assert sum(name.startswith("texts/") for name in names) == sum(name.startswith("data/") for name in names) == 9
    assert all(ours(name) for name in names)
    again = plan_folder(prepared(made, tmp_path), tmp_path / "out")
    assert (again.fresh, again.gone, again.foreign) == ([], [], [])


def test_shards_of_another_version_are_removed_last_and_nothing_else_is(made, tmp_path):
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "data/train-00000-of-00009.parquet").write_bytes(b"old")
    (out / "notes.txt").write_text("mine")
    plan = plan_folder(prepared(made, tmp_path), out)
    assert plan.gone == ["data/train-00000-of-00009.parquet"]
    lay_out(plan)
    assert not (out / plan.gone[0]).exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_files_that_are_no_releases_are_asked_about_and_the_release_itself_is_no_target(made, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "README.md").write_bytes(b"my own readme \xff")
    (out / "LICENSE").write_text("my own licence")
    ready = prepared(made, tmp_path)
    assert plan_folder(ready, out).foreign == ["LICENSE", "README.md"]
    with pytest.raises(KitError, match="lies in the release itself"):
        plan_folder(ready, made[1].path / "hub")


@pytest.mark.parametrize("place", ["toy/0.0.9", "toy", "other/0.1.0", ""])
def test_no_place_of_releases_is_a_target(made, tmp_path, place):
    with pytest.raises(KitError, match="lies among the releases"):
        plan_folder(prepared(made, tmp_path), made[0] / "releases" / place)


@pytest.mark.parametrize(
    ("changes", "card", "asked"),
    [
        ({"version": "0.0.9"}, False, True), ({"version": "0.0.9"}, True, False), ({"name": "other"}, True, True),
        ({"splits": 3}, True, True), ({}, False, False),
    ],
)  # fmt: skip
def test_a_folder_that_is_another_release_is_asked_about_and_an_earlier_push_is_not(
    made, tmp_path, changes, card, asked
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "release.json").write_text(json.dumps(made[1].manifest | changes))
    (out / "CHANGELOG.md").write_text("other")
    if card:
        (out / "README.md").write_text("a card")
    assert ("release.json" in plan_folder(prepared(made, tmp_path), out).foreign) is asked


def test_a_release_without_a_record_of_its_rows_is_refused(made, tmp_path):
    with pytest.raises(CheckFailed, match="no baseline record") as caught:
        prepared(made, tmp_path, without_baseline=None)
    assert "baseline-train" in caught.value.mend
    with pytest.raises(CheckFailed, match="no baseline record"):
        prepared(made, tmp_path, without_baseline="  ")


@pytest.mark.parametrize(
    "change", [{"data_digest": "f" * 64}, {"release": {"split": "val"}}], ids=["other rows", "validation split"]
)
def test_a_record_of_other_rows_or_of_the_validation_split_does_not_count(tmp_path, change):
    release = toy(tmp_path)
    keep_record(tmp_path, release.data_digest, **change)
    with pytest.raises(CheckFailed, match="no baseline record"):
        admit.baseline_record(release, tmp_path, None)
    keep_record(tmp_path, release.data_digest)
    assert admit.baseline_record(release, tmp_path, None).metrics["R@1"] == 51.2


def validated(passed: bool, name: str) -> dict:
    return {
        "checkpoint": {"name": name, "selection": {"rule": "last"}}, "validation": {"seeds": 3, "passed": passed, "sd": {}},
    }  # fmt: skip


def test_a_release_that_failed_its_validation_is_refused_until_one_passes(tmp_path):
    release = toy(tmp_path)
    folder = tmp_path / "baselines" / release.data_digest[:16]
    for name, more in (("a-plain", {}), ("failed", validated(False, "bad")), ("passed", validated(True, "good"))):
        if name == "passed":
            with pytest.raises(CheckFailed, match="did not pass its validation with `bad`"):
                admit.baseline_record(release, tmp_path, None)
            assert admit.baseline_record(release, tmp_path, "known") is None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(record(release.data_digest, **more)))
    assert admit.baseline_record(release, tmp_path, None).checkpoint.name == "good"


def test_a_release_that_fails_a_check_or_changed_since_is_refused(made, tmp_path):
    work, release = made
    report = admit.checked(release, recipe(), work, admit.whole(release))
    assert report.passed
    failing = toy(tmp_path)  # its pictures are none
    with pytest.raises(CheckFailed, match="checks: ") as caught:
        admit.checked(failing, recipe(), tmp_path, {})
    assert "ufine-kit check-release" in caught.value.mend
    with pytest.raises(CheckFailed, match="is not what SHA256SUMS says"):
        admit.checked(release, recipe(), work, {"release.json": "0" * 64})


def test_a_file_that_nobody_checked_is_not_published(tmp_path):
    release = toy(tmp_path)
    (release.path / "private-notes.txt").write_text("call Ann")
    with pytest.raises(CheckFailed, match=r"private-notes\.txt` is no file of this release"):
        admit.whole(release)
    (release.path / "private-notes.txt").unlink()
    shard = next((release.path / "data").glob("*.parquet"))
    shard.rename(tmp_path / "elsewhere.parquet")
    with pytest.raises(CheckFailed, match="is missing"):
        admit.whole(release)
    shard.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(KitError, match="points outside"):
        admit.whole(release)


@pytest.mark.parametrize("kind", ["person", "images", "crops"])
def test_who_was_taken_out_is_known_by_person_by_picture_and_by_crop(made, tmp_path, kind):
    _, release = made
    line = {"version": "0.2.0", "reason": "asked", kind: tombstone("p03", "0.2.0")[kind]}
    ledger = release.path.parent / "removed.jsonl"
    ledger.write_text(json.dumps(line) + "\n")
    try:
        with pytest.raises(CheckFailed, match="was taken out of `toy`"):
            admit.refuse_removed(release)
        ledger.write_text(json.dumps(line | {"person": sha("toy:p99"), "images": ["0" * 64], "crops": []}) + "\n")
        assert admit.refuse_removed(release).versions == {"0.2.0"}
        ledger.write_text("no tombstone\n")
        with pytest.raises(KitError, match="line 1 of"):
            admit.refuse_removed(release)
    finally:
        ledger.unlink()


def test_a_picture_of_an_imported_release_is_known_by_its_id_and_an_import_mends_it(tmp_path):
    bare = [row | {"provenance": row["provenance"] | {"crop_id": None}} for row in ROWS]
    ledger = tmp_path / "releases/toy/removed.jsonl"
    for recipe_of, mend in (({"format": "cuhk-pedes"}, "import-dataset FORMAT PATH --name toy"), ({}, "build-release")):
        release = toy(tmp_path, bare, recipe={"license": "cc0-1.0", "name": "toy"} | recipe_of)
        line = {
            "version": "0.2.0",
            "reason": "asked",
            "person": None,
            "images": [],
            "crops": [sha(bare[3]["image_id"])],
        }
        ledger.write_text(json.dumps(line) + "\n")
        with pytest.raises(CheckFailed, match=f"image `{bare[3]['image_id']}`") as caught:
            admit.refuse_removed(release)
        assert mend in caught.value.mend
        ledger.unlink()
        shutil.rmtree(release.path)


def test_a_release_without_its_checksums_is_refused_in_one_line(tmp_path):
    release = toy(tmp_path)
    (release.path / "SHA256SUMS").unlink()
    with pytest.raises(CheckFailed, match="is missing or empty"):
        admit.whole(release)


@pytest.mark.parametrize("key", ["contact", "instructions", "consent"])
def test_a_card_with_a_blank_is_refused_before_anything_is_written(made, tmp_path, key):
    with pytest.raises(CheckFailed, match=f"card.{key} is blank"):
        prepared(made, tmp_path, **{key: ""})
    assert key in OWNER and not (tmp_path / "scratch/README.md").exists()


FORGED = [
    ("version", "1 <script>alert(1)</script>"), ("name", "../../x"), ("data_digest", "../" * 20), ("splits", 3),
    ("splits", {"x\ngated: false": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), FORGED, ids=lambda value: str(value)[:20])
def test_a_forged_manifest_is_refused_by_field(tmp_path, field, value):
    release = toy(tmp_path)
    (release.path / "release.json").write_text(json.dumps(release.manifest | {field: value}))
    with pytest.raises(KitError, match=field):
        open_release(release.path)


def test_recipes_of_the_stages_are_told_where_the_parts_are_still_those(made, tmp_path):
    from ufine_kit.hub.facts import stages_of

    folder = tmp_path / "filter"
    folder.mkdir()
    done = {
        "part": "part-00000", "stage": "filter", "rows": 0, "reasons": {}, "sha256": "a" * 64, "bytes": 1, "inputs": {},
        "digest": "d", "recipe": {"min_height_px": 64}, "versions": {"ufine-kit": "0.1.0"}, "facts": {}, "bad_inputs": [],
        "attachments": {}, "error": None,
    }  # fmt: skip
    (folder / "part-00000.json").write_text(json.dumps(done))
    (folder / "part-00000.parquet").write_bytes(b"x")
    release = made[1]
    for sha256, told in (("a" * 64, [{"min_height_px": 64}]), ("b" * 64, [])):
        release.manifest["inputs"] = {"filter/part-00000": sha256}
        assert [stage["recipe"] for stage in stages_of(release, tmp_path)] == told
    release.manifest.pop("inputs")
    assert len(rows()) == 24
