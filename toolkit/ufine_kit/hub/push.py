"""From a prepared repository to a tag on the Hub: private, gated, by pull request, compared, merged; resumable at every point.

Nothing about a push is remembered here: a rerun looks at the Hub and does what is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import crash
from ufine_kit.adapters import hub
from ufine_kit.adapters.hub import Head, Place, Remote, Seen
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import make_folder
from ufine_kit.hub.repository import File, Tree, ours

MAIN = "main"
OWN = ".gitattributes"  # the Hub writes it itself


@dataclass(frozen=True)
class PushPlan:
    """What a push would change: paths to send, paths there already, paths to take away, and what of the end is missing.

    `superseded` where a newer version stands: main is that one's, and is neither changed nor compared.
    """

    place: Place
    tree: Tree
    version: str
    seen: Seen | None
    fresh: list[str]
    same: list[str]
    gone: list[str]
    tagged: bool
    card_only: bool
    superseded: bool = False

    @property
    def tag(self) -> str:
        """The version's tag."""
        return f"v{self.version}"

    @property
    def size_bytes(self) -> int:
        """Of the files to send."""
        return sum(self.tree[name].size_bytes for name in self.fresh)


def plan_push(place: Place, tree: Tree, version: str) -> PushPlan:
    """Compare with the Hub. Raises KitError for a tag with other rows, an older version, or a public place without a gate."""
    seen = hub.see(place)
    if seen is not None and not seen.private and not seen.gated:
        raise KitError(
            f"`{place.repo}` is public and has no gate", "make it private in its settings on the Hub, then push again"
        )
    there = hub.files(place, MAIN) if seen else {}
    tag = f"v{version}"
    tagged = seen is not None and tag in seen.tags
    wrong = differing(tree, hub.files(place, tag)) if tagged else []
    card_only = bool(wrong) and not any(_is_rows(name) for name in wrong)
    if wrong and not card_only:
        raise KitError(
            f"tag `{tag}` of `{place.repo}` has other files (`{wrong[0]}`), and a tag is never moved",
            "ufine-kit build-release with another --version, then push that",
        )
    newer = [name for name in (seen.tags if seen else {}) if _number(name) > _number(tag)]
    if newer and not tagged:
        raise KitError(
            f"`{place.repo}` has {max(newer, key=_number)} already, and {version} is older",
            "ufine-kit build-release with a higher --version",
        )
    changed = [] if newer else differing(tree, there)  # an older version asked for again: main belongs to a newer one
    fresh = [name for name in tree if name in changed]
    gone = [name for name in changed if name not in tree]
    same = [name for name in tree if name not in changed]
    return PushPlan(place, tree, version, seen, fresh, same, gone, tagged, card_only, superseded=bool(newer))


def _is_rows(name: str) -> bool:
    return name.endswith(".parquet") or name in ("release.json", "SHA256SUMS", "removed.jsonl")


def _number(tag: str) -> tuple[int, ...]:
    digits = tag.removeprefix("v").split(".")
    return tuple(int(digit) for digit in digits) if tag.startswith("v") and all(d.isdecimal() for d in digits) else ()


def differing(tree: Tree, there: Mapping[str, Remote]) -> list[str]:
    """Paths that are missing, other or too much on the Hub, by the checksums of its listing."""
    wrong = [name for name, file in tree.items() if not _equal(file, there.get(name))]
    return wrong + [name for name in there if ours(name) and name not in tree]


def _equal(file: File, remote: Remote | None) -> bool:
    if remote is None or remote.size_bytes != file.size_bytes:
        return False
    if remote.sha256 is not None:
        return remote.sha256 == file.sha256
    return remote.git_sha1 == hub.git_sha1(file.path)


def push(
    plan: PushPlan, scratch: Path, gated: str, public: bool, say: Callable[[str], None], read_back: bool = False
) -> str:
    """Do what the plan says, with links under `scratch`; returns the commit that bears the tag.

    Raises CheckFailed where the Hub holds other bytes than were sent (then nothing is merged), KitError for the rest.
    """
    place = plan.place
    if plan.seen is None:
        hub.create(place)
        crash.point("push.created")
    if plan.seen is None or plan.seen.gated != gated:
        hub.gate(place, gated)
        crash.point("push.gated")
    if plan.fresh or plan.gone:
        number = _by_pull_request(plan, scratch, say, read_back)
        crash.point("push.merged")
        say(f"pull request {number} of `{place.repo}` is merged")
    head = hub.head(place)
    if not head.gated:
        raise KitError(
            f"the Hub did not close the gate of `{place.repo}`, so it gets no tag and stays private",
            "close it in its settings on the Hub, then push again",
        )
    commit = _tagged(plan, head, say)
    if public and head.private:
        hub.publish(place)
        crash.point("push.shown")
    return commit


def _by_pull_request(plan: PushPlan, scratch: Path, say: Callable[[str], None], read_back: bool) -> int:
    place, tree, title = plan.place, plan.tree, f"Version {plan.version}, by ufine-kit"
    number = hub.our_pull_request(place, title) if plan.seen else None
    wrong = differing(tree, hub.files(place, _ref(number))) if number else [*plan.fresh, *plan.gone]
    if wrong or number is None:
        say(f"sending {len(plan.fresh)} files, {plan.size_bytes / 1e6:.1f} MB")
        staging = stage({name: tree[name] for name in wrong if name in tree}, scratch / "staging")
        number = hub.propose(place, staging, title, number, [name for name in wrong if name not in tree])
    crash.point("push.uploaded")
    verify(place, tree, _ref(number), scratch / "read-back" if read_back else None)
    say(f"{len(tree)} checksums on the Hub are those of the files here")
    crash.point("push.verified")
    hub.merge(place, number)
    return number


def _ref(number: int) -> str:
    return f"refs/pr/{number}"


def verify(place: Place, tree: Tree, revision: str, read_into: Path | None) -> None:
    """Compare a revision with the files here: by the Hub's checksums, with `read_into` also by bytes it serves.

    Raises CheckFailed that names the first file.
    """
    wrong = differing(tree, hub.files(place, revision))
    if not wrong and read_into is not None:
        wrong = [name for name, file in tree.items() if hub.read_back(place, revision, name, read_into) != file.sha256]
        shutil.rmtree(read_into, ignore_errors=True)
    hub.refuse_wrong(place, revision, wrong)


def _tagged(plan: PushPlan, head: Head, say: Callable[[str], None]) -> str:
    """The commit that bears the tag, set on main only where main is the tree: somebody else may have changed it."""
    place = plan.place
    wrong = [] if plan.superseded else differing(plan.tree, head.files)
    if wrong:
        end = f"{plan.tag} stays as it is" if plan.tagged else "no tag was set"
        raise CheckFailed(
            f"`{place.repo}` was changed by somebody else while it was pushed (`{wrong[0]}`); {end}", hub.AGAIN
        )
    if plan.tagged:
        assert plan.seen is not None
        if plan.card_only:
            say(f"{plan.tag} keeps the card it was published with; `{MAIN}` has the new one")
        return plan.seen.tags[plan.tag]
    hub.tag(place, plan.tag, head.commit)
    crash.point("push.tagged")
    return head.commit


def stage(tree: Tree, staging: Path) -> Path:
    """A folder of links to the files under their paths in the repository: nothing is copied. Returns it."""
    shutil.rmtree(staging, ignore_errors=True)
    for name, file in tree.items():
        make_folder((staging / name).parent)
        (staging / name).symlink_to(file.path.resolve())
    return make_folder(staging)
