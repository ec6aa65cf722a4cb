"""The report page: of a work folder (what was kept, what was dropped and why), or of a release (identities and captions)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ufine_kit.dataset.reader import Release, open_release
from ufine_kit.errors import KitError
from ufine_kit.pipeline import default_workers
from ufine_kit.report.columns import rows_of
from ufine_kit.report.counts import baseline_table
from ufine_kit.report.document import View, write_page
from ufine_kit.report.findings import findings_path, read_findings
from ufine_kit.report.release import release_view
from ufine_kit.report.thumbs import thumbnails
from ufine_kit.report.work import need_tracklets, work_view

# High enough to tell garments; two thirds of it would halve the page, twice as much would make it four times as large.
THUMB_HEIGHT_PX = 128


@dataclass(frozen=True)
class Plan:
    """A page to be: where it goes, and the release it is of (None: the work folder)."""

    work: Path
    path: Path
    release: Release | None = None
    findings: Path | None = None


@dataclass(frozen=True)
class Written:
    """A page on disk."""

    path: Path
    bytes: int
    images: int
    captions: int


def plan_report(
    work: Path, release: Path | None = None, path: Path | None = None, findings: Path | None = None
) -> Plan:
    """What a page would be of. Raises KitError where there is nothing to show, or no such release or findings.

    The page of a release goes beside the work, never into the release, which does not change.
    """
    if release is None:
        if findings is not None:
            raise KitError("findings belong to a release", "name it: ufine-kit report RELEASE --findings PARQUET")
        need_tracklets(work)
        return Plan(work, path or work / "report.html")
    opened = open_release(release)
    name = f"{opened.name}-{opened.version}"
    usual = findings_path(work, opened.name, opened.version)
    if findings is not None and not findings.is_file():
        raise KitError(f"no findings `{findings}`", "give the Parquet file that check-release wrote")
    told = findings or (usual if usual.is_file() else None)
    return Plan(work, path or work / "reports" / f"{name}.html", opened, told)


def write_report(plan: Plan, thumb_height_px: int = THUMB_HEIGHT_PX, workers: int = 0) -> Written:
    """Write the page, whole or not at all. Raises KitError that names a damaged file."""
    view = _view(plan)
    pictures = thumbnails(view.files, thumb_height_px, workers or default_workers(len(view.files) * 64))
    size = write_page(plan.path, view, pictures)
    return Written(plan.path, size, rows_of(view.images), rows_of(view.captions))


def _view(plan: Plan) -> View:
    if plan.release is None:
        return work_view(plan.work)
    baselines = baseline_table(plan.work, plan.release.data_digest)
    return release_view(plan.release, read_findings(plan.findings), baselines)
