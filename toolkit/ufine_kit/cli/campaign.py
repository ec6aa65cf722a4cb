"""`ufine-kit campaign ...`: descriptions by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output, count

Name = Annotated[str, typer.Argument(help="Name of the campaign.")]
SHOWN = 10


def pull(
    name: Annotated[str | None, typer.Argument(help="Name of the campaign; the only one if not given.")] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="JSONL with texts (crop_id, text, writer, created_at) or decisions; else the server."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read all of the server again, not only what changed.")] = False,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Take answers into the campaign's ledger, from its server or a file. Writers become pseudonyms; nothing comes twice."""
    from ufine_kit.campaign.intake import campaign_folder, take_in
    from ufine_kit.cli.campaign_create import only_campaign, pull_server

    if source is None:
        return pull_server(Output(json), work, name or only_campaign(work), full, dry_run)
    if name is None:
        raise KitError("a file needs a campaign to go to", f"ufine-kit campaign pull NAME --from {source}")
    from ufine_kit.parquet import read_rows
    from ufine_kit.parts import done_parts

    out = Output(json)
    folder = work / "tracklets"
    crops = {
        row["crop_id"] for done in done_parts(folder) for row in read_rows(folder / f"{done.part}.parquet", ["crop_id"])
    }
    intake = take_in(campaign_folder(work, name), source, crops, write=not dry_run)
    for line in intake.refused[:SHOWN]:
        out.say(f"  refused: {line}")
    if len(intake.refused) > SHOWN:
        out.say(f"  and {len(intake.refused) - SHOWN} more refused lines")
    report = {"added": intake.added, "known": intake.known, "refused": intake.refused, "dry_run": dry_run}
    out.result(
        report, [f"{count(intake.added, 'line')} added, {intake.known:,} known, {len(intake.refused):,} refused"]
    )
    if (intake.added or intake.known) and not dry_run:
        out.next(f"ufine-kit campaign close {name} --work {work}")
    return EXIT_CHECK_FAILED if intake.refused and not dry_run else EXIT_DONE


def close(
    name: Name,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Freeze what stands into the descriptions that a release is built from: texts that no rule refuses, decisions that hold.

    Close again after more came.
    """
    from ufine_kit.campaign.agreed import agreed
    from ufine_kit.campaign.close import plan_close
    from ufine_kit.campaign.decisions import SECOND_LOOK, plan_close_decisions
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.revised import FILE, revised, write_lines
    from ufine_kit.campaign.standing import standing
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    chosen = load_recipe(recipe, sets or ())
    folder = campaign_folder(work, name)
    wanted, paths = plan_close(folder)
    # A ledger only grows, so closing it again is always what was meant.
    how = How(redo=True, dry_run=dry_run)
    ran = run_stage(out, "descriptions", work, chosen, wanted, how, paths, name)
    entries, paths = plan_close_decisions(folder, chosen.campaign)
    if entries:
        ran.report["decisions"] = run_stage(out, "decisions", work, chosen, entries, how, paths, name).report
    stands = standing(folder, chosen.campaign)
    reviews, lines = agreed(stands), list(revised(stands))
    for file, found in ((SECOND_LOOK, reviews.second_look), (FILE, lines)):
        if (found or (folder / file).exists()) and not dry_run:
            write_lines(folder / file, found)
    ran.report |= {"second_look": len(reviews.second_look), "waiting": reviews.waiting, "revised": len(lines)}
    if reviews.second_look or reviews.waiting:
        where = folder / SECOND_LOOK
        out.say(
            f"reviewers disagree on {len(reviews.second_look):,} ({where}), {reviews.waiting:,} wait for more answers"
        )
    out.result(ran.report)
    if held := ran.report.get("reasons"):
        told = ", ".join(f"{rule} {number:,}" for rule, number in held.items())
        out.say(f"held back, to be asked for again by `ufine-kit campaign create fix {name} --work {work}`: {told}")
    if dry_run:
        return ran.exit_code
    if lines:
        out.next(f"ufine-kit build-3c --revised {folder / FILE} --work {work}")
    else:
        out.next(f"ufine-kit build-release --work {work}")
    return ran.exit_code
