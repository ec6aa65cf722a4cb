"""Join crops, verdicts, review decisions and descriptions into a release, and write it with frozen splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ufine_kit import parts
from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import read_columns
from ufine_kit.dataset.splits import freeze, read_splits
from ufine_kit.dataset.tombstones import Removed, read_removed
from ufine_kit.dataset.versions import before, refuse_other_shards, refuse_taken, resolved
from ufine_kit.dataset.writer import Shards, drafted, finish, kept_out
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder
from ufine_kit.output import count
from ufine_kit.pipeline import outdated
from ufine_kit.release.captions import Captions, Described, described
from ufine_kit.release.crops import Crops, read_crops, whole
from ufine_kit.release.decisions import Reviewed, review
from ufine_kit.release.groups import Drawn, draw_splits
from ufine_kit.release.held import splits_of_crops, splits_of_releases
from ufine_kit.release.join import Going, joined
from ufine_kit.release.pixels import Blur, Cleaned, cleaned
from ufine_kit.release.sources import release_sources, video_groups, video_sources
from ufine_kit.release.votes import count_votes, read_decisions
from ufine_kit.rows import Split
from ufine_kit.tables import ReleaseTable


@dataclass(frozen=True)
class BuildPlan:
    """What a build would do: where, from which parts, with which identities in which split, and what it leaves out."""

    folder: Path
    splits_file: Path
    table: ReleaseTable
    crops: Crops
    going: Going
    described: Described
    drawn: Drawn
    reviewed: Reviewed
    removed: Removed
    inputs: dict[str, str]
    sources: list[dict[str, Any]]
    synthetic: bool
    removed_again: int

    def counts(self) -> dict[str, int]:
        """Identities, images and captions that would go out."""
        ids = self.crops.crop_id.take(pa.array(self.going.row))
        texts = [
            pc.sum(pc.is_in(whole(read_columns(path, ["crop_id"]), "crop_id"), ids)) for path in self.described.paths
        ]
        return {
            "identities": len(self.drawn.of),
            "images": len(self.going.row),
            "captions": sum(number.as_py() or 0 for number in texts),
        }

    def members(self) -> dict[str, Split]:
        """The split of every identity that went into a united one: it stays there, should they be parted again."""
        of = self.drawn.of
        return {one: of[name] for name, members in self.reviewed.members.items() if name in of for one in members}

    def left_out(self) -> list[str]:
        """What reviewers, earlier versions or removals keep from going out as it stands, a line each."""
        refused = [f"identity `{name}` is left out: {why}" for name, why in sorted(self.drawn.refused.items())]
        again = [f"{count(self.removed_again, 'crop')} of what was removed stay out"] if self.removed_again else []
        return [*again, *self.reviewed.conflicts, *refused, *self.drawn.notes]


def plan_build(work: Path, table: ReleaseTable) -> BuildPlan:
    """Read the thin tables and draw the splits. Raises KitError that names the stage that is missing or out of date."""
    name = work / "releases" / table.name
    table = table.model_copy(update={"version": resolved(name, table.version)})
    refuse_taken(name, table.version)
    refuse_other_shards(name, table.version, table.shards)
    known = described(work)
    crops = read_crops(work)
    _refuse_outdated(work)
    splits_file = name / f"splits-{table.version.split('.')[0]}.json"
    held: dict[str, Split] = {**splits_of_releases(name, table.version), **read_splits(splits_file)}
    reviewed = review(crops, count_votes(read_decisions(work)), held)
    removed = read_removed(name, table.name)
    stays = reviewed.stays & pc.is_in(crops.crop_id, value_set=known.crop_ids).to_numpy(zero_copy_only=False)
    out = stays & ~_removed(work, crops, reviewed, removed)
    if not out.any():
        raise KitError("no kept crop has a description", f"ufine-kit status --work {work}")
    recorded = video_sources(work)
    seen = splits_of_crops(name, table.version, crops, reviewed, held)
    drawn = draw_splits(_videos(crops, reviewed, out), reviewed.members, video_groups(recorded), held, table, seen)
    going = _going(reviewed, out, drawn, table)
    synthetic = _synthetic(work)
    images = Counter(crops.videos[code] for code in crops.video[going.row].tolist())
    sources = release_sources(images, recorded, table.source, table.license, synthetic)
    again = int((stays & ~out).sum())
    return BuildPlan(
        name / table.version, splits_file, table, crops, going, known, drawn, reviewed, removed, _inputs(work), sources,
        synthetic, again,
    )  # fmt: skip


def build(work: Path, table: ReleaseTable, blur: Blur | None = None) -> dict[str, Any]:
    """Write the release; returns its manifest. One build of a name at a time; its splits are frozen once it stands."""
    folder = make_folder(work / "releases" / table.name)
    with parts.lock(folder, "build"):
        plan = plan_build(work, table)
        with drafted(plan.folder) as draft:
            written = _write(plan, work, draft, blur)
        freeze(plan.splits_file, {**plan.members(), **plan.drawn.of, **plan.drawn.places})
    return written


def _write(plan: BuildPlan, work: Path, draft: Path, blur: Blur | None) -> dict[str, Any]:
    done = Cleaned()
    files = Shards(draft / "data", plan.table.shards, plan.removed)
    ids = plan.crops.crop_id.take(pa.array(plan.going.row))
    with Captions(plan.described, ids, draft / "texts") as captions:
        for rows in joined(work, plan.crops.stretches, plan.going, captions):
            files.add(cleaned(rows, blur, done))
    manifest: dict[str, Any] = {
        "name": plan.table.name,
        "version": plan.table.version,
        "kind": "dataset",
        "synthetic": plan.synthetic,
        "recipe": plan.table.model_dump(mode="json"),
        "inputs": plan.inputs,
        "sources": plan.sources,
        **({"review": dict(sorted(plan.reviewed.counts.items()))} if plan.reviewed.counts else {}),
        **({"pixels": done.report(blur)} if done.changed or blur else {}),
        **files.close(),
        "versions": parts.versions(),
    }
    told = kept_out(plan.removed_again + files.kept_out)
    finish(draft, manifest, before(plan.folder.parent, plan.table.version), plan.removed, told)
    return manifest


def _removed(work: Path, crops: Crops, reviewed: Reviewed, removed: Removed) -> np.ndarray:
    """Which crops [N] nobody may see again. Where an identity was removed, so is any that has one of its crops."""
    gone = np.zeros(len(crops.crop_id), dtype=bool)
    if not removed:
        return gone
    folder = work / "tracklets"
    hashes = pa.chunked_array(
        [
            whole(read_columns(folder / f"{stretch.part}.parquet", ["image_sha256"]), "image_sha256")
            for stretch in crops.stretches
        ]
    )
    pairs = zip(hashes.to_pylist(), crops.crop_id.to_pylist(), strict=True)
    gone[[row for row, (image, crop) in enumerate(pairs) if removed.hits_image(image, crop)]] = True
    persons = {code for code, person in enumerate(reviewed.persons) if removed.hits_person(person)}
    persons |= {int(code) for code in _codes_of_removed_persons(gone, hashes, crops, reviewed, removed)}
    return gone | np.isin(reviewed.person, list(persons))


def _codes_of_removed_persons(
    gone: np.ndarray, hashes: pa.ChunkedArray, crops: Crops, reviewed: Reviewed, removed: Removed
) -> set[int]:
    """Identities, by whatever id, that hold a crop which went with a whole person."""
    theirs = removed.of_persons()
    return {
        int(reviewed.person[row])
        for row in np.flatnonzero(gone).tolist()
        if theirs.hits_image(hashes[row].as_py(), crops.crop_id[row].as_py()) and reviewed.person[row] >= 0
    }


def _videos(crops: Crops, reviewed: Reviewed, out: np.ndarray) -> dict[str, list[str]]:
    """The videos that each identity which goes out is seen in."""
    pairs = np.unique(np.stack([reviewed.person[out], crops.video[out]]), axis=1)
    found: dict[str, list[str]] = {}
    for person, video in pairs.T.tolist():
        found.setdefault(reviewed.persons[person], []).append(crops.videos[video])
    return found


def _going(reviewed: Reviewed, out: np.ndarray, drawn: Drawn, table: ReleaseTable) -> Going:
    codes = [code for code, person in enumerate(reviewed.persons) if person in drawn.of]
    row = np.flatnonzero(out & np.isin(reviewed.person, codes))
    splits = [drawn.of.get(person) for person in reviewed.persons]
    return Going(
        row, reviewed.person[row], pa.array(reviewed.persons, pa.string()), pa.array(splits, pa.string()), table.source
    )


def _refuse_outdated(work: Path) -> None:
    """Raise KitError where verdicts, descriptions or decisions were made from something that has changed since."""
    for folder, mend in [(work / "measures", "filter --redo"), (work / "filter", "filter --redo")]:
        if old := outdated(folder, work):
            raise KitError(
                f"{len(old)} parts of `{folder}` are older than the crops: {old[0]}", f"ufine-kit {mend} --work {work}"
            )
    for stage in ("descriptions", "decisions"):
        for folder in sorted(path.parent for path in (work / stage).glob("*/plan.json")):
            if outdated(folder, work):
                mend = f"ufine-kit campaign close {folder.name} --work {work}"
                raise KitError(f"campaign `{folder.name}` has texts that `{folder}` does not", mend)


def _synthetic(work: Path) -> bool:
    """Whether any video says of itself that it shows the synthetic world: its numbers must never pass as real ones."""
    return any(done.facts.get("synthetic") for done in parts.done_parts(work / "tracklets"))


def _inputs(work: Path) -> dict[str, str]:
    campaigns = [path for stage in ("descriptions", "decisions") for path in sorted((work / stage).glob("*/"))]
    return {
        f"{folder.relative_to(work).as_posix()}/{done.part}": done.sha256
        for folder in [work / "tracklets", work / "filter", *campaigns]
        for done in parts.done_parts(folder)
    }
