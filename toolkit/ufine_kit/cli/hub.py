"""`ufine-kit push-hub`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work, Yes
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output


def push_hub(
    release: Annotated[
        Path | None, typer.Argument(help="Folder of a release; the newest under --work without it.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the repository into this folder.")] = None,
    without_baseline: Annotated[
        str | None,
        typer.Option("--without-baseline", metavar="REASON", help="Publish unvalidated; the reason goes on the card."),
    ] = None,
    work: Work = DEFAULT_WORK,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Lay out a release with its card as a Hub repository: checked, with the baseline record of the very same rows."""
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.hub.folder import lay_out, plan_folder

    out = Output(json)
    if to is None:
        raise KitError("no place to push to", "ufine-kit push-hub --to DIR")
    plan = plan_folder(open_release(release or newest_release(work, "dataset")), work, to, without_baseline)
    out.say(f"{to}: {len(plan.fresh)} files to write, {len(plan.same)} there already, {plan.size_bytes / 1e6:.1f} MB")
    if plan.foreign:
        out.confirm(f"`{to}` has a README.md that is no card of a release; it will be replaced.", yes or dry_run)
    if plan.gone:
        out.confirm(f"{len(plan.gone)} files in `{to}` belong to another version and will be removed.", yes or dry_run)
    if not dry_run:
        lay_out(plan)
    report = {"to": str(to), "written": plan.fresh, "unchanged": plan.same, "removed": plan.gone, "dry_run": dry_run}
    out.result(report, [f"{to}: {len(plan.fresh)} written, {len(plan.same)} unchanged, {len(plan.gone)} removed"])
    return EXIT_DONE
