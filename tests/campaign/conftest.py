"""The double of Label Studio, and a campaign folder beside it, for every test that needs a server."""

from __future__ import annotations

import pytest

from campaign.fake_server import TOKEN, FakeStudio
from campaign.gateway import Place


@pytest.fixture
def studio():
    with FakeStudio() as fake:
        yield fake


@pytest.fixture
def place(studio, tmp_path):
    other, token = studio.add_user()
    return Place(studio.url, TOKEN, other, token, tmp_path / "campaigns" / "c")
