"""A release as the folder of a Hub repository: refused unless whole and validated; a rerun completes what was cut short."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import crash
from ufine_kit.dataset.reader import Release, verify
from ufine_kit.errors import CheckFailed
from ufine_kit.files import make_folder, read_json, replacing, sha256_file, write_bytes
from ufine_kit.hub.card import card


@dataclass(frozen=True)
class FolderPlan:
    """What a push into a folder would change. Names are relative to the folder."""

    release: Release
    to: Path
    card: str
    fresh: list[str]
    same: list[str]
    gone: list[str]
    size_bytes: int


def plan_folder(release: Release, work: Path, to: Path, without_baseline: str | None) -> FolderPlan:
    """Check the release and compare it with what lies in `to`. Raises CheckFailed for a damaged or unvalidated release."""
    verify(release)
    text = card(release, baseline_record(release, work, without_baseline), without_baseline)
    sources = {
        path.relative_to(release.path).as_posix(): path for path in sorted(release.path.rglob("*")) if path.is_file()
    }
    same = [
        name for name, path in sources.items() if (to / name).is_file() and sha256_file(to / name) == sha256_file(path)
    ]
    readme = to / "README.md"
    (same if readme.is_file() and readme.read_text(encoding="utf-8") == text else []).append("README.md")
    fresh = [name for name in [*sources, "README.md"] if name not in same]
    there = [path.relative_to(to).as_posix() for path in sorted((to / "data").glob("*.parquet"))]
    gone = [name for name in there if name not in sources]
    size = sum(sources[name].stat().st_size for name in fresh if name in sources)
    return FolderPlan(release, to, text, fresh, same, gone, size)


def baseline_record(release: Release, work: Path, without_baseline: str | None) -> dict[str, object] | None:
    """A record of exactly these rows on their test split. Raises CheckFailed without one, unless a reason was given."""
    for path in sorted((work / "baselines" / release.data_digest[:16]).glob("*.json")):
        record = read_json(path)
        if record.get("data_digest") == release.data_digest and record["release"]["split"] == "test":
            return record
    if without_baseline:
        return None
    raise CheckFailed(
        f"no baseline record for the rows of `{release.path}` ({release.data_digest[:12]})",
        f"ufine-kit baseline-train {release.path}, then evaluate; or --without-baseline REASON",
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
