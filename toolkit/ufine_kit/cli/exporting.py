"""`ufine-kit export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output, count


def export(
    format: Annotated[
        str,
        typer.Option("--format", help="cuhk, icfg, rstp, ufine, webdataset, imagefolder, coco, or edits to edit on."),
    ],
    to: Annotated[Path, typer.Option("--out", help="New folder, or one of the same export cut short.")],
    release: Annotated[Path | None, typer.Argument(help="Folder of a release; the newest without it.")] = None,
    tar_mb: Annotated[int, typer.Option("--tar-mb", min=1, help="webdataset: size of a tar.")] = 256,
    editor: Annotated[str, typer.Option("--editor", help="edits: pseudonym of whoever will change texts.")] = "editor",
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Write a release in a form that other people's code reads. Picture bytes stay as they are."""
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.release.exporting.export import export as write
    from ufine_kit.release.exporting.export import plan_export, where_to_look

    out = Output(json)
    plan = plan_export(open_release(release or newest_release(work)), format, to, tar_mb, editor)
    images = sum(counts["images"] for counts in plan.release.splits.values())
    out.say(f"{to}: {plan.release.name} {plan.release.version} as {format}, {count(images, 'image')}")
    if plan.release.manifest["synthetic"]:
        out.say("  synthetic: its pictures were drawn by a program")
    if dry_run:
        out.result({"out": str(to), **plan.mark, "images": images, "dry_run": True}, [str(to)])
        return EXIT_DONE
    written = write(plan)
    said = "complete already" if plan.whole else f"{written['fresh']:,} written, the rest was there"
    out.result({"out": str(to), **plan.mark, **written}, [f"{to}: {said}"])
    if not json:
        out.say(where_to_look(plan))
    return EXIT_DONE
