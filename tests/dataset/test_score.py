"""What `ufine-kit score` reads, refuses and answers."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ufine_kit.dataset.metrics import METRICS, retrieval_metrics
from ufine_kit.dataset.score import ScoreInputs, SystemFiles, score
from ufine_kit.errors import KitError


@pytest.fixture
def files(tmp_path):
    """Features of two systems on the same ids, saved as a user would."""
    generator = np.random.default_rng(31)
    centres = generator.standard_normal((25, 16)).astype(np.float32)
    gallery_ids, query_ids = np.arange(75) % 25, np.arange(52) % 26  # identity 25 is not in the gallery
    arrays = {
        "q": centres[query_ids % 25] + generator.standard_normal((52, 16), np.float32),
        "g": centres[gallery_ids] + generator.standard_normal((75, 16), np.float32),
        "q2": centres[query_ids % 25] + 3 * generator.standard_normal((52, 16), np.float32),
        "qi": query_ids,
        "gi": gallery_ids,
        "by": np.where(np.arange(52) % 3 == 0, "coarse", "fine"),
    }
    unit = [arrays[name] / np.linalg.norm(arrays[name], axis=1, keepdims=True) for name in "qg"]
    arrays["s"] = unit[0] @ unit[1].T
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


def features(folder, queries="q") -> SystemFiles:
    return SystemFiles(query_features=folder / f"{queries}.npy", gallery_features=folder / "g.npy")


def inputs(folder: Path, **change) -> ScoreInputs:
    given = {"query_ids": folder / "qi.npy", "gallery_ids": folder / "gi.npy", "system": features(folder)}
    return ScoreInputs(**{**given, **change})


def test_the_report_is_the_metrics_of_the_arrays_in_the_files(files):
    report = score(inputs(files)).to_dict()
    arrays = {name: np.load(files / f"{name}.npy") for name in ("q", "g", "qi", "gi")}
    wanted = retrieval_metrics(
        query_features=arrays["q"], gallery_features=arrays["g"], query_ids=arrays["qi"], gallery_ids=arrays["gi"]
    )
    assert {name: report[name] for name in METRICS} == wanted.as_dict()
    assert (report["queries"], report["gallery"], report["skipped_no_positive"], report["no_negative"]) == (
        52,
        75,
        2,
        0,
    )
    assert (report["intervals"], report["by"], report["compare"]) == (None, {}, None)


def test_a_matrix_scores_as_the_features_behind_it(files):
    by_matrix = score(inputs(files, system=SystemFiles(similarity=files / "s.npy"))).metrics.as_dict()
    assert by_matrix == pytest.approx(score(inputs(files)).metrics.as_dict(), abs=1e-4)
    np.save(files / "s.npy", np.load(files / "s.npy") / 2 + 0.5)
    unit = SystemFiles(similarity=files / "s.npy", similarity_range="unit")
    assert score(inputs(files, system=unit)).metrics.as_dict() == pytest.approx(by_matrix, abs=1e-4)


def test_everything_that_is_asked_for_stands_in_one_json_object(files):
    asked = inputs(files, by=files / "by.npy", bootstrap=60, other=features(files, "q2"), seed=3)
    report = score(asked)
    answer = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert list(answer)[:6] == list(METRICS)
    assert set(answer["by"]) == {"coarse", "fine"}
    assert sum(group["queries"] for group in answer["by"].values()) == 52
    for name in METRICS:
        low, high = answer["intervals"][name]
        assert low <= answer[name] <= high
    assert answer["compare"]["mAP"]["difference"] > 10 and answer["compare"]["mAP"]["p"] < 0.05
    assert answer == json.loads(json.dumps(score(asked).to_dict()))
    assert {len(row) for row in report.table()} == {len(METRICS) + 3}
    assert [row[0] for row in report.table()] == ["", "all", "95 %", "coarse", "fine", "minus other", "95 %", "p"]


def test_single_queries_can_be_drawn_where_each_identity_asks_once(files):
    by_query = score(inputs(files, bootstrap=60, bootstrap_unit="query"))
    assert by_query.to_dict()["bootstrap_unit"] == "query"
    assert by_query.intervals != score(inputs(files, bootstrap=60)).intervals


def test_a_group_without_positives_has_no_values_and_says_so(files):
    np.save(files / "by.npy", np.where(np.load(files / "qi.npy") == 25, "stranger", "known"))
    answer = score(inputs(files, by=files / "by.npy")).to_dict()
    assert answer["by"]["stranger"]["R@1"] is None and answer["by"]["stranger"]["skipped_no_positive"] == 2
    json.dumps(answer, allow_nan=False)


def test_the_published_files_msd_is_named_where_it_is_used(files):
    ours, theirs = score(inputs(files)).to_dict(), score(inputs(files, released_msd_calculator=True)).to_dict()
    assert (ours["mSD_definition"], theirs["mSD_definition"]) == ("paper", "mSD_Calculator.py")
    assert ours["mAP"] == theirs["mAP"] and ours["mSD"] != theirs["mSD"]


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def save_pickled(path):
    np.save(path, np.array([{"a": 1}, None], dtype=object), allow_pickle=True)


def set_row(row, value):
    def change(path):
        array = np.load(path)
        array[row] = value
        np.save(path, array)

    return change


def change(act):
    def on(path):
        np.save(path, act(np.load(path)))

    return on


BAD_FILES = [
    ("q.npy", lambda path: path.unlink(), "does not exist"),
    ("q.npy", lambda path: (path.unlink(), path.mkdir()), "is a folder"),
    ("qi.npy", lambda path: path.write_text("1,2,3\n"), "is not a .npy file"),
    ("q.npy", lambda path: path.write_bytes(b""), "is not a .npy file"),
    ("q.npy", lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{'descr'"), "damaged .npy header"),
    ("q.npy", lambda path: np.savez(path.open("wb"), q=np.ones(3)), "is not a .npy file"),
    ("q.npy", cut, "ends early"),
    ("qi.npy", save_pickled, "holds python objects"),
    ("q.npy", change(lambda q: q[:0]), "is empty"),
    ("q.npy", change(lambda q: q[0]), "has shape [16], wanted [rows, D]"),
    ("q.npy", change(lambda q: q[:-1]), "has 51 rows"),
    ("g.npy", change(lambda g: g[:, :8]), "has 8"),
    ("g.npy", change(lambda g: g.astype(complex)), "holds `complex128`, wanted numbers"),
    ("gi.npy", change(lambda ids: ids[:, None]), "has shape [75, 1], wanted one label a row"),
    ("gi.npy", change(lambda ids: ids.astype(str)), "text"),
    ("gi.npy", change(lambda ids: ids / 2), "holds `float64`, wanted integers or text"),
    ("gi.npy", change(lambda ids: ids + 100), "no identity of"),
    ("q.npy", set_row(7, np.nan), "row 7 of"),
    ("g.npy", set_row(9, np.inf), "row 9 of"),
    ("g.npy", set_row(74, 0), "row 74 of"),
    ("by.npy", change(lambda by: by[:-2]), "has 50 labels for 52 rows"),
]


@pytest.mark.parametrize(("name", "spoil", "problem"), BAD_FILES)
def test_a_bad_file_is_one_line_that_names_it_and_its_mend(files, name, spoil, problem):
    spoil(files / name)
    with pytest.raises(KitError) as caught:
        score(inputs(files, by=files / "by.npy"))
    assert problem in caught.value.problem
    assert str(files / name) in caught.value.problem
    assert caught.value.mend and "\n" not in caught.value.problem + caught.value.mend


BAD_MATRICES = [
    (change(lambda s: s.T.copy()), "cosine", "ids say [52, 75]", "transpose"),
    (set_row(3, np.nan), "cosine", "row 3 of", "again"),
    (set_row((5, 2), -1.5), "cosine", "row 5 of", "cosine"),
    (lambda path: None, "unit", "outside [0, 1]", "--similarity-range cosine"),
]


@pytest.mark.parametrize(("spoil", "similarity_range", "problem", "mend"), BAD_MATRICES)
def test_a_bad_matrix_is_refused_with_its_row(files, spoil, similarity_range, problem, mend):
    spoil(files / "s.npy")
    with pytest.raises(KitError) as caught:
        score(inputs(files, system=SystemFiles(similarity=files / "s.npy", similarity_range=similarity_range)))
    assert problem in caught.value.problem and str(files / "s.npy") in caught.value.problem
    assert mend in caught.value.mend


def test_half_a_system_two_systems_or_none_are_refused(files):
    both = replace(features(files), similarity=files / "s.npy")
    for system in (SystemFiles(), SystemFiles(query_features=files / "q.npy"), both):
        with pytest.raises(KitError, match="or one similarity matrix"):
            score(inputs(files, system=system))
    with pytest.raises(KitError, match="negative"):
        score(inputs(files, bootstrap=-1))


def test_a_bad_file_of_the_second_system_is_mended_by_its_own_flag(files):
    for other, flag in (
        (SystemFiles(query_features=files / "q2.npy"), "--compare-gallery-features"),
        (SystemFiles(similarity=files / "none.npy"), "--compare-similarity"),
    ):
        with pytest.raises(KitError) as caught:
            score(inputs(files, other=other))
        assert flag in caught.value.mend


def test_text_identities_and_half_precision_features_are_read(files):
    before = score(inputs(files)).metrics
    for name in ("qi", "gi"):
        change(lambda ids: np.char.add("person ", ids.astype(str)))(files / f"{name}.npy")
    for name in ("q", "g"):
        change(lambda rows: rows.astype(np.float16))(files / f"{name}.npy")
    after = score(inputs(files)).metrics
    assert after.map == pytest.approx(before.map, abs=0.5) and not math.isnan(after.msd)
