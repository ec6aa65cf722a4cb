"""The Hub: one repository seen through `huggingface_hub`, its errors turned into one line, its token never shown.

Which acts are done in which order is not decided here.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from ufine_kit.errors import CheckFailed, KitError, need

Answer = TypeVar("Answer")
Kind = Literal["dataset", "model"]
AGAIN = "run the same command again: it goes on from here"
PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Place:
    """One repository on the Hub, as the token's `user` sees it. An act is tried `tries` times; the pause between doubles."""

    api: Any
    repo: str
    kind: Kind
    user: str
    tries: int = 4
    pause_seconds: float = 1.0


@dataclass(frozen=True)
class Seen:
    """A repository as it is: access, and the commit of every tag."""

    private: bool
    gated: str | bool
    tags: dict[str, str]


@dataclass(frozen=True)
class Remote:
    """One remote file. LFS and Xet files are known by sha256, small ones by their git blob's sha1."""

    size_bytes: int
    sha256: str | None
    git_sha1: str


@dataclass(frozen=True)
class Head:
    """The newest commit of main with its files, and who may read them."""

    private: bool
    gated: str | bool
    commit: str
    files: dict[str, Remote]


def open_place(repo: str, kind: Kind, no_xet: bool, tries: int, pause_seconds: float) -> Place:
    """The repository, with the token of HF_TOKEN or of the Hub's own stored login.

    Raises KitError for a name that is none, a missing token, a token that the Hub does not take, or a Hub out of reach.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", repo):
        raise KitError(f"`{repo}` is no repository", "write it as --repo organisation/name")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    hub: Any = need("huggingface_hub", "hub")
    utils: Any = need("huggingface_hub.utils", "hub")
    if no_xet:
        constants: Any = need("huggingface_hub.constants", "hub")
        constants.HF_HUB_DISABLE_XET = True
    if not sys.stderr.isatty():
        utils.disable_progress_bars()
    utils.logging.set_verbosity_error()
    token = hub.get_token()
    if not token:
        raise KitError("no token for the Hub", "hf auth login, or set HF_TOKEN to a token with write access")
    if not re.fullmatch(r"[!-~]+", token):
        # No header can carry it, and the client says so in words of its own, with a piece of the token.
        where = "HF_TOKEN" if os.environ.get("HF_TOKEN") else "the stored login"
        raise KitError(f"{where} is no token", "hf auth login, or set HF_TOKEN to a token with write access")
    api = hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    place = Place(api, repo, kind, "", tries, pause_seconds)
    user = asked(place, "asking who you are", lambda: str(api.whoami()["name"]))
    return replace(place, user=user)


def asked(place: Place, doing: str, act: Callable[[], Answer]) -> Answer:
    """The answer of one act. What may pass (429, 5xx, 409, 412, a cut line) is tried again; the rest is one line for people."""
    for turn in range(place.tries):
        with _told(place, doing, last=turn == place.tries - 1):
            return act()
        time.sleep(place.pause_seconds * 2**turn)
    raise AssertionError("the last try answers or raises")


@contextlib.contextmanager
def _told(place: Place, doing: str, last: bool) -> Generator[None]:
    """Turn what the client raises into KitError; before the last try, what may pass is passed over in silence."""
    try:
        yield
    except Exception as error:  # the HTTP stack and hf-xet raise errors of kinds that they do not name for good
        judged = _judged(place, doing, error)
        if judged is None:
            raise
        told, passing = judged
        if last or not passing:
            raise told from None


def _judged(place: Place, doing: str, error: Exception) -> tuple[KitError, bool] | None:
    """What to say of an error, and whether it may pass; None where it is none of the Hub's."""
    errors: Any = need("huggingface_hub.errors", "hub")
    cause = error.__cause__
    # A download that fails is a ValueError or a missing local entry, and the fault is what it came from.
    wrapped = isinstance(error, ValueError | errors.LocalEntryNotFoundError) and isinstance(cause, Exception)
    fault = cause if wrapped and isinstance(cause, Exception) else error
    if isinstance(fault, errors.HfHubHTTPError):
        code = int(getattr(getattr(fault, "response", None), "status_code", 0) or 0)
        if fault is error or code != 400:
            return _explained(place, doing, code, fault), code in PASSING
    if isinstance(
        fault, json.JSONDecodeError | errors.FileMetadataError
    ):  # something before the Hub answered in its place
        return KitError(
            f"{doing}: the answer is not the Hub's", f"look at the network and HF_ENDPOINT; then {AGAIN}"
        ), True
    short = isinstance(fault, OSError) and str(fault).startswith("Consistency check failed")  # too few bytes came
    if short or _from_the_line(fault) or isinstance(error, errors.LocalEntryNotFoundError):
        return _unreachable(doing, fault), True
    if isinstance(error, ValueError):  # of a 400: what the Hub says of the card before it takes it
        said = " ".join(str(error).split())[:300]
        return KitError(f"{doing}: the Hub refuses it: {said}", "mend the card's words in the recipe"), False
    return None


def _from_the_line(error: Exception) -> bool:
    known = ("httpx", "httpcore", "hf_xet", "h11", "requests")
    return type(error).__module__.startswith(known) or isinstance(error, RuntimeError | ConnectionError | TimeoutError)


def _explained(place: Place, doing: str, code: int, error: Exception) -> KitError:
    if code == 401:
        return KitError(
            f"{doing}: the Hub does not take this token (401)", "hf auth login, or set HF_TOKEN to a new token"
        )
    if code == 403:
        who = f" of `{place.user}`" if place.user else ""
        return KitError(
            f"{doing}: the token{who} has no right to write to `{place.repo}` (403)",
            f"ask for write access to `{place.repo.partition('/')[0]}`, or name another --repo",
        )
    if code == 404 and "xet" in str(getattr(error, "response", "") and error.response.url):  # type: ignore[attr-defined]
        return KitError(f"{doing}: this Hub takes no Xet uploads", "repeat the command with --no-xet")
    if code == 404:
        return KitError(f"{doing}: `{place.repo}` is not there or not yours to see (404)", "name another --repo")
    if code in (409, 412):
        return KitError(f"{doing}: somebody else is changing `{place.repo}` ({code})", AGAIN)
    if code == 400:
        return KitError(f"{doing}: the Hub refuses it (400)", f"look at `{place.repo}` on the Hub; then {AGAIN}")
    return KitError(f"{doing}: the Hub answers {code}", AGAIN)


def _unreachable(doing: str, error: Exception) -> KitError:
    text = str(error).lower()
    if "xet" in text or "xet" in type(error).__module__ or "cas" in text.split():
        return KitError(f"{doing}: the Xet upload fails", f"repeat the command with --no-xet, or {AGAIN}")
    return KitError(f"{doing}: the Hub is out of reach", f"look at the network and HF_ENDPOINT; then {AGAIN}")


def see(place: Place) -> Seen | None:
    """The repository as it is; None where there is none that this token sees."""
    errors: Any = need("huggingface_hub.errors", "hub")

    def look() -> Seen | None:
        try:
            info = place.api.repo_info(place.repo, repo_type=place.kind)
        except errors.RepositoryNotFoundError as error:
            if error.response.status_code == 401:
                raise
            return None
        return Seen(bool(info.private), info.gated or False, _tags(place))

    return asked(place, f"looking at `{place.repo}`", look)


def head(place: Place) -> Head:
    """Main as it is, in one answer: whoever compares its files knows which commit he compared."""

    def look() -> Head:
        info = place.api.repo_info(place.repo, repo_type=place.kind, files_metadata=True)
        there = {
            entry.rfilename: Remote(entry.size or 0, entry.lfs.sha256 if entry.lfs else None, entry.blob_id or "")
            for entry in info.siblings or ()
        }
        return Head(bool(info.private), info.gated or False, str(info.sha), there)

    return asked(place, f"looking at `{place.repo}`", look)


def files(place: Place, revision: str) -> dict[str, Remote]:
    """Every file of a revision by path, from the listing alone."""

    def look() -> dict[str, Remote]:
        entries = place.api.list_repo_tree(place.repo, recursive=True, revision=revision, repo_type=place.kind)
        return {
            entry.path: Remote(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
            for entry in entries
            if hasattr(entry, "blob_id")
        }

    return asked(place, f"listing `{revision}` of `{place.repo}`", look)


def create(place: Place) -> None:
    """Create the repository, private. One that is there already stays as it is."""
    asked(
        place,
        f"creating `{place.repo}`",
        lambda: place.api.create_repo(place.repo, repo_type=place.kind, private=True, exist_ok=True),
    )


def gate(place: Place, how: str) -> None:
    """Close the gate: readers ask (`manual`) or agree (`auto`) before they see a file."""
    asked(
        place,
        f"gating `{place.repo}`",
        lambda: place.api.update_repo_settings(place.repo, gated=how, repo_type=place.kind),
    )


def publish(place: Place) -> None:
    """Make the repository public."""
    asked(
        place,
        f"making `{place.repo}` public",
        lambda: place.api.update_repo_settings(place.repo, visibility="public", repo_type=place.kind),
    )


def our_pull_request(place: Place, title: str) -> int | None:
    """The number of an open pull request of that title that this user made; None where there is none."""
    return asked(place, f"looking for a pull request on `{place.repo}`", lambda: _ours(place, title))


def _ours(place: Place, title: str) -> int | None:
    found = place.api.get_repo_discussions(place.repo, repo_type=place.kind, discussion_type="pull_request")
    open_ones = [entry for entry in found if entry.title == title and entry.status in ("open", "draft")]
    return next((int(entry.num) for entry in open_ones if entry.author == place.user), None)


def propose(place: Place, folder: Path, title: str, number: int | None, delete: Sequence[str]) -> int:
    """Bring a folder into pull request `number`, or into a new one; returns its number.

    What is there already is not sent again, and `delete` are paths to take away.
    """
    turns = itertools.count()

    def act() -> int:
        again = next(turns) > 0  # an answer may have been lost: then the pull request is there
        ours = _ours(place, title) if number is None and again else number
        where = {"revision": f"refs/pr/{ours}"} if ours else {"create_pr": True}
        done = place.api.upload_folder(
            repo_id=place.repo, folder_path=folder, repo_type=place.kind, commit_message=title,
            delete_patterns=list(delete) or None, **where,
        )  # fmt: skip
        return ours or int(done.pr_num)

    return asked(place, f"uploading to `{place.repo}`", act)


def merge(place: Place, number: int) -> None:
    """Merge a pull request into main; one that is merged already stays so."""

    def act() -> None:
        status = place.api.get_discussion_details(place.repo, number, repo_type=place.kind).status
        if status == "merged":
            return
        if status == "draft":
            place.api.change_discussion_status(place.repo, number, "open", repo_type=place.kind)
        place.api.merge_pull_request(place.repo, number, repo_type=place.kind)

    asked(place, f"merging pull request {number} of `{place.repo}`", act)


def tag(place: Place, name: str, commit: str) -> None:
    """Set a tag on a commit. Raises KitError where the tag stands on another commit: it is never moved."""
    errors: Any = need("huggingface_hub.errors", "hub")

    def act() -> None:
        try:
            place.api.create_tag(place.repo, tag=name, revision=commit, repo_type=place.kind)
        except errors.HfHubHTTPError as error:
            there = _tags(place).get(name) if error.response.status_code == 409 else None
            if there is None:
                raise
            if there != commit:
                raise KitError(
                    f"tag `{name}` of `{place.repo}` stands on another commit, and a tag is never moved",
                    "ufine-kit build-release with another --version, then push that",
                ) from None

    asked(place, f"tagging `{place.repo}` with {name}", act)


def untag(place: Place, name: str) -> None:
    """Withdraw a tag; one that is not there stays so."""

    def act() -> None:
        if name in _tags(place):
            place.api.delete_tag(place.repo, tag=name, repo_type=place.kind)

    asked(place, f"withdrawing tag {name} of `{place.repo}`", act)


def _tags(place: Place) -> dict[str, str]:
    refs = place.api.list_repo_refs(place.repo, repo_type=place.kind)
    return {tag.name: tag.target_commit for tag in refs.tags}


def commits(place: Place, revision: str = "main") -> list[str]:
    """Commits of a revision, newest first."""
    return [
        str(commit.commit_id)
        for commit in asked(
            place,
            f"reading the history of `{place.repo}`",
            lambda: place.api.list_repo_commits(place.repo, revision=revision, repo_type=place.kind),
        )
    ]


def squash(place: Place, message: str) -> None:
    """Make main one commit: what it held before is no part of its history any more."""
    asked(
        place,
        f"squashing the history of `{place.repo}`",
        lambda: place.api.super_squash_history(place.repo, branch="main", commit_message=message, repo_type=place.kind),
    )


def stored(place: Place) -> list[Any]:
    """Every large file that the Hub stores for the repository, whatever revision names it."""
    return asked(
        place, f"listing what `{place.repo}` stores",
        lambda: list(place.api.list_lfs_files(place.repo, repo_type=place.kind)),
    )  # fmt: skip


def delete_stored(place: Place, items: Sequence[Any]) -> None:
    """Delete large files for good, and what names them from every history."""
    asked(
        place,
        f"deleting stored files of `{place.repo}`",
        lambda: place.api.permanently_delete_lfs_files(place.repo, items, rewrite_history=True, repo_type=place.kind),
    )


def read_back(place: Place, revision: str, path: str, folder: Path) -> str:
    """sha256 of a file as the Hub serves it, downloaded into `folder` and taken away again."""

    def act() -> str:
        found = Path(
            place.api.hf_hub_download(
                place.repo, path, revision=revision, repo_type=place.kind, local_dir=folder, force_download=True
            )
        )
        with found.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found.unlink()
        return digest

    return asked(place, f"reading `{path}` back from `{place.repo}`", act)


def git_sha1(path: Path) -> str:
    """The sha1 by which git knows a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def refuse_wrong(place: Place, revision: str, wrong: Sequence[str]) -> None:
    """Raise CheckFailed that names the first file that is not as it is here."""
    if wrong:
        raise CheckFailed(
            f"`{wrong[0]}` in `{revision}` of `{place.repo}` is not what was sent (and {len(wrong) - 1} more)",
            f"nothing was merged; {AGAIN}",
        )
