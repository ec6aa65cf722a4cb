"""What every command promises: exit codes, one JSON object, a dry run that writes nothing, and errors that name their mend."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from contract.chain import STEPS, WORLD, before, copy
from typed import REPO, run_cli, snapshot
from ufine_kit import cli
from ufine_kit.cli.app import names
from ufine_kit.errors import CheckFailed, KitError

chained = pytest.mark.xdist_group("chain")


def assert_error(ran, code: int, *words: str) -> None:
    """One line that says what is wrong, a blank one, and the mend; no traceback and nothing on stdout."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    problem, hint = re.search(r"^error: (.+)\n\nhint: (.+)$", ran.err, re.MULTILINE).groups()
    assert hint
    for word in words:
        assert word in problem + "\n" + hint


@chained
@pytest.mark.parametrize("step", STEPS)
def test_a_dry_run_writes_nothing_and_says_so(chain, tmp_path, step):
    work = copy(chain, before(step), tmp_path)
    held = snapshot(work)
    ran = run_cli(*STEPS[step].words(work), "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert '"dry_run": true' in ran.out
    assert snapshot(work) == held
    assert not (work / "hub").exists()


@chained
@pytest.mark.parametrize("step", STEPS)
def test_json_is_one_object_and_talk_goes_to_stderr(chain, tmp_path, step):
    ran = run_cli(*STEPS[step].words(copy(chain, before(step), tmp_path)), "--json")
    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1
    assert isinstance(json.loads(ran.out), dict)
    assert "next:" not in ran.err


@chained
@pytest.mark.parametrize("step", STEPS)
def test_a_second_run_changes_nothing(chain, tmp_path, step):
    if step == "build-release":
        return  # a released version never changes: tried below
    work = copy(chain, step, tmp_path)
    held = snapshot(work)
    assert run_cli(*STEPS[step].words(work)).code == 0
    assert {name: sha for name, sha in snapshot(work).items() if not name.endswith(".lock")} == {
        name: sha for name, sha in held.items() if not name.endswith(".lock")
    }


@chained
def test_a_second_build_of_one_version_is_refused_and_the_next_one_keeps_the_splits(chain, tmp_path):
    work = copy(chain, "build-release", tmp_path)
    words = STEPS["build-release"].words(work)
    assert_error(run_cli(*words), 2, "a released version never changes", "--version")
    splits = (work / "releases/demo/splits-0.json").read_bytes()
    assert run_cli(*words, "--version", "0.2.0").code == 0
    assert (work / "releases/demo/splits-0.json").read_bytes() == splits


MISSING = {
    "filter": (["filter"], 2, "ufine-kit extract-tracklets"),
    "campaign pull": (["campaign", "pull", "demo", "--from", "none.jsonl"], 2, "no file `none.jsonl`"),
    "campaign status": (["campaign", "status", "demo"], 2, "ufine-kit campaign pull demo"),
    "campaign close": (["campaign", "close", "demo"], 2, "ufine-kit campaign pull demo"),
    "build-release": (["build-release"], 2, "ufine-kit campaign close"),
    "baseline-train": (["baseline-train"], 2, "ufine-kit build-release"),
    "evaluate": (["evaluate", "checkpoints/tiny"], 2, "ufine-kit build-release"),
    "push-hub": (["push-hub", "--to", "out"], 2, "ufine-kit build-release"),
    "report": (["report"], 2, "ufine-kit extract-tracklets"),
    "extract-tracklets": (["extract-tracklets", "no-videos"], 2, "no-videos"),
    "score": (["score", "--query-ids", "a.npy", "--gallery-ids", "b.npy", "--similarity", "s.npy"], 2, ".npy"),
}


@pytest.mark.parametrize(("words", "code", "mend"), MISSING.values(), ids=MISSING)
def test_missing_input_is_one_line_that_names_its_mend(tmp_path, words, code, mend):
    assert_error(run_cli(*words, cwd=tmp_path), code, mend)
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_its_missing_input_tried_or_needs_none():
    assert set(names()) - set(MISSING) == {"status", "doctor", "world"}


WRONG = [
    (["filtr"], "filtr"),
    (["filter", "--wrok", "x"], "--wrok"),
    (["filter", "--workers", "many"], "--workers"),
    (["filter", "--set", "filter.min_hight_px=3"], "did you mean `filter.min_height_px`?"),
    (["filter", "--recipe", "nowhere"], "no recipe `nowhere`"),
    (["campaign", "close", "../../etc"], "no campaign name"),
    (["score", "--query-ids", "a.npy"], "--gallery-ids"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_word_is_answered_in_one_line(tmp_path, words, said):
    assert_error(run_cli(*words, cwd=tmp_path), 2, said)


@chained
@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_wrong_shard_is_answered_in_one_line(chain, tmp_path, shard):
    work = copy(chain, "extract-tracklets", tmp_path)
    assert_error(run_cli(*STEPS["filter"].words(work), "--shard", shard), 2, "--shard")


EXTRAS = [
    ("extract-tracklets", "av", "extract"),
    ("push-hub", "jinja2", "hub"),
    ("filter", "ray", "ray"),
]


@chained
@pytest.mark.parametrize(("step", "module", "extra"), EXTRAS)
def test_a_missing_extra_is_one_line_with_the_install_command(chain, tmp_path, step, module, extra):
    (tmp_path / "shadow").mkdir()
    gone = f"raise ModuleNotFoundError('it is not there', name={module!r})"
    (tmp_path / f"shadow/{module}.py").write_text(gone)
    work = copy(chain, before(step), tmp_path)
    words = STEPS[step].words(work)
    if module == "ray":
        words = [*words, "--engine", "ray"]
    ran = run_cli(*words, PYTHONPATH=str(tmp_path / "shadow"))
    assert_error(ran, 2, f"`{module}` is not installed", f"uv pip install 'ufine-kit[{extra}]'")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KitError("`a` is wrong", "mend a"), 2, "error: `a` is wrong\n\nhint: mend a\n"),
        (CheckFailed("rows are bad", "look"), 1, "error: rows are bad\n\nhint: look\n"),
        (KeyboardInterrupt(), 130, "Finished parts are kept"),
        (ZeroDivisionError("ours"), 101, "This is a fault of ufine-kit"),
    ],
    ids=["yours", "the data's", "ctrl-c", "ours"],
)
def test_exit_codes_tell_whose_turn_it_is(monkeypatch, capsys, raised, code, said):
    def act(**_):
        raise raised

    monkeypatch.setattr("ufine_kit.cli.app.command", lambda: act)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == code
    assert said in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_fault(tmp_path):
    typed = f"{sys.executable} -m ufine_kit --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", typed], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in done.stderr


@chained
def test_ctrl_c_keeps_finished_parts_and_the_same_command_goes_on(chain, tmp_path):
    work = copy(chain, "world", tmp_path)
    words = STEPS["extract-tracklets"].words(work)
    words[words.index("--workers") + 1] = "2"
    process = subprocess.Popen(
        [sys.executable, "-m", "ufine_kit", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPO,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (work / "tracklets/plan.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert run_cli(*words).code == 0
    assert snapshot(work, "tracklets/*.parquet") == snapshot(chain / "extract-tracklets", "tracklets/*.parquet")


@chained
def test_a_folder_that_is_no_world_is_not_overwritten(chain, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    assert_error(run_cli("world", tmp_path / "mine", *WORLD), 2, "mine")
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"


def test_doctor_names_what_is_missing_and_how_to_get_it(tmp_path):
    (tmp_path / "shadow").mkdir()
    ran = run_cli("doctor", "--json", cwd=tmp_path)
    found = {line["what"]: line for line in ran.json["lines"]}
    assert ran.code == 0
    assert {"extract", "baseline", "hub", "ray", "cores", "memory", "disk", "gpu"} <= set(found)
    for line in found.values():
        assert line["ok"] or "ufine-kit[" in line["detail"] or line["what"] in {"gpu", "memory", "disk"}
