"""Borders of the checks on what a release says of itself: what warns where another fails, and what cannot be asked."""

from __future__ import annotations

import hashlib
import json

import pytest

from dataset.checks import made, planted
from ufine_kit.dataset.checks import check_release
from ufine_kit.dataset.writer import write_sums


def outcome(folder, name):
    report = check_release(folder, only=[name])
    return next(check for check in report.checks if check.name == name)


def test_a_video_in_two_splits_warns_where_the_recipe_splits_by_identity_alone(tmp_path):
    rows = made.rows(6)
    planted.ROWS["video_split"](rows)
    folder = made.release(tmp_path, rows)
    assert outcome(folder, "video_split").state == "failed"
    made.retold(folder, recipe={"license": "cc-by-nc-4.0", "split_by": "identity"})
    assert outcome(folder, "video_split").state == "warned"


def test_rows_without_a_video_are_not_asked_for_one(tmp_path):
    rows = made.rows(6)
    for row in rows:
        row["provenance"] = dict.fromkeys(row["provenance"])
    folder = made.release(tmp_path, rows, sources=[made.SOURCE | {"consent_basis": "", "images": len(rows)}])
    assert outcome(folder, "video_split").reason == "no row says which video it is from"
    assert outcome(folder, "consent").state == "passed"


def test_a_video_stays_in_the_split_that_the_ledger_froze_it_in(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    path = folder.parent / "splits-0.json"
    held = json.loads(path.read_text())
    held[f"video:{hashlib.sha256(b'train').hexdigest()}"] = "val"
    path.write_text(json.dumps(held))
    found = outcome(folder, "splits_frozen")
    assert (found.state, found.rows) == ("failed", 1)
    assert "its video is frozen in val" in found.examples[0]


def test_an_identity_that_the_ledger_does_not_know_is_told(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    (folder.parent / "splits-0.json").write_text("{}")
    assert outcome(folder, "splits_frozen").rows == 6


def test_a_changelog_that_is_not_there_warns_and_one_without_the_version_fails(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 10.1.0\n\n## 0.1.01\n")
    assert outcome(folder, "changelog").state == "failed"
    (folder / "CHANGELOG.md").unlink()
    write_sums(folder)
    assert outcome(folder, "changelog").state == "warned"


def test_silence_on_redistribution_warns(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    planted.sources(redistribution=None)(folder)
    assert outcome(folder, "redistribution").state == "warned"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sources: [], "no source is named"),
        (lambda sources: [{**sources[0], "images": 3}], "12 images, release.json says 3"),
        (lambda sources: [*sources, {**sources[0], "source": "never used"}], "0 images"),
        (lambda sources: [{**sources[0], "licence": " "}], "has no licence"),
    ],
)
def test_sources_are_those_of_the_rows(tmp_path, change, said):
    folder = made.release(tmp_path, made.rows(6))
    told = json.loads((folder / "release.json").read_text())["sources"]
    made.retold(folder, sources=change(told))
    found = outcome(folder, "sources")
    assert found.state == "failed"
    assert said in " ".join(found.examples)


def test_two_entries_of_one_source_count_together(tmp_path):
    halves = [made.SOURCE | {"images": 5, "date": "2025"}, made.SOURCE | {"images": 7}]
    assert outcome(made.release(tmp_path, made.rows(6), sources=halves), "sources").state == "passed"


@pytest.mark.parametrize("what", ["person", "images", "crops"])
def test_what_was_removed_is_known_by_person_image_and_crop(tmp_path, what):
    rows = made.rows(6)
    folder = made.release(tmp_path, rows)
    named = {
        "person": hashlib.sha256(f"toy:{rows[0]['person_id']}".encode()).hexdigest(),
        "images": [rows[0]["image_sha256"]],
        "crops": [hashlib.sha256(rows[0]["image_id"].encode()).hexdigest()],
    }[what]
    line = {"version": "0.0.9", "reason": "asked", "person": None, "images": [], "crops": []} | {what: named}
    (folder.parent / "removed.jsonl").write_text(json.dumps(line) + "\n")
    assert outcome(folder, "taken_down").rows == (2 if what == "person" else 1)
    assert outcome(folder, "tombstones").examples == (
        "`removed.jsonl`: is missing, and others of this name were removed",
    )


def test_an_imported_picture_without_a_crop_is_known_by_its_id(tmp_path):
    rows = made.rows(6)
    for row in rows:
        row["provenance"] = dict.fromkeys(row["provenance"])
    folder = made.release(tmp_path, rows)
    planted.tombstone(folder, crops=[hashlib.sha256(rows[3]["image_id"].encode()).hexdigest()])
    found = outcome(folder, "taken_down")
    assert (found.state, found.rows) == ("failed", 1)


STONES = [
    {"version": version, "reason": "asked", "person": sign * 64, "images": [], "crops": []}
    for version, sign in (("0.0.9", "a"), ("0.1.0", "b"), ("0.2.0", "c"))
]


@pytest.mark.parametrize(
    ("carried", "lacking"),
    [((0, 1), []), ((0, 1, 2), []), ((1, 0), []), ((0,), [2]), ((2,), [1, 2]), ((), [1, 2])],
)
def test_a_release_carries_every_tombstone_up_to_its_version(tmp_path, carried, lacking):
    folder = made.release(tmp_path, made.rows(6))
    (folder.parent / "removed.jsonl").write_text("".join(json.dumps(stone) + "\n" for stone in STONES))
    own = "".join(json.dumps(STONES[number], separators=(",", ":")) + "\n" for number in carried)
    (folder / "removed.jsonl").write_text(own)
    found = outcome(folder, "tombstones")
    assert [line in " ".join(found.examples) for line in ("lacks line 1", "lacks line 2")] == [
        number in lacking for number in (1, 2)
    ]
    assert (found.state, found.rows) == ("failed" if lacking else "passed", len(lacking))


def test_a_removal_of_a_later_version_asks_nothing_of_an_older_one(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    (folder.parent / "removed.jsonl").write_text(json.dumps(STONES[2]) + "\n")
    assert outcome(folder, "tombstones").state == "passed"
    (folder.parent / "removed.jsonl").write_text(json.dumps(STONES[2] | {"version": None}) + "\n")
    assert outcome(folder, "tombstones").state == "failed"


@pytest.mark.parametrize("line", ['{"version": 1e999}', '{"version": ' + "[" * 999 + "]" * 999 + "}", "\\ud800", ""])
def test_a_line_that_does_not_read_is_told_and_stops_nothing(tmp_path, line):
    folder = made.release(tmp_path, made.rows(6))
    (folder.parent / "removed.jsonl").write_text(f"{line}\n{json.dumps(STONES[0])}\n")
    assert "is missing" in " ".join(outcome(folder, "tombstones").examples)
    number = {"version": "9" * 5000 + ".0.0"} | {"person": "d" * 64}
    (folder.parent / "removed.jsonl").write_text(json.dumps(number) + "\n")
    assert outcome(folder, "tombstones").state == "failed"


def test_a_folder_of_another_name_is_no_fault(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    assert outcome(folder.rename(tmp_path / "download"), "version").state == "passed"
