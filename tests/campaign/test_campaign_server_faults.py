"""What may befall a local server and its files: cut off while it writes, started by two, a full disk, a command that moved."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from campaign.label_studio_stub import behave, stub
from ufine_kit import cli
from ufine_kit.adapters import detached, label_studio_boot, label_studio_install, label_studio_server
from ufine_kit.adapters.label_studio_server import State
from ufine_kit.adapters.label_studio_tables import DATABASE, accounts, administrator
from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A work folder, its server a stand-in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UFINE_LS_BIN", str(stub(tmp_path / "env")))
    monkeypatch.delenv("UFINE_LS_PASSWORD", raising=False)
    yield tmp_path / "work"
    with contextlib.suppress(KitError):
        label_studio_server.stop(tmp_path / "work")


@pytest.fixture
def data(work):
    """A data folder with one account and many rows."""
    folder = work / "label-studio" / "data"
    folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as tables:
        tables.executescript(
            "CREATE TABLE htx_user (id INTEGER PRIMARY KEY, email TEXT, is_superuser INTEGER);"
            "CREATE TABLE answers (words TEXT);"
            "INSERT INTO htx_user VALUES (1, 'manager@example.org', 1);"
        )
    return folder


CUT_OFF = """
import os, signal, sqlite3, sys
tables = sqlite3.connect(sys.argv[1])
tables.execute("PRAGMA cache_size = 2")
tables.execute("BEGIN")
tables.executemany("INSERT INTO answers VALUES (?)", [("x" * 1000,)] * 500)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_accounts_are_known_also_where_the_server_was_cut_off_while_it_wrote(data):
    subprocess.run([sys.executable, "-c", CUT_OFF, str(data / DATABASE)], check=False)
    assert (data / f"{DATABASE}-journal").stat().st_size > 0
    assert (accounts(data), administrator(data)) == (1, "manager@example.org")


def test_a_database_that_cannot_be_read_is_told_and_not_taken_for_an_empty_one(work, data):
    (data / DATABASE).write_bytes(b"no database " * 100)
    with pytest.raises(KitError, match=r"cannot read `.*sqlite3`"):
        accounts(data)
    with pytest.raises(KitError, match=r"cannot read"):
        label_studio_server.admin_token(work)


def test_stop_ends_the_server_that_another_has_started_meanwhile(work, data, monkeypatch):
    note = work / "label-studio/server.json"
    write_json(note, asdict(State(8080, "9.9.9", 1, "of another day", "http://127.0.0.1:8080")))
    process = detached.start(["sleep", "300"], {"PATH": "/usr/bin:/bin"}, work / "log")
    lock = label_studio_server.parts.lock

    @contextlib.contextmanager
    def waited(*what):
        with lock(*what):
            write_json(note, asdict(State(8080, "9.9.9", process.pid, process.born, "http://127.0.0.1:8080")))
            yield

    monkeypatch.setattr(label_studio_server.parts, "lock", waited)
    assert label_studio_server.stop(work)
    assert not detached.alive(process)


def test_a_change_of_tables_that_broke_off_leaves_the_copy_of_before_alone(data):
    label_studio_server._save_tables(data, "1.0.0", print)
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as tables:
        tables.executescript("DROP TABLE answers")
    label_studio_server._save_tables(data, "1.0.0", print)
    held = {}
    for name in (f"{DATABASE}.1.0.0", f"{DATABASE}.1.0.0.2"):
        assert (data / name).stat().st_mode & 0o077 == 0
        with contextlib.closing(sqlite3.connect(data / name)) as tables:
            held[name] = tables.execute("SELECT count(*) FROM sqlite_master WHERE name = 'answers'").fetchone()[0]
    assert list(held.values()) == [1, 0]


def test_a_copy_that_cannot_be_made_is_one_line(data):
    (data / f".{DATABASE}.copy").mkdir()
    with pytest.raises(KitError, match="cannot keep a copy"):
        label_studio_server._save_tables(data, "1.0.0", print)


def test_a_full_disk_is_one_line_and_leaves_no_half_of_a_database(tmp_path, monkeypatch):
    def full(source, target):
        Path(target).mkdir()
        raise shutil.Error([("a", "b", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(KitError, match="No space left on device"):
        label_studio_server._fill(tmp_path / "data", tmp_path / "template")
    assert list(tmp_path.iterdir()) == []


def test_a_command_whose_python_is_gone_is_one_line(work):
    binary = label_studio_install.find().binary
    binary.write_text("#!/nowhere/python\n")
    with pytest.raises(KitError, match=r"cannot start `.*label-studio`: No such file"):
        label_studio_server.serve(work, print)


@pytest.mark.parametrize(
    ("version", "said"), [("9.9.9", "cannot start"), ("8.0.0", "the server is Label Studio 8.0.0")]
)
def test_a_new_password_is_given_by_the_version_that_runs_alone(work, data, version, said):
    write_json(work / "label-studio/server.json", asdict(State(8080, version)))
    label_studio_install.find().binary.write_text("#!/nowhere/python\n")
    with pytest.raises(KitError, match=said):
        label_studio_server.new_password(work)


def test_a_password_of_two_lines_is_refused(work, monkeypatch):
    monkeypatch.setenv("UFINE_LS_PASSWORD", "first line\nsecond line")
    with pytest.raises(KitError, match="nobody can type"):
        label_studio_server.serve(work, print)


@pytest.mark.full
def test_a_first_password_is_told_also_where_the_invite_fails_and_later_how_to_get_another(work, monkeypatch, capsys):
    def serving(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ufine-kit", "campaign", "serve", "-w", str(work), "--json", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, *capsys.readouterr()

    get = label_studio_boot.get

    def slow(port, path, headers=None):
        if path == "/health":
            return get(port, path, headers)
        raise TimeoutError

    monkeypatch.setattr(label_studio_boot, "get", slow)
    code, out, err = serving("--invite")
    assert code == 2 and "no invite link (TimeoutError)" in err
    assert len(json.loads(out)["password"]) >= 12
    assert read_json(work / "label-studio/server.json")["pid"]
    code, out, err = serving()
    assert code == 0 and json.loads(out)["password"] is None and "--new-password" in err


def test_a_process_lives_as_long_as_its_last_thread_which_keeps_its_port(tmp_path):
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)  # the first thread goes, and is a zombie from then on\n"
    )
    process = detached.start([sys.executable, "-c", code], {}, tmp_path / "log")
    end = time.monotonic() + 60
    while ") Z " not in Path(f"/proc/{process.pid}/stat").read_text() and time.monotonic() < end:
        time.sleep(0.02)
    assert detached.alive(process)
    assert detached.stop(process)
    assert not detached.alive(process)


@pytest.mark.full
def test_a_process_of_anybody_whose_name_is_no_text_stops_no_stop(tmp_path):
    """Systems cut names after 15 bytes, in the middle of a letter too."""
    code = r"open('/proc/self/comm', 'wb').write(b'caf\xc3'); print(flush=True); input()"
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None and stranger.stdout.readline()
        process = detached.start([sys.executable, "-c", "import time; time.sleep(300)"], {}, tmp_path / "log")
        assert detached.stop(process)
        assert detached.birth(stranger.pid)


@pytest.mark.full
@pytest.mark.parametrize("mode", ["has a child", "has a deaf child"])
def test_stop_ends_the_children_of_the_server_too(work, monkeypatch, mode):
    monkeypatch.setattr(detached, "TERM_SECONDS", 0.5)
    behave(Path(os.environ["UFINE_LS_BIN"]), mode)
    label_studio_server.serve(work, lambda _: None)
    child = int((work / "label-studio/data/child").read_text())
    assert detached.birth(child)
    assert label_studio_server.stop(work)
    assert detached.birth(child) is None
