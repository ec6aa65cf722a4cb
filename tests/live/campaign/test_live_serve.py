"""The real server as `campaign serve` starts it: who can reach it, what it was told, and what stays after it was killed."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest

from campaign.label_studio_stub import kill
from live.campaign.server import MARKS
from ports import free_port
from typed import run_cli
from ufine_kit.adapters import detached, label_studio_install, label_studio_server
from ufine_kit.files import read_json

pytestmark = MARKS
SECRETS = {"UFINE_API_KEY": "key-of-an-api", "HF_TOKEN": "hf_of_a_hub", "AWS_SECRET_ACCESS_KEY": "of-a-cloud"}

BARE = {"timeout": 60, "trust_env": False}
PUBLIC = {"UFINE_LS_PUBLIC_URL": "https://labels.example.org"}


def state(work):
    return read_json(work / "label-studio/server.json")


def test_it_answers_on_loopback_and_nowhere_else(label_studio):
    assert httpx.get(label_studio.url + "/health", **BARE).status_code == 200
    held = state(label_studio.work)
    assert detached.listening(held["pid"]) == {("0100007F", held["port"])}
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        outward.connect(("192.0.2.1", 9))  # sends nothing; tells under which address others see this machine
        with socket.socket() as probe:
            assert probe.connect_ex((outward.getsockname()[0], held["port"])) != 0


def test_only_names_of_this_machine_are_answered(label_studio):
    for host, status in (("localhost", 200), ("evil.example", 400)):
        answer = httpx.get(f"{label_studio.url}/user/login/", headers={"Host": host}, **BARE)
        assert answer.status_code == status
    answer = httpx.get(f"{label_studio.url}/api/version", headers={"Origin": "https://evil.example"}, **BARE)
    assert "access-control-allow-origin" not in answer.headers


def test_people_join_by_invite_alone_and_see_pictures_only_with_an_account(label_studio):
    anna, ben = label_studio.annotator("anna"), label_studio.annotator("ben")
    assert anna.user_id != ben.user_id
    assert label_studio.annotator("anna") is anna
    assert anna.session.get("/api/current-user/whoami").json()["id"] == anna.user_id
    bare = httpx.Client(base_url=label_studio.url, **BARE)
    page = bare.get("/user/signup/")
    sent = bare.post(
        "/user/signup/",
        data={"csrfmiddlewaretoken": page.cookies["csrftoken"], "email": "x@y.example", "password": "pass-word-x"},
        headers={"Referer": label_studio.url},
    )
    assert sent.status_code == 403
    (label_studio.files / "demo").mkdir(parents=True, exist_ok=True)
    (label_studio.files / "demo/a.jpg").write_bytes(b"\xff\xd8 a picture")
    project = label_studio.asked("POST", "/api/projects", json={"title": "pictures"}).json()["id"]
    try:
        stored = {"project": project, "path": str(label_studio.files / "demo"), "use_blob_urls": True}
        assert label_studio.asked("POST", "/api/storages/localfiles", json=stored).status_code == 201
        address = "/data/local-files/?d=demo/a.jpg"
        assert anna.session.get(address).content == b"\xff\xd8 a picture"
        assert bare.get(address).status_code in (302, 401)
        assert anna.session.get("/data/local-files/?d=../data/label_studio.sqlite3").status_code != 200
    finally:
        label_studio.asked("DELETE", f"/api/projects/{project}")


def test_the_administrator_logs_in_with_the_password_that_was_shown(label_studio):
    browser = httpx.Client(base_url=label_studio.url, **BARE)
    page = browser.get("/user/login/")
    sent = browser.post(
        "/user/login/",
        data={
            "csrfmiddlewaretoken": page.cookies["csrftoken"],
            "email": label_studio.admin,
            "password": label_studio.password,
        },
        headers={"Referer": label_studio.url},
    )
    assert sent.status_code == 302


def test_no_token_and_no_password_lies_outside_the_servers_own_tables(label_studio):
    folder = label_studio.work / "label-studio"
    label_studio_server.invite(label_studio.work)
    known = [label_studio.token.encode(), label_studio.password.encode()]
    for path in label_studio.work.rglob("*"):
        if path.is_file() and not path.name.startswith("label_studio.sqlite3"):
            content = path.read_bytes()
            assert not any(secret in content for secret in known), path
    with sqlite3.connect(f"file:{folder / 'data/label_studio.sqlite3'}?mode=ro", uri=True, timeout=60) as tables:
        assert label_studio.password not in "\n".join(tables.iterdump())
    for path in (folder / "data", folder / "server.json", folder / "server.log"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.fixture(scope="module")
def own(label_studio_environment, tmp_path_factory):
    """A second server, to be killed; started by the command with our secrets in its environment."""
    work = tmp_path_factory.mktemp("second") / "work"
    port = free_port()  # while the server is killed, nobody else takes it
    words = ["campaign", "serve", "-w", work, "--port", port, "--json"]
    ran = run_cli(*words, UFINE_LS_PASSWORD="chosen-by-hand", **PUBLIC, **SECRETS)
    try:
        assert ran.code == 0, ran.err
        yield work, ran
    finally:
        label_studio_server.stop(work)


def test_a_server_is_told_no_secret_of_ours_and_a_chosen_password_is_not_repeated(own):
    work, ran = own
    told = Path(f"/proc/{state(work)['pid']}/environ").read_bytes()
    assert b"LABEL_STUDIO_BASE_DATA_DIR" in told
    assert not any(value.encode() in told for value in SECRETS.values())
    assert ran.json["first_boot"]
    assert ran.json["password"] is None
    assert "chosen-by-hand" not in ran.out + ran.err


def test_behind_a_proxy_of_the_team_people_log_in_under_its_address(own):
    public = PUBLIC["UFINE_LS_PUBLIC_URL"]
    for site, status in ((public, 302), ("https://evil.example", 403)):
        browser = httpx.Client(base_url=own[1].json["url"], headers={"Host": "labels.example.org"}, **BARE)
        token = browser.get("/user/login/").cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token, "email": own[1].json["admin"], "password": "chosen-by-hand"}
        sent = browser.post("/user/login/", data=form, headers={"Origin": site, "Referer": f"{site}/user/login/"})
        assert sent.status_code == status


def test_a_second_work_folder_takes_the_prepared_database_and_keys_of_its_own(own, label_studio):
    work, ran = own
    assert "preparing an empty database" not in ran.err
    assert ran.json["url"] != label_studio.url
    keys = {(place / "label-studio/data/.env").read_text() for place in (work, label_studio.work)}
    assert len(keys) == 2
    assert label_studio_server.admin_token(work) != label_studio.token
    template = label_studio_install._cache(ran.json["version"]) / "template"
    assert not (template / ".env").exists()
    assert label_studio_install.accounts(template) == 0


def test_after_a_kill_it_comes_back_under_the_same_address_with_all_that_people_did(own):
    work, ran = own
    headers = {"Authorization": f"Token {label_studio_server.admin_token(work)}"}
    asked = httpx.Client(base_url=ran.json["url"], headers=headers, **BARE)
    assert asked.post("/api/projects", json={"title": "work of weeks"}).status_code == 201
    kill(state(work)["pid"])
    again = run_cli("campaign", "serve", "-w", work, "--json")
    assert again.code == 0, again.err
    assert (again.json["url"], again.json["first_boot"]) == (ran.json["url"], False)
    assert [project["title"] for project in asked.get("/api/projects").json()["results"]] == ["work of weeks"]
    told = Path(f"/proc/{state(work)['pid']}/environ").read_bytes()
    assert b"USER_TOKEN" not in told
    assert b"PASSWORD" not in told


def test_stop_ends_it_and_a_new_password_lets_the_administrator_in(own):
    work, ran = own
    changed = run_cli("campaign", "serve", "-w", work, "--new-password", "--invite", "--json")
    assert changed.code == 0, changed.err
    assert changed.json["state"] == "running"
    browser = httpx.Client(base_url=ran.json["url"], **BARE)
    form = {"csrfmiddlewaretoken": browser.get("/user/login/").cookies["csrftoken"], "email": changed.json["admin"]}
    for password, status in (("chosen-by-hand", 200), (changed.json["password"], 302)):
        sent = browser.post("/user/login/", data={**form, "password": password}, headers={"Referer": ran.json["url"]})
        assert sent.status_code == status
    pid = state(work)["pid"]
    assert run_cli("campaign", "serve", "-w", work, "--stop").out == f"stopped {ran.json['url']}\n"
    assert detached.birth(pid) is None
    assert label_studio_server.running(work) is None
