"""What every command promises: exit codes, one JSON object, a dry run that writes nothing, and errors that name their mend."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
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
from ufine_kit.health import health

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
    held = everything(work)
    ran = run_cli(*STEPS[step].words(work), "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert '"dry_run": true' in ran.out
    told = run_cli(*STEPS[step].words(work), "--dry-run")
    assert "next:" not in told.err, "nothing was done that the next command could stand on"
    assert "written" not in told.out
    assert everything(work) == held


@chained
def test_a_second_run_tells_the_crops_that_are_there_and_not_those_it_made(chain, tmp_path):
    words = STEPS["extract-tracklets"].words(copy(chain, "extract-tracklets", tmp_path))
    crops = sum(json.loads(mark.read_text())["rows"] for mark in tmp_path.glob("work/tracklets/part-*.json"))
    assert run_cli(*words).out == f"{crops:,} crops in {tmp_path / 'work/tracklets'}\n"


def everything(work):
    """Files by content, folders and locks by name: a dry run leaves no trace at all."""
    return snapshot(work), sorted(path.relative_to(work).as_posix() for path in work.rglob("*"))


@chained
@pytest.mark.parametrize("step", STEPS)
def test_json_is_one_object_and_talk_goes_to_stderr(chain, tmp_path, step):
    ran = run_cli(*STEPS[step].words(copy(chain, before(step), tmp_path)), "--json")
    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1
    assert isinstance(json.loads(ran.out), dict)
    assert "next:" not in ran.err


@pytest.mark.full
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
    "campaign pull": (["campaign", "pull", "demo", "--from", "none.jsonl"], 2, "ufine-kit extract-tracklets"),
    "campaign create": (["campaign", "create", "describe"], 2, "ufine-kit filter"),
    "campaign qc": (["campaign", "qc", "demo"], 2, "ufine-kit campaign pull demo"),
    "campaign status": (["campaign", "status", "demo"], 2, "ufine-kit campaign pull demo"),
    "campaign close": (["campaign", "close", "demo"], 2, "ufine-kit campaign pull demo"),
    "import-dataset": (["import-dataset", "cuhk-pedes", "nowhere"], 2, "nowhere"),
    "build-release": (["build-release"], 2, "ufine-kit campaign close"),
    "edit-release": (["edit-release", "--edits", "edits.jsonl"], 2, "ufine-kit build-release"),
    "remove": (["remove", "--person", "p", "--reason", "asked"], 2, "ufine-kit build-release"),
    "export": (["export", "--format", "cuhk", "--out", "out"], 2, "ufine-kit build-release"),
    "check-release": (["check-release"], 2, "ufine-kit build-release"),
    "stats": (["stats"], 2, "ufine-kit build-release"),
    "build-3c": (["build-3c"], 2, "ufine-kit build-release"),
    "baseline-train": (["baseline-train"], 2, "ufine-kit build-release"),
    "evaluate": (["evaluate", "checkpoints/tiny"], 2, "ufine-kit build-release"),
    "search": (["search", "checkpoints/tiny", "releases/none", "a man in red"], 2, "ufine-kit build-release"),
    "push-hub": (["push-hub", "--to", "out"], 2, "ufine-kit build-release"),
    "report": (["report"], 2, "ufine-kit extract-tracklets"),
    "show": (["show"], 2, "ufine-kit extract-tracklets"),
    "extract-tracklets": (["extract-tracklets", "no-videos"], 2, "no-videos"),
    "score": (["score", "--query-ids", "a.npy", "--gallery-ids", "b.npy", "--similarity", "s.npy"], 2, ".npy"),
}


@pytest.mark.full
@pytest.mark.parametrize(("words", "code", "mend"), MISSING.values(), ids=MISSING)
def test_missing_input_is_one_line_that_names_its_mend(tmp_path, words, code, mend):
    assert_error(run_cli(*words, cwd=tmp_path), code, mend)
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_its_missing_input_tried_or_needs_none():
    assert set(names()) - set(MISSING) == {"status", "doctor", "world", "campaign serve"}


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


@pytest.mark.full
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


@pytest.mark.full
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
    for words in ("status --json", "--version"):
        typed = f"{sys.executable} -m ufine_kit {words} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", typed], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1] == "0", done.stderr
        assert "Traceback" not in done.stderr
        assert "ignored" not in done.stderr


@chained
@pytest.mark.full
@pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.4, 0.8])
def test_ctrl_c_keeps_finished_parts_and_the_same_command_goes_on(chain, tmp_path, after):
    work = copy(chain, "world", tmp_path)
    words = STEPS["extract-tracklets"].words(work)
    words[words.index("--workers") + 1] = "2"
    typed = [sys.executable, "-m", "ufine_kit", *map(str, words)]
    process = subprocess.Popen(typed, stderr=subprocess.PIPE, text=True, cwd=REPO, start_new_session=True)
    deadline = time.monotonic() + 300
    while not (work / "tracklets/plan.json").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    _, said = process.communicate(timeout=300)
    # A sign that comes after the last row, while the interpreter goes, ends it as it ends any process: a shell says 130 too.
    assert process.returncode in (0, 130, -signal.SIGINT), said
    assert process.returncode >= 0 or "next:" in said
    assert "Traceback" not in said
    assert run_cli(*words).code == 0
    assert snapshot(work, "tracklets/*.parquet") == snapshot(chain / "extract-tracklets", "tracklets/*.parquet")


def test_ctrl_c_in_the_middle_of_a_command_says_that_what_is_done_is_kept(monkeypatch, capsys):
    """Through the real parser: it makes an exit code of Ctrl-C before anybody else hears of it."""

    def act(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ufine_kit.overview.overview", act)
    monkeypatch.setattr(sys, "argv", ["ufine-kit", "status"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 130
    assert "Finished parts are kept" in capsys.readouterr().err


def test_ctrl_c_while_the_interpreter_ends_is_no_traceback_and_takes_no_word_back(tmp_path):
    """The sign comes when all is said, to a process that has other things to put away."""
    code = (
        "import atexit, os, signal, sys; atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "from ufine_kit.cli import main\n"
        "sys.argv = ['ufine-kit', 'status', '--json']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["stages"], done.stderr) == (130, [], "")


@chained
def test_a_folder_that_is_no_world_is_not_overwritten(chain, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    assert_error(run_cli("world", tmp_path / "mine", *WORLD), 2, "mine")
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"


def test_doctor_names_what_is_missing_and_how_to_get_it(monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    found = {line["what"]: line for line in health(tmp_path / "work")["lines"]}
    assert {"extract", "baseline", "hub", "ray", "cores", "memory", "disk", "gpu"} <= set(found)
    assert not found["baseline"]["ok"]
    assert "uv pip install 'ufine-kit[baseline]'" in found["baseline"]["detail"]
    assert run_cli("doctor", "--json", cwd=tmp_path).code == 0


def test_doctor_says_where_nothing_can_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda place, right: False)
    (disk,) = (line for line in health(tmp_path / "work")["lines"] if line["what"] == "disk")
    assert not disk["ok"]
    assert disk["detail"].endswith(f"no right to write in {tmp_path}")


@pytest.mark.full
@chained
def test_a_shard_out_of_order_leaves_the_names_of_parts_in_step(chain, tmp_path):
    work = copy(chain, "world", tmp_path)
    for shard in ("2/2", "1/2"):
        assert run_cli(*STEPS["extract-tracklets"].words(work), "--shard", shard).code == 0
        ran = run_cli(*STEPS["filter"].words(work))
        assert ran.code == 0, ran.err
    assert snapshot(work, "filter/*.parquet") == snapshot(chain / "filter", "filter/*.parquet")


@pytest.mark.full
@chained
def test_what_could_not_be_used_is_told_on_every_run(chain, tmp_path):
    world = tmp_path / "broken"
    shutil.copytree(chain / "given", world)
    (world / "videos/bad.mp4").write_bytes(b"no video at all")
    work = copy(chain, "world", tmp_path)
    words = [str(word).replace(str(tmp_path / "world"), str(world)) for word in STEPS["extract-tracklets"].words(work)]
    for _ in range(2):
        ran = run_cli(*words, "--json")
        assert ran.code == 1
        assert "bad.mp4" in json.dumps([ran.json["failed"], ran.json["bad_inputs"]])


@pytest.mark.parametrize("command", ["filter", "status", "build-release"])
def test_a_work_folder_that_is_a_file_is_no_fault_of_ours(tmp_path, command):
    (tmp_path / "afile").write_text("")
    ran = run_cli(command, "-w", tmp_path / "afile")
    assert ran.code in (0, 2)
    assert "Traceback" not in ran.err
