"""Named crash points: where a test can pull the plug, so that every promise about resuming is tried and not believed."""

from __future__ import annotations

import os

# Every point by name: the contract tests kill each command at each of its points and resume.
POINTS = (
    "plan.written",
    "part.rows",
    "part.before_replace",
    "part.parquet",
    "part.attachment",
    "part.json",
    "extract.decode",
    "extract.track",
    "extract.encode",
    "ledger.torn",
    "ledger.appended",
    "release.shard",
    "release.before_rename",
    "remove.ledger",
    "train.step",
    "train.checkpoint",
    "export.file",
    "push.file",
    "push.created",
    "push.gated",
    "push.uploaded",
    "push.verified",
    "push.merged",
    "push.tagged",
    "push.shown",
    "purge.tags",
    "purge.squashed",
    "purge.retagged",
    "rewrite.ask",
    "rewrite.answered",
    "create.frozen",
    "create.project",
    "create.batch",
    "pull.page",
    "pull.appended",
)

_seen: dict[str, int] = {}


def point(name: str) -> None:
    """Die here, without cleaning up, if `UFINE_CRASH_AT` names this point (`name` or `name:3` for its third passing)."""
    assert name in POINTS, name
    wanted = os.environ.get("UFINE_CRASH_AT")
    if wanted is None:
        return
    at, _, nth = wanted.partition(":")
    if at != name:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] == int(nth or 1):
        os._exit(137)
