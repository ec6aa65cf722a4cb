"""The verdict: a crop that fails a line carries that line's name, and every one that it fails; identities come after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filter.planted import columns, crop_row, lay_out, picture, tracks, verdicts
from ufine_kit.dataset.reasons import REASONS, reason
from ufine_kit.errors import KitError
from ufine_kit.filter import judge
from ufine_kit.filter.judge import judged
from ufine_kit.filter.rules import failed, incomplete
from ufine_kit.tables import FilterTable

CASES = [
    ({}, []),
    ({"height": 63, "width": 30}, ["small"]),
    ({"width": 23, "height": 100}, ["small"]),
    ({"width": 140}, ["aspect"]),
    ({"width": 25}, ["aspect"]),
    ({"sharpness": 19.9}, ["blurred"]),
    ({"max_overlap": 0.41}, ["occluded"]),
    ({"border_px": -2.1}, ["cut_off"]),
    ({"brightness": 19.0}, ["dark"]),
    ({"brightness": 236.0}, ["bright"]),
    ({"contrast": 7.9}, ["flat"]),
    ({"height": 50, "width": 50, "contrast": 0.0, "sharpness": 0.0}, ["small", "aspect", "blurred", "flat"]),
    ({"brightness": np.nan, "contrast": np.nan, "sharpness": 0.0}, ["unreadable"]),
]
ON_THE_LINE = [
    {"height": 64, "width": 30},
    {"width": 125},
    {"width": 30},
    {"max_overlap": 0.4},
    {"border_px": -2.0},
    {"brightness": 20.0},
]


@pytest.mark.parametrize(("change", "reasons"), CASES, ids=lambda value: ",".join(value) or "good")
def test_every_line_that_a_crop_fails_is_a_reason(change, reasons):
    against = failed(
        columns(2, **{name: np.array([value, columns(1)[name][0]]) for name, value in change.items()}), FilterTable()
    )
    assert [name for name, which in against.items() if which[0]] == reasons
    assert not any(which[1] for which in against.values()), "the other crop is good"


@pytest.mark.parametrize("change", ON_THE_LINE)
def test_a_crop_on_the_line_is_kept(change):
    assert not np.any(list(failed(columns(1, **change), FilterTable()).values()))


def body(visible: list[int]) -> np.ndarray:
    points = np.zeros((1, 17, 3), dtype=np.float32)
    points[0, visible, 2] = 0.9
    return points


@pytest.mark.parametrize(
    ("visible", "complete"),
    [
        ([0, 1, 5, 6, 7, 8, 9, 11], True),
        ([0, 1, 5, 6, 7, 8, 9], False),  # seven
        ([0, 1, 5, 6, 7, 8, 9, 10], False),  # no hip
        ([0, 5, 6, 7, 8, 9, 10, 11], False),  # one on the head
        (list(range(17)), True),
        ([], False),
    ],
)
def test_a_body_is_whole_by_webpersons_rule(visible, complete):
    assert incomplete(body(visible), FilterTable()).tolist() == [not complete]


def test_without_a_pose_network_the_rule_is_silent():
    assert not incomplete(columns(3).keypoints, FilterTable()).any()


def test_every_reason_that_is_given_stands_in_the_table_and_names_knobs_that_exist():
    recipe = FilterTable(max_images=1, video_budget=1)
    _, against = judged(columns(4, np.eye(4, dtype=np.float32)), tracks([(0, 9)], [0] * 4), recipe)
    assert list(against) == list(REASONS), "the table has them in the order of judging"
    knobs = {knob for found in REASONS.values() for knob in (found.least, found.most) if knob}
    assert knobs <= set(FilterTable.model_fields)
    with pytest.raises(KitError, match="no reason `fuzzy`"):
        reason("fuzzy")


def test_a_double_is_dropped_and_an_identity_with_too_few_good_crops_goes_as_a_whole():
    crops = columns(5, sharpness=np.array([300.0, 200.0, 300.0, 0.0, 300.0]))
    crops.dhash[:] = [7, 6, 900, 5000, 70000]  # the second differs from the first in one bit
    _, against = judged(
        crops, tracks([(0, 2), (3, 4)], [0, 0, 0, 1, 1]), FilterTable(identities=False, duplicate_bits=1)
    )
    why = [[name for name, which in against.items() if which[i]] for i in range(5)]
    assert why == [[], ["duplicate"], [], ["blurred"], ["few_crops"]]


def test_a_video_of_few_tracklets_stays_as_it_was_tracked():
    looks = np.ones((4, 3), dtype=np.float32)
    persons, _ = judged(columns(4, looks), tracks([(0, 2), (5, 9)], [0, 0, 1, 1]), FilterTable(merge_similarity=-1))
    assert persons.person.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("relative", [True, False])
def test_one_person_in_two_tracklets_becomes_one_identity_and_no_video_borders_are_crossed(relative):
    looks = np.repeat(np.eye(12, dtype=np.float32), 2, axis=0)
    looks[22:] = looks[0]  # the last tracklet shows the first one's person
    order = np.repeat(np.arange(12), 2)
    spans = [(10 * i, 10 * i + 9) for i in range(12)]
    recipe = FilterTable(merge_window=11, relative=relative, merge_similarity=0.6)
    persons, _ = judged(columns(24, looks), tracks(spans, order), recipe)
    assert persons.person[22:].tolist() == [0, 0]
    assert persons.merged == 1
    two = tracks(spans, order, video=[0] * 11 + [1])
    persons, _ = judged(columns(24, looks), two, recipe)
    assert persons.person[22:].tolist() == [11, 11]


def test_a_crop_that_moved_is_its_new_owners():
    looks = np.repeat(np.eye(10, dtype=np.float32), 3, axis=0)
    looks[2] = looks[3]  # the last crop of the first tracklet shows the second one's person
    spans = [(10 * i, 10 * i + 9) for i in range(10)]
    order = np.repeat(np.arange(10), 3)
    persons, _ = judged(columns(30, looks), tracks(spans, order), FilterTable(relative=False))
    assert persons.person.tolist() == [0, 0, 1, *order[3:].tolist()]
    assert (persons.moved, persons.merged, int(persons.outlier.sum())) == (1, 0, 0)
    persons, against = judged(columns(30, looks), tracks(spans, order), FilterTable(relative=False, move_window=0))
    assert np.flatnonzero(against["outlier"]).tolist() == [2]
    assert persons.person[2] == 0, "it stays with its tracklet, dropped"


def person_crops(video: str, people: list[int], each: int = 4) -> list[dict]:
    """A tracklet a person, one after the other."""
    return [
        crop_row(f"{video}{k}c{i}", f"{video}-0-{k}", 20 * k + 4 * i, _noisy(person, i))
        for k, person in enumerate(people)
        for i in range(each)
    ]


def _noisy(person: int, at: int) -> np.ndarray:
    draw = np.random.default_rng([person, at])
    return np.clip(picture(person).astype(int) + draw.normal(0, 12, (120, 48, 3)).round().astype(int), 0, 255).astype(
        np.uint8
    )


def test_segments_of_one_video_are_judged_together_and_another_video_apart(tmp_path):
    people = list(range(10))
    one, two = person_crops("a", [*people, 0]), person_crops("b", people)
    first, second = one[:20], [row | {"segment": 1} for row in one[20:]]
    sets = ("filter.merge_window=10", "filter.merge_similarity=0.6", "filter.duplicate_bits=-1")
    found = verdicts(lay_out(tmp_path, [first, two, second]), *sets)
    assert {row["person_id"] for name, row in found.items() if name.startswith("a10")} == {"a-0-0"}
    assert {row["person_id"].partition("-")[0] for name, row in found.items() if name.startswith("b")} == {"b"}
    assert sorted(path.name for path in (tmp_path / "filter").glob("*.parquet")) == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert all(row["kept"] for row in found.values())


def test_a_crop_that_does_not_decode_and_an_empty_part_are_no_trouble(tmp_path):
    rows = person_crops("a", [1])
    rows[1] = crop_row("broken", "a-0-0", 2, None)
    found = verdicts(lay_out(tmp_path, [rows, []]))
    assert found["broken"] == {"crop_id": "broken", "person_id": "a-0-0", "kept": False, "reasons": ["unreadable"]}
    assert sum(row["kept"] for row in found.values()) == 3


def test_the_judge_needs_no_pixels():
    for module in ("judge", "columns", "identities", "seed", "select"):
        text = (Path(judge.__file__).parent / f"{module}.py").read_text()
        assert '"image"' not in text and "PIL" not in text
