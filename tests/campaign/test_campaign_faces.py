"""What annotators are shown: configs that fit their tasks, every outside word escaped, instructions that say what they must."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from release.works import picture
from ufine_kit.campaign import faces
from ufine_kit.campaign.answers import parse
from ufine_kit.campaign.items import Item
from ufine_kit.resources import resource_names
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable()
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>' & $picture"
ITEMS = {
    "review_identity": Item("k", "review", pictures=("c1", "c2"), about={"person_id": "p"}),
    "review_pair": Item(
        "k", "review", pictures=("c1", "c2"), shown={"first": 1}, about={"person_id": "p", "other_person_id": "q"}
    ),
    "describe": Item("k", "describe", pictures=("c1",), about={"crop_id": "c1"}),
    "revise": Item("k", "revise", pictures=("c1",), shown={"written": HOSTILE, "draft": HOSTILE, "reasons": [HOSTILE]}),
    "fix": Item("k", "fix", pictures=("c1",), shown={"draft": HOSTILE, "reasons": [HOSTILE, "too short"]}),
}
# What a task of the server holds of itself: a field of that name would show the server's own.
RESERVED = {"id", "source", "data", "annotations", "predictions", "drafts", "queue", "overlap", "meta", "project"}


def config(face):
    return ElementTree.fromstring(faces.config(face, TABLE))


def shown(face, address="/a?b=1&c=2"):
    item = ITEMS[face]
    return faces.shown(item, dict.fromkeys(item.pictures, address))


@pytest.mark.parametrize("face", faces.FACES)
def test_every_field_that_a_config_names_is_in_its_tasks(face):
    wanted = {
        found.removeprefix("$").partition("[")[0]
        for node in config(face).iter()
        for found in (node.get("value", ""), node.get("on", ""))
        if found.startswith("$")
    }
    assert wanted and wanted <= set(shown(face))
    assert not wanted & RESERVED


@pytest.mark.parametrize("face", faces.FACES)
def test_every_control_asks_of_something_that_is_shown(face):
    nodes = list(config(face).iter())
    objects = {node.get("name") for node in nodes if node.tag in ("HyperText", "Text")}
    controls = [node for node in nodes if node.get("toName")]
    assert controls and {node.get("toName") for node in controls} <= objects
    assert all(node.get("requiredMessage") for node in controls if node.get("required"))
    assert any(node.get("required") for node in controls)
    # What a choice says may be put better one day; what it is called in an answer stays.
    assert all(node.get("alias") for node in nodes if node.tag == "Choice")


@pytest.mark.parametrize("face", faces.FACES)
def test_every_answer_that_can_be_given_is_understood(face):
    item = ITEMS[face]
    nodes = [node for node in config(face).iter() if node.get("toName")]
    for node in nodes:
        name = node.get("name").replace("{{idx}}", "1")
        for word in [choice.get("alias") for choice in node.iter("Choice")] or [None]:
            value = {"text": ["A man."]} if word is None else {"choices": [word]}
            raw = [{"from_name": name, "value": value}]
            if name not in ("whole", "same", "decision", "text", "skip"):
                raw.append({"from_name": "whole", "value": {"choices": ["keep"]}})
            if face == "revise" and word in (None, "revise"):
                raw = [
                    {"from_name": "decision", "value": {"choices": ["revise"]}},
                    {"from_name": "text", "value": {"text": ["x"]}},
                ]
            assert "odd" not in parse(item.kind, raw, item), (name, word)


@pytest.mark.parametrize("face", faces.FACES)
def test_values_of_the_recipe_are_filled_in(face):
    table = CampaignTable(picture_height_px=512, words_mean=60.0, words_min=25)
    told = faces.config(face, table) + faces.instructions(face, table)
    assert not re.search(r"(?<![a-z])__[a-z]", told)
    assert "512px" in told
    if face in ("describe", "fix"):
        assert "About 60 words" in told and "fewer than 25" in told


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def strings(value):
    if isinstance(value, str):
        return [value]
    return [one for inner in (value.values() if isinstance(value, dict) else value) for one in strings(inner)]


@pytest.mark.parametrize("face", faces.FACES)
def test_markup_holds_only_pictures_whatever_their_address_says(face):
    markup = [text for text in strings(shown(face, HOSTILE)) if text.startswith("<")]
    tags = [tag for text in markup for tag in Tags(text).found]
    assert {name for name, _ in tags} <= {"div", "img"}
    pictures = [attributes for name, attributes in tags if name == "img"]
    assert len(pictures) == len(ITEMS[face].pictures)
    assert all(set(attributes) == {"class", "src", "alt"} and attributes["src"] == HOSTILE for attributes in pictures)


@pytest.mark.parametrize("face", ["revise", "fix"])
def test_texts_of_people_stand_in_tags_that_take_them_as_text(face):
    """`Text` and `TextArea` show a value letter by letter; `HyperText`, which takes markup, gets only markup made here."""
    outside = {name for name, value in shown(face).items() if HOSTILE in value}
    assert outside
    for node in config(face).iter():
        if node.get("value", "").removeprefix("$") in outside:
            assert node.tag == "TextArea" or (node.tag == "Text" and node.get("valueType") == "text")


def test_a_text_is_shown_as_it_is():
    assert shown("fix")["draft"] == HOSTILE
    assert shown("fix")["reasons"] == f"• {HOSTILE}\n• too short"


def test_a_described_crop_is_the_large_picture_and_context_stays_small():
    item = Item("k", "describe", pictures=("c1", "c2", "c3"))
    tags = Tags(faces.shown(item, {name: name for name in item.pictures})["picture"]).found
    assert [(a["src"], a["class"]) for t, a in tags if t == "img"] == [
        ("c1", "subject"),
        ("c2", "crop"),
        ("c3", "crop"),
    ]


def test_bytes_inside_a_task_are_drawn_as_a_background_of_their_shape():
    address = f"data:image/jpeg;base64,{base64.b64encode(picture(0, (32, 16))).decode()}"
    ((_, _), (_, box)) = Tags(faces.subject(address)).found
    assert box["class"] == "subject inside"
    assert box["style"] == f"background-image:url({address});aspect-ratio:16/32"
    odd = "data:image/jpeg;base64,AA);x:url(//elsewhere"
    assert Tags(faces.subject(odd)).found[1] == (
        "img",
        {"class": "subject", "src": odd, "alt": "the person to describe"},
    )


def test_people_are_asked_for_their_own_words_on_what_counts():
    told = faces.instructions("describe", TABLE).lower()
    for word in (
        "hair",
        "upper",
        "lower",
        "shoes",
        "bag",
        "accessories",
        "80 words",
        "copy",
        "skip",
        "names",
        "origin",
    ):
        assert word in told
    good, bad = (told.partition(mark)[2].partition("</i>")[0] for mark in ("good:</b>", "not good:</b>"))
    assert 70 <= len(good.split()) <= 100 > len(bad.split())


def test_a_project_is_asked_for_as_the_page_needs_it():
    shared = faces.project_fields("describe", TABLE, 2, None)
    seat = faces.project_fields("describe", TABLE, 2, "seat-01")
    assert (shared["maximum_annotations"], shared["skip_queue"]) == (2, "REQUEUE_FOR_OTHERS")
    assert (seat["maximum_annotations"], seat["skip_queue"]) == (1, "REQUEUE_FOR_ME")
    assert shared["show_instruction"] and shared["expert_instruction"].startswith("<h3>")


@pytest.mark.parametrize("name", ["a", "a" * 64])
@pytest.mark.parametrize("seat", [None, "seat-12"])
def test_a_title_has_the_length_that_the_server_takes(name, seat):
    titles = {faces.title(name, face, number, seat) for face in faces.FACES for number in (0, 123)}
    assert all(len(title) in faces.TITLE_CHARACTERS for title in titles)
    assert len(titles) == 10


def test_configs_and_instructions_are_packaged():
    assert set(resource_names("schemas/label_studio", ".xml")) == {f"{face}.xml" for face in faces.FACES}
    assert set(resource_names("schemas/label_studio", ".html")) == {f"{face}.html" for face in faces.FACES}
