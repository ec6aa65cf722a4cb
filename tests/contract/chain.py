"""The chain as a user types it, on a small world: what each step is, and what lies on disk before and after it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typed import run_cli

# Crash points of every stage that makes parts, in the order a run passes them.
PARTS = ["part.rows", "part.before_replace", "part.parquet", "part.json"]
# Small: two videos of three seconds; their parts are kept apart so that there is something to run side by side.
WORLD = ["identities=6", "videos=2", "seconds=3", "shots=2", "people_per_shot=3"]
WORLD = [word for value in WORLD for word in ("--set", f"world.{value}")]
APART = ["--set", "extract.pack_seconds=0.1"]


@dataclass(frozen=True)
class Step:
    """One command of the chain; `words(work)` is what is typed for a work folder."""

    words: Callable[[Path], list[str]]


def _extract(work: Path) -> list[str]:
    world = work.parent / "world"
    return [
        "extract-tracklets",
        world / "videos",
        "--weights",
        world / "tracks",
        "-w",
        work,
        "-r",
        "demo",
        *APART,
        "--workers",
        "1",
    ]


STEPS = {
    "extract-tracklets": Step(_extract),
    "filter": Step(lambda work: ["filter", "-w", work, "--workers", "1"]),
    "campaign pull": Step(lambda work: ["campaign", "pull", "demo", "--from", work.parent / "texts.jsonl", "-w", work]),
    "campaign close": Step(lambda work: ["campaign", "close", "demo", "-w", work]),
    "build-release": Step(lambda work: ["build-release", "-w", work, "-r", "demo", "--set", "release.shards=2"]),
    "push-hub": Step(
        lambda work: ["push-hub", "--to", work / "hub", "-w", work, "-r", "demo", "--without-baseline", "a test"]
    ),
}
NAMES = list(STEPS)


def before(step: str) -> str:
    """The step whose results are what `step` starts from."""
    at = NAMES.index(step)
    return NAMES[at - 1] if at else "world"


def copy(chain: Path, step: str, to: Path) -> Path:
    """A work folder as it is after `step`, with the world beside it, to do with as one likes."""
    shutil.copytree(chain / step, to / "work")
    (to / "world").symlink_to(chain / "given")
    (to / "texts.jsonl").symlink_to(chain / "texts.jsonl")
    return to / "work"


def make_chain(folder: Path) -> Path:
    """Run every step once, unbroken, keeping a copy of the work folder after each."""
    checked("world", folder / "given", *WORLD)
    (folder / "world").mkdir()  # the work folder as it is before the first step
    run = folder / "run"
    run.mkdir()
    (run / "world").symlink_to(folder / "given")
    work = run / "work"
    for name, step in STEPS.items():
        if name == "campaign pull":
            checked("world", folder / "given", *WORLD, "--describe", work, "--texts", folder / "texts.jsonl")
            (run / "texts.jsonl").symlink_to(folder / "texts.jsonl")
        checked(*step.words(work))
        shutil.copytree(work, folder / name)
    return folder


def checked(*words: object) -> dict:
    """Run a command that has to work; its `--json` object."""
    ran = run_cli(*words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)
