"""Pictures that may be kept: encoded when wanted, early where they fill memory, never when dropped; the same bytes always."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ufine_kit.dataset.look import encode_jpeg, facts_of
from ufine_kit.extract import pictures
from ufine_kit.extract.pictures import Pictures

SIDE = 20
BYTES = SIDE * SIDE * 3


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as opened:
        yield opened


def drawn(count):
    return np.random.default_rng(0).integers(0, 255, (count, SIDE, SIDE, 3), dtype=np.uint8)


def begun(held):
    return [picture.developed is not None for picture in held]


def test_nothing_is_encoded_before_it_is_wanted(pool):
    several = Pictures(pool, 95)
    held = [several.hold(pixels) for pixels in drawn(5)]
    assert not any(begun(held))
    jpeg, looks = several.develop(held[2]).result()
    assert jpeg == encode_jpeg(drawn(5)[2], 95) and looks == facts_of(jpeg)
    assert begun(held) == [False, False, True, False, False]
    assert several.develop(held[2]) is held[2].developed, "once"


def test_where_pixels_fill_the_memory_the_oldest_are_encoded(pool):
    several = Pictures(pool, 95, waiting_bytes=3 * BYTES)
    held = [several.hold(pixels) for pixels in drawn(5)]
    assert begun(held) == [True, True, False, False, False]
    assert [picture.pixels is None for picture in held] == begun(held)
    early, late = several.develop(held[0]).result()[0], several.develop(held[4]).result()[0]
    assert [early, late] == [encode_jpeg(drawn(5)[i], 95) for i in (0, 4)]


def test_what_is_dropped_makes_room_and_is_never_encoded(pool):
    several = Pictures(pool, 95, waiting_bytes=3 * BYTES)
    held = [several.hold(pixels) for pixels in drawn(3)]
    several.drop(held[0])
    several.drop(held[1])
    held += [several.hold(pixels) for pixels in drawn(2)]
    assert not any(begun(held))


def test_dropping_what_was_encoded_early_changes_no_count(pool):
    several = Pictures(pool, 95, waiting_bytes=BYTES)
    first, second = (several.hold(pixels) for pixels in drawn(2))
    several.drop(first)
    assert begun([first, second]) == [True, False]
    assert several._bytes == BYTES


def test_many_wanted_at_once_are_bounded(monkeypatch, pool):
    monkeypatch.setattr(pictures, "_ENCODING_AT_MOST", 2)
    several = Pictures(pool, 95)
    waiting = [several.develop(several.hold(pixels)) for pixels in drawn(9)]
    assert sum(not future.done() for future in waiting) <= 2
    assert [future.result()[0] for future in waiting] == [encode_jpeg(pixels, 95) for pixels in drawn(9)]
