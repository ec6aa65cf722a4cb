"""`ufine-kit extract-tracklets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Engine, Json, RecipeName, Redo, Sets, Shard, Work, Workers
from ufine_kit.output import Output, count


def extract_tracklets(
    videos: Annotated[list[Path], typer.Argument(help="Videos, or folders of videos.")],
    detector: Annotated[str | None, typer.Option("--detector", help="Where boxes come from.")] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="For `file`: a det.txt, or a folder of <stem>.txt.")
    ] = None,
    tracker: Annotated[str | None, typer.Option("--tracker", help="Which tracker joins boxes.")] = None,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    engine: Engine = "local",
    workers: Workers = 0,
    shard: Shard = None,
    redo: Redo = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Cut pure person tracklets out of videos: boxes, tracks, and a few good crops of each."""
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.extract.plan import plan_videos
    from ufine_kit.extract.tracks import join_tracks
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    flags = {"detector": detector, "tracker": tracker}
    words = [f'extract.{name}="{value}"' for name, value in flags.items() if value is not None]
    chosen = load_recipe(recipe, [*(sets or ()), *words])
    wanted = plan_videos(videos, chosen.extract, work / "tracklets", weights)
    for entry in [*wanted.notes, *wanted.unusable]:
        out.say(f"  {entry['input']}: {entry['reason']}")
    how = How(engine, workers, shard, redo, dry_run)
    ran = run_stage(out, "tracklets", work, chosen, wanted.entries, how, wanted.paths)
    if not dry_run:
        join_tracks(work / "tracklets")
    out.result(ran.report, [] if dry_run else [f"{count(ran.report['rows'], 'crop')} in {work / 'tracklets'}"])
    out.next(f"ufine-kit filter --work {work}")
    return ran.exit_code
