"""The suite that the double of Label Studio is held to, on the real server; and faults that only the real one can show."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from campaign.cutting import Cutting
from campaign.gateway import CHECKS, PICTURES, TABLE, Place, texts
from live.campaign.server import MARKS
from ports import free_port
from ufine_kit.adapters import label_studio_server
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.campaign.create import create
from ufine_kit.campaign.pull import pull
from ufine_kit.campaign.spec import read_campaign
from ufine_kit.errors import KitError

pytestmark = MARKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_on_the_real_server(label_studio, tmp_path, check):
    other = label_studio.annotator("gate")
    check(Place(label_studio.url, label_studio.token, other.user_id, other.token, tmp_path / "campaigns" / "c"))


@pytest.fixture
def place(label_studio, tmp_path):
    other = label_studio.annotator("gate")
    return Place(label_studio.url, label_studio.token, other.user_id, other.token, tmp_path / "campaigns" / "c")


def test_what_a_cut_line_hides_is_found_and_nothing_is_there_twice(place):
    """The real server did its work, and the answer never came: a project, then a batch of tasks."""
    with Cutting(place.url) as line:
        through = LabelStudio(line.url, place.token, patience_seconds=300.0)
        for begins in (
            b"POST /api/projects/ ",
            b"POST /api/projects/",
        ):  # the second time, the import of a further round
            line.begins, line.cut = begins, 1
            count = 3 if begins.endswith(b" ") else 5
            line.spare = b"" if count == 3 else b"POST /api/projects/ "
            create(place.folder, "describe", texts(count), through, TABLE, PICTURES, settle_seconds=60.0)
            assert line.cut == 0
    made = read_campaign(place.folder)
    marks = [made.mark(one.number, None) for one in made.rounds]
    assert len(marks) == 2
    assert sorted(one["description"] for one in place.studio().projects() if made.uid in one["description"]) == marks
    for one in made.rounds:
        held = [key for _, key in place.studio().keys(one.projects[0].project)]
        assert len(held) == len(set(held)) == one.projects[0].tasks


def test_legacy_tokens_off_is_one_line_and_a_personal_token_goes_on(place):
    made = place.ask("POST", "/api/token/", {})
    assert made.status_code in (201, 409), made.text
    personal = LabelStudio(place.url, made.json()["token"])
    allowed = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
    assert personal.whoami() == place.studio().whoami()
    place.ask("POST", "/api/jwt/settings", {**allowed, "legacy_api_tokens_enabled": False})
    try:
        with pytest.raises(KitError, match="takes no legacy tokens"):
            place.studio().whoami()
        create(place.folder, "describe", texts(2), personal, TABLE, PICTURES)
        assert pull(place.folder, personal).tasks == 2
    finally:
        personal.line.write("POST", "/api/jwt/settings", json=allowed)
    assert place.pull().added == 0


def test_a_server_that_is_stopped_and_started_in_the_middle_of_a_pull(label_studio_environment, tmp_path):
    """A server of its own, so that the shared one stays up: nothing is lost and nothing is there twice."""
    work = tmp_path / "work"
    runs = label_studio_server.serve(work, print, port=free_port())
    try:
        place = Place(runs.url, label_studio_server.admin_token(work), 0, "", tmp_path / "campaigns" / "c")
        place.create(texts(12))
        studio = place.studio(page=4, patience_seconds=600.0)
        campaign = read_campaign(place.folder)
        for number in list(place.numbers().values())[::4]:
            place.answer(number, f"words of {number}")
        with ThreadPoolExecutor(1) as aside:
            stopped, again = threading.Event(), []

            def step(line: str, tasks: int) -> None:
                if not again:
                    again.append(aside.submit(restart, work, runs.url, stopped))
                    assert stopped.wait(300)

            pulled = pull(place.folder, studio, step=step)
            assert again[0].result() == runs.url
        assert (pulled.answers, pulled.tasks >= 12) == (3, True)
        assert campaign == read_campaign(place.folder)
        assert place.pull(full=True).added == 0
    finally:
        label_studio_server.stop(work)


def restart(work, url, stopped):
    label_studio_server.stop(work)
    stopped.set()
    return label_studio_server.serve(work, print, port=int(url.rpartition(":")[2])).url
