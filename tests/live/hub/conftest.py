"""One loopback Hub a test, a work folder with a release, and the command run against it in a process of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from live.hub.making import recipe_text, release
from typed import REPO, SECONDS, Ran, _command, _forks

TOKEN = "hf_ownerownerownerowner"
LOADED = [
    "ufine_kit.cli.app",
    "ufine_kit.recipe",
    "ufine_kit.hub.repository",
    "ufine_kit.hub.push",
    "ufine_kit.hub.folder",
]


class Pusher:
    """Runs `push-hub` against the double, forked for each command, and remembers all that was said."""

    def __init__(self, hub, work: Path, home: Path) -> None:
        self.hub, self.work, self.home, self.said = hub, work, home, []

    def __call__(
        self,
        *words: object,
        crash_at: str | None = None,
        token: str | None = TOKEN,
        reason: bool = True,
        xet=False,
        **env: str,
    ) -> Ran:
        if "--repo" not in words and "--no-repo" not in words:
            words = ("--repo", "org/set", *words)
        words = [word for word in words if word != "--no-repo"]
        typed = ["push-hub", *words, "-w", self.work, "-r", self.work / "recipe.toml"]
        typed += ["--without-baseline", "a test"] if reason else []
        typed += [] if xet else ["--no-xet"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("UFINE_", "HF_"))}
        clean |= {
            "HF_ENDPOINT": self.hub.url, "HF_HOME": str(self.home), "HF_XET_CACHE": str(self.home / "xet"),
            **env,
        }  # fmt: skip
        if token:
            clean["HF_TOKEN"] = token
        if crash_at:
            clean["UFINE_CRASH_AT"] = crash_at
        ran = run([str(word) for word in typed], clean, self.hub)
        self.said.append(ran.out + ran.err)
        return ran


def run(typed: list[str], env: dict[str, str], hub) -> Ran:
    with tempfile.TemporaryDirectory() as folder:
        streams = [str(Path(folder) / name) for name in ("out", "err")]
        process = _forks.Process(target=_command, args=(typed, str(REPO), env, *streams))
        hub.victim = 0
        process.start()
        hub.victim = process.pid
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
        out, err = (Path(stream).read_text(encoding="utf-8") for stream in streams)
        return Ran(process.exitcode, out, err)


@pytest.fixture(scope="session", autouse=True)
def _client_is_loaded_once():
    """The forked commands find the real client and the kit loaded: that is most of what a small push costs."""
    from typed import LIBRARIES

    _forks.set_forkserver_preload([*LIBRARIES, "huggingface_hub.hf_api", *LOADED])


@pytest.fixture
def hub():
    pytest.importorskip("uvicorn")
    pytest.importorskip("huggingface_hub")
    from live.hub.double import Hub

    with Hub() as running:
        yield running


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A work folder with version 0.1.0."""
    work = tmp_path_factory.mktemp("made")
    release(work)
    (work / "recipe.toml").write_text(recipe_text() + "[hub]\npause_seconds = 0.01\n")
    return work


@pytest.fixture
def push(hub, made, tmp_path):
    from live.hub.making import copy

    pusher = Pusher(hub, copy(made, tmp_path / "work"), tmp_path / "home")
    yield pusher
    for token in hub.tokens:
        for said in pusher.said:
            assert token not in said
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        sent = [
            blob.content
            for repo in hub.repos.values()
            for commit in repo.commits.values()
            for blob in commit.tree.values()
        ]
        assert not [content for content in [*kept, *sent] if token.encode() in content]
