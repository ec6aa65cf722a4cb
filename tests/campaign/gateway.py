"""What a server of campaigns does, checked the same way on the double and on the real one: what holds here, holds there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.adapters.label_studio_line import NotThere
from ufine_kit.campaign.create import Mending, Pictures, create
from ufine_kit.campaign.items import Item, item_key
from ufine_kit.campaign.pull import pull
from ufine_kit.campaign.spec import read_campaign
from ufine_kit.campaign.standing import standing
from ufine_kit.errors import KitError
from ufine_kit.ledger import entries, read_ledger
from ufine_kit.tables import CampaignTable

CONFIG = '<View><Text name="picture" value="$item_key"/><TextArea name="text" toName="picture"/></View>'
BARE = httpx.Client(timeout=60, trust_env=False, verify=False)
TABLE = CampaignTable()


class Jpegs(dict):
    """Pictures that are nowhere on disk."""

    __call__ = dict.__getitem__
    by_place = dict.keys


PICTURES = Pictures(
    lambda items: Jpegs({name: b"jpeg" for item in items for name in item.pictures}),
    lambda project: lambda name, content: f"/data/{name}.jpg",
)


def texts(count: int, start: int = 0) -> list[Item]:
    """Items to describe, two crops a person."""
    return [
        Item(
            item_key("c", "describe", f"crop{n}"),
            "describe",
            pictures=(f"crop{n}",),
            about={"crop_id": f"crop{n}", "person_id": f"p{n // 2}"},
        )
        for n in range(start, start + count)
    ]


def result(text: str) -> list[dict]:
    return [{"from_name": "text", "to_name": "picture", "type": "textarea", "value": {"text": [text]}, "id": "r1"}]


@dataclass
class Place:
    """A server, its administrator's token, and somebody else's."""

    url: str
    token: str
    other: int
    other_token: str
    folder: Path

    def studio(self, **more) -> LabelStudio:
        return LabelStudio(self.url, self.token, **{"patience_seconds": 120.0, **more})

    def ask(self, verb: str, path: str, body: object = None, token: str | None = None, **params) -> httpx.Response:
        """A bare call, as the page or a careless script makes it."""
        head = {"Authorization": f"Token {token or self.token}"}
        return BARE.request(verb, self.url + path, json=body, params=params, headers=head)

    def project(self, title: str = "bare") -> int:
        return self.ask(
            "POST", "/api/projects/", {"title": title, "label_config": CONFIG, "maximum_annotations": 2}
        ).json()["id"]

    def seed(self, project: int, tasks: list[dict]) -> list[int]:
        sent = self.ask("POST", f"/api/projects/{project}/import", tasks, return_task_ids="true")
        assert sent.status_code == 201, sent.text
        return sent.json()["task_ids"]

    def answer(self, task: int, text: str, token: str | None = None, skip: bool = False) -> int:
        body = {"result": [] if skip else result(text), "was_cancelled": skip, "lead_time": 61.5}
        sent = self.ask("POST", f"/api/tasks/{task}/annotations/", body, token)
        assert sent.status_code == 201, sent.text
        return sent.json()["id"]

    def create(self, items: list[Item], **more) -> object:
        return create(self.folder, "describe", items, self.studio(), TABLE, PICTURES, **more)

    def pull(self, **more) -> object:
        return pull(self.folder, self.studio(), **more)

    def rows(self) -> list[dict]:
        return [entry["row"] for entry in entries(self.folder / "ledger")]

    def one_project(self) -> int:
        return read_campaign(self.folder).rounds[0].projects[0].project

    def numbers(self) -> dict[str, int]:
        return {key: number for number, key in self.studio().keys(self.one_project())}


def who_we_are(place: Place) -> None:
    studio = place.studio()
    assert studio.version() == "1.23.2"
    assert studio.whoami() in studio.users()
    assert place.other in studio.users()
    assert studio.clock.endswith("Z")


def what_fits_no_filter_comes_all_the_same(place: Place) -> None:
    """Why every page is held against what was asked."""
    project = place.project()
    numbers = place.seed(project, [{"data": {"item_key": f"k{n}"}} for n in range(4)])
    late = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": numbers[2]}
    inner = {"conjunction": "and", "items": [late]}
    right = place.ask("GET", "/api/tasks", project=project, query=json.dumps({"filters": inner})).json()
    wrong = place.ask("GET", "/api/tasks", project=project, query=json.dumps(inner)).json()
    assert [len(right["tasks"]), len(wrong["tasks"])] == [1, 4]
    meta = {"conjunction": "and", "items": [{**late, "filter": "filter:tasks:meta.a", "type": "String", "value": "1"}]}
    assert place.ask("GET", "/api/tasks", project=project, query=json.dumps({"filters": meta})).status_code == 500


def an_import_is_never_deduplicated_and_numbers_come_back(place: Place) -> None:
    project = place.project()
    task = [{"data": {"item_key": "k"}, "id": 7, "inner_id": 7}]
    one, two = place.seed(project, task) + place.seed(project, task)
    assert [key for _, key in place.studio().keys(project)] == ["k", "k"]
    assert place.ask("DELETE", f"/api/tasks/{two}/").status_code == 204
    assert place.seed(project, [{"data": {"item_key": "other"}}]) == [two]
    assert dict(place.studio().keys(project)) == {one: "k", two: "other"}


def pages_are_read_behind_the_last_task(place: Place) -> None:
    project = place.project()
    given = [{"data": {"item_key": f"k{n}"}, "annotations": [{"result": result("a")}] * (n % 3)} for n in range(7)]
    given[1]["annotations"] = [{"result": [], "was_cancelled": True}]
    numbers = place.seed(project, given)
    studio = place.studio(page=3)
    assert [len(page) for page in studio.pages(project)] == [3, 3, 1]
    assert [task["id"] for task in studio.tasks(project)] == numbers
    assert [count for _, count in studio.counts(project)] == [0, 1, 2, 0, 1, 2, 0]
    assert studio.totals(project) == (7, 5)
    chosen = [numbers[1], numbers[5], 99_999_999]
    assert [task["id"] for page in studio.some_tasks(project, chosen) for task in page] == chosen[:2]
    pages = studio.pages(project)
    assert next(pages)[0]["annotations"] == []
    place.ask("DELETE", f"/api/tasks/{numbers[0]}/")
    assert [task["id"] for page in pages for task in page] == numbers[3:], "a deletion hides no task"


def what_was_changed_is_found_by_its_time(place: Place) -> None:
    project, studio = place.project(), place.studio()
    _same, new, edited, gone, skipped = place.seed(project, [{"data": {"item_key": f"k{n}"}} for n in range(5)])
    one, other = place.answer(edited, "first"), place.answer(gone, "soon gone")
    since = max(task["updated_at"] for task in studio.tasks(project))
    place.answer(new, "new")
    place.ask("PATCH", f"/api/annotations/{one}/", {"result": result("second")}, place.other_token)
    place.ask("DELETE", f"/api/annotations/{other}/")
    place.answer(skipped, "", skip=True)
    found = {task["id"]: task["annotations"] for task in studio.tasks(project, since)}
    assert set(found) == {new, edited, gone, skipped}
    assert found[gone] == []
    assert found[skipped][0]["was_cancelled"]
    (changed,) = found[edited]
    assert (changed["updated_by"], changed["completed_by"]) == (place.other, studio.whoami())
    assert changed["result"][0]["value"]["text"] == ["second"]
    assert not {"created_username", "email"} & set(changed), "names are not even fetched"


def a_campaign_is_created_once(place: Place) -> None:
    made = place.create(texts(4))
    assert (made.added, made.said) == (4, [])
    assert place.create(texts(4)).added == 0
    more = place.create(texts(6))
    assert [entry["added"] for entry in more.projects] == [0, 2], "what is new is a round of its own"
    first = place.studio().project(place.one_project())
    assert first["description"] == read_campaign(place.folder).mark(0, None)
    assert (first["task_number"], first["maximum_annotations"]) == (4, 2)
    keys = [key for entry in more.projects for _, key in place.studio().keys(entry["project"])]
    assert sorted(keys) == sorted(item.item_key for item in texts(6))


def a_config_edited_by_hand_is_told_and_put_back(place: Place) -> None:
    place.create(texts(2))
    project = place.one_project()
    ours = place.studio().project(project)["label_config"]
    head, _, tail = ours.rpartition("</View>")
    place.studio().change_project(project, label_config=f'{head}<Header value="mine"/></View>{tail}')
    (said,) = place.create(texts(2)).said
    assert "--restore-config" in said
    assert "ours again" in place.create(texts(2), mending=Mending(config=True)).said[0]
    assert place.create(texts(2)).said == []
    chosen = [
        {"from_name": "skip", "to_name": "picture", "type": "choices", "value": {"choices": ["hidden"]}, "id": "r2"}
    ]
    place.ask("POST", f"/api/tasks/{next(iter(place.numbers().values()))}/annotations/", {"result": chosen})
    with pytest.raises(KitError, match="refuses"):
        place.studio().change_project(project, label_config=ours.replace('name="skip"', 'name="passed"'))


def everything_that_happens_is_recorded(place: Place) -> None:
    """New, edited, written over, skipped, a third one, deleted, a whole task deleted: each a row, and no word lost."""
    place.create(texts(6))
    at = list(place.numbers().values())
    mine, over, gone = (place.answer(at[n], f"text {n}") for n in range(3))
    place.answer(at[3], "", skip=True)
    place.answer(at[4], "lost with its task")
    place.answer(at[0], "a second person", place.other_token)
    assert (first := place.pull()).answers == 6
    assert (first.skipped, first.tampered, first.gone) == (1, 0, 0)
    assert place.pull().added == place.pull(full=True).added == 0

    place.ask("PATCH", f"/api/annotations/{mine}/", {"result": result("text 0, mended")})
    place.ask("PATCH", f"/api/annotations/{over}/", {"result": result("not hers")}, place.other_token)
    place.ask("DELETE", f"/api/annotations/{gone}/")
    place.answer(at[0], "a third one", place.other_token)
    place.ask("DELETE", f"/api/tasks/{at[4]}/")
    second = place.pull()
    assert (second.answers, second.versions, second.tampered, second.gone) == (1, 3, 1, 2)
    assert "1 tasks were deleted" in second.said[0]
    assert place.pull().added == place.pull(full=True).added == 0

    said = [row["answer"]["text"] for row in place.rows() if row["event"] == "answer" and not row["skipped"]]
    assert sorted(said) == sorted([
        "text 0", "text 1", "text 2", "lost with its task", "a second person", "text 0, mended", "not hers", "a third one",
    ])  # fmt: skip
    lost = [row for row in place.rows() if row["event"] == "gone"]
    assert {(row["task_id"] == at[4], row["task"]) for row in lost} == {(True, True), (False, False)}
    (bad,) = [row for row in place.rows() if row.get("by", row["writer"]) != row["writer"]]
    assert bad["answer"]["text"] == "not hers"
    assert len(read_ledger(place.folder / "ledger")) == len(place.rows())


def a_number_given_again_is_another_answer(place: Place) -> None:
    place.create(texts(3))
    last = max(place.numbers().values())
    place.answer(last, "the first")
    assert place.pull().answers == 1
    place.ask("DELETE", f"/api/tasks/{last}/")
    made = place.create(texts(3), mending=Mending(tasks=True))
    assert made.added == 1
    assert max(place.numbers().values()) == last, "the number is used again"
    place.answer(last, "the second")
    pulled = place.pull()
    assert (pulled.answers, pulled.gone) == (1, 1)
    names = {row["annotation"] for row in place.rows()}
    assert len(names) == 2


def another_s_name_on_an_answer_makes_it_no_word_of_hers(place: Place) -> None:
    place.create(texts(2))
    first, second = place.numbers().values()
    number = place.answer(first, "the author's words")
    place.pull()
    stolen = {"result": result("other words"), "completed_by": place.other}
    assert place.ask("PATCH", f"/api/annotations/{number}/", stolen, place.other_token).status_code == 200
    place.answer(second, "her own", place.other_token)
    assert place.pull().tampered == 1
    before, after, own = place.rows()
    assert before["writer"] == after["writer"] != after["by"] == own["writer"]
    stands = {text.text: text.writer for text in standing(place.folder, TABLE).texts}
    assert stands == {"the author's words": before["writer"], "her own": own["writer"]}


def data_written_into_a_task_moves_no_answer(place: Place) -> None:
    place.create(texts(3))
    (one, at), (other, _), (_, third) = place.numbers().items()
    place.answer(at, "of the first crop")
    place.answer(third, "of the third")
    place.pull()
    for number, key in ((at, other), (third, "")):
        data = next(task["data"] for task in place.studio().tasks(place.one_project()) if task["id"] == number)
        assert place.ask("PATCH", f"/api/tasks/{number}/", {"data": {**data, "item_key": key}}).status_code == 200
    place.answer(at, "of the first as well", place.other_token)
    pulled = place.pull()
    assert (pulled.answers, pulled.versions) == (1, 1)
    assert "2 tasks" in pulled.said[-1] and "data changed" in pulled.said[-1]
    assert [row["item_key"] for row in place.rows() if "first" in row["answer"]["text"]] == [one, one]
    assert place.pull(full=True).added == 0


def a_deleted_project_is_one_line_and_no_loss(place: Place) -> None:
    place.create(texts(3))
    place.answer(next(iter(place.numbers().values())), "kept")
    place.pull()
    project = place.one_project()
    assert place.ask("DELETE", f"/api/projects/{project}/", token=place.other_token).status_code == 204
    pulled = place.pull()
    assert pulled.lost == [project]
    assert "the 1 answers pulled from it are kept" in pulled.said[0]
    assert len(place.rows()) == 1
    with pytest.raises(KitError, match="no longer on") as told:
        place.create(texts(3))
    assert "--restore-tasks" in told.value.mend
    with pytest.raises(NotThere):
        next(place.studio().tasks(project))
    assert place.create(texts(3), mending=Mending(tasks=True)).added == 3
    assert place.one_project() != project


def nobody_is_named(place: Place) -> None:
    place.create(texts(2))
    for number in place.numbers().values():
        place.answer(number, "words", place.other_token)
    place.pull()
    names = [name.encode() for name in place.studio().users().values()]
    for path in place.folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        assert not any(name in content for name in names), path
        assert b"@" not in content or path.name.startswith("items")
        assert place.token.encode() not in content


def seats_have_projects_of_their_own(place: Place) -> None:
    made = place.create(texts(6), chairs=3)
    assert [entry["seat"] for entry in made.projects] == ["seat-01", "seat-02", "seat-03"]
    assert [entry["tasks"] for entry in made.projects] == [4, 4, 4]
    for entry in made.projects:
        place.answer(next(iter(place.studio().keys(entry["project"])))[0], entry["seat"])
    assert place.pull().answers == 3
    inputs = {entry["input"].rpartition("/")[2] for entry in read_ledger(place.folder / "ledger").values()}
    assert inputs == {"seat-01", "seat-02", "seat-03"}
    assert place.create(texts(6), chairs=3).added == 0


def pictures_are_uploaded_and_served(place: Place) -> None:
    project = place.project()
    paths = place.studio().upload(project, {"a.jpg": b"\xff\xd8one", "b.jpg": b"\xff\xd8two"})
    assert len(set(paths.values())) == 2
    assert all(path.startswith("/data/upload/") for path in paths.values())


CHECKS = [
    who_we_are,
    what_fits_no_filter_comes_all_the_same,
    an_import_is_never_deduplicated_and_numbers_come_back,
    pages_are_read_behind_the_last_task,
    what_was_changed_is_found_by_its_time,
    a_campaign_is_created_once,
    a_config_edited_by_hand_is_told_and_put_back,
    everything_that_happens_is_recorded,
    a_number_given_again_is_another_answer,
    another_s_name_on_an_answer_makes_it_no_word_of_hers,
    data_written_into_a_task_moves_no_answer,
    a_deleted_project_is_one_line_and_no_loss,
    nobody_is_named,
    seats_have_projects_of_their_own,
    pictures_are_uploaded_and_served,
]
