"""`ufine-kit report` and `show`: what people look at, a page and a sheet of crops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work, Workers
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output


def report(
    release: Annotated[
        Path | None, typer.Argument(help="Folder of a release; without it, the page is of the work folder.")
    ] = None,
    work: Work = DEFAULT_WORK,
    out: Annotated[Path | None, typer.Option("--out", metavar="HTML", help="Write the page there.")] = None,
    findings: Annotated[
        Path | None,
        typer.Option("--findings", metavar="PARQUET", help="Flags of a release; what check-release left, without it."),
    ] = None,
    thumbs: Annotated[int, typer.Option("--thumbs", min=32, max=512, help="Height of a crop, pixels.")] = 128,
    workers: Workers = 0,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """One page of HTML that needs nothing else: crops kept and dropped with reasons, or a release with its captions."""
    from ufine_kit.report.page import plan_report, write_report

    answer = Output(json)
    plan = plan_report(work, release, out, findings)
    if dry_run:
        answer.result({"report": str(plan.path), "dry_run": True}, [str(plan.path)])
        return EXIT_DONE
    written = write_report(plan, thumbs, workers)
    answer.say(f"{written.images:,} images, {written.captions:,} texts, {written.bytes / 1e6:.1f} MB")
    said = {"report": str(plan.path), "images": written.images, "captions": written.captions, "bytes": written.bytes}
    answer.result({**said, "dry_run": False}, [str(plan.path)])
    return EXIT_DONE


def show(
    reason: Annotated[str | None, typer.Option("--reason", metavar="NAME", help="Crops dropped for this.")] = None,
    person: Annotated[str | None, typer.Option("--person", metavar="ID", help="Crops of one identity.")] = None,
    tracklet: Annotated[str | None, typer.Option("--tracklet", metavar="ID", help="Crops of one tracklet.")] = None,
    release: Annotated[
        Path | None, typer.Option("--release", metavar="DIR", help="Images of a release, not of the work folder.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="PNG", help="Write the sheet there.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=2000, help="Most crops; evenly spread beyond it.")] = 60,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """A sheet of crops as a PNG: by reason, identity or tracklet, each with a small label."""
    from ufine_kit.report.pick import Asked, pick
    from ufine_kit.report.sheet import write_sheet

    path = out or work / "sheet.png"
    chosen = pick(work, release, Asked(reason, person, tracklet), limit)
    if not dry_run:
        write_sheet(path, chosen.crops)
    said = {"sheet": str(path), "crops": len(chosen.crops), "matching": chosen.matching, "dry_run": dry_run}
    Output(json).result(said, [str(path)])
    return EXIT_DONE
