"""`campaign create` and `campaign pull` as they are typed, against a double of Label Studio."""

from __future__ import annotations

import json

import pytest

from campaign.fake_server import TOKEN, FakeStudio
from release.works import crop, make_work
from typed import run_cli, snapshot
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Six kept crops of three persons."""
    folder = tmp_path_factory.mktemp("create") / "work"
    people: dict[str, list] = {}
    for at, sample in enumerate(retrieval_set(3, 2, captions_each=1, near_alike=0.0)):
        name = f"p{sample.person_id}"
        row = crop(f"c{at:02d}", "abc"[sample.person_id % 3], name, 10 * at, jpeg(sample.image))
        people.setdefault(name, []).append(row | {"width": 48, "height": 96})
    make_work(folder, people, texts=0)
    return folder


def test_a_name_that_nobody_created_has_nothing_to_fix_in_a_dry_run_too(work):
    ran = run_cli("campaign", "create", "fix", "typo", "--work", work, "--dry-run")
    assert ran.code == 2, ran.out
    assert f"hint: ufine-kit campaign status typo --work {work}" in ran.err
    ran = run_cli("campaign", "status", "typo", "--work", work)
    assert f"hint: ufine-kit campaign pull typo --from texts.jsonl --work {work}" in ran.err


def test_a_file_without_a_line_that_counts_is_not_followed_by_close(work, tmp_path):
    (tmp_path / "none.jsonl").write_text("\n")
    ran = run_cli("campaign", "pull", "empty", "--from", tmp_path / "none.jsonl", "--work", work)
    assert (ran.code, "next:" in ran.err) == (0, False), ran.err
    assert run_cli("campaign", "pull", "gone", "--from", tmp_path / "gone.jsonl", "--work", work).code == 2
    assert not (work / "campaigns/gone").exists()


def test_from_crops_to_the_ledger(work):
    with FakeStudio() as studio:
        env = {"UFINE_LS_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN}

        def run(*words, code=0, **more):
            ran = run_cli("campaign", *words, "--work", work, "--json", **(env | more))
            assert ran.code == code, ran.err
            assert TOKEN not in ran.out + ran.err
            return ran.json if code == 0 else ran.err

        held = snapshot(work)
        told = run("create", "describe", "--dry-run")
        assert told["projects"] == [{"face": "describe", "seat": None, "tasks": 6}]
        assert "No Label Studio" not in json.dumps(told)
        assert snapshot(work) == held
        assert studio.asked == []

        assert run("create", "describe")["added"] == 6
        assert run("create", "describe")["added"] == 0
        assert studio.storages[0]["path"].endswith("label-studio/files/describe")
        words = {
            "from_name": "text",
            "to_name": "picture",
            "type": "textarea",
            "value": {"text": ["A man in a red coat."]},
        }
        studio._post_answer(1, {}, {"result": [words]}, 1)
        assert run("pull", "--dry-run")["added"] == 1
        assert run("pull")["added"] == 1, "the only campaign needs no name"
        assert run("pull", "describe", "--full")["added"] == 0

        studio.projects.clear()
        assert "error" not in (said := run("pull", code=1))
        assert "was deleted" in said
        assert "--restore-tasks" in run("create", "describe", code=2)
        assert "takes no legacy" not in said
        studio.legacy_off = True
        assert "personal access token" in run("pull", code=2)
        assert "no token for the server" in run("pull", code=2, LABEL_STUDIO_API_KEY="")


def test_everybody_cannot_be_asked_the_same_in_a_project_that_gives_each_item_to_two(work):
    ran = run_cli(
        "campaign", "create", "describe", "qualified", "--set", "campaign.qualify=2", "--work", work, "--dry-run"
    )
    assert ran.code == 2
    assert "give --seats N" in ran.err
    seated = ["--set", "campaign.qualify=2", "--seats", "3", "--work", work, "--dry-run", "--json"]
    projects = run_cli("campaign", "create", "describe", "qualified", *seated).json["projects"]
    assert sum(one["tasks"] for one in projects) == 3 * 2 + 2 * 4
