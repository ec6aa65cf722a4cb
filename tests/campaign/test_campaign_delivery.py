"""Pictures reach people by four ways; nothing goes twice; and `doctor` says in one line when they are not seen."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil

import pytest

from campaign.fake_server import TOKEN
from release.works import make_work, people
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.campaign.create import Mending, Pictures, create
from ufine_kit.campaign.delivery import file_name, open_delivery, put_all
from ufine_kit.campaign.kinds import describe
from ufine_kit.campaign.pictures import pictures
from ufine_kit.campaign.seen import fetch, pictures_seen, sources
from ufine_kit.campaign.spec import Campaign, Project, Round, write_campaign
from ufine_kit.errors import KitError
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable()
JPEGS = {f"crop-{number:03d}": b"\xff\xd8" + bytes([number]) * 50 for number in range(130)}


@pytest.fixture
def server(studio):
    client = LabelStudio(studio.url, TOKEN, patience_seconds=5.0)

    def fetch(path: str) -> tuple[int, str, bytes]:
        """As the real server does, which fails where it knows no such upload."""
        held = {f"/data/{name}": content for name, content in studio.files.values()}
        return (200, "image/jpeg", held[path]) if path in held else (500, "application/json", b"{}")

    client.fetch = fetch
    return client


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "work/label-studio/files/c"


def project(server):
    return int(server.create_project(title="pictures", label_config="<View/>")["id"])


def test_local_files_are_the_bytes_and_are_written_once(studio, server, folder):
    number = project(server)
    put = open_delivery("local", server, number, folder, TABLE)
    assert put_all(put, JPEGS.items()) == {name: f"/data/local-files/?d=c/{name}.jpg" for name in JPEGS}
    assert {path.stem: path.read_bytes() for path in folder.iterdir()} == JPEGS
    # By inode: two writings may fall into one tick of the clock that files are dated by.
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    (folder / "crop-005.jpg").write_bytes(b"damaged")
    put_all(open_delivery("local", server, number, folder, TABLE), JPEGS.items())
    assert (folder / "crop-005.jpg").read_bytes() == JPEGS["crop-005"]
    changed = [name for name, at in before.items() if (folder / name).stat().st_ino != at]
    assert changed == ["crop-005.jpg"]
    assert [(one["project"], one["path"]) for one in studio.storages] == [(number, str(folder))]


def test_a_server_elsewhere_that_sees_no_files_of_ours_is_told_of_uploads(server, folder):
    def storage(project, path):
        raise KitError("the server refuses `/api/storages/localfiles` (400): no such path", "mend what it says")

    server.storage = storage
    with pytest.raises(KitError, match="no such path") as told:
        open_delivery("local", server, 1, folder, TABLE)
    assert "campaign.delivery=upload" in told.value.mend


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.jpg", "", "x" * 200, ".hidden", "ü", "a\nb"])
def test_a_name_that_is_no_plain_word_stays_inside_the_folder(server, folder, name):
    put = open_delivery("local", server, project(server), folder, TABLE)
    assert put(name, b"jpeg").startswith("/data/local-files/?d=c/")
    assert [path.name for path in folder.iterdir()] == [file_name(name)]
    assert len(list(folder.parent.iterdir())) == 1


def posts(studio):
    return [path for verb, path in studio.asked if verb == "POST" and "commit_to_project=false" in path]


def test_uploads_go_out_a_hundred_at_a_time_and_never_again(studio, server, folder):
    number = project(server)
    put = open_delivery("upload", server, number, folder, TABLE)
    found = put_all(put, JPEGS.items())
    assert len(posts(studio)) == 2 and len(studio.files) == len(JPEGS)
    held = {f"/data/{path}": content for path, content in studio.files.values()}
    assert all(held[found[name]] == jpeg for name, jpeg in JPEGS.items())
    again = put_all(open_delivery("upload", server, number, folder, TABLE), JPEGS.items())
    assert again == found and len(posts(studio)) == 2
    assert not any(name in path for name in JPEGS for path in held)


def test_a_torn_note_of_uploads_costs_one_picture_more(studio, server, folder, tmp_path):
    number = project(server)
    put_all(open_delivery("upload", server, number, folder, TABLE), list(JPEGS.items())[:3])
    note = tmp_path / "work/campaigns/c/uploads.jsonl"
    note.write_bytes(note.read_bytes()[:-20])
    for _ in range(2):
        put_all(open_delivery("upload", server, number, folder, TABLE), list(JPEGS.items())[:3])
    assert len(studio.files) == 4
    assert len({json.loads(line)["sha256"] for line in note.read_bytes().splitlines()[:2]}) == 2


def test_uploads_of_a_project_that_was_deleted_go_out_again_to_the_one_that_has_its_number_now(studio, server, folder):
    number = project(server)
    put_all(open_delivery("upload", server, number, folder, TABLE), list(JPEGS.items())[:3])
    studio.files.clear()
    again = put_all(open_delivery("upload", server, number, folder, TABLE), list(JPEGS.items())[:3])
    assert set(again.values()) == {f"/data/{path}" for path, _ in studio.files.values()} and len(studio.files) == 3
    assert put_all(open_delivery("upload", server, number, folder, TABLE), list(JPEGS.items())[:3]) == again


def test_uploads_lie_in_one_project_of_their_own_whatever_the_projects_with_tasks_ask(studio, server, folder):
    """The real server takes no picture into a project whose config has more than one field."""
    asked = [project(server), project(server)]
    one, other = (open_delivery("upload", server, number, folder, TABLE)("a", b"jpeg") for number in asked)
    assert one == other and len(studio.files) == 1
    (shelf,) = [held for number, held in studio.projects.items() if number not in asked]
    assert (shelf["description"], shelf["label_config"]) == ("ufine-kit c pictures", "<View></View>")
    assert all(f"/api/projects/{number}/import" not in path for number in asked for path in posts(studio))
    another = open_delivery("upload", server, asked[0], folder.with_name("d"), TABLE)("a", b"jpeg")
    assert another != one and len(studio.files) == 2


def test_an_address_by_template_and_bytes_inside(server, folder):
    table = CampaignTable(url_template="https://host/crops/{crop_id}.jpg")
    assert open_delivery("url", server, 1, folder, table)("a b/c", b"") == "https://host/crops/a%20b%2Fc.jpg"
    inline = open_delivery("inline", server, 1, folder, TABLE)("a", b"\xff\xd8")
    assert base64.b64decode(inline.removeprefix("data:image/jpeg;base64,")) == b"\xff\xd8"


@pytest.mark.parametrize(
    "template", ["", "https://host/x.jpg", "javascript:alert('{crop_id}')", "host/{crop_id}", "https://h/ {crop_id}"]
)
def test_a_template_that_is_no_address_is_refused(server, folder, template):
    with pytest.raises(KitError, match="no template"):
        open_delivery("url", server, 1, folder, CampaignTable(url_template=template))


def test_lost_files_and_a_lost_storage_record_are_put_back(studio, server, folder, tmp_path):
    work = make_work(tmp_path / "work", people("a", 2, 2))
    items = describe.items(work, "c", TABLE)
    ways = Pictures(
        lambda asked: pictures(work, "describe", asked),
        lambda number: open_delivery("local", server, number, folder, TABLE),
    )
    campaign = work / "campaigns" / "c"
    assert create(campaign, "describe", items, server, TABLE, ways).added == 4
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    studio.storages.clear()
    assert create(campaign, "describe", items, server, TABLE, ways, mending=Mending(tasks=True)).added == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == held
    assert len(studio.storages) == 1


# --- doctor -------------------------------------------------------------------------------------------------------------


class Server:
    """A server that gives the same answer to every picture."""

    def __init__(self, status: int, kind: str = "image/jpeg") -> None:
        self.status, self.kind, self.asked = status, kind, []

    def tasks(self, project: int):
        for number in range(9):
            yield {
                "data": {
                    "campaign": "c0ffee",
                    "strip": [
                        {
                            "picture": f'<div><img class="crop" src="/data/local-files/?d=c/{number}.jpg&amp;x" alt=""></div>'
                        }
                    ],
                }
            }

    def fetch(self, path: str) -> tuple[int, str, bytes]:
        self.asked.append(path)
        return self.status, self.kind, b""


def campaign(work, name="c"):
    rounds = [Round(number=0, kind="describe", items="items-000.jsonl", projects=[Project(project=7)])]
    (work / "campaigns" / name).mkdir(parents=True)
    write_campaign(
        work / "campaigns" / name, Campaign(name=name, uid="c0ffee", server="http://127.0.0.1:1", rounds=rounds)
    )


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (200, "image/jpeg", "as they should be"),
        (401, "", "LABEL_STUDIO_API_KEY"),
        (404, "", "storage record"),
        (200, "text/html", "no picture"),
        (0, "", "no answer"),
    ],
)
def test_three_pictures_of_the_newest_campaign_are_looked_at(tmp_path, status, kind, said):
    campaign(tmp_path)
    server = Server(status, kind)
    line = pictures_seen(tmp_path, lambda work: server)
    assert line["ok"] == (said == "as they should be")
    assert said in line["detail"] and "\n" not in line["detail"]
    assert server.asked == [f"/data/local-files/?d=c/{number}.jpg&x" for number in range(3)]


def test_a_project_of_another_server_that_has_the_same_number_is_not_looked_at(tmp_path):
    campaign(tmp_path)
    server = Server(200)
    server.tasks = lambda project: iter([{"data": {"campaign": "another", "picture": '<img src="/a.jpg">'}}])
    line = pictures_seen(tmp_path, lambda work: server)
    assert not line["ok"] and "no task with a picture" in line["detail"]
    assert server.asked == []


def test_no_campaign_is_no_line_and_no_server_is_one(tmp_path):
    assert pictures_seen(tmp_path) is None
    campaign(tmp_path)

    def none(work):
        raise KitError("no Label Studio is running", "ufine-kit campaign serve")

    line = pictures_seen(tmp_path, none)
    assert not line["ok"] and "no Label Studio is running: ufine-kit campaign serve" in line["detail"]


def test_the_token_goes_nowhere_else(monkeypatch):
    asked = []
    monkeypatch.setattr("ufine_kit.campaign.seen._outside", lambda address: asked.append(address) or (404, ""))
    server = Server(200)
    bad = fetch(server, ["https://elsewhere/a.jpg", "//elsewhere/a.jpg", "data:image/jpeg;base64,AA=="])
    assert server.asked == [] and asked == ["https://elsewhere/a.jpg", "//elsewhere/a.jpg"]
    assert bad[0].startswith("`https://elsewhere/a.jpg` and 1 more: 404") and len(bad) == 1


def test_addresses_are_found_wherever_a_task_holds_them():
    data = {
        "a": '<img class="x" src="/1?a&amp;b" alt="">',
        "b": [{"c": '<p><img src="/2"></p>'}],
        "d": 3,
        "e": "no <b>picture</b>",
    }
    assert list(sources(data)) == ["/1?a&b", "/2"]
    assert list(sources('<div style="background-image:url(data:image/jpeg;base64,AA==);x"></div>')) == [
        "data:image/jpeg;base64,AA=="
    ]


def test_a_picture_keeps_its_name_and_an_odd_one_gets_a_digest():
    assert file_name("44981b23a7f909bed0faaa62") == "44981b23a7f909bed0faaa62.jpg"
    assert file_name("a/b") == f"{hashlib.sha256(b'a/b').hexdigest()[:32]}.jpg"
