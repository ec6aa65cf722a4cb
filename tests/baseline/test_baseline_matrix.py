"""Tables of records beside published rows: in Markdown and in LaTeX, whatever names hold."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.evaluate import CHOSEN, shared_upstream  # noqa: E402
from ufine_kit.baseline.matrix import PUBLISHED, latex, lines_of, markdown, write_matrix  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full


def record(measured: str, trained: str | None, r1: float = 50.0, name: str = "cfam_b16", **more) -> dict:
    return {
        "release": {"name": measured, "version": "1.0.0", "split": "test"},
        "data_digest": "d" * 64,
        "checkpoint": {"name": name, "trained_on": {"name": trained} if trained else None},
        "synthetic": False,
        "metrics": {"R@1": r1, "mAP": 40.0, "mSD": 30.0},
        **more,
    }


def test_rows_stand_beside_the_published_ones_of_the_same_dataset():
    text = markdown(lines_of([record("cuhk-pedes", "ufine6926", 61.234)]))
    assert "| cuhk-pedes | ufine6926 | cfam_b16 | 61.23 | 40.00 | 30.00 |" in text
    assert "| cuhk-pedes | cuhk-pedes | CFAM B/16 | 73.67 | 65.94 | 51.32 | published |" in text
    assert "89.61" not in text  # nothing of UFine6926 was measured


def test_marks_tell_what_a_reader_must_know():
    (origin,) = shared_upstream({"ICFG-PEDES"}, {"RSTPReid"})
    own = [record("own", None, synthetic=True), record("rstpreid", "icfg", warnings=[origin]), record("plain", "plain")]
    lines = lines_of([*own, record("mine", "mine", warnings=[f"the step {CHOSEN} split `val`"])])
    marks = {line.measured_on: line.mark for line in lines if line.mark != "published"}
    assert marks == {"own": "synthetic", "rstpreid": "shared origin", "plain": "", "mine": "chosen on it"}
    assert any(line.trained_on == "zero-shot" for line in lines)


def test_latex_escapes_and_rules_between_datasets():
    text = latex(lines_of([record("a_1", "x&y"), record("b", "x")]))
    assert r"a\_1 & x\&y & cfam\_b16" in text
    assert text.count(r"\midrule") == 2
    assert text.startswith(r"\begin{tabular}{lllrrrl}") and text.endswith("\\end{tabular}\n")


def test_other_data_under_the_same_name_is_told_apart():
    newer = {"release": {"name": "own", "version": "1.1.0", "split": "test"}}
    rows = [record("own", "own"), record("own", "own", **newer), record("b", "own")]
    assert [line.measured_on for line in lines_of(rows)] == ["b", "own 1.0.0", "own 1.1.0"]
    rows = [*rows, record("own", "own", **newer, data_digest="e" * 64)]
    assert [line.measured_on for line in lines_of(rows)] == [
        "b",
        "own 1.0.0",
        "own 1.1.0 dddddddd",
        "own 1.1.0 eeeeeeee",
    ]


def test_means_of_a_series_come_with_their_deviations():
    deviations = {"R@1": 1.5, "R@5": 9.0, "mAP": 0.25, "mSD": 0.0}
    lines = lines_of([record("own", "own", validation={"sd": deviations})])
    assert "| 50.00 ± 1.50 | 40.00 ± 0.25 | 30.00 ± 0.00 |" in markdown(lines)
    assert r"50.00 $\pm$ 1.50 & 40.00 $\pm$ 0.25 & 30.00 $\pm$ 0.00" in latex(lines)
    alone = lines_of([record("own", "own", validation={"sd": dict.fromkeys(deviations)})])
    assert "| 50.00 | 40.00 | 30.00 |" in markdown(alone)


def test_markdown_cells_cannot_break_the_table():
    rows = markdown(lines_of([record("a", "x", name="one|two\nthree")])).splitlines()
    assert {row.count("|") for row in rows} == {8}


def test_matrix_takes_every_record_of_its_split_and_zero_shot_rows(tmp_path):
    for folder, name in (("aa", "m-test"), ("aa/zero-shot", "z-test"), ("bb", "m-val")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.json").write_text(json.dumps(record("own", "own", name=name)))
    paths = write_matrix(tmp_path, "test")
    text = paths[0].read_text()
    assert "m-test" in text and "z-test" in text and "m-val" not in text
    assert [path.suffix for path in paths] == [".md", ".tex"]
    assert write_matrix(tmp_path, "test")[0].read_text() == text


def test_markdown_cells_fetch_nothing_and_lead_nowhere():
    text = markdown(lines_of([record("a", "x", name="![x](https://example.org/p.png)")]))
    assert "[" not in text and "https" in text


@pytest.mark.parametrize("change", [{"metrics": {"R@1": 1.0}}, {"checkpoint": 3}, {"release": {}}])
def test_record_of_another_shape_is_named(tmp_path, change):
    (tmp_path / "aa").mkdir()
    (tmp_path / "aa" / "m-test.json").write_text(json.dumps(record("own", "own") | change))
    with pytest.raises(KitError, match=r"m-test\.json` is no record"):
        write_matrix(tmp_path, "test")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows_are_consistent(name):
    """mSD lies below mAP, mAP below R@1, in every row that a paper prints."""
    for r1, ap, sd in PUBLISHED[name].values():
        assert r1 > ap > sd
