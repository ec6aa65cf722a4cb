"""Simulated annotators: honest ones tell the truth, the others plant the fault they declare."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from ufine_kit.world import FAULTS, draw_crop, facts_of, sample_people, sample_writers
from ufine_kit.world.annotate import Task, annotate
from ufine_kit.world.phrasing import Voice
from ufine_kit.world.writers import EPOCH, from_template, mistyped

pytestmark = pytest.mark.xdist_group("writers")


@cache
def tasks() -> list[Task]:
    """Crops to describe: drawn when the first test asks for them, and only looked at."""
    return [
        Task({"image": f"crops/{person.identity:04d}/0.jpg"}, person, draw_crop(person, 1, (128, 64)).view)
        for person in sample_people(60, seed=31, near_alike=0.0)
    ]


def planted(*faults: str):
    """Rows by description and faults by description of a small campaign with these faults."""
    writers = sample_writers(4, 2, faults)
    rows, told = annotate(tasks(), writers, 2)
    return {row["description"]: row for row in rows}, {fault["description"]: fault for fault in told}, writers


def test_honest_writers_plant_nothing():
    rows, faults, _ = planted()
    assert not faults
    assert len(rows) == 2 * len(tasks())
    assert min(len(row["text"].split()) for row in rows.values()) >= 30


def test_every_crop_has_texts_of_two_writers():
    rows, _, _ = planted(*FAULTS)
    by_image = Counter((row["image"], row["writer"]) for row in rows.values())
    assert len(by_image) == 2 * len(tasks())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_planted_by_its_writer_alone_and_told(fault):
    rows, faults, writers = planted(fault)
    culprit = next(writer.name for writer in writers if writer.fault == fault)
    assert faults
    assert {told["fault"] for told in faults.values()} == {fault}
    assert {rows[name]["writer"] for name in faults} == {culprit}


@pytest.mark.parametrize("fault", ["copy_pair", "copy_self"])
def test_copies_are_exact_and_later_than_what_they_copy(fault):
    rows, faults, _ = planted(fault)
    for name, told in faults.items():
        copy, source = rows[name], rows[told["of"]]
        assert copy["text"] == source["text"]
        assert copy["created_at"] > source["created_at"]
        assert (copy["image"] == source["image"]) == (fault == "copy_pair")
        assert (copy["writer"] == source["writer"]) == (fault == "copy_self")


def test_the_hasty_writer_takes_an_impossible_time():
    rows, faults, _ = planted("too_fast")
    for name, row in rows.items():
        pace = row["lead_seconds"] / len(row["text"].split())
        assert (pace < 0.2) == (name in faults)


def test_the_template_writer_repeats_one_frame():
    texts = [from_template(facts_of(task.person, task.view), Voice(np.random.default_rng(1))) for task in tasks()]
    frames = {re.sub(r" (is|about a) [^.]*\.", " \\1 ___.", text).replace("woman", "man") for text in texts}
    assert len(set(texts)) > 40
    assert len(frames) <= 3
    assert min(len(text.split()) for text in texts) >= 30


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("too_short", lambda text: len(text.split()) < 30),
        ("boilerplate", lambda text: text.startswith("The image shows")),
        ("gibberish", lambda text: not re.search(r"\b(wears|hair|the)\b", text)),
    ],
)
def test_faulty_texts_look_as_declared(fault, holds):
    rows, faults, _ = planted(fault)
    assert all(holds(rows[name]["text"]) for name in faults)
    assert not any(holds(row["text"]) for name, row in rows.items() if name not in faults)


def test_a_contradicting_text_names_a_colour_that_is_not_there():
    rows, faults, _ = planted("contradiction")
    views = {task.key["image"]: facts_of(task.person, task.view) for task in tasks()}
    missing = 0
    for name in faults:
        row = rows[name]
        worn = {
            f.value
            for f in views[row["image"]]
            if f.attribute == "colour" and f.item in ("upper", "lower", "shoes", "outer")
        }
        plain = {
            value
            for value in worn
            if value in ("red", "green", "yellow", "pink", "purple", "orange", "black", "white", "brown")
        }
        missing += any(not re.search(rf"\b{value}\b", row["text"], re.IGNORECASE) for value in plain)
    assert missing > 0


def test_rows_come_in_order_of_submission_and_nothing_of_the_clock():
    rows, _, _ = planted(*FAULTS)
    stamps = [row["created_at"] for row in rows.values()]
    assert stamps == sorted(stamps)
    assert stamps[0].startswith(EPOCH[:10])
    assert planted(*FAULTS)[0] == rows


def test_a_writer_hands_in_one_text_after_another():
    rows, _, writers = planted()
    for writer in writers:
        own = [row for row in rows.values() if row["writer"] == writer.name]
        assert len({row["created_at"] for row in own}) == len(own)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0, 0), (0.05, 20, 160), (1.0, 1200, 2000)])
def test_typos_come_at_the_rate_asked_for(rate, low, high):
    text = "trousers " * 2000
    wrong = sum(word != "trousers" for word in mistyped(text.strip(), rate, np.random.default_rng(0)).split(" "))
    assert low <= wrong <= high


def test_typos_leave_signs_and_short_words_whole():
    text = "A red cap, T-shirt; the end."
    assert mistyped(text, 1.0, np.random.default_rng(0)) == text
