"""The environment of the server: named, found, made once from the packaged list, and made anew where that broke off."""

from __future__ import annotations

import os
import sys

import pytest

from ufine_kit.adapters import label_studio_install
from ufine_kit.errors import KitError


def silent(_: str) -> None:
    """Where nobody listens."""


@pytest.mark.parametrize("named", ["none", "bare"])
def test_a_name_of_no_server_is_told(tmp_path, monkeypatch, named):
    (tmp_path / "bare").write_text("#!/bin/sh\n")
    (tmp_path / "bare").chmod(0o755)
    monkeypatch.setenv("UFINE_LS_BIN", str(tmp_path / named))
    with pytest.raises(KitError, match=named):
        label_studio_install.find()


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without the server, and a stand-in for `uv` that makes the environment of our stand-in."""
    monkeypatch.setattr(label_studio_install, "root", lambda: tmp_path / "no-checkout")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("UFINE_LS_BIN", raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def uv(body: str) -> None:
        script = f"#!{sys.executable} -S\nimport os, pathlib, sys\nwords = sys.argv[1:]\n{body}\n"
        (tmp_path / "bin/uv").write_text(script)
        (tmp_path / "bin/uv").chmod(0o755)

    return uv


MAKES = """
place = pathlib.Path(words[-1] if words[0] == "venv" else words[words.index("--python") + 1]).absolute()
if words[0] == "venv":
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").touch()
else:
    log = pathlib.Path(os.environ["XDG_CACHE_HOME"]) / "asked"
    log.write_text(repr([words, dict(os.environ)]))
    print("Resolved 159 packages\\n + one\\nInstalled 159 packages")
    (place.parent / "label-studio").write_text("#!/bin/sh\\n")
    (place.parent / "label-studio").chmod(0o755)
"""


def test_the_environment_is_made_once_from_the_packaged_list(bare, tmp_path):
    bare(MAKES)
    said: list[str] = []
    assert label_studio_install.find() is None
    made = label_studio_install.environment(said.append)
    assert made.version == label_studio_install.listed_version()
    assert made.binary == tmp_path / f"cache/ufine-kit/label-studio/{made.version}/venv/bin/label-studio"
    assert said[0].startswith(f"installing Label Studio {made.version} into ")
    assert said[1:] == ["  Resolved 159 packages", "  Installed 159 packages"]
    asked = (tmp_path / "cache/asked").read_text()
    assert "constraints/label-studio.txt" in asked
    assert "hf_secret" not in asked
    said.clear()
    assert label_studio_install.environment(said.append) == made
    assert said == []


def test_an_installation_that_broke_off_does_not_exist_and_is_made_anew(bare, tmp_path):
    bare(MAKES + "\n    print('error: Request failed after 3 retries\\n  Caused by: dns error'); sys.exit(2)")
    with pytest.raises(KitError, match=r"cannot install Label Studio: error: Request failed .* dns error") as told:
        label_studio_install.environment(silent)
    assert "UFINE_LS_BIN" in told.value.mend
    assert label_studio_install.find() is None
    bare(MAKES)
    label_studio_install.environment(silent)
    assert label_studio_install.find() is not None


def test_an_environment_whose_python_was_taken_away_is_made_anew(bare):
    bare(MAKES)
    made = label_studio_install.environment(silent)
    (made.binary.parent / "python").unlink()
    (made.binary.parent / "python").symlink_to("/nowhere/python")
    assert label_studio_install.find() is None
    assert label_studio_install.environment(silent) == made
    assert label_studio_install.find() == made


def test_a_changed_list_makes_the_environment_anew(bare, monkeypatch, tmp_path):
    bare(MAKES)
    label_studio_install.environment(silent)
    changed = tmp_path / "list.txt"
    changed.write_text(label_studio_install._list().read_text() + "# another\n")
    monkeypatch.setattr(label_studio_install, "_list", lambda: changed)
    assert label_studio_install.find() is None


def test_without_uv_the_own_python_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(label_studio_install.shutil, "which", lambda _: None)
    commands = label_studio_install._commands(tmp_path / "venv")
    assert commands[0] == [sys.executable, "-m", "venv", str(tmp_path / "venv")]
    assert commands[1][1:4] == ["-m", "pip", "install"]


def test_the_list_is_pinned_whole_and_names_no_host():
    lines = [line for line in label_studio_install._list().read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 100
    assert all("==" in line.partition(";")[0] for line in lines)
    assert not any("://" in line or line.startswith("-") for line in lines)
    assert f"label-studio=={label_studio_install.listed_version()}" in lines
