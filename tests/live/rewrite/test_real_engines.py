"""`build-3c` on real engines: vLLM run by the kit for a Qwen, `transformers serve` for a Llama, one killed midway."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest

from live.rewrite.servers import OFFLINE, VLLM_ON_CPU, need_vllm, transformers_serve
from rewrite.sources import rows, write
from ufine_kit.dataset.reader import open_release, read_rows, verify
from ufine_kit.rewrite.asks import prompt
from ufine_kit.tables import RewriteTable

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("vllm")]

REFUSAL = "I'm sorry, but I can't help with that."
SECONDS = 900
MARK = "UFINE_TEST_RUN"  # every process that the command starts inherits it


def turned(text):
    """A faithful rewrite in Qwen's voice: the first sentence goes last."""
    first, *others = sentences(text)
    return " ".join([*others, first])


def reversed_(text):
    """A faithful rewrite in Llama's voice: all sentences in reverse."""
    return " ".join(reversed(sentences(text)))


def sentences(text):
    return [part.strip() + "." for part in text.split(".") if part.strip()]


VOICES = {"qwen": turned, "llama": reversed_}


def taught(texts, voice):
    """What a model learns: some texts it always rewrites well, some never, and of the others it is a toss."""
    pairs = []
    for number, text in enumerate(texts):
        good, bad = (text, voice(text)), (text, REFUSAL)
        pairs += [[good], [bad], [good, good, bad], [good, good, bad]][number % 4]
    return [(prompt(RewriteTable(), text), answer) for text, answer in pairs]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    from live.rewrite.tiny import make

    folder = tmp_path_factory.mktemp("models")
    for seed, (family, voice) in enumerate(VOICES.items()):
        assert make(folder / family, family, taught(texts_of(contents()), voice), seed) < 0.3
    return folder


def contents():
    return {name: rows(name, 6, 2, start=start) for name, start in (("coarse", 0), ("fine", 100))}


def texts_of(sources):
    return [text for content in sources.values() for row in content for text in row["captions"]]


def words(work, models, url):
    families = [f'{{name="{name}",model="{models / name}",temperature=1.0,top_p=1.0}}' for name in ("qwen", "llama")]
    sets = (
        "persons=6",
        "near_distance=-1",
        "window=2",
        "max_tokens=120",
        "most_tokens=240",
        "patience_seconds=600",
        "sampled=0.0",
    )
    return [
        "build-3c", "--work", str(work), "--endpoint", f"llama={url}", "--engine", "vllm", "--engine-python", need_vllm(),
        "--engine-args", VLLM_ON_CPU, "--workers", "1", "--set", f"rewrite.families=[{','.join(families)}]",
        *(word for one in sets for word in ("--set", f"rewrite.{one}")),
    ]  # fmt: skip


def test_two_real_engines_make_a_release_though_one_is_killed(models, tmp_path):
    work = tmp_path / "work"
    for name, content in contents().items():
        write(work, name, content)
    with transformers_serve(tmp_path / "serve.log") as url:
        typed = words(work, models, url)
        ran = started(typed)
        killed = kill_engine(ran, work)
        out, err = ran.communicate(timeout=SECONDS)
        assert ran.returncode == 1, err
    assert "wait for people" in out and killed
    assert (work / "rewrites/ufine3c/engine-qwen.log").read_text().count("Started server process") >= 2
    assert not [one for one in psutil.process_iter(["environ"]) if (one.info["environ"] or {}).get(MARK) == str(work)]
    routes = routes_of(work)
    print(routes)
    assert min(routes["accepted at once"], routes["asked again"], routes["for people"]) >= 10
    assert routes["accepted later"] >= 3, "a toss: some come good at the second or third attempt"
    revise(work, tmp_path / "back.jsonl")
    again = subprocess.run([sys.executable, "-m", "ufine_kit", *typed, "--revised", str(tmp_path / "back.jsonl")],
                           capture_output=True, text=True, timeout=SECONDS, check=False)  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "starting" not in again.stderr, "nothing is left to ask, so no engine is started"
    assert_released(work)


def started(typed):
    return subprocess.Popen(
        [sys.executable, "-m", "ufine_kit", *typed], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | OFFLINE | {MARK: typed[2]},
    )  # fmt: skip


def kill_engine(ran, work):
    """SIGKILL to every process of the managed engine once some rows are answered."""
    ledger = work / "rewrites/ufine3c/ledger/models.jsonl"
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and ran.poll() is None:
        if ledger.exists() and ledger.read_bytes().count(b"\n") >= 6:
            engine = psutil.Process(ran.pid).children(recursive=True)
            for process in engine:
                with contextlib.suppress(psutil.NoSuchProcess):  # it went with the one before it
                    process.kill()
            return engine
        time.sleep(0.02)
    return []


def routes_of(work):
    """Rows by the road they took; every key stands once in the ledger."""
    entries = [json.loads(line) for line in (work / "rewrites/ufine3c/ledger/models.jsonl").read_text().splitlines()]
    assert len({entry["key"] for entry in entries}) == len(entries)
    waiting = {
        json.loads(line)["rewrite_id"] for line in (work / "rewrites/ufine3c/people.jsonl").read_text().splitlines()
    }
    attempts = Counter()
    for entry in entries:
        row = entry["row"]
        place = row["image_id"], row["caption_index"], row["family"]
        attempts[place] = max(attempts[place], row["attempt"])
    once = sum(most == 1 for most in attempts.values())
    assert len(attempts) == 2 * len(texts_of(contents()))
    again = len(attempts) - once
    return {
        "accepted at once": once, "asked again": again, "accepted later": again - len(waiting), "for people": len(waiting)
    }  # fmt: skip


def revise(work, path):
    lines = []
    for line in (work / "rewrites/ufine3c/people.jsonl").read_text().splitlines():
        row = json.loads(line)
        word = {"rewrite_id": row["rewrite_id"], "reviser": "rev-01", "at": "2026-01-02T03:04:05Z"}
        lines.append(json.dumps(word | {"decision": "revise", "text": VOICES[row["family"]](row["source"])}))
    path.write_text("\n".join(lines))


def assert_released(work):
    release = open_release(work / "releases/ufine3c/1.0.0")
    verify(release)
    engines_told = release.manifest["rewriting"]["engines"]
    assert engines_told["qwen"]["template"] and engines_told["qwen"]["server"]
    images = list(read_rows(release))
    assert len(images) == 24
    said = words_said(work)
    for image in images:
        kinds = Counter(origin["style"] for origin in image["caption_origins"])
        assert kinds == {"plain": 2, "qwen": 2, "llama": 2}
        for text, origin in zip(image["captions"], image["caption_origins"], strict=True):
            if origin["parent"] is not None:
                assert text in said, "what goes out is what a model or a person said, to the letter"


def words_said(work):
    """Every text that a model gave or a person wrote."""
    found = set()
    for name, key in (("ledger/models", "raw_text"), ("revised/revised", "text")):
        for line in (work / f"rewrites/ufine3c/{name}.jsonl").read_text().splitlines():
            found.add(json.loads(line)["row"][key].strip())
    return found
