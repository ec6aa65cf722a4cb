"""The file itself: nothing in it runs but its own script, no datum becomes markup, the same content gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.folders import HOSTILE
from report.pages import Page
from typed import REPO
from ufine_kit.report.columns import Numbers, Words
from ufine_kit.report.document import BLOCK_ROWS, View, json_block, write_page


def view(videos, texts=(), title="ufine-kit report"):
    names, numbers = Words(), Numbers(digits=None)
    for video in videos:
        names.add(video)
    for _ in texts:
        numbers.add(0)
    said = [list(texts), *([] for _ in videos[1:])]
    facts = {"tables": [], "note": HOSTILE}
    return View(title, facts, {"video": names}, {"image": numbers}, lambda: iter(said))


def written(tmp_path, what, thumbs=()):
    write_page(tmp_path / "page.html", what, thumbs)
    return Page(tmp_path / "page.html")


def test_only_its_own_script_and_style_may_live(tmp_path):
    page = written(tmp_path, view(["a"]), [b"x"])
    (script,), (style,) = page.running, page.styles
    for name, text in (("script-src", script), ("style-src", style)):
        sha256 = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{sha256}'" in page.policy
    assert "default-src 'none'" in page.policy
    assert "require-trusted-types-for 'script'" in page.policy
    assert "unsafe" not in page.policy


FORBIDDEN = (
    "innerHTML outerHTML insertAdjacentHTML document.write eval( Function( fetch( XMLHttpRequest import( http: https:"
)


@pytest.mark.parametrize("word", FORBIDDEN.split())
def test_the_script_has_no_way_to_turn_text_into_markup_or_to_call_out(tmp_path, word):
    page = written(tmp_path, view(["a"]))
    (script,) = page.running
    assert word not in script.replace("http://www.w3.org/2000/svg", "")


def test_the_page_fetches_nothing(tmp_path):
    assert written(tmp_path, view(["a"])).outside() == []


HARD = [
    HOSTILE,
    "{{STYLE}}",
    "{{POLICY}}",
    "</script><img src=x onerror=alert(1)>",
    "<!-- <script>",
    "]]>",
    "\u2028\u2029",
    "\x00\x1b[31m",
    "a\"b'c&amp;",
    "\u202eright to left",
    "😀",
]


@pytest.mark.parametrize("text", HARD)
def test_a_hard_text_comes_back_as_it_was_and_opens_nothing(tmp_path, text):
    tame = written(tmp_path, view(["a"], ["b"], "c"))
    page = written(tmp_path, view([text], [text], text))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in tame.tags]
    assert page.column("image-video") == page.texts() == [text]
    assert page.facts["title"] == text


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/!-script\"'&\\]\n\u2028é"), max_size=40))
def test_no_text_ends_its_block(text):
    block = json_block("texts-0", [text]).decode()
    assert block.count("<") == 2
    assert block.startswith("<script type=") and block.endswith("</script>\n")


def test_pictures_lie_in_blocks_in_the_order_of_the_rows(tmp_path):
    rows = 2 * BLOCK_ROWS + 3
    thumbs = [bytes([number % 251]) * (number % 7) for number in range(rows)]
    page = written(tmp_path, view([f"v{number}" for number in range(rows)]), iter(thumbs))
    assert page.thumbs() == thumbs
    assert sorted(name for name in page.blocks if name.startswith("thumbs-")) == ["thumbs-0", "thumbs-1", "thumbs-2"]


def test_what_is_seen_first_comes_first(tmp_path):
    text = written(tmp_path, view(["a"], ["t"]), [b"x"]).text
    order = [
        text.index(mark)
        for mark in ("<style>", "<h1>", 'id="image-video"', 'id="facts"', "<script>", 'id="texts-0"', 'id="thumbs-0"')
    ]
    assert order == sorted(order)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    pages = [written(tmp_path, view(["a", "b"], ["t"]), [b"x", b"y"]).text for _ in range(2)]
    assert pages[0] == pages[1]


def test_a_page_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    held = written(tmp_path, view(["a"])).text

    def torn():
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written(tmp_path, view(["a", "b"]), torn())
    assert (tmp_path / "page.html").read_text() == held
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_figures_in_the_document_are_those_of_the_kept_record():
    spec = importlib.util.spec_from_file_location("report_page", REPO / "benchmarks/report_page.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    record = json.loads((REPO / "benchmarks/records/report_page.json").read_text())
    held = (REPO / "docs/report.md").read_text()
    assert f"{record['cases'][0]['page_mb']:.0f} MB" in held
    assert benchmark.filled(held, record) == held, "run `python benchmarks/report_page.py --record ...`"
