"""The client against a scripted server: every row exactly once in the ledger, whatever the server does."""

import asyncio
import time
from collections import Counter

import pytest
from aiohttp import web

from ports import free_port
from rewrite.endpoint import Endpoint, completion, reordered
from rewrite.sources import table
from ufine_kit.errors import KitError
from ufine_kit.ledger import Ledger, read_ledger
from ufine_kit.rewrite.asking import Endpoint as Served
from ufine_kit.rewrite.asking import ask_all
from ufine_kit.rewrite.asks import Original, Slot, ask

pytestmark = pytest.mark.full

TEXTS = [f"A woman number {number} in a coat. She has {'long ' * (number % 5)}hair." for number in range(40)]


def asks(recipe, family="qwen", texts=TEXTS):
    return [
        ask(Slot(Original(f"image-{number}", 0, "world", text), family, 0), 1, 100, recipe, "")
        for number, text in enumerate(texts)
    ]


def run(folder, rows, servers, recipe, family="qwen"):
    told = []
    with Ledger(folder, "models") as ledger:
        ask_all(rows, [Served(server.url, family) for server in servers], recipe, ledger, told.append)
    entries = read_ledger(folder)
    assert sum(told) == len(entries)
    return entries


def test_every_row_is_asked_once_and_kept_with_all_that_made_it(tmp_path):
    recipe = table()
    with Endpoint() as server:
        entries = run(tmp_path, asks(recipe), [server], recipe)
    assert set(server.asked.values()) == {1}
    assert set(entries) == {one.key for one in asks(recipe)}
    entry = entries[asks(recipe)[7].key]
    assert entry["who"] == "tiny/qwen@main"
    row = entry["row"]
    assert (row["status"], row["raw_text"], row["finish_reason"]) == ("answered", reordered(TEXTS[7]), "stop")
    assert (row["fingerprint"], row["attempt"], row["image_id"]) == ("scripted-1", 1, "image-7")


def test_every_sampling_parameter_is_sent_and_each_row_has_a_seed_of_its_own(tmp_path):
    family = table().families[0].model_copy(update={"top_k": 20, "template": {"enable_thinking": False}})
    recipe = table(families=(family,))
    with Endpoint() as server:
        run(tmp_path, asks(recipe), [server], recipe)
    body = server.bodies[0]
    assert {name: body[name] for name in ("model", "temperature", "top_p", "top_k", "max_tokens")} == {
        "model": "tiny/qwen", "temperature": 0.7, "top_p": 0.9, "top_k": 20, "max_tokens": 100,
    }  # fmt: skip
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["messages"][0]["content"].startswith("Please reorganize the description in a different way. You can")
    assert len({one["seed"] for one in server.bodies}) == len(TEXTS)


async def until(state):
    """Hold an answer back until a state is there; not for ever, so that a test that waits in vain ends."""
    end = time.monotonic() + 120
    while not state() and time.monotonic() < end:
        await asyncio.sleep(0.002)


def test_the_window_is_kept_and_the_longest_go_first(tmp_path):
    recipe = table(window=3)

    async def when_the_window_is_full(source, *_):
        await until(lambda: server.most_in_flight >= 3)
        return completion(reordered(source))

    with Endpoint(answer=when_the_window_is_full) as server:
        run(tmp_path, asks(recipe), [server], recipe)
    assert server.most_in_flight == 3
    sizes = [len(one["messages"][0]["content"]) for one in server.bodies]
    assert min(sizes[:3]) == max(sizes)
    for at, size in enumerate(sizes):  # what is in flight beside a row may come in before it or after it
        assert sum(later > size for later in sizes[at + 1 :]) < 3


def test_the_quicker_of_two_endpoints_gets_more_rows(tmp_path):
    recipe = table(window=2)

    async def when_the_others_are_answered(source, *_):
        await until(lambda: sum(quick.asked.values()) >= len(TEXTS) - 2)
        return completion(reordered(source))

    with Endpoint() as quick, Endpoint(answer=when_the_others_are_answered) as slow:
        run(tmp_path, asks(recipe), [quick, slow], recipe)
    assert (sum(quick.asked.values()), sum(slow.asked.values())) == (len(TEXTS) - 2, 2)


def once(fault):
    """A server that meets every row with a fault first and answers it then."""
    return lambda source, body, nth: fault() if nth == 1 else completion(reordered(source))


PASSING = {
    "429 with a wait": lambda: web.json_response({}, status=429, headers={"Retry-After": "0.01"}),
    "500": lambda: web.json_response({"error": {"message": "out of luck"}}, status=500),
    "503": lambda: web.Response(status=503, text="<html>busy</html>"),
    "cut connection": lambda: None,
    "no JSON": lambda: web.Response(status=502, text="not json"),
    "a page with status 200": lambda: web.Response(text="<html>please log in</html>", content_type="text/html"),
    "an error with status 200": lambda: web.json_response({"error": {"message": "overloaded"}}),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_costs_no_row_and_doubles_none(tmp_path, fault, monkeypatch):
    monkeypatch.setattr("ufine_kit.rewrite.asking.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("ufine_kit.rewrite.asking.LONGEST_LULL_SECONDS", 0.05)
    recipe = table()
    with Endpoint(answer=once(fault)) as server:
        entries = run(tmp_path, asks(recipe), [server], recipe)
    assert Counter(entry["row"]["status"] for entry in entries.values()) == {"answered": len(TEXTS)}
    assert set(server.asked.values()) == {2}


def test_a_slow_answer_is_given_up_and_asked_for_again(tmp_path, monkeypatch):
    monkeypatch.setattr("ufine_kit.rewrite.asking.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("ufine_kit.rewrite.asking.LONGEST_LULL_SECONDS", 0.05)
    recipe = table(timeout_seconds=0.5, retries=1000)  # where the machine is slow, other answers come too late as well

    async def answer(source, body, nth):
        await until(lambda: source != TEXTS[3] or server.asked[source, body["model"], body["seed"]] > 1)
        return completion(reordered(source))

    with Endpoint(answer=answer) as server:
        entries = run(tmp_path, asks(recipe, texts=TEXTS[:6]), [server], recipe)
    assert {entry["row"]["status"] for entry in entries.values()} == {"answered"}
    assert max(times for (source, *_), times in server.asked.items() if source == TEXTS[3]) > 1


ENDINGS = {
    "poison": (
        lambda: web.json_response({"error": {"message": "too long for me"}}, status=400),
        "400: too long for me",
    ),
    "cut": (lambda: completion("A woman in a", "length"), ""),
    "empty": (lambda: completion(None), ""),
    "broken": (lambda: web.json_response({"message": "kernel panic"}, status=500), "500: kernel panic"),
}


@pytest.mark.parametrize("status", ENDINGS)
def test_a_row_that_cannot_be_answered_is_a_row_with_its_reason(tmp_path, status, monkeypatch):
    monkeypatch.setattr("ufine_kit.rewrite.asking.FIRST_WAIT_SECONDS", 0.001)
    said, fault = ENDINGS[status]
    recipe = table(retries=2)
    with Endpoint(
        answer=lambda source, *_: said() if "number 5 " in source else completion(reordered(source))
    ) as server:
        entries = run(tmp_path, asks(recipe), [server], recipe)
    by_image = {entry["row"]["image_id"]: entry["row"] for entry in entries.values()}
    assert (by_image["image-5"]["status"], by_image["image-5"]["fault"]) == (status, fault)
    assert Counter(row["status"] for row in by_image.values()) == {"answered": len(TEXTS) - 1, status: 1}


FATAL = {401: "UFINE_API_KEY", 402: "add credit", 403: "UFINE_API_KEY", 404: "--model FAMILY=ID"}


@pytest.mark.parametrize("status", FATAL)
def test_what_no_patience_mends_ends_the_run_in_one_line_and_keeps_the_answers(tmp_path, status):
    recipe = table(window=1)

    def answer(source, *_):
        if sum(server.asked.values()) > 5:
            return web.json_response({"error": {"message": "no"}}, status=status)
        return completion(reordered(source))

    with Endpoint(answer=answer) as server, pytest.raises(KitError) as error:
        run(tmp_path, asks(recipe), [server], recipe)
    assert FATAL[status] in error.value.mend
    assert len(read_ledger(tmp_path)) == 5


def test_an_answer_in_many_pieces_is_one_answer(tmp_path):
    recipe = table()
    long = "She wears a red coat. " * 3000
    with Endpoint(answer=lambda *_: completion(long)) as server:
        server.pieces = 1400
        entries = run(tmp_path, asks(recipe, texts=TEXTS[:3]), [server], recipe)
    assert {entry["row"]["raw_text"] for entry in entries.values()} == {long}


def test_half_a_sign_in_an_answer_costs_no_other_row(tmp_path):
    recipe = table()
    with Endpoint(
        answer=lambda source, *_: completion("A coat \ud83d." if "number 5 " in source else source)
    ) as server:
        entries = run(tmp_path, asks(recipe), [server], recipe)
    assert len(entries) == len(TEXTS)
    assert "A coat ?." in {entry["row"]["raw_text"] for entry in entries.values()}


def test_what_breaks_on_the_way_to_disk_ends_the_run(tmp_path):
    recipe = table()

    def fails(_):
        raise RuntimeError("the bar broke")

    with Endpoint() as server, Ledger(tmp_path, "models") as ledger, pytest.raises(RuntimeError, match="the bar broke"):
        ask_all(asks(recipe), [Served(server.url, "qwen")], recipe, ledger, fails)


def test_an_outage_is_not_blamed_on_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("ufine_kit.rewrite.asking.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("ufine_kit.rewrite.asking.LONGEST_LULL_SECONDS", 0.02)
    recipe = table(window=16, retries=2)

    def answer(source, *_):
        server.chat_instead = None if sum(server.asked.values()) >= 40 else lambda _: web.json_response({}, status=500)
        if 1 < sum(server.asked.values()) < 40:  # one good answer, then nothing but errors for a while
            return web.json_response({}, status=500)
        return completion(reordered(source))

    with Endpoint(answer=answer) as server:
        entries = run(tmp_path, asks(recipe, texts=TEXTS[:8]), [server], recipe)
    assert {entry["row"]["status"] for entry in entries.values()} == {"answered"}


ENDLESS = {"spent quota": 429, "never answers": 500}


@pytest.mark.parametrize("status", ENDLESS.values(), ids=ENDLESS)
def test_a_server_that_never_answers_a_row_ends_the_run(tmp_path, status, monkeypatch):
    monkeypatch.setattr("ufine_kit.rewrite.asking.FIRST_WAIT_SECONDS", 0.01)
    recipe = table(patience_seconds=0.3)
    with Endpoint(answer=lambda *_: web.json_response({}, status=status)) as server, pytest.raises(KitError) as error:
        run(tmp_path, asks(recipe), [server], recipe)
    assert "has not answered" in error.value.problem


def test_a_wait_that_the_server_asks_for_is_kept_by_the_whole_window(tmp_path):
    recipe = table(window=16)

    def answer(source, body, nth):
        if sum(server.asked.values()) <= 2:
            return web.json_response({}, status=429, headers={"Retry-After": "0.5"})
        return completion(reordered(source))

    with Endpoint(answer=answer) as server:
        run(tmp_path, asks(recipe, texts=TEXTS[:2]), [server], recipe)
    assert sum(server.asked.values()) <= 5


def test_a_dead_endpoint_is_waited_for_and_then_named(tmp_path):
    url = f"http://127.0.0.1:{free_port()}/v1"
    recipe = table(patience_seconds=0.2)
    with Ledger(tmp_path, "models") as ledger, pytest.raises(KitError, match="has not answered") as error:
        ask_all(asks(recipe), [Served(url, "qwen")], recipe, ledger, lambda _: None)
    assert "goes on where it stopped" in error.value.mend


def test_a_dead_endpoint_beside_a_living_one_costs_nothing(tmp_path):
    recipe = table(patience_seconds=0.2)
    with Endpoint() as server, Ledger(tmp_path, "models") as ledger:
        served = [Served("http://127.0.0.1:9/v1", "qwen"), Served(server.url, "qwen")]
        ask_all(asks(recipe), served, recipe, ledger, lambda _: None)
    assert len(read_ledger(tmp_path)) == len(TEXTS)


def test_the_key_goes_with_every_request_and_into_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("UFINE_API_KEY", "sk-very-secret")
    recipe = table()
    with Endpoint() as server:
        run(tmp_path, asks(recipe), [server], recipe)
    assert set(server.keys) == {"Bearer sk-very-secret"}
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not any(b"sk-very-secret" in content for content in files)
