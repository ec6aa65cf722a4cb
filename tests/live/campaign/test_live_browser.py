"""The faces of campaigns in a real browser on the real server: seen large, answered by hand, refused when empty, never run."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from live.campaign.server import MARKS
from release.works import crop, make_work
from report.browser import chromium
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.campaign import faces
from ufine_kit.campaign.answers import parse
from ufine_kit.campaign.create import Pictures, create
from ufine_kit.campaign.delivery import open_delivery
from ufine_kit.campaign.items import Item, read_items
from ufine_kit.campaign.kinds import describe, review
from ufine_kit.campaign.pictures import pictures
from ufine_kit.campaign.plain import DOUBT
from ufine_kit.campaign.seen import fetch, pictures_seen, sources
from ufine_kit.tables import CampaignTable
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

pytestmark = MARKS
TABLE = CampaignTable(overlap=1)
PATIENCE_MS = 120_000  # the page is ten megabytes of script, and other tests may run beside it
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"q\" 'q' &amp; $picture {{idx}}"
TYPED = " dark red suit, also a kerchief, mended"
TEXT = (
    "  A person walks across the street, two  spaces and all.\n\nשלום, 人, e\u0301 é 🧥 “so”\t"
    '<b>bold</b> & "quoted" \\n, a green coat with three buttons, grey trousers and brown shoes.  '
)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Crops of three persons, of the size that videos give."""
    people: dict[str, list[dict]] = {}
    for number, sample in enumerate(retrieval_set(3, 3, size=(160, 64))):
        name = f"a{sample.person_id}"
        row = crop(f"{name}-{number}", "a", name, number, jpeg(sample.image))
        people.setdefault(name, []).append(row | {"width": 64, "height": 160})
    return make_work(tmp_path_factory.mktemp("browser") / "work", people)


@pytest.fixture(scope="module")
def server(label_studio):
    return LabelStudio(label_studio.url, label_studio.token, 300.0)


@pytest.fixture(scope="module")
def page(label_studio):
    """A person's browser, logged in through the form; it fails where anything on a page runs or asks."""
    person = label_studio.annotator("by-hand")
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.set_default_timeout(PATIENCE_MS)
        asked = []
        tab.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        tab.goto(f"{label_studio.url}/user/login/")
        tab.fill("input[name=email]", person.email)
        tab.fill("input[name=password]", person.password)
        with tab.expect_navigation():
            tab.keyboard.press("Enter")
        yield tab
        assert asked == []


class Face:
    """One project in the browser, as a person works through it."""

    def __init__(self, page, server, project, items):
        self.page, self.server, self.project = page, server, project
        self.items = {item.item_key: item for item in items}
        page.goto(f"{server.url}/projects/{project}/data?labeling=1")
        self.instructions = page.locator(".lsf-modal-ls__body")
        self.instructions.wait_for()
        self.told = self.instructions.inner_text()
        # A page that is still busy may miss a key or a click.
        self.until(lambda: page.keyboard.press("Escape"), self.instructions, "hidden")

    @property
    def box(self):
        return self.page.locator(".box textarea")

    def until(self, act, place, state="visible"):
        """Do something, again where the page did not hear it, until a place is seen or gone."""
        from playwright.sync_api import TimeoutError as NotYet

        for _ in range(10):
            act()
            with contextlib.suppress(NotYet):
                place.wait_for(state=state, timeout=6_000)
                return
        place.wait_for(state=state)

    def press_submit(self):
        self.page.locator("[data-testid=bottombar-submit-button]").click()

    def submit(self):
        """Press Submit and wait until the server has it."""
        from playwright.sync_api import TimeoutError as NotYet

        with self.page.expect_response(
            lambda answer: "/annotations" in answer.url and answer.request.method == "POST"
        ) as got:
            self.press_submit()
        assert got.value.status == 201
        with contextlib.suppress(NotYet):  # on a slow machine a page may never be seen idle
            self.page.wait_for_load_state("networkidle", timeout=10_000)

    def warned(self) -> str:
        """What the warning says; it is closed after that."""
        warning = self.page.locator(".ant-modal-confirm-content")
        warning.wait_for()
        told = warning.inner_text()
        self.page.locator(".ant-modal-confirm-btns button").click()
        warning.wait_for(state="hidden")
        return told

    def answers(self) -> list[dict]:
        """What has arrived, as the campaign understands it, in order of arrival."""
        found = [
            (one["id"], parse(item.kind, one["result"], item))
            for task in self.server.tasks(self.project)
            for item in [self.items[task["data"]["item_key"]]]
            for one in task["annotations"]
        ]
        return [answer for _, answer in sorted(found, key=lambda pair: pair[0])]

    def shot(self, path):
        self.page.screenshot(path=path)
        assert path.stat().st_size > 10_000


@pytest.fixture(scope="module")
def described(page, server, label_studio, work):
    """A campaign as the manager makes it."""
    folder = work / "campaigns" / "by-hand"
    items = describe.items(work, "by-hand", TABLE)
    files = label_studio.files / "by-hand"
    ways = Pictures(
        lambda asked: pictures(work, "describe", asked),
        lambda project: open_delivery("local", server, project, files, TABLE),
    )
    made = create(folder, "describe", items, server, TABLE, ways)
    return Face(page, server, made.projects[0]["project"], read_items(folder / "items-000.jsonl"))


def test_a_crop_is_described_by_hand(described, tmp_path):
    page = described.page
    assert "80 words" in described.told and "Never copy" in described.told
    picture = page.locator("img.subject")
    picture.wait_for()
    page.wait_for_function("document.querySelector('img.subject').naturalWidth == 64")
    place, box = picture.bounding_box(), described.box.bounding_box()
    assert place["height"] >= 600 and place["width"] / place["height"] == pytest.approx(64 / 160, rel=0.05)
    for seen in (place, box):  # between the bar above and the one with Submit, without scrolling
        assert seen["y"] >= 48 and seen["y"] + seen["height"] <= 750
    assert box["width"] >= 600

    described.press_submit()
    assert "write a description" in described.warned()
    assert described.answers() == []

    described.box.fill(TEXT)
    described.shot(tmp_path / "describe.png")
    described.submit()
    (answer,) = described.answers()
    assert answer["skip_reason"] is None and answer["text"].encode() == TEXT.encode()


def test_a_reason_is_as_good_as_a_text(described):
    page, before = described.page, len(described.answers())
    page.locator("img.subject").wait_for()
    described.box.fill("begun, and then given up")
    page.get_by_text("most of the person is hidden").click()
    described.box.wait_for(state="hidden")
    described.submit()
    assert described.answers()[before:] == [{"text": None, "skip_reason": "hidden"}]


def bare(page, server, label_studio, work, items, **changes):
    """A project with these items, made without the campaign around it; `delivery` is that of its pictures."""
    table = TABLE.model_copy(update=changes)
    face = faces.face_of(items[0])
    fields = faces.project_fields(face, table, 1, None)
    project = int(server.create_project(title=faces.title("bare", face, 0, None), **fields)["id"])
    picture = pictures(work, items[0].kind if items[0].kind != "revise" else "describe", items)
    put = open_delivery(table.delivery, server, project, label_studio.files / "bare", table)
    server.import_tasks(
        project,
        [
            {
                "data": {
                    "item_key": item.item_key,
                    **faces.shown(item, {name: put(name, picture(name)) for name in item.pictures}),
                }
            }
            for item in items
        ],
    )
    return Face(page, server, project, items)


def test_an_identity_and_a_pair_are_reviewed_by_hand(page, server, label_studio, work, tmp_path):
    (item, *_) = review.items(work, "r", TABLE)
    face = bare(page, server, label_studio, work, [item])
    page.locator(".card").nth(2).wait_for()
    page.wait_for_function("[...document.querySelectorAll('.card img')].every(img => img.naturalWidth > 0)")
    page.locator(".card").nth(0).get_by_text("drop it").click()
    page.locator(".card").nth(2).get_by_text("another person").click()
    face.shot(tmp_path / "identity.png")
    face.press_submit()
    assert "keep or drop" in face.warned()
    page.get_by_text("Keep this person").click()
    face.submit()
    assert face.answers() == [{"drop": [item.pictures[0]], "split": [item.pictures[2]], "keep": True, "reason": None}]

    pair = dataclasses.replace(
        item, item_key="pair", shown={"first": 1}, about={"person_id": "p", "other_person_id": "q"}
    )
    face = bare(page, server, label_studio, work, [pair], delivery="upload")
    page.wait_for_function("[...document.querySelectorAll('.row img')].filter(img => img.naturalWidth > 0).length == 3")
    face.shot(tmp_path / "pair.png")
    page.get_by_text("Cannot tell").click()
    face.submit()
    assert face.answers() == [{"same": "unsure"}]


def test_hostile_words_are_shown_and_never_run(page, server, label_studio, work, tmp_path):
    crop_id = review.items(work, "r", TABLE)[0].pictures[0]
    shown = {"written": HOSTILE, "draft": HOSTILE, "reasons": [HOSTILE]}
    face = bare(page, server, label_studio, work, [Item("r", "revise", pictures=(crop_id,), shown=shown)])
    page.get_by_text(HOSTILE).nth(2).wait_for()
    face.until(page.locator(".asked label", has_text="Revise").click, face.box)
    assert face.box.input_value() == HOSTILE
    face.box.press("ControlOrMeta+End")
    page.keyboard.type(TYPED)  # every key of a choice among them
    face.shot(tmp_path / "revise.png")
    face.submit()
    assert face.answers() == [{"decision": "revise", "text": f"{HOSTILE}{TYPED}"}]

    face = bare(page, server, label_studio, work, [Item("f", "fix", pictures=(crop_id,), shown=shown)])
    page.get_by_text(f"• {HOSTILE}").wait_for()
    face.shot(tmp_path / "fix.png")
    face.box.fill(f"{HOSTILE} again")
    face.submit()
    assert face.answers() == [{"text": f"{HOSTILE} again", "skip_reason": None}]
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_a_doubted_text_that_is_left_as_it_is_comes_back_to_the_byte(page, server, label_studio, work, tmp_path):
    crop_id = review.items(work, "r", TABLE)[0].pictures[0]
    shown = {"draft": TEXT, "reasons": [DOUBT]}
    face = bare(page, server, label_studio, work, [Item("left", "fix", pictures=(crop_id,), shown=shown)])
    page.get_by_text("leave it as it is and press Submit").wait_for()
    assert face.box.input_value() == TEXT
    face.shot(tmp_path / "doubt.png")
    face.submit()
    assert face.answers() == [{"text": TEXT, "skip_reason": None}]


DRAWN = """async box => {
  const picture = new Image();
  picture.src = getComputedStyle(box).backgroundImage.slice(5, -2);
  await picture.decode();
  return [picture.naturalWidth, picture.naturalHeight];
}"""


@pytest.mark.parametrize("delivery", ["upload", "inline", "url"])
def test_pictures_are_seen_by_every_other_way(page, server, label_studio, work, delivery):
    item = describe.items(work, "ways", TABLE)[0]
    template = f"{label_studio.url}/data/local-files/?d=by-hand/{{crop_id}}.jpg"
    face = bare(page, server, label_studio, work, [item], delivery=delivery, url_template=template)
    if delivery == "inline":
        seen = page.locator(".subject.inside")
        seen.wait_for()
        box = seen.bounding_box()
        assert box["height"] >= 600 and box["width"] / box["height"] == pytest.approx(64 / 160, rel=0.05)
        # The bytes in the style are a picture that the browser can draw.
        assert seen.evaluate(DRAWN) == [64, 160]
        return
    page.wait_for_function("document.querySelector('img.subject')?.naturalWidth == 64")
    if delivery == "url":
        return
    (task,) = server.tasks(face.project)
    (address,) = sources(task["data"])
    annotator = LabelStudio(label_studio.url, label_studio.annotator("by-hand").token, 300.0)
    assert fetch(annotator, [address]) == []
    assert annotator.fetch(address)[2] == pictures(work, "describe", [item])(item.pictures[0])
    assert [path.name for path in (label_studio.work / "campaigns" / "bare").iterdir()] == ["uploads.jsonl"]


def test_doctor_sees_what_people_see(described, server, label_studio, work):
    assert pictures_seen(work, lambda _: server) == {
        "what": "campaign pictures", "ok": True, "detail": "by-hand: shown to people as they should be",
    }  # fmt: skip
    stranger = LabelStudio(label_studio.url, "0" * 40, 300.0)
    address = f"/data/local-files/?d=by-hand/{next(iter(described.items.values())).pictures[0]}.jpg"
    (line,) = fetch(stranger, [address])
    assert "401" in line
    (line,) = fetch(server, ["/data/local-files/?d=nowhere/a.jpg"])
    assert "404" in line
