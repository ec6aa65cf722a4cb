"""A prepared repository laid out in a folder: a rerun completes what was cut short, and what is not ours stays."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import crash
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import make_folder, replacing, sha256_file
from ufine_kit.hub.documents import DOCUMENTS, README
from ufine_kit.hub.repository import RECORDS, Prepared
from ufine_kit.manifest import read_manifest


@dataclass(frozen=True)
class FolderPlan:
    """What a push into a folder would change. Names are relative to the folder."""

    prepared: Prepared
    to: Path
    fresh: list[str]
    same: list[str]
    gone: list[str]
    foreign: list[str]
    size_bytes: int


def plan_folder(prepared: Prepared, to: Path) -> FolderPlan:
    """Compare the repository with what lies in `to`. Raises KitError where that is a place of releases."""
    _refuse_releases(prepared.release, to)
    tree = prepared.tree
    same = [name for name, file in tree.items() if (to / name).is_file() and sha256_file(to / name) == file.sha256]
    # The card comes last: it never speaks of shards that are not there yet.
    fresh = sorted((name for name in tree if name not in same), key=lambda name: (name == README, name))
    shards = [path.relative_to(to).as_posix() for kind in ("data", "texts") for path in to.glob(f"{kind}/*.parquet")]
    there = sorted([*shards, *(name for name in (*DOCUMENTS, *RECORDS) if (to / name).is_file())])
    foreign = [name for name in there if name in fresh] if not _ours(prepared.release, to) else []
    gone = [name for name in there if name not in tree]
    return FolderPlan(prepared, to, fresh, same, gone, foreign, sum(tree[name].size_bytes for name in fresh))


def _refuse_releases(release: Release, to: Path) -> None:
    target, folder = to.resolve(), release.path.resolve()
    if target.is_relative_to(folder):
        raise KitError(f"`{to}` lies in the release itself, which never changes", "choose another --to")
    names = folder.parent.parent
    if names.name == "releases" and target.is_relative_to(names):
        raise KitError(f"`{to}` lies among the releases of `{names.parent}`, which never change", "choose another --to")


def _ours(release: Release, to: Path) -> bool:
    """Whether the folder holds this release, or another version of it with the card that a push lays beside it."""
    try:
        held = read_manifest(to)
    except KitError:
        return False
    return held.name == release.name and (held.version == release.version or (to / README).is_file())


def lay_out(plan: FolderPlan) -> None:
    """Write what is missing, data before the card that speaks of it, and remove shards of another version last."""
    for name in plan.fresh:
        target, file = plan.to / name, plan.prepared.tree[name]
        make_folder(target.parent)
        with replacing(target) as temporary:
            shutil.copyfile(file.path, temporary)
            if sha256_file(temporary) != file.sha256:
                raise CheckFailed(f"`{file.path}` changed since it was checked", "restore the release from a copy")
        crash.point("push.file")
    for name in plan.gone:
        (plan.to / name).unlink()
