"""Every command that writes is killed at each of its named points and resumed: the bytes are those of an unbroken run."""

from __future__ import annotations

import json
import re

import pytest

from contract.chain import PARTS, STEPS, before, copy
from typed import run_cli, snapshot
from ufine_kit import crash
from ufine_kit.cli.app import names

pytestmark = pytest.mark.xdist_group("chain")

POINTS = {
    "extract-tracklets": [
        "plan.written",
        "extract.decode",
        "extract.track",
        "extract.encode",
        *PARTS,
        "part.attachment",
    ],
    "filter": ["plan.written", *PARTS],
    "campaign pull": ["ledger.torn", "ledger.appended"],
    "campaign close": ["plan.written", *PARTS],
    "build-release": ["release.shard", "release.shard:3", "release.before_rename"],
    "push-hub": ["push.file", "push.file:3"],
}
SHORT = ("campaign pull", "build-release")
CASES = [
    # The short circle pulls the plug of one stage and of the release; the long one everywhere.
    pytest.param(step, point, marks=[] if step in SHORT and not point.startswith("extract.") else [pytest.mark.full])
    for step, points in POINTS.items()
    for point in points
]
# Tried where torch is: tests/baseline.
TRAINING = {"train.step", "train.checkpoint"}
# Tried on every form of an export: tests/release.
EXPORTS = {"export.file"}
# Tried in tests/release, with the other points of a release.
REMOVALS = {"remove.ledger"}
# Tried against a double of Label Studio: tests/campaign.
SERVER = {point for point in crash.POINTS if point.startswith(("create.", "pull."))}
# Tried against scripted servers: tests/rewrite.
REWRITING = {"rewrite.ask", "rewrite.answered"}
# Tried against a Hub on loopback: tests/live/hub.
PUSHING = {point for point in crash.POINTS if point.startswith(("push.", "purge."))} - {"push.file"}


@pytest.mark.parametrize(("step", "point"), CASES, ids=lambda value: value)
def test_killed_there_and_run_again_it_gives_the_same_bytes(chain, tmp_path, step, point):
    work = copy(chain, before(step), tmp_path)
    words = STEPS[step].words(work)
    killed = run_cli(*words, crash_at=point)
    assert killed.code == 137, killed.err
    resumed = run_cli(*words)
    assert resumed.code == 0, resumed.err
    assert results(work) == results(chain / step)
    assert marks(work) == marks(chain / step)


def results(work):
    """All that a run leaves, less what tells of the run itself: done marks (wall clock), locks, torn tails set aside."""
    aside = re.compile(r"part-\d+\.json$|\.lock$|\.torn$|\.locks/")
    return {name: sha for name, sha in snapshot(work).items() if not aside.search(name)}


def marks(work):
    """Done marks, less the time that making took."""
    found = {}
    for path in sorted(work.rglob("part-*.json")):
        mark = json.loads(path.read_text())
        mark["facts"].pop("seconds")
        found[path.relative_to(work).as_posix()] = mark
    return found


def test_every_crash_point_is_tried():
    tried = {point.partition(":")[0] for points in POINTS.values() for point in points}
    assert tried | TRAINING | EXPORTS | REMOVALS | REWRITING | PUSHING | SERVER == set(crash.POINTS)


def test_every_command_that_writes_is_tried():
    assert set(POINTS) == set(STEPS)
    only_read_or_tried_elsewhere = {
        "score",
        "edit-release",
        "remove",
        "import-dataset",
        "export",
        "stats",
        "check-release",
        "build-3c",
        "status",
        "doctor",
        "report",
        "show",
        "world",
        "campaign create",
        "campaign serve",
        "campaign qc",
        "campaign status",
        "evaluate",
        "search",
        "baseline-train",
    }
    assert set(names()) == set(POINTS) | only_read_or_tried_elsewhere
