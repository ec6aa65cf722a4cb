"""Removal: only the shards concerned change, and whatever comes later never brings back what was taken out."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from release.importing.sets import by_path, cuhk, take
from release.importing.sets import picture as cuhk_picture
from release.works import crop, lines, make_work, people, picture, released
from typed import run_cli, snapshot
from ufine_kit.dataset.reader import open_release, verify
from ufine_kit.dataset.splits import shard_of
from ufine_kit.dataset.tombstones import crop_hash, person_hash, read_removed, write_removed
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.release.build import build, plan_build
from ufine_kit.release.edit import edit, plan_edit, read_edits
from ufine_kit.release.importing.survey import Reading
from ufine_kit.release.remove import plan_removal, remove
from ufine_kit.tables import ReleaseTable

pytestmark = pytest.mark.full

DROP = {"image_id": "c0-0", "reason": "blurred"}
TABLE = ReleaseTable(shards=3, test=0.3, val=0.0)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    work = make_work(tmp_path_factory.mktemp("removal") / "work", people("abcd", 6))
    build(work, TABLE)
    return work


@pytest.fixture
def work(once, tmp_path):
    shutil.copytree(once, tmp_path / "work")
    return tmp_path / "work"


def at(work, version="0.1.0"):
    return work / "releases/dataset" / version


def take_out(work, *persons, images=(), version="0.1.0"):
    return remove(plan_removal(open_release(at(work, version)), persons, images, "asked to be removed"))


def test_a_removal_changes_its_shard_and_what_speaks_of_it_and_nothing_else(work):
    split = released(at(work))["a0-0"]["split"]
    manifest = take_out(work, "a0")
    verify(open_release(at(work, "0.1.1")))
    old, new = (snapshot(at(work, version)) for version in ("0.1.0", "0.1.1"))
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    shard = f"data/{split}-{shard_of('a0', 3):05d}-of-00003.parquet"
    assert changed == {shard, "release.json", "SHA256SUMS", "CHANGELOG.md", "removed.jsonl"}
    left = released(at(work, "0.1.1"))
    assert left == {name: row for name, row in released(at(work)).items() if row["person_id"] != "a0"}
    assert manifest["splits"][split]["identities"] == len(
        {r["person_id"] for r in left.values() if r["split"] == split}
    )
    kept = next(name for name in old if name.startswith("data/") and name != shard)
    assert (at(work) / kept).stat().st_ino == (at(work, "0.1.1") / kept).stat().st_ino


def test_the_shard_written_anew_is_the_one_that_a_build_without_the_person_writes(work, tmp_path):
    take_out(work, "a0")
    crops = people("abcd", 6)
    crops.pop("a0")
    other = make_work(tmp_path / "other", crops)
    shutil.copytree(at(work).parent, other / "releases/dataset", ignore=shutil.ignore_patterns("0.*", "removed.jsonl"))
    build(other, TABLE)
    assert snapshot(at(other), "data/*") == snapshot(at(work, "0.1.1"), "data/*")


def test_a_tombstone_names_nobody_and_the_changelog_neither(work):
    take_out(work, "a0")
    (line,) = (at(work).parent / "removed.jsonl").read_text().splitlines()
    stone = json.loads(line)
    rows = [row for row in released(at(work)).values() if row["person_id"] == "a0"]
    assert stone["person"] == hashlib.sha256(b"dataset:a0").hexdigest() == person_hash("dataset", "a0")
    assert stone["images"] == sorted(row["image_sha256"] for row in rows)
    assert stone["crops"] == sorted(crop_hash(row["image_id"]) for row in rows)
    assert (stone["version"], stone["reason"]) == ("0.1.1", "asked to be removed")
    assert (at(work, "0.1.1") / "removed.jsonl").read_text() == line + "\n"
    for name in ("removed.jsonl", "CHANGELOG.md", "release.json"):
        assert "a0-" not in (at(work, "0.1.1") / name).read_text().replace(stone["person"], "")
    assert "2 images of 1 identity taken out" in (at(work, "0.1.1") / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("version", ["next-patch", "next-minor", "next-major"])
def test_no_later_build_brings_a_person_back_not_under_another_id_either(work, version):
    take_out(work, "a0")
    built = build(work, TABLE.model_copy(update={"version": version}))
    assert "a0" not in {row["person_id"] for row in released(at(work, built["version"])).values()}
    assert (at(work, built["version"]) / "removed.jsonl").is_file()
    assert built["changes"][0] == "2 images kept out by tombstones"  # and so `build-release` prints it


def tracked_anew() -> dict:
    """The same videos, tracked again: other ids, one picture cut anew, one crop that was never seen before."""
    crops = people("abcd", 6)
    for row in crops.pop("a0"):
        row["tracklet"] = "anew"
        crops.setdefault("anew", []).append(row)
    jpeg = picture(99)
    crops["anew"][0] |= {"image": {"bytes": jpeg, "path": None}, "image_sha256": hashlib.sha256(jpeg).hexdigest()}
    crops["anew"].append(crop("anew-9", "a", "anew", 6))
    return crops


def test_a_person_is_known_again_by_a_crop_or_a_picture_and_goes_as_a_whole(work, tmp_path):
    take_out(work, "a0")
    again = make_work(tmp_path / "again", tracked_anew())
    shutil.copytree(at(work).parent, again / "releases/dataset")
    built = build(again, TABLE.model_copy(update={"version": "next-minor"}))
    assert "anew" not in {row["person_id"] for row in released(at(again, built["version"])).values()}
    assert "stay out" in plan_build(again, TABLE.model_copy(update={"version": "next-minor"})).left_out()[0]


def test_a_single_image_goes_without_its_person(work):
    take_out(work, images=["a0-0"])
    assert {name for name, row in released(at(work, "0.1.1")).items() if row["person_id"] == "a0"} == {"a0-1"}
    assert read_removed(at(work).parent, "dataset").entries[0].person is None
    build(work, TABLE.model_copy(update={"version": "next-minor"}))
    assert "a0-0" not in released(at(work, "0.2.0")) and "a0-1" in released(at(work, "0.2.0"))


def test_any_other_writer_of_the_name_keeps_them_out_too(work):
    rows = list(released(at(work)).values())
    take_out(work, "a0", "b1")
    manifest = {"name": "dataset", "version": "9.0.0", "kind": "dataset", "synthetic": True, "recipe": {}}
    write_release(at(work, "9.0.0"), rows, 1, manifest)
    left = {row["person_id"] for row in released(at(work, "9.0.0")).values()}
    assert left == {row["person_id"] for row in rows} - {"a0", "b1"}
    assert open_release(at(work, "9.0.0")).manifest["changes"][0] == "4 images kept out by tombstones"
    assert (at(work, "9.0.0") / "removed.jsonl").read_bytes() == read_removed(at(work).parent, "dataset").lines()


def test_a_lost_ledger_is_known_from_any_version_that_carries_it(work):
    take_out(work, "a0")
    (at(work).parent / "removed.jsonl").unlink()
    build(work, TABLE.model_copy(update={"version": "next-minor"}))
    assert "a0-0" not in released(at(work, "0.2.0"))


def test_the_last_of_a_split_takes_the_split_with_it(tmp_path):
    work = make_work(tmp_path / "work", people("ab", 1))
    build(work, ReleaseTable(test=0.5, val=0.0))
    person = next(row["person_id"] for row in released(at(work)).values() if row["split"] == "test")
    assert set(take_out(work, person)["splits"]) == {"train"}
    verify(open_release(at(work, "0.1.1")))
    assert [path.name.partition("-")[0] for path in (at(work, "0.1.1") / "data").iterdir()] == ["train"]


def test_two_removals_one_after_the_other_both_hold(work):
    take_out(work, "a0")
    take_out(work, "b0", version="0.1.1")
    assert len(read_removed(at(work).parent, "dataset").entries) == 2
    text = (at(work, "0.1.2") / "CHANGELOG.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 0.1.2", "## 0.1.1", "## 0.1.0"]


def test_what_others_removed_between_the_question_and_the_yes_stays_removed(work):
    first, second = (plan_removal(open_release(at(work)), [person], [], "r") for person in ("a0", "b0"))
    write_removed(at(work).parent, first.revision.removed)  # and its version never came to be
    edits = plan_edit(open_release(at(work)), read_edits(None, lines(work / "d", DROP)), "next-minor")
    remove(second)
    assert len(read_removed(at(work).parent, "dataset").entries) == 2
    assert not {"a0", "b0"} & {row["person_id"] for row in released(at(work, "0.1.1")).values()}
    for act in (lambda: remove(first), lambda: edit(edits)):
        with pytest.raises(KitError, match="not the newest"):
            act()
    assert not at(work, "0.2.0").exists()


def test_an_edit_planned_before_a_removal_is_refused(work):
    edits = plan_edit(open_release(at(work)), read_edits(None, lines(work / "d", DROP)), None)
    write_removed(at(work).parent, plan_removal(open_release(at(work)), ["a0"], [], "r").revision.removed)
    with pytest.raises(KitError, match="just now"):
        edit(edits)


REFUSED = [
    ({"persons": ["zz"]}, "no identity `zz`"), ({"images": ["zz"]}, "no image `zz`"), ({}, "nothing to remove"),
    ({"persons": ["a0"], "reason": " "}, "needs a reason"), ({"persons": ["a0"], "reason": "\udcff"}, "the reason has"),
    ({"persons": ["a0"], "reason": "asked\x1b[2J"}, "the reason has"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), REFUSED)
def test_what_cannot_be_removed_is_one_line(work, asked, said):
    with pytest.raises(KitError, match=said):
        plan_removal(open_release(at(work)), **{"persons": [], "images": [], "reason": "r", **asked})
    assert not (at(work).parent / "removed.jsonl").exists()


def test_an_older_version_and_a_second_time_are_refused(work):
    take_out(work, "a0")
    with pytest.raises(KitError, match="not the newest") as caught:
        plan_removal(open_release(at(work)), ["b0"], [], "r")
    assert "0.1.1" in caught.value.mend
    with pytest.raises(KitError, match="was removed already"):
        plan_removal(open_release(at(work, "0.1.1")), ["a0"], [], "r")


@pytest.mark.parametrize("harm", ["a shard that is kept", "a shard that is rewritten", "the rows"])
def test_a_damaged_release_is_not_carried_on(work, harm):
    release = open_release(at(work))
    split = released(at(work))["a0-0"]["split"]
    own = at(work) / f"data/{split}-{shard_of('a0', 3):05d}-of-00003.parquet"
    if harm == "the rows":
        content = json.loads((at(work) / "release.json").read_text())
        (at(work) / "release.json").write_text(json.dumps(content | {"data_digest": "0" * 64}))
    else:
        path = own if "rewritten" in harm else next(p for p in sorted((at(work) / "data").iterdir()) if p != own)
        spoilt = bytearray(path.read_bytes())
        jpeg = next(row for row in released(at(work)).values() if row["image"]["bytes"] in spoilt)["image"]["bytes"]
        spoilt[spoilt.index(jpeg) + 300] ^= 1
        path.write_bytes(spoilt)
    plan = plan_removal(open_release(release.path), ["a0"], [], "r")
    with pytest.raises(CheckFailed):
        remove(plan)
    assert not at(work, "0.1.1").exists()
    build(work, TABLE.model_copy(update={"version": "1.0.0"}))
    assert "a0-0" not in released(at(work, "1.0.0")), "the tombstone holds already"


def test_a_spoilt_ledger_is_named_with_its_line(work):
    take_out(work, "a0")
    with (at(work).parent / "removed.jsonl").open("a") as stream:
        stream.write('{"version": "0.1.1"}\n')
    with pytest.raises(KitError, match="line 2: `reason`"):
        plan_build(work, TABLE.model_copy(update={"version": "next-minor"}))


WORDS = ("remove", "--person", "a0", "--reason", "asked to be removed")


@pytest.mark.full
def test_it_asks_first_and_a_dry_run_writes_nothing(work):
    held = snapshot(work)
    ran = run_cli(*WORDS, "-w", work)
    assert (ran.code, "This needs a yes" in ran.err) == (2, True)
    ran = run_cli(*WORDS, "-w", work, "--dry-run", "--json")
    assert (ran.code, ran.json["images"], ran.json["dry_run"]) == (0, 2, True)
    assert snapshot(work) == held


@pytest.mark.full
@pytest.mark.parametrize("point", ["remove.ledger", "release.shard", "release.before_rename"])
def test_killed_there_and_run_again_it_gives_the_same_bytes(work, tmp_path, point):
    shutil.copytree(work, tmp_path / "unbroken")
    take_out(tmp_path / "unbroken", "a0")
    assert run_cli(*WORDS, "-w", work, "--yes", crash_at=point).code == 137
    assert not at(work, "0.1.1").exists()
    ran = run_cli(*WORDS, "-w", work, "--yes", "--json")
    assert (ran.code, ran.json["still_hold_it"]) == (0, ["0.1.0"]), ran.err
    assert snapshot(at(work).parent) == snapshot(tmp_path / "unbroken/releases/dataset")


def test_an_edit_after_a_removal_that_was_cut_short_leaves_them_out_as_well(work, tmp_path):
    assert run_cli(*WORDS, "-w", work, "--yes", crash_at="remove.ledger").code == 137
    drops = lines(tmp_path / "drop.jsonl", {"image_id": "c0-0", "reason": "blurred"})
    edit(plan_edit(open_release(at(work)), read_edits(None, drops), None))
    assert not {"a0-0", "a0-1", "c0-0"} & set(released(at(work, "0.1.1")))


def imported(work, folder, name="toy", version="0.1.0", **more):
    return take(work, "cuhk-pedes", folder, name, version, **more)[0]


@pytest.mark.parametrize("first", [False, True], ids=["as found", "stripped"])
def test_an_imported_person_does_not_come_back_with_other_bytes_and_another_id(tmp_path, first):
    marked = {f"CUHK01/{n:05d}.jpg": cuhk_picture(n, comment=b"Jane") for n in range(2)}
    folder = cuhk(tmp_path / "in", pictures=marked)
    release = imported(tmp_path / "work", folder, strip_exif=first)
    person = by_path(release)["CUHK01/00000.jpg"]["person_id"]
    remove(plan_removal(release, [person], [], "asked to be removed"))
    again = imported(
        tmp_path / "work", folder, version="1.0.0", strip_exif=not first, reading=Reading(ids_per_split=True)
    )
    assert set(by_path(release)) - set(by_path(again)) == set(marked)
    shutil.copytree(folder / "imgs/CUHK01", folder / "imgs/moved")  # then the bytes alone tell
    listed = json.loads((folder / "reid_raw.json").read_text())
    for row in listed:
        row["file_path"] = row["file_path"].replace("CUHK01", "moved")
    (folder / "reid_raw.json").write_text(json.dumps(listed))
    moved = imported(
        tmp_path / "work", folder, version="2.0.0", strip_exif=not first, reading=Reading(ids_per_split=True)
    )
    assert len(by_path(moved)) == len(by_path(again))


def test_an_imported_image_is_known_by_its_id_to_every_writer(tmp_path):
    release = imported(tmp_path / "work", cuhk(tmp_path / "in"))
    row = by_path(release)["CUHK01/00000.jpg"]
    remove(plan_removal(release, [], [row["image_id"]], "shows a plate"))
    removed = read_removed(release.path.parent, "toy")
    assert removed.entries[0].crops == (crop_hash(row["image_id"]),)
    assert not removed.hits_image("0" * 64, "other") and removed.hits_image("0" * 64, row["image_id"])
    jpeg = picture(77)
    cut = row | {"image": {"bytes": jpeg, "path": "x.jpg"}, "image_sha256": hashlib.sha256(jpeg).hexdigest()}
    manifest = {"name": "toy", "version": "3.0.0", "kind": "dataset", "synthetic": True, "recipe": {}}
    other = row | {"image_id": "other", "image": {"bytes": picture(78), "path": "y.jpg"}, "image_sha256": "1" * 64}
    write_release(release.path.with_name("3.0.0"), [cut, other], 1, manifest)
    assert set(released(release.path.with_name("3.0.0"))) == {"other"}
