"""`ufine-kit extract-tracklets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Engine, Json, RecipeName, Redo, Sets, Shard, Work, Workers
from ufine_kit.errors import EXIT_CHECK_FAILED
from ufine_kit.output import Output, count

Videos = Annotated[
    list[Path], typer.Argument(help="Videos, folders of videos, image sequences, or lists (.txt, one path a line).")
]
Detector = Annotated[str | None, typer.Option("--detector", help="yolo, onnx, hog, or file for given boxes.")]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="The detector's network; for `file` a det.txt, or a folder of <video stem>.txt."),
]
Trust = Annotated[bool, typer.Option("--trust-weights", help="Load a local .pt, which may run code that it holds.")]
Tracker = Annotated[
    str | None,
    typer.Option("--tracker", help="byte (the kit's own), bytetrack, ocsort ..., or file: ids of the boxes."),
]
Preset = Annotated[
    str | None, typer.Option("--tracker-preset", help="strict: pure tracklets; library: its own settings.")
]
Reid = Annotated[Path | None, typer.Option("--reid-weights", help="Network for trackers that compare looks.")]
TracksOnly = Annotated[
    bool, typer.Option("--tracks-only", help="Tracks from given boxes: no picture read, no crop cut.")
]
Fps = Annotated[float | None, typer.Option("--fps", help="Frames a second to look at; without it, every frame.")]
Sources = Annotated[Path | None, typer.Option("--sources", help="CSV: video,url,licence,consent_basis,date.")]


def extract_tracklets(
    videos: Videos,
    detector: Detector = None,
    weights: Weights = None,
    trust_weights: Trust = False,
    tracker: Tracker = None,
    tracker_preset: Preset = None,
    reid_weights: Reid = None,
    tracks_only: TracksOnly = False,
    fps: Fps = None,
    sources: Sources = None,
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
    from ufine_kit.cli.frames_bar import frames_bar
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.extract.plan import plan_videos
    from ufine_kit.extract.progress import PROGRESS, begin_counts, end_counts
    from ufine_kit.extract.sources import read_sources, record_sources
    from ufine_kit.extract.tracks import join_tracks
    from ufine_kit.parts import done_parts
    from ufine_kit.recipe import load_recipe

    out, folder = Output(json), work / "tracklets"
    flags = {"detector": detector or ("file" if tracks_only else None), "tracker": tracker}
    flags |= {"tracker_preset": tracker_preset, "tracks_only": tracks_only or None, "fps": fps}
    chosen = load_recipe(recipe, [*(sets or ()), *_words(flags)])
    rights = read_sources(sources) if sources else None
    wanted = plan_videos(videos, chosen.extract, folder, weights, reid_weights, trust_weights)
    notes = wanted.notes
    if rights is not None and not dry_run:
        notes = notes + record_sources(folder, rights, wanted.videos)[1]
    for entry in [*notes, *wanted.unusable]:
        name = r"\n".join(entry["input"].splitlines())
        out.say(f"  {name}: {entry['reason']}")
    paths = wanted.paths
    if not dry_run:
        paths = paths | {PROGRESS: str(begin_counts(folder))}
    ran = run_stage(
        out, "tracklets", work, chosen, wanted.entries, How(engine, workers, shard, redo, dry_run), paths,
        bar=lambda plan: frames_bar(out, plan, paths, Path(paths[PROGRESS])),
    )  # fmt: skip
    ran.report["bad_inputs"] = [*wanted.unusable, *ran.report.get("bad_inputs", [])]
    ran.report["notes"] = notes
    if not dry_run:
        end_counts(Path(paths[PROGRESS]))
        ran.report["tracks"] = [str(path) for path in join_tracks(folder)]
    crops = sum(done.rows for done in done_parts(folder))
    told = f"{count(crops, 'crop')} in {folder}"
    if chosen.extract.tracks_only and not dry_run:
        told = f"tracks of {count(len(ran.report['tracks']), 'video')} in {folder / 'tracks'}"
    out.result(ran.report, [] if dry_run else [told])
    if crops and not dry_run:
        out.next(f"ufine-kit filter --work {work}")
    return max(ran.exit_code, EXIT_CHECK_FAILED if wanted.unusable else 0)


def _words(flags: dict[str, Any]) -> list[str]:
    """Flags that were given, as `--set` words: they stand above the recipe."""
    spelt = {True: "true", False: "false"}
    return [
        f"extract.{name}={spelt[value] if isinstance(value, bool) else value}"
        for name, value in flags.items()
        if value is not None
    ]
