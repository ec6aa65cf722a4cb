"""`build-3c` as typed, against scripted servers: from source releases to the evaluation release, through every road."""

import json
import shlex
import shutil
import subprocess
import sys
import threading
from collections import Counter

import pytest
from aiohttp import web

from rewrite.endpoint import Endpoint, completion, reordered
from rewrite.sources import rows, write
from typed import run_cli
from ufine_kit import cli
from ufine_kit.cli import rewriting
from ufine_kit.dataset.reader import open_release, read_rows, verify
from ufine_kit.ledger import read_ledger

pytestmark = pytest.mark.full

MODELS = ("tiny/qwen", "tiny/llama")
SETS = [
    "--set", "rewrite.persons=3", "--set", "rewrite.near_distance=-1", "--set", "rewrite.sampled=0.0",
    "--set", "rewrite.patience_seconds=600.0", "--model", "qwen=tiny/qwen", "--model", "llama=tiny/llama", "--workers", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    for name, start in (("coarse", 0), ("fine", 100)):
        write(work, name, rows(name, 4, 1, start=start))
    return work


@pytest.fixture
def work(sources, tmp_path):
    shutil.copytree(sources / "releases", tmp_path / "work/releases")
    return tmp_path / "work"


def build(work, *words, servers=(), **how):
    ends = ["--endpoint", ",".join(server.url for server in servers)] if servers else []
    return run_cli("build-3c", "--work", work, *SETS, *ends, *words, **how)


def flipped(text):
    """A rewrite by another voice than `reordered`: the first sentence last."""
    parts = [part.strip() + "." for part in text.split(".") if part.strip()]
    return " ".join([*parts[1:], parts[0]])


def two_voices(source, body, _):
    return completion(reordered(source) if body["model"] == "tiny/qwen" else flipped(source))


def released(work, version="1.0.0"):
    release = open_release(work / "releases/ufine3c" / version)
    verify(release)
    return release, list(read_rows(release))


def test_originals_and_one_rewrite_of_each_family_become_a_checked_release(work):
    with Endpoint(MODELS, two_voices) as server:
        ran = build(work, "--json", servers=[server])
    assert ran.code == 0, ran.err
    release, images = released(work)
    assert (release.manifest["kind"], release.manifest["synthetic"]) == ("ufine3c", True)
    assert set(release.splits) == {"test"}
    assert len(images) == 6 and sum(len(image["captions"]) for image in images) == 6 * 2 * 3
    for image in images:
        kinds = Counter((origin["kind"], origin["writer"]) for origin in image["caption_origins"])
        assert kinds == {("human", "writer-001"): 2, ("model", "tiny/qwen@main"): 2, ("model", "tiny/llama@main"): 2}
        for text, origin in zip(image["captions"], image["caption_origins"], strict=True):
            if origin["kind"] == "model":
                voice = reordered if origin["style"] == "qwen" else flipped
                assert text == voice(image["captions"][origin["parent"]])
    assert ran.json["test"]["captions"] == ran.json["queries"] == 36
    assert "3 persons" not in ran.out and "6 persons" in release.manifest["rewriting"]["in_words"]


def test_pixels_and_sources_pass_through_and_persons_have_new_numbers(work):
    before = {
        row["image_sha256"]: row
        for name in ("coarse", "fine")
        for row in read_rows(open_release(work / "releases" / name / "1.0.0"))
    }
    with Endpoint(MODELS, two_voices) as server:
        assert build(work, servers=[server]).code == 0
    for image in released(work)[1]:
        old = before[image["image_sha256"]]
        assert image["image"]["bytes"] == old["image"]["bytes"]
        assert image["source"] == old["source"]
        assert image["provenance"]["upstream_id"] == old["person_id"]


SOURCES = {
    name: [{"source": name, "licence": "CC0-1.0", "redistribution": True, "consent_basis": "drawn", "images": 4}]
    for name in ("coarse", "fine")
}


def test_a_set_of_some_persons_passes_every_check(tmp_path):
    work = tmp_path / "work"
    for name, start in (("coarse", 0), ("fine", 100)):
        write(work, name, rows(name, 4, 1, start=start), sources=SOURCES[name])
    with Endpoint(MODELS, two_voices) as server:
        assert build(work, servers=[server]).code == 0
    release = released(work)[0]
    assert {one["source"]: one["images"] for one in release.manifest["sources"]} == {"coarse": 3, "fine": 3}
    ran = run_cli("check-release", release.path, "--work", work, "--skip", "loads", "--json")
    assert [one["name"] for one in ran.json["checks"] if one["state"] == "failed"] in ([], ["min_side"])


def test_a_file_that_people_work_in_is_left_as_it_is(work):
    with Endpoint(MODELS, bad_for_llama) as server:
        assert build(work, servers=[server]).code == 1
        people = work / "rewrites/ufine3c/people.jsonl"
        theirs = people.read_text().replace("failed", "looked at")
        people.write_text(theirs)
        assert "left as it is" in build(work, servers=[server]).err
    assert people.read_text() == theirs


def test_the_later_decision_stands_in_any_time_zone(work, tmp_path):
    with Endpoint(MODELS, bad_for_llama) as server:
        assert build(work, servers=[server]).code == 1
    row = json.loads((work / "rewrites/ufine3c/people.jsonl").read_text().splitlines()[0])
    earlier = revision(row) | {"text": "The earlier text of a man.", "at": "2026-11-21T18:00:00+09:00"}
    later = revision(row) | {"text": "The later text of a man.", "at": "2026-11-21T10:00:00Z"}
    (tmp_path / "back.jsonl").write_text("\n".join(map(json.dumps, (later, earlier))))
    assert build(work, "--revised", tmp_path / "back.jsonl", "--leave-out").code == 0
    texts = {text for image in released(work)[1] for text in image["captions"]}
    assert "The later text of a man." in texts and "The earlier text of a man." not in texts


def test_a_word_on_one_models_text_is_not_applied_to_another_models(work, tmp_path):
    with Endpoint((*MODELS, "tiny/other"), bad_for_llama) as server:
        assert build(work, servers=[server]).code == 1
        row = json.loads((work / "rewrites/ufine3c/people.jsonl").read_text().splitlines()[0])
        (tmp_path / "back.jsonl").write_text(json.dumps(revision(row) | {"text": "Of the old model."}))
        build(work, "--revised", tmp_path / "back.jsonl", servers=[server])
        (work / "rewrites/ufine3c/people.jsonl").unlink()
        ran = build(work, "--model", "llama=tiny/other", "--leave-out", servers=[server])
        assert ran.code == 0, ran.err
    assert "Of the old model." not in {text for image in released(work)[1] for text in image["captions"]}


def test_a_dry_run_tells_the_numbers_and_writes_nothing(work):
    ran = build(work, "--dry-run", "--json")
    assert {name: ran.json[name] for name in ("persons", "images", "originals", "rewrites", "queries")} == {
        "persons": 6, "images": 6, "originals": 12, "rewrites": 24, "queries": 36,
    }  # fmt: skip
    assert not (work / "rewrites").exists()


def test_a_row_that_fails_its_check_is_asked_again_with_another_seed(work):
    seeds = {}

    def answer(source, body, _):
        seeds.setdefault((source, body["model"]), []).append(body["seed"])
        first = len(seeds[source, body["model"]]) == 1 and body["model"] == "tiny/qwen"
        return completion("Sorry, I cannot help with that.") if first else two_voices(source, body, 1)

    with Endpoint(MODELS, answer) as server:
        ran = build(work, "--json", servers=[server])
    assert ran.code == 0, ran.err
    assert ran.json["failures"]["refusal"] == 12
    assert all(len(set(given)) == (2 if model == "tiny/qwen" else 1) for (_, model), given in seeds.items())


def test_a_text_cut_off_is_asked_again_with_twice_the_room(work):
    def answer(source, body, _):
        return completion("A man in", "length") if body["max_tokens"] < 800 else two_voices(source, body, 1)

    with Endpoint(MODELS, answer) as server:
        assert build(work, servers=[server]).code == 0
    assert Counter(body["max_tokens"] for body in server.bodies) == {400: 24, 800: 24}


WRAPPED = "<think>Let me see.</think>\nHere is the rewritten description:\n\n{}"


def test_what_wraps_a_good_text_is_taken_off_and_the_raw_words_stay(work):
    with Endpoint(
        MODELS,
        lambda source, body, _: completion(
            WRAPPED.format(two_voices(source, body, 1)["choices"][0]["message"]["content"])
        ),
    ) as server:
        assert build(work, servers=[server]).code == 0
    for image in released(work)[1]:
        assert not any("think" in text or "rewritten" in text for text in image["captions"])
    entries = read_ledger(work / "rewrites/ufine3c/ledger").values()
    assert all(entry["row"]["raw_text"].startswith("<think>") for entry in entries)


def bad_for_llama(source, body, _):
    return (
        completion("Sorry, I cannot help with that.") if body["model"] == "tiny/llama" else two_voices(source, body, 1)
    )


def revision(row):
    return {
        "rewrite_id": row["rewrite_id"],
        "decision": "revise",
        "text": flipped(row["source"]),
        "reviser": "rev-01",
        "at": "2026-01-02T03:04:05Z",
    }


def test_what_no_attempt_mends_goes_to_people_and_comes_back(work, tmp_path):
    with Endpoint(MODELS, bad_for_llama) as server:
        ran = build(work, servers=[server])
        assert ran.code == 1 and "12 rewrites wait for people" in ran.out
        waiting = [json.loads(line) for line in (work / "rewrites/ufine3c/people.jsonl").read_text().splitlines()]
        assert {row["why"] for row in waiting} == {"failed"} and len(waiting) == 12
        words = [
            revision(row)
            for row in waiting
        ]  # fmt: skip
        words[0] |= {"decision": "drop", "text": None}
        back = tmp_path / "back.jsonl"
        back.write_text("".join(json.dumps(row) + "\n" for row in words))
        asked = sum(server.asked.values())
        ran = build(work, "--revised", back)
        assert ran.code == 0, ran.err
        assert sum(server.asked.values()) == asked
    _, images = released(work)
    kinds = Counter(origin["kind"] for image in images for origin in image["caption_origins"])
    assert kinds == {"human": 12, "model": 12, "model_revised": 11}
    held = read_ledger(work / "rewrites/ufine3c/revised")
    assert len(held) == 12 and any(entry["row"]["changed"] for entry in held.values())
    assert build(work, "--revised", back, "--set", "rewrite.version=1.0.1").code == 0
    assert len(read_ledger(work / "rewrites/ufine3c/revised")) == 12


BACK = [
    ({"rewrite_id": "nowhere"}, "no rewrite `nowhere` waits"),
    ({"decision": "perhaps"}, "`decision`"),
    ({"reviser": "Jane Doe"}, "`reviser`"),
    ({"text": "  "}, "`revise` needs a `text`"),
    ({"decision": "accept"}, "no rewrite to accept"),
]


def test_a_line_that_cannot_be_used_is_named_and_the_others_count(work, tmp_path):
    with Endpoint(
        MODELS, lambda source, body, _: completion("") if body["model"] == "tiny/llama" else two_voices(source, body, 1)
    ) as server:
        assert build(work, servers=[server]).code == 1
    waiting = [json.loads(line) for line in (work / "rewrites/ufine3c/people.jsonl").read_text().splitlines()]
    good = [
        revision(row)
        for row in waiting
    ]  # fmt: skip
    lines = [json.dumps(good[0] | change) for change, _ in BACK] + ["{torn"] + [json.dumps(one) for one in good[:3]]
    (tmp_path / "back.jsonl").write_text("\n".join(lines))
    ran = build(work, "--revised", tmp_path / "back.jsonl")
    for number, (_, said) in enumerate(BACK, 1):
        assert f"line {number}: {said}" in ran.err
    assert "line 6: no JSON" in ran.err
    assert len(read_ledger(work / "rewrites/ufine3c/revised")) == 3
    assert "9 rewrites wait for people" in ran.out


def test_rows_left_out_are_counted_in_the_release(work):
    with Endpoint(MODELS, bad_for_llama) as server:
        ran = build(work, "--leave-out", servers=[server])
    assert ran.code == 0, ran.err
    release, images = released(work)
    assert release.manifest["rewriting"]["verdicts"] == {"accepted": 12, "failed": 12}
    assert "12 were left out" in release.manifest["rewriting"]["in_words"]
    assert sum(len(image["captions"]) for image in images) == 24


def test_a_finished_job_is_built_again_without_a_server_and_to_the_byte(work):
    with Endpoint(MODELS, two_voices) as server:
        assert build(work, servers=[server]).code == 0
    first = (work / "releases/ufine3c/1.0.0/data/test-00000-of-00001.parquet").read_bytes()
    assert build(work, "--set", "rewrite.version=1.0.1").code == 0
    assert (work / "releases/ufine3c/1.0.1/data/test-00000-of-00001.parquet").read_bytes() == first


def test_other_rules_judge_every_answer_anew_and_ask_nothing(work):
    with Endpoint(MODELS, two_voices) as server:
        assert build(work, servers=[server]).code == 0
    verdicts = work / "rewrites/ufine3c/verdicts/rules.jsonl"
    lines = [json.loads(line) for line in verdicts.read_text().splitlines()]
    verdicts.write_text("".join(json.dumps(line | {"key": line["key"][::-1]}) + "\n" for line in lines))
    with Endpoint(MODELS, two_voices) as other:
        ran = build(work, "--set", "rewrite.version=1.0.1", servers=[other])
    assert ran.code == 0, ran.err
    assert "0 rows to ask, 24 answers to check" in ran.err and not other.asked
    assert len(verdicts.read_text().splitlines()) == 48


POINTS = [
    "rewrite.ask:5",
    "rewrite.answered",
    "ledger.torn:1",
    "ledger.torn:2",
    "ledger.appended:2",
    "part.json",
    "release.before_rename",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_goes_on_and_asks_no_finished_row_again(work, point):
    with Endpoint(MODELS, two_voices, latency=0.005) as server:
        assert build(work, servers=[server], crash_at=point).code == 137
        finished = {entry["row"]["seed"] for entry in read_ledger(work / "rewrites/ufine3c/ledger").values()}
        before = Counter(server.asked)
        ran = build(work, servers=[server])
        assert ran.code == 0, ran.err
    assert not finished & {row[2] for row, times in server.asked.items() if times > before.get(row, 0)}
    assert len(read_ledger(work / "rewrites/ufine3c/ledger")) == 24
    assert sum(len(image["captions"]) for image in released(work)[1]) == 36


def test_two_workers_at_once_ask_every_row_once(work):
    with Endpoint(MODELS, two_voices, latency=0.02) as server:
        assert build(work, "--dry-run").code == 0
        codes = []
        threads = [
            threading.Thread(
                # Each an interpreter of its own: forks that two threads wait for may take each other's exit code.
                target=lambda share=share: codes.append(
                    build(work, "--shard", share, servers=[server], fresh=True).code
                )
            )
            for share in ("1/2", "2/2")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(server.asked.values()) == {1} and len(server.asked) == 24
        assert codes == [0, 0]
        assert (work / "releases/ufine3c/1.0.0").exists() or build(work).code == 0
    assert sum(len(image["captions"]) for image in released(work)[1]) == 36


def test_a_worker_that_is_through_just_after_another_finds_the_release_built(work, monkeypatch, capsys):
    worked = rewriting._worked

    def and_another(*given):
        found = worked(*given)
        assert build(work).code == 0
        return found

    monkeypatch.setattr(rewriting, "_worked", and_another)
    with Endpoint(MODELS, two_voices) as server:
        typed = ["build-3c", "--work", str(work), *SETS, "--endpoint", server.url, "--json"]
        monkeypatch.setattr(sys, "argv", ["ufine-kit", *typed])
        with pytest.raises(SystemExit) as left:
            cli.main()
    out, err = capsys.readouterr()
    assert left.value.code == 0, err
    assert json.loads(out)["data_digest"] == released(work)[0].data_digest


REFUSED = {
    "nobody to ask": ((), None, "nobody to ask", "--endpoint"),
    "endpoint down": (("--endpoint", "http://127.0.0.1:9/v1"), None, "does not answer", "start the server"),
    "wrong model": ((), {"models": ("other/model",)}, "serves other/model", "--model FAMILY=ID"),
    "one family only": ((), {"models": ("tiny/qwen",)}, "no endpoint serves family `llama`", "--model llama=ID"),
    "small context": ((), {"tokenize": True, "context": 420}, "holds 420", "--max-model-len"),
    "too few persons": (("--set", "rewrite.persons=9"), None, "4 free test persons", "rewrite.persons=4"),
    "unknown family": (("--model", "gemma=x"), None, "names no family", "qwen, llama"),
    "no vllm": (("--engine", "vllm"), None, "no vLLM in this environment", "--engine-python"),
    "one model twice": (("--model", "llama=tiny/qwen"), None, "two families have one model", "--model FAMILY=ID"),
    "wrong share": (("--shard", "3/2"), None, "--shard 3/2", "1/4"),
}


@pytest.mark.parametrize(("words", "server", "problem", "mend"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_said_in_one_line(work, words, server, problem, mend):
    if server is None:
        ran = build(work, *words)
    else:
        with Endpoint(**{"models": MODELS, "answer": two_voices} | server) as started:
            ran = build(work, *words, servers=[started])
    assert ran.code == 2, ran.err
    assert problem in ran.err and mend in ran.err and "Traceback" not in ran.err


def test_a_model_without_a_chat_template_is_found_before_the_first_row(work):
    def voiceless(_):
        return web.json_response(
            {"error": {"message": "As of transformers v4.44, default chat template is no longer allowed"}}, status=400
        )

    with Endpoint(MODELS, two_voices) as server:
        server.chat_instead = voiceless
        ran = build(work, servers=[server])
    assert ran.code == 2 and "has no chat template" in ran.err and "--chat-template" in ran.err
    assert not server.asked


def test_an_endpoint_may_be_given_to_one_family_alone(work):
    with Endpoint(MODELS, two_voices) as first, Endpoint(MODELS, two_voices) as second:
        ran = build(work, "--endpoint", f"qwen={first.url}", "--endpoint", f"llama={second.url}")
    assert ran.code == 0, ran.err
    assert {model for _, model, _ in first.asked} == {"tiny/qwen"}
    assert {model for _, model, _ in second.asked} == {"tiny/llama"}


def test_another_draw_into_the_same_job_is_refused_and_redo_keeps_the_answers(work):
    with Endpoint(MODELS, two_voices) as server:
        assert build(work, servers=[server]).code == 0
        wider = ["--set", "rewrite.persons=4", "--set", "rewrite.version=1.1.0"]
        ran = build(work, *wider, servers=[server])
        assert ran.code == 2 and "drawn by other values" in ran.err and "--redo" in ran.err
        assert build(work, *wider, "--redo", servers=[server]).code == 0
    assert set(server.asked.values()) == {1} and len(server.asked) == 32


def test_a_full_disk_is_one_line_and_what_was_answered_is_kept(work):
    """A file size limit makes the ledger's write fail in the middle as a full disk does."""
    with Endpoint(MODELS, two_voices, latency=0.1) as server:
        words = ["build-3c", "--work", str(work), *SETS, "--endpoint", server.url, "--set", "rewrite.window=2"]
        typed = shlex.join([sys.executable, "-m", "ufine_kit", *map(str, words)])
        full = subprocess.run(["bash", "-c", f"ulimit -f 14; {typed}"], capture_output=True, text=True, check=False)
        assert full.returncode == 2, full.stderr
        assert "file size limit" in full.stderr and "Traceback" not in full.stderr
        finished = {entry["row"]["seed"] for entry in read_ledger(work / "rewrites/ufine3c/ledger").values()}
        assert 0 < len(finished) < 24
        before = Counter(server.asked)
        ran = build(work, servers=[server])
        assert ran.code == 0, ran.err
    assert not finished & {row[2] for row, times in server.asked.items() if times > before.get(row, 0)}
    assert sum(len(image["captions"]) for image in released(work)[1]) == 36
