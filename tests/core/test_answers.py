"""How the kit answers: data on stdout, talk on stderr, questions only where somebody can answer."""

from __future__ import annotations

import errno
import io
import json
import pickle
import shlex
import sys

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from ufine_kit import crash
from ufine_kit.engine import RUNNERS, resolve, run_tasks, shard_of
from ufine_kit.errors import NOT_BLANK, CheckFailed, KitError, first_fault, need, storage_error
from ufine_kit.files import canonical_json, digest_of, inside, make_folder, read_json, replacing, write_bytes
from ufine_kit.output import Output, count


def test_json_mode_prints_one_object_and_no_next_command(capsys):
    out = Output(json_mode=True)
    out.say("working")
    out.result({"rows": 3, "name": "人"}, ["3 rows"])
    out.next("ufine-kit filter")
    said = capsys.readouterr()
    assert json.loads(said.out) == {"rows": 3, "name": "人"}
    assert said.err == "working\n"


def test_people_get_lines_and_the_next_command(capsys):
    out = Output()
    out.result({"rows": 3}, ["3 rows"])
    out.next("ufine-kit filter")
    assert capsys.readouterr() == ("3 rows\n", "next: ufine-kit filter\n")


PASTED = [
    (["filter", "--work", "my work"], "", "ufine-kit filter --work my work", ["filter", "--work", "my work"]),
    (["filter", "--work=./it's/"], "", "ufine-kit filter --work it's", ["filter", "--work", "it's"]),
    (["status"], "a b", "ufine-kit filter --work a b", ["filter", "--work", "a b"]),
    (["x", "-w", "a b"], "", "ufine-kit x a b/releases/d --work a b", ["x", "a b/releases/d", "--work", "a b"]),
    (["x", "a b", "a b c"], "", "ufine-kit x a b c", ["x", "a b c"]),
    (["x", "a b/../c d"], "", "ufine-kit x a b/../c d/e", ["x", "a b/../c d/e"]),
    (["x", "plain"], "", "mend or take out that line", ["or", "take", "out", "that", "line"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "work", "command", "words"), PASTED, ids=[command for _, _, command, _ in PASTED])
def test_a_command_that_is_named_can_be_pasted_into_a_shell(monkeypatch, capsys, typed, work, command, words):
    monkeypatch.setattr(sys, "argv", ["ufine-kit", *typed])
    monkeypatch.setenv("UFINE_WORK", work)
    Output().next(command)
    Output().error(KitError("it is wrong", command))
    told = capsys.readouterr().err.splitlines()
    for line in (told[0].removeprefix("next: "), told[3].removeprefix("hint: ")):
        assert shlex.split(line)[1:] == words


def test_a_problem_is_one_line_whatever_a_name_holds(capsys):
    Output().error(KitError("`a\nb` is no name", "use one line"))
    assert capsys.readouterr().err == "error: `a\\nb` is no name\n\nhint: use one line\n"


def test_no_answer_that_is_not_json_ever_leaves():
    with pytest.raises(ValueError, match="JSON compliant"):
        Output(json_mode=True).result({"mAP": float("nan")})


def test_what_json_cannot_hold_is_told_in_lines_all_the_same(capsys):
    Output().result({"mAP": float("nan")}, ["no mAP"])
    assert capsys.readouterr().out == "no mAP\n"


def test_without_a_terminal_there_is_a_line_a_part(capsys):
    with Output().progress(2, "parts") as bar:
        bar.step("part-00000  3 rows")
        bar.step("part-00001  4 rows")
    assert capsys.readouterr().err == "part-00000  3 rows\npart-00001  4 rows\n"


def test_a_question_without_a_terminal_names_yes(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(KitError) as caught:
        Output().confirm("2 files will be removed.", yes=False)
    assert "--yes" in caught.value.mend
    Output().confirm("2 files will be removed.", yes=True)


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_a_yes_is_a_yes(monkeypatch, answer, agreed):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    if agreed:
        Output().confirm("Remove?", yes=False)
    else:
        with pytest.raises(KitError, match="nothing was changed"):
            Output().confirm("Remove?", yes=False)


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(1, "crop", "1 crop"), (12_400, "crop", "12,400 crops"), (2, "identity", "2 identities"), (0, "row", "0 rows")],
)
def test_numbers_are_told_in_words_that_fit(number, noun, said):
    assert count(number, noun) == said


@pytest.mark.parametrize("kind", [KitError, CheckFailed])
def test_an_error_for_people_survives_the_way_back_from_a_worker(kind):
    back = pickle.loads(pickle.dumps(kind("`a` is wrong", "mend it")))
    assert (type(back), back.problem, back.mend) == (kind, "`a` is wrong", "mend it")


def test_a_missing_extra_names_itself_and_a_broken_one_is_not_hidden(tmp_path, monkeypatch):
    with pytest.raises(KitError, match="`no_such_library` is not installed") as caught:
        need("no_such_library", "hub")
    assert caught.value.mend == "uv pip install 'ufine-kit[hub]'"
    (tmp_path / "half_there.py").write_text("import something_else_entirely")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_else_entirely"):
        need("half_there", "hub")


STORAGE = [
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENAMETOOLONG,
    errno.ENOTDIR, errno.ELOOP,
]  # fmt: skip


@pytest.mark.parametrize("number", STORAGE)
def test_trouble_with_the_disk_is_told_with_its_mend(number):
    with pytest.raises(KitError, match=r"`part\.parquet`") as caught:
        storage_error(OSError(number, "no"), "part.parquet")
    assert caught.value.mend


def test_other_trouble_of_the_system_stays_what_it_is():
    with pytest.raises(OSError, match="boom"):
        storage_error(OSError(errno.EIO, "boom"), "x")


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_bytes(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_in_the_place_of_a_file_is_told_by_the_name_that_was_given(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(KitError, match="a folder stands where a file is to be written") as caught:
        write_bytes(tmp_path / "page.html", b"page")
    assert f"`{tmp_path / 'page.html'}`" in caught.value.problem
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


class Line(BaseModel):
    """A line of a file that people hand in."""

    text: str = Field(pattern=NOT_BLANK)
    editor: str = Field(default="e", pattern="^[A-Za-z]+$")

    @model_validator(mode="after")
    def _whole(self) -> Line:
        if self.text == self.editor:
            raise ValueError("`text` is the editor")
        return self


FAULTS = [
    ({"text": "  "}, "`text` is empty"),
    ({"text": "t", "editor": "a b"}, "`editor` string should match pattern '^[A-Za-z]+$'"),
    ({"text": "e"}, "`text` is the editor"),
    (["t"], "`line` is no JSON object"),
    ({}, "`text` field required"),
]


@pytest.mark.parametrize(("value", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_the_first_fault_of_a_line_is_told_as_it_is_written(value, said):
    with pytest.raises(ValidationError) as caught:
        Line.model_validate(value)
    assert first_fault(caught.value, "line") == said


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out"])
def test_a_name_that_climbs_out_is_refused(tmp_path, name):
    with pytest.raises(KitError, match="points outside"):
        inside(tmp_path, name)


def test_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path)
    with pytest.raises(KitError, match="points outside"):
        inside(tmp_path / "in", "link/secret")


def test_a_value_has_one_spelling_and_so_one_digest():
    assert canonical_json({"b": 1, "a": [True, None, "人"]}) == '{"a":[true,null,"人"],"b":1}'
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 1, "b": 3})


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "work").write_text("")
    with pytest.raises(KitError, match="is a file, not a folder"):
        make_folder(tmp_path / "work")
    with pytest.raises(KitError, match="cannot read"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_shards_share_a_list_without_gap_or_overlap(shards):
    dealt = [shard_of(f"{i}/{shards}", list(range(10))) for i in range(1, shards + 1)]
    assert sorted(number for share in dealt for number in share) == list(range(10))


@pytest.mark.parametrize("word", ["0/2", "3/2", "2", "/2", "1/0", "-1/2", "a/b", ""])
def test_what_is_no_shard_is_refused(word):
    with pytest.raises(KitError, match="--shard"):
        shard_of(word, [1, 2])


def test_an_unknown_engine_lists_the_known_ones():
    with pytest.raises(KitError, match="no engine `cloud`") as caught:
        list(run_tasks([], "cloud", 1))
    assert all(name in caught.value.mend for name in RUNNERS)


def test_the_local_engine_is_what_its_name_says():
    assert resolve(RUNNERS["local"]).__name__ == "run_local"


def test_a_crash_point_kills_only_where_it_is_named(monkeypatch):
    monkeypatch.delenv("UFINE_CRASH_AT", raising=False)
    crash.point("part.rows")
    monkeypatch.setenv("UFINE_CRASH_AT", "part.json")
    crash.point("part.rows")
    with pytest.raises(AssertionError, match="no such point"):
        crash.point("no such point")
