"""What comes from others reaches a terminal as signs alone, and what a build kept out is told."""

from __future__ import annotations

import io
import json
import sys

import pytest

from ufine_kit.errors import KitError
from ufine_kit.output import Output

EVIL = "\x1b]0;owned\x07\x1b[2J\r\u202egpj.\u2066\x9b1m\udcff"
SPELT = r"\x1b]0;owned\x07\x1b[2J\r\u202egpj.\u2066\x9b1m\udcff"


def test_signs_that_act_on_a_terminal_are_spelt_out_and_lines_stay_lines(capsys):
    out = Output()
    out.say(f"a\t{EVIL}\nname 人")
    out.result({}, [f"b {EVIL}", "c\td"])
    out.error(KitError(f"no `{EVIL}`", "mend"))
    out.next(EVIL)
    said = capsys.readouterr()
    assert said.out == f"b {SPELT}\nc\td\n"
    assert said.err == f"a\t{SPELT}\nname 人\nerror: no `{SPELT}`\n\nhint: mend\nnext: {SPELT}\n"


def test_a_question_is_spelt_out_too(monkeypatch, capsys):
    answer = io.StringIO("y\n")
    answer.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", answer)
    Output().confirm(f"remove {EVIL}?", yes=False)
    assert capsys.readouterr().err == f"remove {SPELT}? [y/N] "


@pytest.mark.parametrize("sign", ["\x1b", "\u202e", "\x9b"])
def test_an_object_for_programs_keeps_every_sign(capsys, sign):
    Output(json_mode=True).result({"name": sign})
    assert json.loads(capsys.readouterr().out) == {"name": sign}
