"""The double of Label Studio does what the real one was seen to do, and campaigns come through it; the same suite runs live."""

from __future__ import annotations

import pytest

from campaign.fake_server import TOKEN, FakeStudio
from campaign.gateway import CHECKS, Place


@pytest.fixture
def studio():
    with FakeStudio() as fake:
        yield fake


@pytest.fixture
def place(studio, tmp_path):
    other, token = studio.add_user()
    return Place(studio.url, TOKEN, other, token, tmp_path / "campaigns" / "c")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_on_the_double(place, check):
    check(place)
