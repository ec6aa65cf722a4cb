"""Columns of a page: each word told once, numbers short, nothing that JSON has no word for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ufine_kit.report.columns import Numbers, Words, rows_of, tallied


def words(*values):
    column = Words()
    for value in values:
        column.add(value)
    return column


def test_a_word_is_told_once_and_counted_on_by_number():
    column = words("a", "b", "a", ("x", "y"), "a")
    assert column.as_json() == {"words": ["a", "b", ("x", "y")], "codes": [0, 1, 0, 2, 0]}
    assert list(column.values()) == ["a", "b", "a", ("x", "y"), "a"]
    assert tallied(column) == {"a": 3, "b": 1, ("x", "y"): 1}
    assert tallied(column, [True, False, False, False, True]) == {"a": 2}


def test_a_column_of_ids_needs_no_codes():
    assert words("a", "b", "c").as_json() == {"words": ["a", "b", "c"]}
    assert words("a", "b", "b").as_json() == {"words": ["a", "b"], "codes": [0, 1, 1]}


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (1.0, 4, 1),
        (12.34567, 4, 12.35),
        (123456.0, None, 123456),
        (123456.0, 4, 123500),
        (0.1 + 0.2, 4, 0.3),
        (None, 4, None),
        (float("nan"), 4, None),
        (float("inf"), 4, None),
        (np.float32(0.4), 4, 0.4),
    ],
)
def test_a_number_is_as_short_as_its_digits_allow(value, digits, told):
    (short,) = Numbers([value], digits).as_json()["numbers"]
    assert short == told
    assert type(short) is type(told)
    assert json.loads(json.dumps(short, allow_nan=False)) == told


def test_columns_know_their_rows():
    assert rows_of({"a": words("x", "x")}) == rows_of({"n": Numbers([1.0, 2.0])}) == 2
    assert rows_of({}) == 0
