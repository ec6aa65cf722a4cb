"""The life of a local server, with a stand-in for Label Studio: ports, crashes, re-used numbers, secrets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from campaign.label_studio_stub import behave, kill, stub
from ports import free_port
from ufine_kit import cli
from ufine_kit.adapters import detached, label_studio_boot, label_studio_server
from ufine_kit.adapters.label_studio_tables import accounts
from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json


@pytest.fixture
def ls(tmp_path, monkeypatch):
    """The stand-in, a cache of its own, and a work folder whose server is ended after the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UFINE_LS_BIN", str(stub(tmp_path / "env")))
    monkeypatch.delenv("UFINE_LS_PASSWORD", raising=False)
    monkeypatch.setattr(label_studio_boot, "READY_SECONDS", 120.0)
    yield Path(os.environ["UFINE_LS_BIN"])
    with contextlib.suppress(KitError):
        label_studio_server.stop(tmp_path / "work")
    if (tmp_path / "other").exists():
        with contextlib.suppress(ProcessLookupError):  # of the server's group, and gone with it
            os.kill(int((tmp_path / "other").read_text()), signal.SIGKILL)


@pytest.fixture
def work(ls, tmp_path):
    return tmp_path / "work"


def silent(_: str) -> None:
    """Where nobody listens."""


def serve(work, port=None):
    said: list[str] = []
    return label_studio_server.serve(work, said.append, port or free_port()), said


def state(work):
    return read_json(work / "label-studio/server.json")


def test_a_first_boot_makes_one_account_and_a_second_serve_finds_it_running(work):
    first, said = serve(work)
    assert (first.first_boot, first.started, first.version, first.admin) == (True, True, "9.9.9", "admin@ufine.local")
    assert len(first.password) >= 12
    assert label_studio_server.running(work) == first.url
    assert len(label_studio_server.admin_token(work)) == 40
    again = label_studio_server.serve(work, said.append)
    assert (again.url, again.started, again.first_boot, again.password) == (first.url, False, False, None)
    assert label_studio_server.invite(work) == f"{first.url}/user/signup/?token=of-the-invite"
    assert said == [
        "preparing an empty database for Label Studio 9.9.9 (once, about a minute)",
        "starting Label Studio 9.9.9",
    ]


def test_a_process_without_a_group_of_its_own_is_no_server_of_ours():
    with subprocess.Popen(["sleep", "300"]) as bystander:
        known = detached.Detached(bystander.pid, detached.birth(bystander.pid))
        assert not detached.stop(known)
        assert detached.alive(known)
        bystander.kill()


def test_stop_keeps_the_data_and_the_next_start_the_address(work):
    first, _ = serve(work)
    token = label_studio_server.admin_token(work)
    assert label_studio_server.stop(work)
    assert not label_studio_server.stop(work)
    assert label_studio_server.running(work) is None
    assert label_studio_server.admin_token(work) == token
    again = label_studio_server.serve(work, silent)
    assert (again.url, again.first_boot, again.password) == (first.url, False, None)
    assert label_studio_server.admin_token(work) == token


@pytest.mark.full
def test_the_empty_database_is_made_once_and_has_no_key_and_no_account(work, tmp_path):
    serve(work)
    said = []
    other = tmp_path / "other-work"
    try:
        label_studio_server.serve(other, said.append, free_port())
        assert said == ["starting Label Studio 9.9.9"]
        template = tmp_path / "cache/ufine-kit/label-studio/9.9.9/template"
        assert not (template / ".env").exists()
        assert accounts(template) == 0
        assert label_studio_server.admin_token(work) != label_studio_server.admin_token(other)
        keys = {(place / "label-studio/data/.env").read_text() for place in (work, other)}
        assert len(keys) == 2
    finally:
        label_studio_server.stop(other)


def test_a_killed_server_is_noticed_and_started_again_with_its_data(work):
    first, _ = serve(work)
    kill(state(work)["pid"])
    assert label_studio_server.running(work) is None
    again = label_studio_server.serve(work, silent)
    assert (again.url, again.started, again.first_boot) == (first.url, True, False)


def test_a_process_that_was_given_the_number_of_a_dead_server_is_left_alone(work):
    bystander = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        held = label_studio_server.State(free_port(), "9.9.9", bystander.pid, "of another day", "http://127.0.0.1:1")
        (work / "label-studio").mkdir(parents=True)
        write_json(work / "label-studio/server.json", asdict(held))
        assert label_studio_server.running(work) is None
        assert not label_studio_server.stop(work)
        assert bystander.poll() is None
        assert state(work)["pid"] is None
        born = detached.birth(bystander.pid)
        assert detached.alive(detached.Detached(bystander.pid, born))
    finally:
        bystander.kill()
        bystander.wait()
    assert not detached.alive(detached.Detached(bystander.pid, born))


@pytest.mark.full
def test_a_server_that_does_not_hear_is_killed(work, ls, monkeypatch):
    monkeypatch.setattr(detached, "TERM_SECONDS", 0.2)
    behave(ls, "deaf")
    serve(work)
    process = label_studio_server._state(work / "label-studio").process
    assert label_studio_server.stop(work)
    assert not detached.alive(process)


def test_a_server_that_dies_at_its_start_is_told_with_its_last_words_and_leaves_no_account(work, ls):
    behave(ls, "dies")
    with pytest.raises(KitError, match="the tables cannot be read") as told:
        serve(work)
    assert "server.log" in told.value.mend
    assert not (work / "label-studio/data").exists()
    assert not (work / "label-studio/server.json").exists()
    behave(ls, "")
    assert serve(work)[0].password


@pytest.mark.full
def test_a_failed_start_takes_no_data_of_an_earlier_one(work, ls):
    first, _ = serve(work)
    token = label_studio_server.admin_token(work)
    label_studio_server.stop(work)
    behave(ls, "dies")
    with pytest.raises(KitError):
        label_studio_server.serve(work, silent)
    assert label_studio_server.admin_token(work) == token
    behave(ls, "")
    assert label_studio_server.serve(work, silent).url == first.url


def test_a_taken_port_is_told_and_never_moved_from_in_silence(work):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(KitError, match=f"port {port} is taken"):
            serve(work, port)
        first, _ = serve(work)
        with pytest.raises(KitError, match="runs already"):
            serve(work, port)
        label_studio_server.stop(work)
        write_json(work / "label-studio/server.json", {**state(work), "port": port})
        with pytest.raises(KitError, match="where this server had its address"):
            label_studio_server.serve(work, silent)
    moved, _ = serve(work, int(first.url.rpartition(":")[2]))
    assert moved.url == first.url


def test_without_a_wish_the_first_free_port_is_taken(work, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken, free = other.getsockname()[1], free_port()
        monkeypatch.setattr(label_studio_boot, "PORTS", (taken, free))
        assert label_studio_server.serve(work, silent).url.endswith(f":{free}")
        monkeypatch.setattr(label_studio_boot, "PORTS", (taken,))
        with pytest.raises(KitError, match="no port"):
            label_studio_boot.ports(None, None)


linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc who listens where")


@pytest.mark.full
@linux
def test_where_another_program_was_faster_the_next_port_is_tried_and_no_stranger_trusted(work, ls, monkeypatch):
    behave(ls, "moves")
    with pytest.raises(KitError, match="was taken while the server started"):
        serve(work, free_port(others=1))
    assert label_studio_server.running(work) is None
    ports = (free_port(), free_port())
    monkeypatch.setattr(label_studio_boot, "PORTS", ports)
    assert label_studio_server.serve(work, silent).url.endswith(f":{ports[0]}")


@linux
def test_a_server_that_listens_beyond_this_machine_is_stopped(work, ls):
    behave(ls, "wide")
    with pytest.raises(KitError, match="beyond this machine"):
        serve(work)
    assert label_studio_server.running(work) is None
    assert not (work / "label-studio/server.json").exists()


def test_the_server_sees_no_secret_of_ours_and_ours_alone_may_read_its_files(work, monkeypatch):
    secrets = {name: f"the value of {name}" for name in ("UFINE_API_KEY", "HF_TOKEN", "LABEL_STUDIO_API_KEY", "DEBUG")}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UFINE_LS_PASSWORD", "chosen by hand")
    first, _ = serve(work)
    assert first.password is None
    data = work / "label-studio/data"
    seen = (data / "environment").read_text()
    assert not any(value in seen for value in secrets.values())
    assert "'SENTRY_DSN': ''" in seen
    assert "chosen by hand" in seen
    for path in (data, data / "environment", work / "label-studio/server.json", work / "label-studio/server.log"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    label_studio_server.stop(work)
    label_studio_server.serve(work, silent)
    assert "chosen by hand" not in (data / "environment").read_text()
    assert "USER_TOKEN" not in (data / "environment").read_text()


def test_a_short_password_is_refused_before_anything_starts(work, monkeypatch):
    monkeypatch.setenv("UFINE_LS_PASSWORD", "short")
    with pytest.raises(KitError, match="too short"):
        serve(work)
    assert not (work / "label-studio/data").exists()


@pytest.mark.full
def test_a_new_password_reaches_the_server_and_no_command_line(work, monkeypatch):
    serve(work)
    given = label_studio_server.new_password(work)
    with contextlib.closing(sqlite3.connect(work / "label-studio/data/label_studio.sqlite3")) as tables:
        assert tables.execute("SELECT password FROM htx_user").fetchone() == (given,)
    monkeypatch.setenv("UFINE_LS_PASSWORD", "chosen by hand")
    assert label_studio_server.new_password(work) is None


@pytest.mark.full
def test_a_newer_version_keeps_a_copy_of_the_tables_and_an_older_one_is_refused(work, tmp_path, monkeypatch):
    serve(work)
    label_studio_server.stop(work)
    monkeypatch.setenv("UFINE_LS_BIN", str(stub(tmp_path / "newer", "10.0.0")))
    assert label_studio_server.serve(work, silent).version == "10.0.0"
    assert (work / "label-studio/data/label_studio.sqlite3.9.9.9").is_file()
    label_studio_server.stop(work)
    monkeypatch.setenv("UFINE_LS_BIN", str(tmp_path / "env/bin/label-studio"))
    with pytest.raises(KitError, match=r"last used by Label Studio 10\.0\.0"):
        label_studio_server.serve(work, silent)


@pytest.mark.full
def test_tables_that_cannot_be_made_are_told_and_leave_no_template(work, ls, tmp_path):
    behave(ls, "cannot migrate")
    with pytest.raises(KitError, match="cannot make its tables") as told:
        serve(work)
    assert "no space left" in Path(told.value.mend.removeprefix("read the log: ")).read_text()
    assert not (tmp_path / "cache/ufine-kit/label-studio/9.9.9/template").exists()


@pytest.mark.full
def test_a_public_address_is_answered_and_stands_in_the_invite(work, monkeypatch):
    monkeypatch.setenv("UFINE_LS_PUBLIC_URL", "https://labels.example.org:8443/")
    serve(work)
    seen = (work / "label-studio/data/environment").read_text()
    assert "'LABEL_STUDIO_ALLOWED_HOSTS': '127.0.0.1,localhost,labels.example.org'" in seen
    assert "'LABEL_STUDIO_CSRF_TRUSTED_ORIGINS': 'https://labels.example.org:8443'" in seen
    assert label_studio_server.invite(work) == "https://labels.example.org:8443/user/signup/?token=of-the-invite"


@pytest.mark.parametrize(
    "address",
    [
        "labels.example.org",
        "ftp://a.example",
        "https://a.example/path",
        "https://a@b.example",
        "https://*,b",
        "https://*",
        "https://.org",
        "https://a:b",
    ],
)
def test_what_is_no_public_address_is_refused(monkeypatch, tmp_path, address):
    monkeypatch.setenv("UFINE_LS_PUBLIC_URL", address)
    with pytest.raises(KitError, match="no public address"):
        label_studio_boot.environment(tmp_path, tmp_path)


@pytest.mark.parametrize("system", ["proc", "ps"])
def test_a_process_is_known_by_its_birth_on_every_system(monkeypatch, tmp_path, system):
    if system == "ps" and shutil.which("ps"):
        monkeypatch.setattr(detached, "PROC", tmp_path)
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    born = detached.birth(process.pid)
    assert born
    assert detached.birth(process.pid) == born
    assert detached.stop(detached.Detached(process.pid, born))
    assert detached.birth(process.pid) is None
    process.returncode = 0


@pytest.mark.parametrize("verb", ["admin_token", "invite", "new_password"])
def test_what_needs_a_server_names_the_command_that_starts_one(tmp_path, verb):
    with pytest.raises(KitError) as told:
        getattr(label_studio_server, verb)(tmp_path / "none")
    assert told.value.mend == f"ufine-kit campaign serve --work {tmp_path / 'none'}"
    assert not (tmp_path / "none").exists()


@pytest.mark.full
def test_an_organization_without_legacy_tokens_is_told(work, ls):
    behave(ls, "refuses")
    serve(work)
    with pytest.raises(KitError, match="401") as told:
        label_studio_server.invite(work)
    assert "legacy tokens" in told.value.mend


@pytest.mark.parametrize("content", ['{"port": 1', '{"prot": 1}', "[]", "7"])
def test_a_damaged_note_of_the_server_is_one_line(work, content):
    (work / "label-studio").mkdir(parents=True)
    (work / "label-studio/server.json").write_text(content)
    with pytest.raises(KitError, match=r"server\.json"):
        label_studio_server.running(work)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_would_do_does_it_and_ends_it(work, ls, tmp_path, monkeypatch, capsys):
    def serving(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ufine-kit", "campaign", "serve", "-w", str(work), *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, *capsys.readouterr()

    port = str(free_port())
    planned = json.loads(serving("--port", port, "--dry-run", "--json")[1])
    assert (planned["state"], planned["url"]) == ("would start", f"http://127.0.0.1:{port}")
    assert (planned["first_boot"], planned["would_install"]) == (True, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["env"]
    code, out, err = serving("--port", port, "--invite")
    assert code == 0, err
    assert f"login admin@ufine.local\npassword {_shown(out)}  (shown this once, kept nowhere)\n" in out
    assert f"http://127.0.0.1:{port}/user/signup/?token=of-the-invite" in out
    assert f"next: ufine-kit campaign create describe NAME --work {work}" in err
    again = json.loads(serving("--json")[1])
    assert (again["state"], again["password"]) == ("running", None)
    assert serving("--stop", "--dry-run")[1] == f"would stop http://127.0.0.1:{port}\n"
    assert serving("--stop")[:2] == (0, f"stopped http://127.0.0.1:{port}\n")
    assert serving("--stop")[:2] == (0, f"no server runs for `{work}`\n")
    assert serving("--stop", "--invite")[0] == 2


def _shown(out: str) -> str:
    (password,) = [line.split()[1] for line in out.splitlines() if line.startswith("password ")]
    return password
