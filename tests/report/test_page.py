"""The report page: complete in itself, and deaf to what videos and texts are called."""

from __future__ import annotations

import re

import pytest

from contract.chain import copy
from ufine_kit.errors import KitError
from ufine_kit.report.page import _figure, table, write_report

HOSTILE = "<script>alert(1)</script>"


@pytest.mark.xdist_group("chain")
def test_the_page_needs_nothing_else_and_shows_crops_reasons_and_texts(chain, tmp_path):
    work = copy(chain, "build-release", tmp_path)
    write_report(work, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"(?:src|href)=['\"]?(?:https?:)?//", page)
    assert page.count("<figure") > 20
    assert "class=dropped" in page
    assert "Why crops were dropped" in page


def test_every_string_is_escaped():
    crop = {"crop_id": "c", "video": HOSTILE, "frame": 1, "tracklet": HOSTILE, "image": {"bytes": b"x"}}
    said = _figure(crop, {"reasons": [HOSTILE]}, [HOSTILE]) + table((HOSTILE,), [(HOSTILE,)])
    assert "<script" not in said
    assert said.count("&lt;script&gt;") == 6


def test_without_tracklets_the_mend_is_named(tmp_path):
    with pytest.raises(KitError, match="nothing in") as caught:
        write_report(tmp_path, tmp_path / "report.html")
    assert "extract-tracklets" in caught.value.mend
