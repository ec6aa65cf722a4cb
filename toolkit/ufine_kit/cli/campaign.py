"""`ufine-kit campaign ...`: descriptions by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ufine_kit.output import Output, count

Name = Annotated[str, typer.Argument(help="Name of the campaign.")]
SHOWN = 10


def pull(
    name: Name,
    source: Annotated[
        Path, typer.Option("--from", help="JSONL with texts (crop_id, text, writer, created_at) or decisions.")
    ],
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Take descriptions into the campaign's ledger. Writers become pseudonyms; the same line twice adds nothing."""
    from ufine_kit.campaign.intake import campaign_folder, take_in
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
    out.next(f"ufine-kit campaign close {name} --work {work}")
    return EXIT_CHECK_FAILED if intake.refused and not dry_run else EXIT_DONE


def campaign_status(
    name: Name,
    work: Work = DEFAULT_WORK,
    report_oov: Annotated[
        bool, typer.Option("--report-oov", help="Words beside colours that the lexicon does not know.")
    ] = False,
    json: Json = False,
) -> int:
    """How far the campaign is: texts, crops with texts, and a line a writer."""
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.progress import progress, unknown_words

    out = Output(json)
    report = progress(campaign_folder(work, name))
    lines = [f"{count(report['descriptions'], 'description')} of {count(report['crops'], 'crop')}"]
    lines += [f"  {who['writer']}  {who['texts']:,} texts  {who['words_mean']:.1f} words" for who in report["writers"]]
    if report_oov:
        report["oov"] = unknown_words(campaign_folder(work, name))
        lines += [f"  not in the lexicon: {word}  {number:,}" for word, number in report["oov"].items()]
    out.result(report, lines)
    return EXIT_DONE


def close(
    name: Name,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Freeze the ledger into the descriptions that a release is built from. Close again after more texts came."""
    from ufine_kit.campaign.close import plan_close
    from ufine_kit.campaign.decisions import plan_close_decisions
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    chosen = load_recipe(recipe, sets or ())
    wanted, paths = plan_close(campaign_folder(work, name))
    # A ledger only grows, so closing it again is always what was meant.
    how = How(redo=True, dry_run=dry_run)
    ran = run_stage(out, "descriptions", work, chosen, wanted, how, paths, name)
    decided, paths = plan_close_decisions(campaign_folder(work, name))
    if decided:
        ran.report["decisions"] = run_stage(out, "decisions", work, chosen, decided, how, paths, name).report
    out.result(ran.report)
    out.next(f"ufine-kit build-release --work {work}")
    return ran.exit_code
