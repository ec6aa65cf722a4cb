"""What may not go out does not: one line with the mend, exit 1 or 2, and nothing on the Hub."""

from __future__ import annotations

import json
import shutil

import pytest

from live.hub.making import recipe_text, release, tombstone
from live.hub.test_hub_live_faults import is_error
from live.hub.world import Repo

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("hub")]


def damage(push) -> None:
    shard = next((push.work / "releases/toy/0.1.0/data").glob("test-*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def damage_before_the_check(push) -> None:
    damage(push)
    shutil.rmtree(push.work / "checks")


def foreign_record(push) -> None:
    digest = json.loads((push.work / "releases/toy/0.1.0/release.json").read_text())["data_digest"]
    folder = push.work / "baselines" / digest[:16]
    folder.mkdir(parents=True)
    entry = {
        "data_digest": "f" * 64, "metrics": {"R@1": 50.0}, "synthetic": True, "queries": 1, "gallery": 1, "identities": 1,
        "checkpoint": {"name": "t", "selection": {"rule": "r"}}, "release": {"split": "test"},
    }  # fmt: skip
    (folder / "t-test.json").write_text(json.dumps(entry))


def put_tombstone(push) -> None:
    (push.work / "releases/toy/removed.jsonl").write_text(json.dumps(tombstone("p03", "0.2.0")) + "\n")


def write_recipe(push, **changes) -> None:
    (push.work / "recipe.toml").write_text(recipe_text(**changes))


REFUSED = {
    "failed check": (damage_before_the_check, {}, 1, "check-release"),
    "changed since its check": (damage, {}, 1, "is not what SHA256SUMS says"),
    "missing record": (None, {"reason": False}, 1, "--without-baseline REASON"),
    "foreign record": (foreign_record, {"reason": False}, 1, "no baseline record for the rows"),
    "dirty card": (lambda push: write_recipe(push, pay=""), {}, 1, "card.pay is blank"),
    "tombstone": (put_tombstone, {}, 1, "was taken out of `toy`"),
    "wrong token": (None, {"token": "hf_wrongwrongwrongwrong"}, 2, "HF_TOKEN"),
    "no token": (None, {"token": None}, 2, "no token for the Hub"),
    "no rights": (None, {"token": "hf_readerreaderreader"}, 2, "no right to write to `org/set`"),
    "unknown licence": (lambda push: release(push.work, "0.3.0", recipe={"license": "my-own"}), {}, 1, "licence"),
    "hub away": (None, {"HF_ENDPOINT": "http://127.0.0.1:9"}, 2, "out of reach"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line_and_nothing_is_sent(hub, push, case):
    harm, flags, code, said = REFUSED[case]
    if harm:
        harm(push)
    ran = push("--set", "hub.tries=1", **flags)
    assert is_error(ran) and ran.code == code, ran.err
    assert said in ran.err
    assert hub.repos == {}


def test_without_a_repository_it_says_how_to_name_one(push):
    ran = push("--no-repo")
    assert is_error(ran) and ran.code == 2 and "--repo ORG/NAME" in ran.err


def test_a_name_that_is_none_is_refused(push):
    ran = push("--repo", "nobody")
    assert is_error(ran) and ran.code == 2 and "--repo organisation/name" in ran.err


def test_a_tag_with_other_rows_is_never_moved(hub, push):
    assert push().code == 0
    tags = dict(hub.repo().tags)
    folder = push.work / "releases/toy"
    (folder / "0.1.0").rename(folder / "kept")
    release(push.work, "0.1.0", recipe={"license": "mit"})
    ran = push()
    assert is_error(ran) and ran.code == 2 and "a tag is never moved" in ran.err
    assert hub.repo().tags == tags and len(hub.repo().requests) == 1


def test_an_older_version_does_not_go_over_a_newer_one(hub, push):
    release(push.work, "0.2.0")
    assert push(push.work / "releases/toy/0.2.0").code == 0
    ran = push(push.work / "releases/toy/0.1.0")
    assert is_error(ran) and "has v0.2.0 already" in ran.err
    assert len(hub.repo().requests) == 1


def test_a_public_place_without_a_gate_gets_nothing(hub, push):
    hub.repos["dataset", "org/set"] = Repo("org/set", "dataset", "owner", private=False, allowed={"owner"})
    ran = push()
    assert is_error(ran) and ran.code == 2 and "public and has no gate" in ran.err
    assert hub.repo().history == ["main"]


def test_a_gate_that_does_not_close_gives_no_tag_and_nothing_public(hub, push, monkeypatch):
    from live.hub import routes

    monkeypatch.setattr(routes, "settings", lambda *_: routes.said({}))
    ran = push("--public", "--yes")
    assert is_error(ran) and ran.code == 2 and "did not close the gate" in ran.err
    assert hub.repo().private and not hub.repo().tags


def test_even_the_debugging_traceback_holds_no_token(hub, push):
    hub.expire_after = 3
    ran = push(UFINE_DEBUG="1")
    assert "Traceback" in ran.err
    assert "hf_owner" not in ran.err
