"""The page of a release: identities, captions with their provenance, and the flags of `check-release`."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from report.folders import Image_, make_release
from report.pages import Page
from typed import run_cli
from ufine_kit.errors import KitError
from ufine_kit.report.findings import findings_path, read_findings
from ufine_kit.report.page import plan_report, write_report

pytestmark = pytest.mark.full

IMAGES = [
    Image_("p1", "train", "own", [("a short one", "human", "annotator"), ("word " * 60, "model", "formal")]),
    Image_("p1", "train", "own", [("word " * 35, "model_revised", "formal")]),
    Image_("p2", "test", "CUHK-PEDES", [("an imported one", "imported", "plain")]),
    Image_("p3", "test", "own", []),
]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("releases"), IMAGES)


def page_of(release, work, **settings) -> Page:
    return Page(write_report(plan_report(work, release, **settings), workers=1).path)


def findings(path, *rows):
    names = ("check", "level", "image_id", "person_id", "split", "file", "row", "message")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}), path)
    return path


def test_every_image_is_there_with_its_identity_split_and_source(release, tmp_path):
    page = page_of(release, tmp_path)
    rows = zip(*(page.column(f"image-{name}") for name in ("id", "person", "split", "source")), strict=True)
    assert sorted(rows) == [
        ("i0", "p1", "train", "own"), ("i1", "p1", "train", "own"),
        ("i2", "p2", "test", "CUHK-PEDES"), ("i3", "p3", "test", "own"),
    ]  # fmt: skip
    assert len(page.thumbs()) == 4
    assert page.facts["title"] == "demo 1.0.0"


def test_a_caption_comes_with_where_it_came_from(release, tmp_path):
    page = page_of(release, tmp_path)
    ids = page.column("image-id")
    names = ("kind", "writer", "parent", "words", "granularity", "style")
    columns = [
        [ids[row] for row in page.column("caption-image")],
        page.texts(),
        *(page.column(f"caption-{name}") for name in names),
    ]
    told = {row[:1] + row[2:]: row[1].strip()[:9] for row in zip(*columns, strict=True)}
    assert told == {
        ("i0", "human", "w0", None, 3, "coarse", "annotator"): "a short o",
        ("i0", "model", "w0", 0, 60, "fine", "formal"): "word word",
        ("i1", "model_revised", "w1", None, 35, "medium", "formal"): "word word",
        ("i2", "imported", "w2", None, 3, "coarse", "plain"): "an import",
    }
    assert list(page.facts["caption_facets"]) == ["granularity", "kind", "style", "writer"]


def test_flags_reach_the_image_the_identity_and_the_whole(release, tmp_path):
    path = findings(
        findings_path(tmp_path, "demo", "1.0.0"),
        {"check": "exif", "level": "error", "image_id": "i2", "message": "has a place"},
        {"check": "leak", "level": "error", "person_id": "p1", "message": "in two splits"},
        {"check": "exif", "level": "warning", "image_id": "i0", "message": "has a date"},
        {"check": "card", "level": "warning", "message": "no card"},
    )
    for settings in ({}, {"findings": path}):
        page = page_of(release, tmp_path, **settings)
        flags = dict(zip(page.column("image-id"), page.column("image-flags"), strict=True))
        assert flags == {"i0": ["exif", "leak"], "i1": ["leak"], "i2": ["exif"], "i3": []}
        row = page.column("image-id").index("i0")
        assert page.facts["findings"][str(row)] == [
            ["exif", "warning", "has a date"],
            ["leak", "error", "in two splits"],
        ]
        assert page.table("Findings on the whole release") == [["card", "warning", "no card"]]
        assert ["exif", "error", 1] in page.table("Findings")


def test_without_findings_there_are_no_flags(release, tmp_path):
    page = page_of(release, tmp_path)
    assert "flags" not in page.facts["image_columns"]
    assert not any(table["title"].startswith("Findings") for table in page.facts["tables"])
    assert read_findings(None).tables() == []


@pytest.mark.parametrize("fault", ["missing", "columns", "torn"])
def test_findings_that_cannot_be_read_are_named(release, tmp_path, fault):
    path = tmp_path / "mine.parquet"
    if fault == "columns":
        pq.write_table(pa.table({"check": ["a"]}), path)
    elif fault == "torn":
        path.write_bytes(b"PAR1")
    with pytest.raises(KitError, match=r"mine\.parquet"):
        page_of(release, tmp_path, findings=path)


def test_tables_tell_splits_sources_and_the_digest(release, tmp_path):
    page = page_of(release, tmp_path)
    assert page.table("Splits") == [["train", 2, 3, 1], ["test", 2, 1, 2]]
    assert page.table("Sources") == [["own", "other", "yes", "asked", 2]]
    digest = json.loads((release / "release.json").read_text())["data_digest"]
    assert page.table("Data digest") == [[digest]]


def test_the_page_lies_beside_the_work_and_the_release_is_left_alone(release, tmp_path):
    held = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    ran = run_cli("report", release, "-w", tmp_path / "work", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["report"] == str(tmp_path / "work/reports/demo-1.0.0.html")
    assert (ran.json["images"], ran.json["captions"]) == (4, 4)
    assert {path: path.read_bytes() for path in release.rglob("*") if path.is_file()} == held


def test_a_folder_that_is_no_release_is_one_line(tmp_path):
    ran = run_cli("report", tmp_path, "-w", tmp_path / "work")
    assert (ran.code, ran.out) == (2, "")
    assert "is no release" in ran.err
    assert list(tmp_path.iterdir()) == []
