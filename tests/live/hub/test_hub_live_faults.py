"""Nothing half: whatever fails, at whatever step, main holds the old version or the new one, and a rerun completes it."""

from __future__ import annotations

import pytest

from live.hub.making import recipe_text
from live.hub.test_hub_live_push import whole

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("hub")]

STEPS = {
    "create": ("POST", "/repos/create"),
    "gate": ("PUT", "/settings"),
    "list": ("GET", "/tree/refs"),
    "look": ("GET", "/discussions"),
    "card": ("POST", "/validate-yaml"),
    "ask": ("POST", "/preupload/"),
    "batch": ("POST", "/objects/batch"),
    "send": ("PUT", "/store/"),
    "commit": ("POST", "/commit/"),
    "merge": ("POST", "/merge"),
    "tag": ("POST", "/tag/"),
}
FILES = 26


def state(hub) -> str:
    """What main is: `nothing`, `whole`, or the number of files that should never be."""
    if not hub.repos:
        return "nothing"
    held = len(whole(hub))
    return {0: "nothing", FILES: "whole"}.get(held, f"{held} files")


def is_error(ran) -> bool:
    return ran.code in (1, 2) and "Traceback" not in ran.err and ran.err.count("error: ") == 1 and "hint: " in ran.err


@pytest.mark.parametrize("what", [429, 500, 503, 409, 412, "cut", "lost"])
def test_every_step_may_fail_once_and_main_is_never_partial(hub, push, what):
    headers = {"RateLimit": '"api";r=0;t=0'} if what == 429 else {}
    for method, path in STEPS.values():
        hub.fault(method, path, what, headers=headers)
    for _ in range(1 if what == "lost" else 4):  # a lost answer is looked for at once
        ran = push()
        assert state(hub) in ("nothing", "whole")
        assert ran.code == 0 or is_error(ran), ran.err
        if ran.code == 0:
            break
    assert ran.code == 0, ran.err
    assert state(hub) == "whole" and hub.repo().tags == {"v0.1.0": hub.repo().refs["main"]}
    assert hub.repo().gated == "manual" and hub.repo().private
    assert len(hub.repo().requests) == 1 and hub.repo().history.count("main") == 2, "one proposal, merged once"


@pytest.mark.parametrize("step", ["create", "gate", "look", "commit", "merge", "tag"])
def test_a_step_that_keeps_failing_is_one_line_and_a_rerun_completes(hub, push, step):
    method, path = STEPS[step]
    hub.fault(method, path, 503, times=99)
    ran = push("--set", "hub.tries=2")
    assert is_error(ran) and ran.code == 2 and "503" in ran.err and "run the same command again" in ran.err
    assert state(hub) == ("whole" if step == "tag" else "nothing") and not (hub.repos and hub.repo().tags)
    hub.faults.clear()
    assert push().code == 0
    assert state(hub) == "whole" and len(hub.repo().requests) == 1 and "v0.1.0" in hub.repo().tags


def test_killed_at_each_point_in_turn_the_next_run_goes_on_from_there(hub, push):
    points = [
        "push.created", "push.gated", None, "push.uploaded", "push.verified", "push.merged", "push.tagged",
        "push.shown",
    ]  # fmt: skip
    for point in points:
        if point is None:  # while files are being sent
            hub.fault("PUT", "/store/", "kill", skip=4)
        ran = push("--public", "--yes", crash_at=point)
        assert ran.code in (137, -9), (point, ran.err)
        hub.faults.clear()
        reached = point in ("push.merged", "push.tagged", "push.shown")
        assert state(hub) == ("whole" if reached else "nothing"), point
        assert hub.repo().private or point == "push.shown"
    assert push("--public", "--yes").code == 0
    repo = hub.repo()
    assert repo.history.count("main") == 2 and len(repo.requests) == 1, "one proposal, merged once"
    assert repo.tags == {"v0.1.0": repo.refs["main"]} and not repo.private and repo.gated == "manual"


def test_a_flipped_byte_stops_the_merge_and_a_rerun_sends_the_file_again(hub, push):
    hub.flip_stored = "data/train-00000-of-00003.parquet"
    ran = push()
    assert is_error(ran) and ran.code == 1 and hub.flip_stored in ran.err
    assert state(hub) == "nothing" and not hub.repo().tags and hub.repo().requests[0].status == "open"
    hub.flip_stored = None
    assert push().code == 0
    assert state(hub) == "whole" and len(hub.repo().requests) == 1


def test_a_byte_that_is_only_flipped_when_read_is_found_by_reading_back(hub, push):
    hub.flip_served = "texts/val-00001-of-00003.parquet"
    ran = push("--set", "hub.read_back=true")
    assert is_error(ran) and ran.code == 1 and hub.flip_served in ran.err
    assert state(hub) == "nothing" and not hub.repo().tags
    hub.flip_served = None
    assert push("--set", "hub.read_back=true").code == 0
    assert state(hub) == "whole"


@pytest.mark.parametrize("what", ["cut", 503])
def test_a_line_that_is_cut_while_reading_back_is_tried_again(hub, push, what):
    hub.fault("HEAD", "/resolve/", what, skip=3)
    ran = push("--set", "hub.read_back=true")
    assert ran.code == 0, ran.err
    assert state(hub) == "whole" and [fault.times for fault in hub.faults] == [0], "it was cut"


@pytest.mark.parametrize("after", [3, 12, 40])
def test_a_token_that_expires_on_the_way_is_named_and_the_next_one_completes(hub, push, after):
    hub.expire_after = after
    ran = push()
    assert is_error(ran) and ran.code == 2 and "HF_TOKEN" in ran.err, ran.err
    assert state(hub) == "nothing"
    hub.expire_after = None
    assert push().code == 0
    assert state(hub) == "whole"


def test_a_hub_without_xet_is_named_with_the_flag_that_mends_it(hub, push):
    ran = push("--set", "hub.tries=1", xet=True)
    assert is_error(ran) and "--no-xet" in ran.err, ran.err
    assert state(hub) == "nothing"
    assert push().code == 0 and state(hub) == "whole"


def test_a_card_that_the_hub_refuses_is_told_in_its_words(hub, push):
    hub.refuse_card = "license must be one of"
    ran = push()
    assert is_error(ran) and "license must be one of" in ran.err
    assert state(hub) == "nothing"


def test_main_is_compared_once_more_where_the_tag_stands_already(hub, push, monkeypatch):
    from live.hub.world import Blob

    assert push().code == 0
    repo, tags = hub.repo(), dict(hub.repo().tags)
    merge = repo.merge

    def meddled(number: int) -> None:
        merge(number)
        tree = repo.find("main").tree | {"data/x.parquet": Blob(b"his", True)}
        repo.commit("main", tree, "his", repo.refs["main"])

    monkeypatch.setattr(repo, "merge", meddled)
    (push.work / "recipe.toml").write_text(recipe_text(funding="another card") + "[hub]\npause_seconds = 0.01\n")
    ran = push()
    assert is_error(ran) and ran.code == 1 and "changed by somebody else" in ran.err, ran.err
    assert "v0.1.0 stays as it is" in ran.err and repo.tags == tags


ASIDE = ["--purge --to out", "--public --to out", "--purge --public", "--to out --with-model checkpoints/x"]


@pytest.mark.parametrize("flags", [line.split() for line in ASIDE], ids=ASIDE)
def test_flags_that_would_be_passed_over_are_refused(hub, push, flags):
    ran = push(*flags)
    assert is_error(ran) and ran.code == 2 and "do not go together" in ran.err, ran.err
    assert state(hub) == "nothing"


def test_somebody_who_changes_main_meanwhile_gets_no_tag_on_his_mix(hub, push):
    from live.hub.world import Blob

    assert push(crash_at="push.verified").code == 137
    repo = hub.repo()
    repo.commit("main", repo.find("main").tree | {"data/x.parquet": Blob(b"his", True)}, "his", repo.refs["main"])
    ran = push()
    assert is_error(ran) and "changed by somebody else" in ran.err and not repo.tags
    assert push().code == 0
    assert state(hub) == "whole" and repo.tags == {"v0.1.0": repo.refs["main"]}
