"""Every dataset of the field comes in as its loaders read it: counts, splits, ids, captions and bytes, oddities and all."""

from __future__ import annotations

import hashlib
import json

import pytest

from release.importing import sets
from release.importing.sets import by_path, findings, take
from typed import run_cli, snapshot
from ufine_kit.dataset.reader import newest_release, verify
from ufine_kit.errors import KitError
from ufine_kit.release.importing.opening import Where, open_dataset
from ufine_kit.release.importing.published import differences, hint
from ufine_kit.release.importing.survey import Reading

pytestmark = pytest.mark.full

FORMATS = {
    "cuhk-pedes": (sets.cuhk, "CUHK-PEDES", {"train": (4, 8, 16), "val": (1, 2, 4), "test": (2, 4, 8)}),
    "icfg-pedes": (sets.icfg, "ICFG-PEDES", {"train": (3, 6, 6), "test": (2, 4, 4)}),
    "rstpreid": (sets.rstp, "RSTPReid", {"train": (3, 6, 12), "val": (1, 2, 4), "test": (1, 2, 4)}),
    "ufine6926": (sets.ufine, "UFine6926", {"train": (3, 6, 12), "test": (2, 4, 8)}),
    "ufine3c": (sets.ufine3c, None, {"test": (3, 6, 36)}),
}


def listed(folder) -> list[dict]:
    (file,) = folder.glob("*.json")
    return json.loads(file.read_text())


@pytest.mark.parametrize("format", FORMATS)
def test_a_real_format_comes_in_whole(tmp_path, format):
    make, source, counts = FORMATS[format]
    folder = make(tmp_path / "in")
    release, imported = take(tmp_path / "work", format, folder)
    verify(release)
    assert {
        split: (held["identities"], held["images"], held["captions"]) for split, held in release.splits.items()
    } == counts
    rows, pictures = by_path(release), folder / ("." if "ufine" in format else "imgs")
    for row in listed(folder):
        found = rows.pop(row.get("file_path") or row["img_path"])
        assert found["split"] == row["split"]
        assert found["provenance"]["upstream_id"] == str(row["id"])
        assert found["person_id"].endswith(f"-{row['id']}")
        assert found["captions"] == row["captions"]
        assert found["source"] == row.get("source", source)
        content = (pictures / found["image"]["path"]).read_bytes()
        assert (found["image"]["bytes"], found["image_sha256"]) == (content, hashlib.sha256(content).hexdigest())
        assert (found["width"], found["height"]) == (24, 48)
        assert {origin["kind"] for origin in found["caption_origins"]} == {"imported"}
        assert {origin["writer"] for origin in found["caption_origins"]} == {found["source"]}
    assert rows == {}
    assert imported.summary["left_out"] == {}


def test_what_looks_at_a_picture_agrees_with_the_crops_of_the_kit(tmp_path):
    from ufine_kit.dataset.look import facts_of

    release, _ = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"))
    assert all(row["dhash"] == facts_of(row["image"]["bytes"])["dhash"] for row in by_path(release).values())


@pytest.mark.parametrize("name", ["ICFG-PEDES.json", "ICFG_PEDES.json"])
def test_icfg_is_found_under_both_of_its_spellings(tmp_path, name):
    release, _ = take(tmp_path / "work", "icfg-pedes", sets.icfg(tmp_path / "in", name))
    assert release.splits["train"]["images"] == 6


def test_two_spellings_with_other_content_are_told_apart(tmp_path):
    folder = sets.icfg(tmp_path / "in")
    text = (folder / "ICFG-PEDES.json").read_text()
    (folder / "ICFG_PEDES.json").write_text(text)
    assert open_dataset("icfg-pedes", str(folder), Where()).said == ()
    (folder / "ICFG_PEDES.json").write_text(text + " ")
    (said,) = open_dataset("icfg-pedes", str(folder), Where()).said
    assert "`ICFG_PEDES.json` lies there too" in said


@pytest.mark.parametrize("inner", ["CUHK-PEDES", "."])
def test_the_folder_above_is_as_good_as_the_folder(tmp_path, inner):
    sets.cuhk(tmp_path / "in" / inner)
    assert take(tmp_path / "work", "cuhk-pedes", tmp_path / "in")[0].splits["val"]["identities"] == 1


def test_ufine3c_is_of_its_own_kind_and_keeps_the_source_of_every_image(tmp_path):
    release, imported = take(tmp_path / "work", "ufine3c", sets.ufine3c(tmp_path / "in"))
    assert newest_release(tmp_path / "work", "ufine3c") == release.path
    assert {source["source"]: source["images"] for source in imported.manifest["sources"]} == {
        "CUHK-PEDES": 2, "ICFG-PEDES": 2, "UFine6926": 2,
    }  # fmt: skip
    with pytest.raises(KitError, match="no release"):
        newest_release(tmp_path / "work", "dataset")


def test_an_image_listed_once_per_caption_is_one_image_with_all_captions(tmp_path):
    """The trap of a UFine3C loader in circulation: its gallery held every image once per caption."""
    folder = sets.ufine3c(tmp_path / "in")
    rows = listed(folder)
    apart = [row | {"captions": [text]} for row in rows for text in row["captions"]]
    shuffled = apart[::2] + apart[1::2]
    (folder / "UFine3C_Annotations.json").write_text(json.dumps(shuffled))
    release, imported = take(tmp_path / "work", "ufine3c", folder)
    assert release.splits["test"]["images"] == 6
    found = by_path(release)
    assert all(sorted(found[row["file_path"]]["captions"]) == sorted(row["captions"]) for row in rows)
    assert imported.summary["notes"]["listed_again"] == len(apart) - 6


def test_a_row_that_is_there_twice_adds_no_caption_twice(tmp_path):
    rows = sets.rows({"train": 2})
    release, _ = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", [*rows, rows[0]]))
    assert by_path(release)[rows[0]["file_path"]]["captions"] == rows[0]["captions"]


def test_what_is_neither_train_nor_test_counts_as_val_and_is_told(tmp_path):
    rows = sets.rows({"train": 5})
    for row, word in zip(rows[2:], ["Train", "validation", "val", "tset"] + ["train"] * 4, strict=True):
        row["split"] = word
    release, imported = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows))
    assert {split: held["images"] for split, held in release.splits.items()} == {"train": 6, "val": 4}
    assert imported.summary["notes"]["split_name"] == 3
    said = [found["detail"] for found in findings(imported) if found["reason"] == "split_name"]
    assert said == ["Train", "validation", "tset"]


def test_more_than_two_captions_and_a_single_text_are_kept(tmp_path):
    rows = sets.rows({"train": 2})
    rows[0]["captions"] = [sets.caption(0, nth) for nth in range(10)]
    rows[1]["captions"] = sets.caption(1)
    release, imported = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows))
    found = by_path(release)
    assert len(found[rows[0]["file_path"]]["captions"]) == 10
    assert found[rows[1]["file_path"]]["captions"] == [rows[1]["captions"]]
    assert imported.summary["notes"] == {"text_for_list": 1}


DIRTY = {
    "script": "A man 一个男人 in a red coat.",
    "code": "A woman in blue. for i in range(10): print(i)",
    "markup": "A boy with <b>white</b> shoes.",
}


@pytest.mark.parametrize("reason", DIRTY)
def test_a_dirty_caption_is_kept_and_counted(tmp_path, reason):
    rows = sets.rows({"train": 2}, base=0)
    rows[0]["captions"][1] = DIRTY[reason]
    release, imported = take(tmp_path / "work", "rstpreid", sets.write(tmp_path / "in", "data_captions.json", rows))
    assert by_path(release)[rows[0]["file_path"]]["captions"][1] == DIRTY[reason]
    assert imported.summary["notes"] == {reason: 1}


def test_the_same_caption_on_several_identities_is_told(tmp_path):
    rows = sets.rows({"train": 3})
    rows[0]["captions"][0] = rows[1]["captions"][0] = "The same words."
    rows[4]["captions"][0] = "the  same words."
    _, imported = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows))
    (found,) = [found for found in findings(imported) if found["reason"] == "shared"]
    assert (found["row"], found["person"], found["left_out"]) == (4, "3", False)


def test_one_number_in_two_splits_is_two_people_only_when_told_so(tmp_path):
    rows = sets.rows({"train": 2, "test": 2}, base=0)
    for row in rows[4:]:
        row["id"] -= 2
    folder = sets.write(tmp_path / "in", "ICFG-PEDES.json", rows)
    one, said = take(tmp_path / "work", "icfg-pedes", folder)
    assert said.summary["notes"]["two_split_identity"] == 2
    two, said = take(tmp_path / "work", "icfg-pedes", folder, "apart", reading=Reading(ids_per_split=True))
    assert said.summary["notes"] == {}
    people = [{row["person_id"] for row in by_path(release).values()} for release in (one, two)]
    assert [len(held) for held in people] == [2, 4]


def test_rows_without_a_split_need_one_from_the_flags(tmp_path):
    rows = [{key: value for key, value in row.items() if key != "split"} for row in sets.rows({"train": 1})]
    folder = sets.write(tmp_path / "in", "caption_all.json", rows)
    with pytest.raises(KitError, match="`split` must be a short text") as caught:
        take(tmp_path / "work", "cuhk-pedes", folder)
    assert "--split" in caught.value.mend
    assert take(tmp_path / "work", "cuhk-pedes", folder, reading=Reading(split="test"))[0].splits["test"]["images"] == 2


def test_counts_stand_beside_the_published_ones():
    real = {
        "train": {"identities": 4926, "images": 18577, "captions": 37154},
        "test": {"identities": 2000, "images": 7629, "captions": 15258},
    }
    assert differences("ufine6926", real, 6926) == []
    real["test"]["images"] -= 3
    assert differences("ufine6926", real, 6926) == [
        {"split": "test", "what": "images", "published": 7629, "found": 7626},
        {"split": "all", "what": "images", "published": 26206, "found": 26203},
    ]
    assert differences("folder", real, 1) == []
    assert "older download" in hint("rstpreid", {"train": {"identities": 3901}})


def test_two_imports_are_byte_identical_and_the_digest_is_that_of_the_rows(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    for name in "ab":
        take(tmp_path / name, "cuhk-pedes", folder, workers=1 if name == "a" else 3)
    held = [{name: sha for name, sha in snapshot(tmp_path / name).items() if ".locks" not in name} for name in "ab"]
    assert held[0] == held[1]


def test_the_manifest_says_by_what_right_the_images_are_here(tmp_path):
    ran = run_cli(
        "import-dataset", "cuhk-pedes", sets.cuhk(tmp_path / "in"), "-w", tmp_path / "work", "--json", "--licence", "cc-by-4.0",
        "--no-redistribution", "--consent-basis", "research agreement", "--url", "https://example.org", "--date", "2026-01-02",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["sources"] == [{
        "source": "CUHK-PEDES", "licence": "cc-by-4.0", "redistribution": False, "consent_basis": "research agreement",
        "url": "https://example.org", "date": "2026-01-02", "videos": 0, "images": 14,
    }]  # fmt: skip
    assert ran.json["recipe"]["license"] == "cc-by-4.0"
    assert "train: 4 identities here, 11,003 published (-10,999)" in ran.err


def test_a_dry_run_counts_and_writes_nothing(tmp_path):
    sets.cuhk(tmp_path / "in")
    held = snapshot(tmp_path)
    ran = run_cli("import-dataset", "cuhk-pedes", tmp_path / "in", "-w", tmp_path / "work", "--dry-run", "--json")
    assert ran.json["splits"]["train"] == {"identities": 4, "images": 8, "captions": 16}
    assert snapshot(tmp_path) == held
    assert not (tmp_path / "work").exists()


def test_an_import_cut_short_leaves_no_release_and_the_same_command_makes_it(tmp_path):
    words = ["import-dataset", "cuhk-pedes", sets.cuhk(tmp_path / "in"), "-w", tmp_path / "work"]
    assert run_cli(*words, crash_at="release.before_rename").code == 137
    assert not (tmp_path / "work/releases/cuhk-pedes/0.1.0").exists()
    assert run_cli(*words).code == 0
    again = run_cli(*words)
    assert (again.code, "a released version never changes" in again.err) == (2, True)


def test_an_identity_does_not_move_within_a_major_version(tmp_path):
    take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"))
    moved = sets.cuhk(tmp_path / "moved", {"train": 3, "val": 2, "test": 2})
    with pytest.raises(KitError, match="was in train in an earlier version, and is in val here"):
        take(tmp_path / "work", "cuhk-pedes", moved, version="0.2.0")
    take(tmp_path / "work", "cuhk-pedes", moved, version="1.0.0")


def test_who_was_taken_down_does_not_come_back(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    release, _ = take(tmp_path / "work", "cuhk-pedes", folder)
    rows = list(by_path(release).values())
    person = next(row["person_id"] for row in rows if row["split"] == "test")
    picture = next(row["image_sha256"] for row in rows if row["split"] == "train")
    hashed = hashlib.sha256(f"cuhk-pedes:{person}".encode()).hexdigest()
    stones = [{"version": "0.1.1", "reason": "asked", "person": hashed, "images": [], "crops": []},
              {"version": "0.1.2", "reason": "asked", "person": None, "images": [picture], "crops": []}]  # fmt: skip
    (release.path.parent / "removed.jsonl").write_text("".join(json.dumps(stone) + "\n" for stone in stones))
    later, imported = take(tmp_path / "work", "cuhk-pedes", folder, version="0.2.0")
    left = {row["image_id"] for row in by_path(later).values()}
    assert left == {row["image_id"] for row in rows if row["person_id"] != person and row["image_sha256"] != picture}
    assert imported.summary["left_out"] == {"removed": 3}
    assert person not in (imported.report[1].read_bytes() + imported.report[0].read_bytes()).decode("latin-1")
    assert (later.path / "removed.jsonl").is_file()


def test_the_number_of_files_stays_within_a_major_version(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    take(tmp_path / "work", "cuhk-pedes", folder, shards=3)
    assert take(tmp_path / "work", "cuhk-pedes", folder, version="0.2.0")[0].manifest["shards"] == 3
    with pytest.raises(KitError, match="within a major version it stays"):
        take(tmp_path / "work", "cuhk-pedes", folder, version="0.3.0", shards=2)
    assert take(tmp_path / "work", "cuhk-pedes", folder, version="1.0.0", shards=2)[0].manifest["shards"] == 2


WRONG_FILES = {
    "another dataset": ("rstpreid", lambda folder: sets.cuhk(folder), "data_captions.json"),
    "no folder": ("cuhk-pedes", lambda folder: folder / "gone", "gone"),
    "no JSON": ("cuhk-pedes", lambda folder: damaged(sets.cuhk(folder), b"PK\x03\x04"), "reid_raw.json"),
    "torn": ("cuhk-pedes", lambda folder: damaged(sets.cuhk(folder), None), "reid_raw.json` row 13"),
    "an object": ("cuhk-pedes", lambda folder: damaged(sets.cuhk(folder), b'{"images": []}'), "no JSON list"),
    "nothing in it": ("cuhk-pedes", lambda folder: damaged(sets.cuhk(folder), b"[]"), "holds no rows"),
    "not UTF-8": ("cuhk-pedes", lambda folder: damaged(sets.cuhk(folder), b'["\xff\xfe"]'), "no UTF-8"),
    "rows of something else": ("ufine6926", lambda folder: coco(folder), "row 0: `file_path` must be text"),
}


def damaged(folder, content: bytes | None):
    (file,) = folder.glob("*.json")
    file.write_bytes(content if content is not None else file.read_bytes()[:-60])
    return folder


def coco(folder):
    return sets.write(folder, "UFine6926_Annotations.json", [{"image_id": 1, "caption": "a man"}], images=".")


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_is_one_line_that_names_it(tmp_path, case):
    format, make, said = WRONG_FILES[case]
    with pytest.raises(KitError) as caught:
        take(tmp_path / "work", format, make(tmp_path / "in"))
    assert said in caught.value.problem
    assert "\n" not in caught.value.problem
    assert caught.value.mend
    assert not list((tmp_path / "work").rglob("release.json"))


def test_flags_that_belong_to_another_format_are_told(tmp_path):
    with pytest.raises(KitError, match="belong to the format `hub`"):
        take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"), where=Where(revision="main"))
    with pytest.raises(KitError, match="no format `market`"):
        take(tmp_path / "work", "market", tmp_path)
