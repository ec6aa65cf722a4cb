"""No name and no address of anybody who writes or reviews leaves the key file, whatever is made of a campaign."""

from __future__ import annotations

import json
import shutil

import pytest

from campaign.fake_server import TOKEN, FakeStudio
from campaign.gateway import PICTURES, Place
from campaign.spoken import told
from release.works import make_work, people
from typed import run_cli
from ufine_kit.campaign.create import create
from ufine_kit.campaign.kinds.describe import items
from ufine_kit.tables import CampaignTable

# The double of the server knows its users as the last two.
NAMES = (
    "Mei Example",
    "mei.example@example.net",
    "Bob Writer",
    "Zoë Reviewer",
    "user1@example.org",
    "user2@example.org",
)


def traces(work) -> list[str]:
    """Files but the key file that hold a name, an address or a piece of one."""
    pieces = [piece.encode().lower() for name in NAMES for piece in (name, name.split("@")[0])]
    return [
        f"{path.relative_to(work)}: {piece.decode()}"
        for path in sorted(work.rglob("*"))
        if path.is_file() and path.name != "writers.json"
        for piece in pieces
        if piece in path.read_bytes().lower()
    ]


@pytest.mark.full
def test_no_name_and_no_address_is_in_any_artefact_but_the_key_file(tmp_path):
    work = make_work(tmp_path / "work", people("ab", 3))
    shutil.rmtree(work / "descriptions")
    asked = items(work, "c", CampaignTable())
    with FakeStudio() as studio:
        other, token = studio.add_user()
        place = Place(studio.url, TOKEN, other, token, work / "campaigns" / "c")
        create(place.folder, "describe", asked, place.studio(), CampaignTable(), PICTURES)
        for n, number in enumerate(place.numbers().values()):
            place.answer(number, told(n * 5) if n else "Too short.", token if n % 2 else None)
        said = {"UFINE_LS_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN}
        ran = run_cli("campaign", "pull", "c", "-w", work, **said)
        assert ran.code == 0, ran.err
        ran = run_cli("campaign", "status", "c", "--who", "-w", work, **said)
        assert ran.code == 0 and NAMES[4] in ran.err and NAMES[4] not in ran.out, ran.err
    lines = [
        {
            "crop_id": "a0-0",
            "text": told(33),
            "writer": f"{NAMES[0]} <{NAMES[1]}>",
            "created_at": "2026-01-01T00:00:00Z",
        },
        {"crop_id": "a1-0", "decision": "drop", "reviewer": NAMES[3], "created_at": "2026-01-01T00:00:00Z"},
    ]
    (tmp_path / "by-file.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    spoken = []
    for words, code in (
        (["pull", "c", "--from", tmp_path / "by-file.jsonl"], 0),
        (["qc", "c"], 1),
        (["status", "c", "--html", work / "status.html"], 0),
        (["status"], 0),
        (["close", "c"], 0),
    ):
        ran = run_cli("campaign", *words, "-w", work)
        assert ran.code == code, ran.err
        spoken.append(ran.out + ran.err)
    ran = run_cli("build-release", "-w", work, "--set", "release.split_by=identity")
    assert ran.code == 0, ran.err
    assert traces(work) == []
    assert not [name for name in NAMES if name in "".join(spoken) + ran.out + ran.err]
    key = (work / "campaigns/c/writers.json").read_text()
    assert "Mei Example" in key and "Zoë" in key and NAMES[4] not in key, (
        "what the server knows of people is not asked for"
    )


def test_the_search_would_find_a_name(tmp_path):
    (tmp_path / "part.parquet").write_bytes(b"...BOB writer...")
    assert traces(tmp_path)
