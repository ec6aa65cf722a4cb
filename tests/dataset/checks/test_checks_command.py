"""`check-release` as it is typed: its table, its exit codes, what it keeps for those who publish, and what a recipe changes."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet as pq
import pytest

from dataset.checks import made, planted
from typed import run_cli, snapshot
from ufine_kit.dataset.checks import check_release, every_check, keep, kept_report
from ufine_kit.dataset.checks.recorder import SCHEMA
from ufine_kit.dataset.checks.rights import ORDER, rank
from ufine_kit.dataset.writer import write_sums
from ufine_kit.errors import KitError
from ufine_kit.tables import CheckTable

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    root = tmp_path_factory.mktemp("clean")
    return root, made.release(root, made.rows(6))


def bad(root):
    rows = made.rows(6)
    for name in ("image_size", "picture_talk"):
        planted.ROWS[name]([rows[0]])
    planted.also(rows[2], "A person \x1b[31min red\x1b[0m <b>bold</b> walks")
    return made.release(root, rows)


def typed(folder, root, *words):
    return run_cli("check-release", folder, "--work", root, "--workers", "1", *words)


def test_a_sound_release_passes_and_its_report_is_kept(clean, tmp_path):
    _, folder = clean
    ran = typed(folder, tmp_path, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["passed"] is True
    assert pq.read_schema(ran.json["findings_file"]).equals(SCHEMA)
    report = kept_report(tmp_path, folder, CheckTable())
    assert report is not None
    assert report.data_digest == json.loads((folder / "release.json").read_text())["data_digest"]
    assert json.loads(json.dumps(report.to_dict())) == json.loads(
        (tmp_path / "checks/toy-0.1.0/report.json").read_text()
    )


def test_faults_end_in_exit_1_with_a_table_and_a_file_of_every_row(tmp_path):
    folder = bad(tmp_path)
    ran = typed(folder, tmp_path)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[-1].startswith(f"{len(every_check())} checks: ")
    assert [line.split()[:3] for line in lines if line.startswith("failed")] == [
        ["failed", name, "1"] for name in ("image_size", "unsafe_signs", "markup")
    ]
    assert all(character.isprintable() or character == "\n" for character in ran.out)
    rows = pq.read_table(tmp_path / "checks/toy-0.1.0/findings.parquet").to_pylist()
    assert {row["check"] for row in rows if row["level"] == "fail"} == {"image_size", "unsafe_signs", "markup"}
    assert "next: ufine-kit report" in ran.err


def test_the_next_command_is_one_that_has_all_it_needs(clean, tmp_path):
    _, folder = clean
    only = ("--only", "manifest", "--only", "schema")
    assert f"next: ufine-kit push-hub {folder} --to DIR --work" in typed(folder, tmp_path, *only).err
    shutil.copytree(folder, tmp_path / "torn")
    (tmp_path / "torn/release.json").write_text("{")
    ran = typed(tmp_path / "torn", tmp_path, *only)
    assert (ran.code, "next:" in ran.err) == (1, False), ran.err


@pytest.mark.full
def test_warnings_fail_only_when_asked(tmp_path):
    rows = made.rows(6)
    planted.ROWS["picture_talk"]([rows[0]])
    folder = made.release(tmp_path, rows)
    assert typed(folder, tmp_path, "--only", "picture_talk").code == 0
    assert typed(folder, tmp_path, "--only", "picture_talk", "--strict").code == 1
    assert typed(folder, tmp_path, "--only", "picture_talk", "--only", "loads", "--strict").code == 1


def test_a_dry_run_checks_and_writes_nothing(tmp_path):
    folder = bad(tmp_path)
    held = snapshot(tmp_path)
    ran = typed(folder, tmp_path, "--dry-run", "--fix", "--json")
    assert ran.code == 1
    assert ran.json["dry_run"] and ran.json["fixed"]["changes"]
    assert snapshot(tmp_path) == held


@pytest.mark.full
def test_fix_writes_the_next_version_and_names_it(tmp_path):
    folder = bad(tmp_path)
    ran = typed(folder, tmp_path, "--fix")
    assert ran.code == 1
    assert f"ufine-kit check-release {folder.parent / '0.1.1'}" in ran.err
    assert typed(folder.parent / "0.1.1", tmp_path, "--only", "image_size", "--only", "unsafe_signs").code == 0


@pytest.mark.full
def test_every_check_is_listed_with_what_it_demands(tmp_path):
    ran = run_cli("check-release", "--list", "--json", cwd=tmp_path)
    assert [check["name"] for check in ran.json["checks"]] == [check.name for check in every_check()]
    assert "near_splits" in run_cli("check-release", "--list", cwd=tmp_path).out


def test_a_report_counts_only_for_the_very_files_limits_and_checks(clean, tmp_path):
    _, folder = clean
    keep(check_release(folder, only=["licence"]), tmp_path / "checks/toy-0.1.0")
    assert kept_report(tmp_path, folder, CheckTable()) is None
    keep(check_release(folder), tmp_path / "checks/toy-0.1.0")
    assert kept_report(tmp_path, folder, CheckTable()) is not None
    assert kept_report(tmp_path, folder, CheckTable(min_words=4)) is None
    (tmp_path / "checks/toy-0.1.0/report.json").write_text('{"checks": [{}]}')
    assert kept_report(tmp_path, folder, CheckTable()) is None


def test_other_checksums_are_other_files(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    keep(check_release(folder), tmp_path / "checks/toy-0.1.0")
    (folder / "CHANGELOG.md").write_text("## 0.1.0\nother words")
    write_sums(folder)
    assert kept_report(tmp_path, folder, CheckTable()) is None


def test_a_recipe_softens_hardens_and_leaves_out(tmp_path):
    folder = bad(tmp_path)
    levels = {"image_size": "warn", "picture_talk": "fail", "markup": "off"}
    report = check_release(folder, CheckTable(levels=levels))
    assert report.findings["image_size"] == {"warn": 1}
    assert report.findings["picture_talk"] == {"fail": 1}
    assert [check.reason for check in report.checks if check.name == "markup"] == ["left out by the recipe"]
    with pytest.raises(KitError, match="no check `mark_up`"):
        check_release(folder, CheckTable(levels={"mark_up": "off"}))


def test_a_check_that_cannot_run_is_never_counted_as_passed(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    (folder.parent / "splits-0.json").unlink()
    report = check_release(folder, only=["splits_frozen"])
    (one,) = [check for check in report.checks if check.name == "splits_frozen"]
    assert (one.state, one.reason) == ("not run", "no `splits-0.json` beside the release")
    assert not report.complete


@pytest.mark.parametrize(
    ("level", "licence", "by"),
    [("fail", "cc0-1.0", "cc-by-4.0"), ("fail", "cc-by-4.0", "cc-by-nc-4.0"), ("fail", "cc-by-nc-nd-4.0", "research only"),
     ("fail", "MIT", "other"), (None, "other", "cc-by-nc-sa-4.0"), (None, "CC-BY-NC-4.0", "cc-by-sa-4.0"),
     ("fail", "cc-by-4.0", "")],
)  # fmt: skip
def test_a_release_is_no_looser_than_its_strictest_source(tmp_path, level, licence, by):
    folder = made.release(
        tmp_path, made.rows(6), recipe={"license": licence}, sources=[made.SOURCE | {"licence": by, "images": 12}]
    )
    assert check_release(folder, only=["licence"]).findings == ({"licence": {level: 1}} if level else {})


def test_licences_have_one_order_and_what_is_unknown_is_strictest():
    words = [
        "cc0-1.0",
        "cc-by-4.0",
        "cc-by-sa-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nc-nd-4.0",
        "my own words",
    ]
    assert [rank(word) for word in words] == list(range(len(ORDER)))


@pytest.mark.full
def test_workers_find_the_same_in_the_same_order(tmp_path):
    rows = made.rows(40, 4)
    for at, name in enumerate(("image_size", "markup", "near_within", "origins")):
        planted.ROWS[name](rows[at * 8 : at * 8 + 4])
    folder = made.release(tmp_path, rows, shards=4)
    for workers in (1, 2):
        check_release(folder, findings=tmp_path / f"{workers}.parquet", workers=workers)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
    assert pq.read_metadata(tmp_path / "1.parquet").num_rows >= 4
