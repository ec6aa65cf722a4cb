"""Withdraw what a takedown left behind on the Hub: older tags, the history of main, stored files that nothing names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ufine_kit import crash
from ufine_kit.adapters import hub
from ufine_kit.adapters.hub import Place
from ufine_kit.errors import KitError
from ufine_kit.hub.push import MAIN, differing
from ufine_kit.hub.repository import Tree


@dataclass(frozen=True)
class PurgePlan:
    """What would be withdrawn: tags, commits of main but its last, and stored files with their size."""

    place: Place
    tree: Tree
    version: str
    tags: list[str]
    commits: int
    stored: list[Any]
    retag: bool

    @property
    def size_bytes(self) -> int:
        """Of the stored files."""
        return sum(int(item.size) for item in self.stored)

    @property
    def nothing(self) -> bool:
        """Whether it is all done."""
        return not (self.tags or self.commits or self.stored or self.retag)


def plan_purge(place: Place, tree: Tree, version: str) -> PurgePlan:
    """Look at what the Hub still serves beside this version. Raises KitError where main is not this version yet.

    Every tag but this version's goes: an older one serves the people who were taken out, and so do the parents of the rest.
    """
    seen = hub.see(place)
    if seen is None or differing(tree, hub.files(place, MAIN)):
        raise KitError(
            f"`{MAIN}` of `{place.repo}` is not version {version}", "push this version first, without --purge"
        )
    tag = f"v{version}"
    history = hub.commits(place)
    kept = {file.sha256 for file in tree.values()}
    return PurgePlan(
        place, tree, version,
        tags=[name for name in seen.tags if name != tag],
        commits=len(history) - 1,
        stored=[item for item in hub.stored(place) if item.file_oid not in kept],
        retag=seen.tags.get(tag) != history[0],
    )  # fmt: skip


def purge(plan: PurgePlan, say: Callable[[str], None]) -> None:
    """Withdraw it. Killed anywhere, a rerun sees what is left and goes on.

    The tag of this version is set anew on the squashed main, whose files were compared before and after: its old commit
    would keep the whole history within reach.
    """
    place, tag = plan.place, f"v{plan.version}"
    for name in plan.tags:
        hub.untag(place, name)
        say(f"tag {name} is withdrawn")
    crash.point("purge.tags")
    if plan.commits:
        hub.squash(place, f"Version {plan.version}")
        say(f"{plan.commits} older commits are no part of `{MAIN}` any more")
    crash.point("purge.squashed")
    if differing(plan.tree, hub.files(place, MAIN)):
        raise KitError(f"`{place.repo}` was changed by somebody else while it was purged", hub.AGAIN)
    head = hub.commits(place)[0]
    if plan.commits or plan.retag:
        hub.untag(place, tag)
        crash.point("purge.retagged")
        hub.tag(place, tag, head)
    if plan.stored:
        hub.delete_stored(place, plan.stored)
        say(f"{len(plan.stored)} stored files, {plan.size_bytes / 1e6:.1f} MB, are deleted for good")
