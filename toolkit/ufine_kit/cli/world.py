"""`ufine-kit world`: a synthetic world with known answers, for proof and for the demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DryRun, Json, RecipeName, Sets
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from collections.abc import Iterator


def world(
    folder: Annotated[Path, typer.Argument(help="Folder of the world.")],
    describe: Annotated[
        Path | None,
        typer.Option("--describe", metavar="WORK", help="Let its annotators describe the kept crops of a work folder."),
    ] = None,
    texts: Annotated[Path | None, typer.Option("--texts", help="Where these descriptions go, as JSONL.")] = None,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Draw a synthetic world: videos of people crossing, tracking truth, crops, descriptions. For proof, never for claims."""
    from ufine_kit.recipe import load_recipe
    from ufine_kit.world.write import WorldSettings, make_world

    out = Output(json)
    settings = WorldSettings(**load_recipe(recipe, sets or ()).world.model_dump())
    if dry_run:
        said = {"folder": str(folder), "identities": settings.identities, "videos": settings.videos, "dry_run": True}
        out.result(said, [str(folder)])
        return EXIT_DONE
    if describe is not None:
        return _describe(out, folder, describe, texts or folder / "texts.jsonl")
    out.say(
        f"{folder}: {count(settings.videos, 'video')} of {settings.seconds:g} s with {count(settings.identities, 'identity')}"
    )
    made = make_world(folder, settings)
    out.result({"folder": str(folder), **made}, [f"{folder}: {made['videos']} videos, {made['track_truth']} tracks"])
    out.next(f"ufine-kit extract-tracklets {folder / 'videos'} --recipe demo --weights {folder / 'tracks'}")
    return EXIT_DONE


def _describe(out: Output, folder: Path, work: Path, texts: Path) -> int:
    from ufine_kit.files import canonical_json, make_folder, write_bytes
    from ufine_kit.world.submissions import submissions

    rows = [canonical_json(row) + "\n" for row in submissions(folder, _kept_crops(work))]
    make_folder(texts.parent)
    write_bytes(texts, "".join(rows).encode())
    out.result(
        {"texts": str(texts), "rows": len(rows)},
        [f"{texts}: {count(len(rows), 'description')} by simulated annotators"],
    )
    out.next(f"ufine-kit campaign pull demo --from {texts} --work {work}")
    return EXIT_DONE


def _kept_crops(work: Path) -> Iterator[dict[str, Any]]:
    from ufine_kit.parquet import read_rows
    from ufine_kit.parts import done_parts

    for done in done_parts(work / "filter"):
        kept = {row["crop_id"] for row in read_rows(work / "filter" / f"{done.part}.parquet") if row["kept"]}
        # A part of verdicts holds whole videos: all segments of a long one.
        for name in (name for name in done.inputs if name.startswith("tracklets/")):
            for crop in read_rows(work / f"{name}.parquet", ["crop_id", "video", "frame", "box_xywh"]):
                if crop["crop_id"] in kept:
                    yield crop
