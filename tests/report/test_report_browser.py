"""The pages in a real browser, opened from disk: what is pressed is what is seen, and no datum runs."""

from __future__ import annotations

import pytest

from report.browser import chromium, open_page
from report.folders import HOSTILE, Crop, Image_, make_release, make_work, picture
from report.test_report_release import findings
from ufine_kit.report.page import plan_report, write_report

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("browser")]

MARKUP = "<b onmouseover=alert(1)>a man</b> with <img src=x onerror=alert(2)> an umbrella"
REASONS = [(), ("blurred",), ("small",), ("blurred", "small")]
CROPS = [
    Crop(f"{number // 200}.mp4", f"t{number // 4:03d}", number % 200 / 2, f"p{number // 8:03d}", REASONS[number % 4],
         (MARKUP,) if number % 40 == 0 else (), 10.0 * (number % 30), picture(number % 12, 60, 24 + number % 12))
    for number in range(400)
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def work_page(tmp_path_factory):
    return written(make_work(tmp_path_factory.mktemp("work"), CROPS))


def written(work, release=None, **settings):
    return write_report(plan_report(work, release, **settings), workers=1).path


@pytest.fixture
def work(browser, work_page):
    opened = open_page(browser, work_page)
    yield opened
    assert (opened.dialogs, opened.errors) == ([], [])
    assert all(url.startswith(("file:", "blob:", "data:")) for url in opened.requests)
    opened.tab.close()


def press(opened, value):
    opened.tab.click(f'.toggle[data-value="{value}"]')
    opened.settle()


def status(opened) -> str:
    return opened.tab.inner_text("#status")


def test_a_toggled_reason_shows_only_crops_that_have_it(work):
    assert status(work) == "400 crops in 100 tracklets"
    press(work, "blurred")
    assert status(work) == "200 of 400 crops in 100 tracklets"
    assert set(work.texts(".card .why")) == {"blurred", "blurred, small"}
    assert work.tab.locator(".card").count() == work.tab.locator(".card .why").count()
    press(work, "blurred")
    assert status(work) == "400 crops in 100 tracklets"


def test_two_reasons_are_either_or_and_both_where_that_is_asked(work):
    press(work, "blurred")
    press(work, "small")
    assert status(work).startswith("300 of 400")
    work.tab.check('[data-facet="reasons"] input')
    work.settle()
    assert status(work).startswith("100 of 400")
    assert set(work.texts(".card .why")) == {"blurred, small"}


def test_filters_of_two_kinds_hold_together_and_clear_as_one(work):
    press(work, "dropped")
    press(work, "1.mp4")
    assert status(work).startswith("150 of 400")
    work.tab.click("#clear")
    work.settle()
    assert status(work).startswith("400 crops")
    assert work.tab.locator('[aria-pressed="true"]').count() == 0


@pytest.mark.parametrize(
    ("query", "number"),
    [("p003", 8), ("person:p003", 8), ("video:p003", 0), ("t010", 4), ("umbrella", 10), ('"an umbrella"', 10),
     ("umbrella p000", 1), ("UMBRELLA", 10), ("text:p003", 0), ("1.mp4", 200), ("(.*", 0), ("onerror=alert(2)", 10)],
)  # fmt: skip
def test_search_finds_identities_tracklets_videos_and_texts(work, query, number):
    work.tab.fill("#search", query)
    work.settle()
    told = "400 crops" if number == 400 else f"{number} of 400 crops"
    assert status(work).startswith(told)


def test_strips_are_tracklets_in_order_of_time_or_identities(work):
    assert work.texts(".strip b")[:3] == ["t000", "t001", "t002"]
    work.tab.select_option("#grouping", "person")
    work.settle()
    assert status(work) == "400 crops in 50 identities"
    assert work.texts(".strip b")[:2] == ["p000", "p001"]
    assert "2 tracklets" in work.texts(".strip .chip")


def test_only_what_is_seen_lives_in_the_document(work):
    assert 0 < work.tab.locator(".strip").count() < 40
    work.tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    work.settle()
    assert work.texts(".strip b")[-1] == "t099"
    assert "t000" not in work.texts(".strip b")
    assert work.tab.locator(".strip").count() < 40
    shown = work.tab.locator(".strip img").evaluate_all("all => all.map(one => [one.complete, one.naturalHeight])")
    assert shown
    assert all(complete and height == 128 for complete, height in shown)


def test_every_crop_has_its_own_picture(work):
    for far in (0, 0.6, 1):
        work.tab.evaluate(f"scrollTo(0, {far} * document.body.scrollHeight)")
        work.settle()
        found = work.tab.locator(".card").evaluate_all(
            "all => all.map(card => [Number(card.dataset.row), card.querySelector('img').naturalWidth])"
        )
        assert found == [[row, round((24 + row % 12) * 128 / 60)] for row, _ in found]


def test_scores_are_drawn_with_their_thresholds_and_follow_the_filters(work):
    work.tab.click("#tab-scores")
    charts = work.texts(".chart figcaption b")
    assert {"sharpness", "brightness", "contrast", "aspect", "confidence"} <= set(charts)
    limits = work.tab.locator("text.limit").all_text_contents()
    assert any(text.startswith("min sharpness") for text in limits)
    whole = work.tab.locator("path.some").first.get_attribute("d")
    press(work, "dropped")
    assert work.tab.locator("path.some").first.get_attribute("d") != whole
    assert work.tab.locator("path.all").first.get_attribute("d") == whole


def test_counts_stand_in_tables(work):
    work.tab.click("#tab-counts")
    assert work.texts("#panel-counts h2")[:3] == ["Counts", "Descriptions", "Why crops were dropped"]
    assert work.tab.locator("#panel-counts tbody tr").first.inner_text().split() == ["crops", "400", "100"]


def test_everything_is_reached_by_keys(work):
    work.tab.keyboard.press("/")
    assert work.tab.evaluate("document.activeElement.id") == "search"
    press(work, "dropped")  # three crops of every tracklet, three tracklets in a line
    work.tab.focus(".card")
    row = "Number(document.activeElement.dataset.row)"
    walked = []
    for key in ["Right", "Right", "Right", "Left", "Left", "Down", "Down", "Left", "Up"]:
        work.tab.keyboard.press(f"Arrow{key}")
        walked.append(work.tab.evaluate(row))
    assert walked == [2, 3, 5, 3, 2, 14, 26, 25, 13]
    for _ in range(20):
        work.tab.keyboard.press("ArrowDown")
    assert work.tab.evaluate(row) == 253
    work.tab.keyboard.press("Enter")
    work.tab.wait_for_selector("dialog[open]")
    work.tab.keyboard.press("ArrowRight")
    assert work.tab.get_attribute("dialog", "data-row") == "254"
    assert "lower or narrower" in work.tab.inner_text("dialog")
    work.tab.keyboard.press("Escape")
    work.tab.wait_for_selector("dialog[open]", state="hidden")
    work.tab.focus("#tab-crops")
    work.tab.keyboard.press("ArrowRight")
    assert work.tab.locator("#panel-scores").is_visible()


def test_it_is_dark_where_the_reader_is_and_changes_when_told(browser, work_page):
    opened = open_page(browser, work_page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = opened.tab.evaluate(ground)
    opened.tab.click("#theme")
    light = opened.tab.evaluate(ground)
    assert sum(map(int, dark[4:-1].split(","))) < 200 < 600 < sum(map(int, light[4:-1].split(",")))
    opened.tab.close()


def test_a_hostile_work_folder_runs_nothing_and_is_shown_as_it_is(browser, tmp_path):
    crops = [Crop(HOSTILE, HOSTILE, float(at), MARKUP, (HOSTILE,) if at else (), (MARKUP, HOSTILE)) for at in range(3)]
    opened = open_page(browser, written(make_work(tmp_path / "work", crops)))
    assert opened.texts(".strip b") == [HOSTILE]
    assert MARKUP in opened.texts(".strip .chip")
    assert opened.texts(".card .text")[:2] == [MARKUP, HOSTILE]
    assert HOSTILE in opened.texts(".toggle .said")
    opened.tab.fill("#search", "<script>")
    opened.settle()
    assert "<script>" in opened.texts("mark")
    opened.tab.click(".card >> nth=1")
    assert HOSTILE in opened.tab.inner_text("dialog")
    opened.tab.keyboard.press("Escape")
    for tab in ("#tab-scores", "#tab-counts"):
        opened.tab.click(tab)
    assert opened.tab.locator("img:not(.figure img):not(.large img)").count() == 0
    assert (opened.dialogs, opened.errors) == ([], [])
    opened.tab.close()


def test_even_a_script_that_got_in_would_not_run(browser, work_page, tmp_path):
    page = tmp_path / "broken.html"
    forged = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"></body>"
    page.write_text(work_page.read_text().replace("</body>", forged))
    opened = open_page(browser, page)
    opened.settle()
    assert opened.tab.title() == "ufine-kit report"
    assert any("Content Security Policy" in error for error in opened.errors)
    opened.tab.close()


# --- a release ------------------------------------------------------------------------------------------------------

IMAGES = [
    Image_(f"p{number // 4:02d}", "train" if number < 80 else "test", "own" if number % 8 < 4 else "CUHK-PEDES",
           [(MARKUP if number == 0 else f"number{number} " * (60 if number % 4 == 0 else 10),
             "human" if number % 2 else "model", "plain"),
            ("a shorter second text", "model_revised", "formal")],
           picture(number % 9, 60, 24))
    for number in range(120)
]  # fmt: skip


@pytest.fixture
def release(browser, tmp_path):
    folder = make_release(tmp_path, IMAGES)
    path = findings(tmp_path / "f.parquet", {"check": "exif", "level": "error", "image_id": "i9", "message": HOSTILE})
    opened = open_page(browser, written(tmp_path / "work", folder, findings=path))
    yield opened
    assert (opened.dialogs, opened.errors) == ([], [])
    opened.tab.close()


def test_a_release_is_filtered_by_split_source_granularity_and_kind(release):
    assert status(release) == "120 images in 30 identities"
    press(release, "test")
    assert status(release) == "40 of 120 images in 10 identities"
    press(release, "CUHK-PEDES")
    assert status(release) == "20 of 120 images in 5 identities"
    press(release, "fine")
    assert status(release) == "5 of 120 images in 5 identities"
    press(release, "human")
    assert status(release).startswith("0 of 120"), "fine texts are the model's: one text must fit both"
    assert release.tab.locator(".empty").count() == 1


def test_a_release_is_searched_through_all_its_texts_and_only_fitting_texts_are_shown(release):
    release.tab.fill("#search", "number77")
    release.settle()
    assert status(release) == "1 of 120 images in 1 identity"
    release.tab.fill("#search", "shorter second")
    press(release, "model")
    assert status(release).startswith("0 of 120"), "the words and the origin must be of one text"
    press(release, "model")
    release.tab.fill("#search", "")
    press(release, "model_revised")
    assert set(release.texts(".card .text")) == {"a shorter second text"}


def test_a_caption_is_shown_with_its_provenance_and_a_flag_with_its_message(release):
    press(release, "exif")
    assert status(release) == "1 of 120 images in 1 identity"
    assert release.texts(".card .why") == ["exif"]
    release.tab.click(".card")
    said = release.tab.inner_text("dialog")
    assert "model revised · formal" in said
    assert "from text 1 · 4 words" in said
    assert f"exif (error) {HOSTILE}" in said
    assert "number9 number9" in said
