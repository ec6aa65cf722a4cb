"""Every check finds the fault that is planted for it, and finds nothing in a release without faults."""

from __future__ import annotations

import shutil

import pyarrow.parquet as pq
import pytest

from dataset.checks import made, planted
from ufine_kit.dataset.checks import check_release, every_check

pytestmark = pytest.mark.full

NAMES = [check.name for check in every_check()]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return made.release(tmp_path_factory.mktemp("clean"), made.rows())


def test_every_check_has_a_planted_fault_and_none_has_two():
    assert sorted(NAMES) == sorted({*planted.ROWS, *planted.FOLDER, *planted.IN_FULL})
    assert not set(planted.ROWS) & set(planted.FOLDER)


def test_every_check_says_what_it_demands_in_one_sentence():
    for check in every_check():
        assert check.what.endswith("."), check
        assert 20 < len(check.what) < 125


def test_a_release_without_faults_passes_all_of_them(clean, tmp_path):
    report = check_release(clean, findings=tmp_path / "findings.parquet")
    assert [check.name for check in report.checks if check.state not in ("passed", "not run")] == []
    assert {check.name for check in report.checks if check.state == "not run"} <= planted.IN_FULL
    assert report.passed and report.findings == {}
    assert pq.read_table(tmp_path / "findings.parquet").num_rows == 0


@pytest.mark.parametrize("name", planted.ROWS)
def test_a_fault_in_the_rows_is_found_where_it_is(tmp_path, name):
    rows = made.rows(6)
    planted.ROWS[name](rows)
    found_by(name, made.release(tmp_path, rows), tmp_path)


@pytest.mark.parametrize("name", planted.FOLDER)
def test_a_fault_of_the_folder_is_found(tmp_path, name):
    folder = made.release(tmp_path, made.rows(6))
    planted.FOLDER[name](folder)
    found_by(name, folder, tmp_path)


def found_by(name, folder, tmp_path):
    report = check_release(folder, findings=tmp_path / "findings.parquet", only=[name])
    (outcome,) = [check for check in report.checks if check.name == name]
    assert outcome.state == {"fail": "failed", "warn": "warned"}[outcome.level], outcome
    assert report.passed == (outcome.level == "warn")
    lines = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    assert {line["check"] for line in lines} == {name}
    assert len(lines) == outcome.rows == sum(report.findings[name].values())
    if name in planted.ROWS and name != "sources":
        assert all(line["image_id"] and line["file"].startswith("data/") and line["row"] is not None for line in lines)
    assert {check.state for check in report.checks if check.name != name} == {"not run"}


@pytest.mark.full
def test_a_card_that_hides_the_shards_is_found_by_the_hubs_own_library(clean, tmp_path):
    pytest.importorskip("datasets")
    assert check_release(clean, only=["loads"]).findings == {}
    folder = tmp_path / "releases/toy/0.1.0"
    shutil.copytree(clean, folder)
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files: data/nothing-*.parquet\n---\n"
    )
    report = check_release(folder, only=["loads"])
    assert report.findings == {"loads": {"fail": 1}}
