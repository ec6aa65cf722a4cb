"""A hostile server and a pulled plug: nothing is there twice, no answer is lost, and every fault is one line with its mend."""

from __future__ import annotations

import multiprocessing
import os
import threading

import pytest

from campaign.gateway import PICTURES, TABLE, result, texts
from ufine_kit import crash
from ufine_kit.adapters import label_studio_line
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.adapters.label_studio_line import LostAnswer
from ufine_kit.campaign import pull as pulling
from ufine_kit.campaign.create import Mending, create
from ufine_kit.campaign.held import read_held
from ufine_kit.campaign.pull import pull
from ufine_kit.campaign.spec import read_campaign
from ufine_kit.campaign.standing import standing
from ufine_kit.errors import KitError
from ufine_kit.ledger import read_ledger

full = pytest.mark.full
SMALL = TABLE.model_copy(update={"batch": 2})
fork = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def haste(monkeypatch):
    monkeypatch.setattr(label_studio_line, "FIRST_PAUSE_SECONDS", 0.01)


def made(place, count=5, table=SMALL, **more):
    """Create, a few tasks at a time."""
    return create(
        place.folder, "describe", texts(count), place.studio(), table, PICTURES, **{"settle_seconds": 0.1, **more}
    )


def keys(studio):
    return sorted(task["data"]["item_key"] for task in studio.tasks.values())


def killed_at(point, act):
    """Run `act` in a process of its own and pull its plug there."""

    def child():
        os.environ["UFINE_CRASH_AT"] = point
        crash._seen.clear()
        act()
        os._exit(0)

    process = fork.Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode == 137, f"{point} was not passed"


# --- create -----------------------------------------------------------------------------------------------------------


POINTS = ["create.project", "create.batch:2"]
MORE = [pytest.param(point, marks=full) for point in ("create.frozen", "create.batch", "create.batch:3")]


@pytest.mark.parametrize("point", POINTS + MORE)
def test_killed_in_create_and_run_again_no_task_is_there_twice(place, studio, point):
    killed_at(point, lambda: made(place))
    made(place)
    assert keys(studio) == sorted(item.item_key for item in texts(5))
    assert len(studio.projects) == 1
    assert len(read_campaign(place.folder).rounds) == 1
    asked = len(studio.asked)
    assert made(place).added == 0
    assert not [path for verb, path in studio.asked[asked:] if verb != "GET"], "a run with nothing to do writes nothing"


LOST = [("after", "cut")]
OTHERS = [("before", "500"), ("before", "cut"), ("after", "500"), ("before", "503"), ("after", "503")]


@pytest.mark.parametrize(("when", "how"), LOST + [pytest.param(*case, marks=full) for case in OTHERS])
def test_an_import_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(place, studio, when, how):
    studio.faults = [("POST", r"/import", when, how)]
    made(place)
    assert studio.faults == []
    assert keys(studio) == sorted(item.item_key for item in texts(5))


def test_a_server_that_answers_too_late_is_not_asked_twice(place, studio, monkeypatch):
    monkeypatch.setattr("ufine_kit.adapters.label_studio_line.WRITE_SECONDS", 0.2)
    studio.faults = [("POST", r"/import", "after", 0.5)]
    made(place, settle_seconds=60.0)
    assert keys(studio) == sorted(item.item_key for item in texts(5))


@pytest.mark.parametrize("how", ["cut", pytest.param("500", marks=full)])
def test_a_project_whose_answer_is_lost_is_found_by_its_mark(place, studio, how):
    studio.faults = [("POST", r"/api/projects/$", "after", how)]
    made(place)
    assert len(studio.projects) == 1


def test_a_write_that_never_works_ends_in_one_line_and_goes_on_later(place, studio):
    studio.faults = [("POST", r"/import", "before", "500")] * 3
    with pytest.raises(LostAnswer, match="500"):
        made(place)
    assert keys(studio) == []
    assert made(place).added == 5


def test_doubled_tasks_are_named_and_left(place, studio):
    made(place)
    project = place.one_project()
    place.seed(project, [{"data": dict(studio.tasks[1]["data"])}])
    read = read_campaign(place.folder)
    assert "more than once" in made(place, mending=Mending(tasks=True)).said[0]
    assert len(studio.tasks) == 6
    assert read_campaign(place.folder) == read


def test_what_enough_people_answered_is_not_asked_again(place, studio):
    made(place)
    both, one = place.numbers()[texts(1)[0].item_key], place.numbers()[texts(2)[1].item_key]
    for task, token in [(both, None), (both, place.other_token), (one, None)]:
        place.answer(task, "kept", token)
    place.pull()
    place.ask("DELETE", "/api/projects/1/")
    assert made(place, mending=Mending(tasks=True)).added == 4
    assert texts(1)[0].item_key not in keys(studio)


def test_a_number_that_belongs_to_another_project_now_is_not_written_to(place, studio):
    made(place)
    studio.projects[1]["description"] = "somebody else's"
    studio.tasks.clear()
    with pytest.raises(KitError, match="no longer on"):
        made(place)
    assert place.pull().lost == [1]


def test_a_description_written_anew_does_not_lose_the_project(place, studio):
    made(place)
    studio.projects[1]["description"] = "please describe shoes as well"
    assert made(place).added == 0
    assert place.pull().lost == []


# --- pull -------------------------------------------------------------------------------------------------------------


def answered(place, count=5):
    made(place, count)
    for number in place.numbers().values():
        place.answer(number, f"words of {number}")


def ledger(place):
    return [entry["row"] for entry in read_ledger(place.folder / "ledger").values()]


PULLED = ["pull.appended", "ledger.torn:2"]
FURTHER = [pytest.param(point, marks=full) for point in ("pull.page", "pull.page:2", "pull.appended:3")]


@pytest.mark.parametrize("point", PULLED + FURTHER)
def test_killed_in_pull_and_run_again_every_answer_is_there_once(place, studio, point):
    answered(place)
    killed_at(point, lambda: pull(place.folder, place.studio(page=2)))
    pull(place.folder, place.studio(page=2))
    assert sorted(row["answer"]["text"] for row in ledger(place)) == [f"words of {n}" for n in range(1, 6)]
    lines = b"".join(path.read_bytes() for path in (place.folder / "ledger").glob("*.jsonl"))
    assert lines.count(b"\n") == 5
    assert pull(place.folder, place.studio(page=2), full=True).added == 0


def test_a_pull_that_was_broken_off_goes_on_behind_its_last_page(place, studio):
    answered(place)
    killed_at("pull.page:3", lambda: pull(place.folder, place.studio(page=2)))
    asked = len(studio.asked)
    assert pull(place.folder, place.studio(page=2)).answers == 1
    pages = [path for _, path in studio.asked[asked:] if "fields=all" in path]
    assert len(pages) == 1


def test_a_server_that_is_started_anew_meanwhile_is_waited_for(place, studio):
    answered(place)
    pages = place.studio(page=2).pages(place.one_project())
    next(pages)
    studio.stop()
    threading.Timer(0.4, studio.start).start()
    assert [task["id"] for page in pages for task in page] == [3, 4, 5]


@pytest.mark.parametrize("how", ["cut", *(pytest.param(status, marks=full) for status in ("500", "503"))])
def test_questions_are_asked_again_through_faults(place, studio, how):
    answered(place)
    studio.faults = [("GET", r"/api/tasks", "before", how)] * 3 + [("GET", r"/api/projects/", "after", how)]
    assert place.pull().answers == 5


def test_a_server_that_stays_away_ends_in_one_line(place, studio):
    answered(place)
    server = place.studio(patience_seconds=0.3)
    server.whoami()
    studio.stop()
    with pytest.raises(KitError, match="no Label Studio answers") as told:
        pull(place.folder, server)
    assert told.value.mend == "ufine-kit campaign serve"
    assert ledger(place) == []
    studio.start()
    assert place.pull().answers == 5


def test_a_filter_that_is_ignored_is_noticed(place, studio, monkeypatch):
    monkeypatch.setattr(pulling, "OVERLAP_SECONDS", -1.0)
    answered(place)
    place.pull()
    studio.ignores_filters = True
    with pytest.raises(KitError, match="ignores the filter"):
        place.pull()


def test_only_what_changed_is_read_again(place, studio):
    answered(place, 9)
    for task in studio.tasks.values():
        task["updated_at"] = "2026-01-01T00:00:00.000000Z"
    assert place.pull().tasks == 9
    place.answer(4, "another", place.other_token)
    pulled = place.pull()
    assert (pulled.tasks, pulled.answers) == (1, 1)


@pytest.mark.parametrize("torn", ["{torn", '{"uid": "UID", "projects": {"1": {"since": 5, "reading": 7}}}'])
def test_without_its_cursor_everything_is_read_and_nothing_added(place, studio, torn):
    answered(place)
    place.pull()
    (place.folder / "cursor.json").write_text(torn.replace("UID", read_campaign(place.folder).uid))
    pulled = place.pull()
    assert (pulled.tasks, pulled.added) == (5, 0)


def test_an_answer_that_a_wrong_clock_hides_is_found_by_the_count(place, studio, monkeypatch):
    answered(place)
    monkeypatch.setattr(pulling, "OVERLAP_SECONDS", -3600.0)  # as if the proxy's clock were an hour ahead
    monkeypatch.setattr(LabelStudio, "newest", lambda *_: None)  # and the base told nothing
    place.pull()
    place.answer(2, "in between", place.other_token)
    assert place.pull().answers == 1


def test_what_is_there_again_is_a_new_entry(place, studio):
    answered(place)
    place.pull()
    held, studio.tasks = studio.tasks, {}
    answers, studio.annotations = studio.annotations, {}
    assert place.pull().gone == 5
    studio.tasks, studio.annotations = held, answers
    assert place.pull(full=True).versions == 5
    assert place.pull(full=True).added == 0
    assert sorted(row["event"] for row in ledger(place)) == ["answer"] * 10 + ["gone"] * 5
    assert not read_held(place.folder / "ledger").gone
    assert not any(text.flags for text in standing(place.folder, TABLE).texts), "they stand as if nothing had happened"


def test_tasks_that_are_none_of_ours_are_left_out_and_told(place, studio):
    answered(place)
    project = place.one_project()
    stranger = {"data": {"item_key": "x", "picture": ""}, "annotations": [{"result": result("not asked")}]}
    place.seed(project, [stranger, {"data": {"picture": ""}}])
    pulled = place.pull()
    assert pulled.answers == 5
    assert "2 tasks" in pulled.said[-1]
    asked = len(studio.asked)
    place.pull()
    assert not [path for _, path in studio.asked[asked:] if "total_annotations" in path], (
        "told once, not counted every time"
    )


def test_odd_answers_are_kept_and_stop_nothing(place, studio):
    answered(place)
    odd = [
        None,
        [],
        {"from_name": "text"},
        {"value": {"text": ["half \ud83d"]}, "from_name": "text", "type": "textarea"},
    ]
    studio.annotations[1]["result"] = odd
    studio.annotations[2]["result"] = "no list"
    studio.annotations[3].update(
        completed_by={"id": 2, "email": "ann@example.org"}, updated_by=None, lead_time=float("nan")
    )
    assert place.pull().answers == 5
    rows = {row["task_id"]: row for row in ledger(place)}
    assert "odd" in rows[1]["answer"]
    assert (rows[2]["raw"], rows[3]["lead_seconds"]) == ([], None)
    assert rows[3]["writer"] == rows[3]["by"] != rows[4]["writer"]
    assert "ann@" not in (place.folder / "writers.json").read_text()


def test_a_lost_key_file_is_not_replaced_in_silence(place, studio):
    answered(place)
    place.pull()
    (place.folder / "writers.json").unlink()
    with pytest.raises(KitError, match="second pseudonym"):
        place.pull()
    (place.folder / "writers.json").write_text("{}")
    assert place.pull(full=True).added == 0, "keys do not hang on pseudonyms"


def test_a_dry_run_counts_and_writes_nothing(place, studio):
    answered(place)
    held = sorted(place.folder.rglob("*"))
    assert place.pull(write=False).answers == 5
    assert sorted(place.folder.rglob("*")) == held


def test_pages_that_are_too_large_are_asked_for_smaller(place, studio):
    answered(place, 12)
    server = place.studio(most_bytes=6000, page=12)
    assert [task["id"] for task in server.tasks(place.one_project())] == list(range(1, 13))
