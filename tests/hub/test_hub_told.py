"""Errors of the client become one line: what passes is tried again, what the owner can mend names the mend."""

from __future__ import annotations

import json

import pytest

from ufine_kit.adapters.hub import Place, asked, open_place
from ufine_kit.errors import KitError

pytestmark = pytest.mark.full


def http(code: int) -> Exception:
    errors = pytest.importorskip("huggingface_hub.errors")
    httpx = pytest.importorskip(errors.HfHubHTTPError.__mro__[1].__module__.partition(".")[0])
    request = httpx.Request("GET", "http://hub/x")
    return errors.HfHubHTTPError("told", response=httpx.Response(code, request=request))


def download(cause: Exception | None, kind: type[Exception] = ValueError) -> Exception:
    error = kind("Force download failed due to the above error.")
    error.__cause__ = cause
    return error


def nothing_local(cause: Exception | None) -> Exception:
    return download(cause, pytest.importorskip("huggingface_hub.errors").LocalEntryNotFoundError)


def headless() -> Exception:
    return pytest.importorskip("huggingface_hub.errors").FileMetadataError("no X-Repo-Commit")


CASES = {
    "a cut line": (lambda: ConnectionResetError("gone"), "out of reach", 3),
    "a cut line under a download": (lambda: download(ConnectionResetError("gone")), "out of reach", 3),
    "a busy Hub under a download": (lambda: download(http(503)), "answers 503", 3),
    "a refusal under a download": (lambda: download(http(403)), "no right to write", 1),
    "no local entry": (lambda: nothing_local(None), "out of reach", 3),
    "no local entry for a cut line": (lambda: nothing_local(TimeoutError()), "out of reach", 3),
    "an answer without its headers": (lambda: download(headless()), "not the Hub's", 3),
    "a file that came short": (
        lambda: OSError("Consistency check failed: file should be of size 9"),
        "out of reach",
        3,
    ),
    "another answer": (lambda: json.JSONDecodeError("x", "x", 0), "not the Hub's", 3),
    "a card's fault": (lambda: ValueError("license must be one of"), "the Hub refuses it: license must be one of", 1),
    "a card's fault with a reason": (lambda: download(KeyError("x")), "the Hub refuses it: Force", 1),
    "a card's fault that was a 400": (lambda: download(http(400)), "the Hub refuses it: Force", 1),
    "a plain 400": (lambda: http(400), r"the Hub refuses it \(400\)", 1),
}


@pytest.mark.parametrize("case", CASES)
def test_what_may_pass_is_tried_again_and_told_for_what_it_is(case):
    make, said, tries = CASES[case]
    place, turns = Place(None, "org/set", "dataset", "owner", tries=3, pause_seconds=0.0), []

    def act() -> None:
        turns.append(1)
        raise make()

    with pytest.raises(KitError, match=said) as caught:
        asked(place, "reading it back", act)
    assert len(turns) == tries
    assert ("mend the card" in caught.value.mend) == case.startswith("a card's")


def test_a_fault_of_our_own_is_not_taken_for_the_hubs():
    def act() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        asked(Place(None, "org/set", "dataset", "owner"), "reading", act)


@pytest.mark.parametrize("token", ["hf_pässwörd", "hf_one two", "hf_\u2026"])
def test_a_token_that_no_header_can_carry_is_named_and_not_shown(monkeypatch, token):
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(KitError, match="HF_TOKEN is no token") as caught:
        open_place("org/set", "dataset", False, 1, 0.0)
    assert token not in f"{caught.value.problem} {caught.value.mend}"
