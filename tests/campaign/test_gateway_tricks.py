"""What clocks, proxies, careful administrators and careless people do to a pull: no answer is hidden, and none stops it."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading

import pytest

from campaign.fake_server import TOKEN
from campaign.gateway import PICTURES, TABLE, result, texts
from ufine_kit.adapters import label_studio_line
from ufine_kit.adapters.label_studio import LabelStudio, connect, utc
from ufine_kit.campaign.create import create, plan_round
from ufine_kit.campaign.server_events import Origin, answer_entry
from ufine_kit.campaign.standing import standing
from ufine_kit.errors import KitError
from ufine_kit.files import canonical_json


@pytest.fixture(autouse=True)
def haste(monkeypatch):
    monkeypatch.setattr(label_studio_line, "FIRST_PAUSE_SECONDS", 0.01)


def answered(place, count=5):
    place.create(texts(count))
    return {number: place.answer(number, f"words of {number}") for number in place.numbers().values()}


def test_a_server_that_gives_less_than_a_page_is_read_to_its_end(place, studio):
    studio.most_a_page = 2
    answered(place)
    assert place.pull().answers == 5
    assert place.create(texts(5)).added == 0
    assert len(place.numbers()) == 5


def test_tasks_are_asked_for_by_number_in_addresses_that_proxies_take(place, studio):
    project = place.project()
    place.studio(page=500)
    list(place.studio().some_tasks(project, range(10_000_000, 10_000_500)))
    assert max(len(path) for _, path in studio.asked) < 3000


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_proxy_with_another_clock_hides_no_edit_and_no_deletion(place, studio, ahead):
    numbers = answered(place)
    studio.ahead_seconds = ahead
    assert place.pull().answers == 5
    place.ask("PATCH", f"/api/annotations/{numbers[2]}/", {"result": result("mended")})
    assert place.pull().versions == 1
    place.ask("DELETE", f"/api/annotations/{numbers[4]}/")
    assert place.pull().gone == 1
    (deleted,) = [text for text in standing(place.folder, TABLE).texts if text.flags]
    assert (deleted.text, set(deleted.flags)) == ("words of 4", {"deleted"})


def test_what_no_reader_could_bear_is_kept_as_text_and_stops_nothing(place, studio):
    numbers = answered(place, 3)
    deep: list = []
    for _ in range(900):
        deep = [deep]
    studio.annotations[numbers[1]]["result"] = [{"value": {"text": deep}}]
    assert place.pull().answers == 3
    assert place.pull(full=True).added == 0
    rows = place.rows()
    assert ["odd" in row["answer"] for row in rows] == [True, False, False]
    assert json.loads(rows[0]["raw"][0]) == [{"value": {"text": deep}}]


def test_a_number_beyond_all_numbers_is_kept_as_text():
    said = {
        "id": 1,
        "created_at": "2026-01-02",
        "updated_at": "2026-01-02",
        "result": [{"value": {"text": [math.inf]}}],
    }
    entry = answer_entry(Origin("u", 0, None), texts(1)[0], 7, said, lambda user: f"writer-{user:03d}")
    assert canonical_json(entry)
    assert entry["row"]["raw"] == ['[{"value": {"text": [Infinity]}}]']


def test_an_import_that_is_only_promised_is_looked_for(place, studio, monkeypatch):
    """Larger servers answer before they have written anything."""
    sent = LabelStudio.import_tasks
    monkeypatch.setattr(LabelStudio, "import_tasks", lambda *given: sent(*given)[:0])
    assert place.create(texts(4), settle_seconds=0.1).added == 4
    assert len(studio.tasks) == 4
    monkeypatch.setattr(LabelStudio, "import_tasks", lambda *given: [])
    with pytest.raises(KitError, match="did not say that it took"):
        place.create(texts(6), settle_seconds=0.05)


def test_an_overlap_that_was_begun_with_stays_and_is_told(place):
    place.create(texts(2), chairs=2)
    more = TABLE.model_copy(update={"overlap": 3})
    (planned,) = plan_round(place.folder, "describe", texts(4), more, 2)
    assert {len(item.seats) for item in planned} == {2}
    made = create(place.folder, "describe", texts(4), place.studio(), more, PICTURES, 2)
    assert made.said == ["the campaign began with an overlap of 2: it stays so"]


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://host:port", "http://:secret@host", "http://a b", "http://host:99999"]
)
def test_odd_addresses_are_one_line(url):
    with pytest.raises(KitError, match="no server's address") as told:
        LabelStudio(url, "t")
    assert "secret" not in told.value.problem


@pytest.mark.parametrize("patience", ["nan", "inf", "-1", "soon"])
def test_a_patience_without_an_end_is_refused(tmp_path, monkeypatch, patience):
    monkeypatch.setenv("UFINE_LS_PATIENCE", patience)
    with pytest.raises(KitError, match="UFINE_LS_PATIENCE"):
        connect(tmp_path)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05.000006Z"),
        ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
    ],
)
def test_times_of_all_forms_are_one(given, kept):
    assert utc(given) == kept


def test_a_personal_token_that_is_taken_back_in_the_middle_is_one_line(studio):
    server = LabelStudio(studio.url, studio.personal_token())
    assert server.whoami() == 1
    studio.access.clear()
    studio.faults = [("POST", "/token/refresh", "before", "503")]
    assert server.fetch("/api/version/")[0] == 200, "what needs no token needs none"
    assert server.fetch("/api/current-user/whoami")[0] == 503
    studio.personal.clear()
    with pytest.raises(KitError, match="does not take this token"):
        server.whoami()


def speaking(answer: list[bytes], pause: float = 0.0):
    """A program that answers every request with these pieces; its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        wait = threading.Event()
        while True:
            with listening.accept()[0] as client, contextlib.suppress(OSError):  # who hangs up has heard enough
                client.recv(65536)
                for piece in answer:
                    client.sendall(piece)
                    wait.wait(pause)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ODD = [
    "{}",
    "[]",
    "[[]]",
    '{"id":"x"}',
    '{"results":[7]}',
    '{"tasks":[{}],"total":1}',
    '{"tasks":[{"id":1}]}',
    "7",
    '{"tasks":[7]}',
]


@pytest.mark.parametrize("said", ODD)
def test_json_of_another_program_is_one_line(said):
    server = LabelStudio(speaking([HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(said), said.encode())]), TOKEN)
    acts = [server.whoami, lambda: server.create_project(title="abc"), lambda: server.totals(1)]
    acts += [
        lambda: list(server.keys(1)),
        lambda: list(server.counts(1)),
        lambda: list(server.pages(1, utc("2026-01-01"))),
    ]
    for act in acts:
        with pytest.raises(KitError):
            act()


def test_an_answer_that_cannot_be_unpacked_or_never_ends_is_one_line(monkeypatch):
    monkeypatch.setattr(label_studio_line, "ANSWER_SECONDS", 0.1)
    packed = speaking([HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"])
    drops = speaking([HEAD + b"Content-Length: 999\r\n\r\n", *[b" "] * 999], pause=0.03)
    for url in (packed, drops):
        server = LabelStudio(url, TOKEN, patience_seconds=0.0)
        with pytest.raises(KitError, match="no Label Studio answers"):
            server.whoami()
        assert server.fetch("/")[0] == 0
