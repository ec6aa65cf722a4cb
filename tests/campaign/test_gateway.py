"""The double of Label Studio does what the real one was seen to do, and campaigns come through it; the same suite runs live."""

from __future__ import annotations

import pytest

from campaign.gateway import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_on_the_double(place, check):
    check(place)
