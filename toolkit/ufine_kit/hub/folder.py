"""A release as the folder of a Hub repository: refused unless whole and validated; a rerun completes what was cut short."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import crash
from ufine_kit.dataset.reader import Release, verify
from ufine_kit.errors import CheckFailed, KitError, need
from ufine_kit.files import make_folder, replacing, sha256_file, write_bytes
from ufine_kit.hub.card import card
from ufine_kit.manifest import Record, read_record


@dataclass(frozen=True)
class FolderPlan:
    """What a push into a folder would change. Names are relative to the folder."""

    release: Release
    to: Path
    card: str
    fresh: list[str]
    same: list[str]
    gone: list[str]
    foreign: list[str]
    size_bytes: int


def plan_folder(release: Release, work: Path, to: Path, without_baseline: str | None) -> FolderPlan:
    """Check the release and compare it with what lies in `to`. Raises CheckFailed for a damaged or unvalidated release."""
    need("jinja2", "hub")  # before the long look at every byte
    if to.resolve().is_relative_to(release.path.resolve()):
        raise KitError(f"`{to}` lies in the release itself, which never changes", "choose another --to")
    verify(release)
    text = card(release, baseline_record(release, work, without_baseline), without_baseline)
    sources = _summed_files(release)
    same = [
        name for name, path in sources.items() if (to / name).is_file() and sha256_file(to / name) == sha256_file(path)
    ]
    if (to / "README.md").is_file() and (to / "README.md").read_bytes() == text.encode():
        same.append("README.md")
    fresh = [name for name in [*sources, "README.md"] if name not in same]
    there = [path.relative_to(to).as_posix() for path in sorted((to / "data").glob("*.parquet"))]
    gone = [name for name in there if name not in sources]
    foreign = ["README.md"] if (to / "README.md").exists() and not (to / "release.json").exists() else []
    size = sum(sources[name].stat().st_size for name in fresh if name in sources)
    return FolderPlan(release, to, text, fresh, same, gone, foreign, size)


def _summed_files(release: Release) -> dict[str, Path]:
    """The files that SHA256SUMS speaks of, and itself. Raises CheckFailed for any other file: nobody checked it."""
    there = {
        path.relative_to(release.path).as_posix(): path for path in sorted(release.path.rglob("*")) if not path.is_dir()
    }
    summed = {
        line.partition("  ")[2] for line in (release.path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    }
    extra = [name for name, path in there.items() if name not in summed | {"SHA256SUMS"} or path.is_symlink()]
    if extra:
        raise CheckFailed(
            f"`{release.path / extra[0]}` is no file of this release", "take it out of the release's folder"
        )
    return there


def baseline_record(release: Release, work: Path, without_baseline: str | None) -> Record | None:
    """A record of exactly these rows on their test split. Raises CheckFailed without one, unless a reason was given."""
    for path in sorted((work / "baselines" / release.data_digest[:16]).glob("*.json")):
        record = read_record(path)
        if record.data_digest == release.data_digest and record.release.split == "test":
            return record
    if without_baseline:
        return None
    raise CheckFailed(
        f"no baseline record for the rows of `{release.path}` ({release.data_digest[:12]})",
        f"ufine-kit baseline-train {release.path} --work {work}, then evaluate; or --without-baseline REASON",
    )


def lay_out(plan: FolderPlan) -> None:
    """Write what is missing, data before the card that speaks of it, and remove shards of another version last."""
    for name in plan.fresh:
        target = plan.to / name
        make_folder(target.parent)
        if name == "README.md":
            write_bytes(target, plan.card.encode())
        else:
            with replacing(target) as temporary:
                shutil.copyfile(plan.release.path / name, temporary)
        crash.point("push.file")
    for name in plan.gone:
        (plan.to / name).unlink()
