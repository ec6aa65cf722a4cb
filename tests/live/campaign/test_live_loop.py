"""The whole of a campaign on the real server: asked, answered by two people, pulled, judged, mended, closed, released."""

from __future__ import annotations

import json
import re

import pytest

from live.campaign.server import MARKS
from release.works import crop, make_work
from typed import run_cli
from ufine_kit.dataset.reader import newest_releases, open_release, read_rows
from ufine_kit.ledger import read_ledger
from ufine_kit.parquet import read_rows as read_part
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

pytestmark = MARKS
PERSONS, EACH, NAME = 15, 2, "loop"
# What a text may hold and a careless way loses: spaces at its ends, lines, signs that look alike, direction, markup, escapes.
ODD = "  \r\n\tHer “café” bag — navy-blue, e\u0301 and é — hangs low; the ﬁne tag reads <b>&amp;\\n</b>.  \n \u200f"
STRANGE = ' \u200fAl-Ḥasan’s: "<script>alert(1)</script>"\x0b\\u0000 👩🏽‍🦰 \u2028 '  # kept to the byte all the same


@pytest.fixture(scope="module")
def work(label_studio, tmp_path_factory):
    """Thirty crops of the world with their verdicts; the shared server stands beside them."""
    folder = tmp_path_factory.mktemp("loop") / "work"
    samples = list(retrieval_set(PERSONS, EACH, captions_each=2, near_alike=0.0))
    people = {}
    for at, sample in enumerate(samples):
        name = f"p{sample.person_id}"
        row = crop(f"c{at:02d}", "abcde"[sample.person_id % 5], name, 10 * at, jpeg(sample.image))
        people.setdefault(name, []).append(row | {"width": 48, "height": 96})
    make_work(folder, people, texts=0)
    (folder / "descriptions").rename(folder / ".none")  # nobody has written anything yet
    (folder / "label-studio").symlink_to(label_studio.work / "label-studio")
    captions = {f"c{at:02d}": sample.captions for at, sample in enumerate(samples)}
    return folder, captions


class Campaign:
    """The commands of one campaign, and what two people do."""

    def __init__(self, work, captions, server):
        self.work, self.captions, self.server = work, captions, server
        self.said = {}

    def run(self, verb, *words, code=0):
        ran = run_cli("campaign", verb, *words, "--work", self.work, "--json")
        assert ran.code == code, ran.err
        return ran.json

    def answer(self, who, project, text_of):
        """Take what the stream gives and send what the page would send, until there is nothing left."""
        done = 0
        while (got := who.session.get(f"/api/projects/{project}/next")).status_code == 200:
            task = got.json()
            crop_id = re.search(r"/(c\d\d)\.jpg", json.dumps(task["data"]))[1]
            text = text_of(crop_id, task["data"])
            result = [{"from_name": "text", "to_name": "picture", "type": "textarea", "value": {"text": [text]}}]
            sent = who.session.post(
                f"/api/tasks/{task['id']}/annotations/",
                json={"result": result, "lead_time": 95.5, "project": project, "was_cancelled": False},
            )
            assert sent.status_code == 201, sent.text
            self.said[who.email, crop_id, project] = text
            done += 1
        return done


def test_the_words_that_come_out_are_those_that_went_in(work, label_studio, tmp_path):
    folder, captions = work
    anna, ben = label_studio.annotator("anna"), label_studio.annotator("ben")
    campaign = Campaign(folder, captions, label_studio)
    made = campaign.run("create", "describe", NAME)
    (project,) = [entry["project"] for entry in made["projects"]]
    assert made["added"] == PERSONS * EACH
    assert campaign.run("create", "describe", NAME)["added"] == 0

    first = {"c03": captions["c03"][0] + ODD, "c04": "A man.", "c05": STRANGE}
    assert campaign.answer(anna, project, lambda crop, _: first.get(crop, captions[crop][0])) == 30
    copied = {"c07": captions["c07"][0]}  # what Anna wrote
    assert campaign.answer(ben, project, lambda crop, _: copied.get(crop, captions[crop][1])) == 30
    pulled = campaign.run("pull", NAME)
    assert pulled["added"] == 60
    assert campaign.run("pull", NAME)["added"] == 0

    judged = campaign.run("qc", NAME, code=1)
    failed = {line["crop_id"] for line in judged["findings"] if line["refused"]}
    assert failed >= {"c04", "c07"} and judged["refused"] == judged["texts"] - judged["accepted"]
    refused = judged["refused"]

    mended = campaign.run("create", "fix", NAME)
    assert mended["added"] == refused
    assert campaign.run("create", "fix", NAME)["added"] == 0
    (again,) = [entry["project"] for entry in mended["projects"]]
    seen = {}

    def better(crop, data):
        seen[crop] = data
        return (
            next(retrieval_set(1, 1, captions_each=1, start=500 + len(seen))).captions[0]
            if crop == "c04"
            else (
                f"Seen from nearby: {captions[crop][1]}"
                if crop == "c07"
                else captions[crop][0] + " Nothing is in the hands."
            )
        )

    assert campaign.answer(anna, again, better) == refused
    assert "A man." in json.dumps(seen["c04"])
    assert "words" in json.dumps(seen["c04"]), "the reason stands beside the text"
    assert campaign.run("pull", NAME)["added"] == refused
    status = campaign.run("status", NAME)
    assert status["descriptions"] == 60
    closed = campaign.run("close", NAME)
    rows = [row for path in sorted((folder / "descriptions" / NAME).glob("*.parquet")) for row in read_part(path)]
    assert len(rows) + sum(closed["reasons"].values()) == 60
    assert {row["text"] for row in rows} <= set(campaign.said.values()), "no text that nobody wrote"
    assert [row["crop_id"] for row in rows if row["text"] == captions["c03"][0] + ODD] == ["c03"]
    kept = [entry["row"] for entry in read_ledger(folder / "campaigns" / NAME / "ledger").values()]
    assert sorted(row["answer"]["text"] for row in kept) == sorted(campaign.said.values())
    assert {row["parent_id"] is not None for row in rows if row["crop_id"] == "c04"} == {True, False}

    built = run_cli("build-release", "--work", folder, "--json", "--set", "release.split_by=identity")
    assert built.code == 0, built.err
    told = {
        (row["image_id"], text, origin["writer"])
        for release in newest_releases(folder, "dataset")
        for row in read_rows(open_release(release))
        for text, origin in zip(row["captions"], row["caption_origins"], strict=True)
    }
    assert told == {(row["crop_id"], row["text"], row["writer"]) for row in rows}
    assert_nobody_is_named(folder, [anna, ben])


def assert_nobody_is_named(folder, people):
    """No address, name or password of anybody in what the kit wrote; the key file holds numbers of accounts alone."""
    words = [word.encode() for one in people for word in (one.email, one.password, one.token)]
    for path in folder.rglob("*"):
        if path.is_file() and "label-studio" not in path.parts:
            content = path.read_bytes()
            assert not [word for word in words if word in content], path
