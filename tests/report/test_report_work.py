"""The page of a work folder: every crop with its verdict, scores, thresholds and texts, whatever stages have run."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.chain import copy
from report.folders import Crop, crop_id, make_work, write_stage
from report.pages import Page
from typed import run_cli
from ufine_kit.errors import KitError
from ufine_kit.recipe import load_recipe
from ufine_kit.report.page import plan_report, write_report
from ufine_kit.tables import FilterTable

pytestmark = pytest.mark.full


def page_of(work, **settings) -> Page:
    return Page(write_report(plan_report(work, **settings), workers=1).path)


CROPS = [
    Crop("b.mp4", "b:0:1", 4.0, "p1", (), ("a man with a red umbrella", "another text")),
    Crop("b.mp4", "b:0:1", 5.0, "p1", ("blurred",), sharpness=3.0),
    Crop("a.mp4", "a:0:1", 1.5, "p1", ("blurred", "small"), sharpness=4.0),
    Crop("a.mp4", "a:0:2", 1.0, "p2", ()),
    Crop("a.mp4", "a:0:2", 2.0, "p2", (), ("a woman",)),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return page_of(make_work(tmp_path_factory.mktemp("work"), CROPS))


def test_every_crop_is_there_with_its_verdict_and_reasons(page):
    assert page.column("image-id") == [crop_id(number) for number in range(5)]
    assert page.column("image-verdict") == ["kept", "dropped", "dropped", "kept", "kept"]
    assert page.column("image-reasons") == [[], ["blurred"], ["blurred", "small"], [], []]
    assert page.column("image-seconds") == [4, 5, 1.5, 1, 2]
    assert len(page.thumbs()) == 5
    assert all(page.thumbs())


def test_an_identity_may_hold_several_tracklets(page):
    assert page.column("image-person") == ["p1", "p1", "p1", "p2", "p2"]
    assert page.column("image-tracklet")[1:3] == ["b:0:1", "a:0:1"]
    assert list(page.facts["groupings"]) == ["tracklet", "person", "video"]


def test_counts_stand_before_and_after(page):
    assert page.table("Counts") == [["crops", 5, 3], ["tracklets", 3, 2], ["identities", 2, 2], ["videos", 2, 2]]
    assert page.table("Descriptions") == [["crops with a description", 2], ["descriptions", 3]]
    assert page.table("By video") == [["b.mp4", 1, 2, 1], ["a.mp4", 2, 3, 2]]
    tiles = {tile["label"]: (tile["value"], tile["before"]) for tile in page.facts["tiles"]}
    assert tiles["crops kept"] == (3, 5)
    assert tiles["tracklets kept"] == (2, 3)


def test_every_reason_is_counted_alone_and_with_others_and_explained(page):
    lines = page.table("Why crops were dropped")
    assert [line[:3] for line in lines] == [["blurred", 2, 1], ["small", 1, 0]]
    assert all(line[3] for line in lines)


def test_texts_stand_with_their_crops(page):
    assert page.column("caption-image") == [0, 0, 4]
    assert page.texts() == ["a man with a red umbrella", "another text", "a woman"]
    assert page.column("caption-campaign") == ["demo"] * 3
    assert page.column("caption-kind") == ["human"] * 3


def test_thresholds_are_those_that_judged_and_the_measures_are_all_numbers_there_are(page):
    measures = {measure["column"]: measure for measure in page.facts["measures"]}
    table = FilterTable()
    assert [(limit["name"], limit["side"], limit["value"]) for limit in measures["sharpness"]["limits"]] == [
        ("min_sharpness", "least", table.min_sharpness)
    ]
    assert {limit["name"] for limit in measures["aspect"]["limits"]} == {"min_aspect", "max_aspect"}
    assert {limit["name"] for limit in measures["brightness"]["limits"]} == {"min_brightness", "max_brightness"}
    assert measures["sharpness"]["outside"] == 2
    assert {"width", "height", "contrast", "confidence", "max_overlap", "border_px"} <= set(measures)
    assert measures["confidence"]["outside"] is None


def test_a_value_just_past_its_threshold_is_outside_though_it_rounds_to_it(tmp_path):
    work = make_work(tmp_path / "work", [Crop(sharpness=19.99999, reasons=("blurred",)), Crop(sharpness=20.0)])
    measures = {measure["column"]: measure for measure in page_of(work).facts["measures"]}
    assert measures["sharpness"]["outside"] == 1


def test_parts_judged_by_two_recipes_draw_both_thresholds(tmp_path):
    work = make_work(tmp_path / "work", CROPS[:2])
    make_work(work, CROPS[2:], "part-00001", 2)
    mark = work / "filter/part-00001.json"
    done = json.loads(mark.read_text())
    done["recipe"]["min_sharpness"] = 55.0
    mark.write_text(json.dumps(done))
    limits = next(one for one in page_of(work).facts["measures"] if one["column"] == "sharpness")["limits"]
    assert [limit["value"] for limit in limits] == [FilterTable().min_sharpness, 55.0]


def test_a_new_measure_is_drawn_and_none_may_take_the_name_of_another_column(tmp_path):
    work = make_work(tmp_path / "work", CROPS[:2])
    measures = {"crop_id": [crop_id(0), crop_id(1)], "glare": [0.5, None], "aspect": [9.0, 9.0], "bad name": [1.0, 1.0]}
    path = work / "measures/part-00000.parquet"
    pq.write_table(pa.table({**measures, "embedding": [[1.0], [2.0]]}), path)
    mark = work / "measures/part-00000.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"bytes": path.stat().st_size}))
    page = page_of(work)
    assert page.column("image-glare") == [0.5, None]
    assert page.column("image-aspect") == [2.5, 2.5]
    assert {"glare", "aspect"} <= {measure["column"] for measure in page.facts["measures"]}
    assert not {"bad name", "embedding"} & set(page.facts["image_columns"])


def test_crops_that_nobody_judged_yet_are_shown_as_such(tmp_path):
    page = page_of(make_work(tmp_path / "work", [Crop(reasons=None), Crop(reasons=None)]))
    assert page.column("image-verdict") == ["not judged"] * 2
    assert page.table("Counts")[0] == ["crops", 2, 0]
    assert page.texts() == []


def test_a_reason_that_the_table_of_reasons_lacks_is_still_shown(tmp_path):
    page = page_of(make_work(tmp_path / "work", [Crop(reasons=("unheard_of",)), Crop()]))
    assert page.table("Why crops were dropped") == [["unheard_of", 1, 1, ""]]


def test_a_broken_picture_is_a_crop_without_a_thumbnail(tmp_path):
    page = page_of(make_work(tmp_path / "work", [Crop(image=b"no picture", reasons=("unreadable",)), Crop()]))
    assert page.thumbs()[0] == b""
    assert page.thumbs()[1] != b""


def test_without_tracklets_the_mend_is_named(tmp_path):
    with pytest.raises(KitError, match="nothing in") as caught:
        plan_report(tmp_path)
    assert "extract-tracklets" in caught.value.mend


def test_findings_without_a_release_are_refused(tmp_path):
    with pytest.raises(KitError, match="belong to a release"):
        plan_report(tmp_path, findings=tmp_path / "f.parquet")


def test_an_unreadable_part_is_named_and_the_old_page_stays(tmp_path):
    work = make_work(tmp_path / "work", CROPS)
    held = write_report(plan_report(work), workers=1).path.read_bytes()
    path = work / "tracklets/part-00000.parquet"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(KitError, match=r"tracklets/part-00000\.parquet"):
        write_report(plan_report(work), workers=1)
    assert (work / "report.html").read_bytes() == held


def test_other_stages_beside_change_nothing(tmp_path):
    work = make_work(tmp_path / "work", CROPS)
    held = page_of(work).text
    write_stage(work, "neighbours", "verdict", [])
    assert page_of(work).text == held


@pytest.mark.xdist_group("chain")
def test_the_command_writes_one_file_that_needs_nothing_else_and_the_same_again(chain, tmp_path):
    work = copy(chain, "build-release", tmp_path)
    before = {path for path in work.rglob("*") if path.is_file()}
    assert run_cli("report", "-w", work, "--dry-run").out.strip() == str(work / "report.html")
    assert {path for path in work.rglob("*") if path.is_file()} == before
    ran = run_cli("report", "-w", work, "--json")
    assert ran.code == 0, ran.err
    assert {path for path in work.rglob("*") if path.is_file()} - before == {work / "report.html"}
    page = Page(work / "report.html")
    assert ran.json["images"] == len(page.thumbs()) == page.facts["rows"] > 20
    assert ran.json["captions"] == len(page.texts()) > 10
    assert page.facts["note"].startswith("Synthetic world")
    assert page.outside() == []
    assert run_cli("report", "-w", work, "--out", tmp_path / "again.html", "--workers", "2").code == 0
    assert (tmp_path / "again.html").read_text() == page.text
    assert load_recipe(None).filter.min_sharpness in [
        limit["value"] for one in page.facts["measures"] for limit in one["limits"]
    ]
