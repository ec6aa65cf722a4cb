"""`ufine-kit search`: who fits this description? The top of the ranking as a strip of pictures and as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output


def search(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    release: Annotated[Path, typer.Argument(help="Folder of a release.")],
    texts: Annotated[list[str], typer.Argument(help="Descriptions, each in quotes.")],
    split: Annotated[str, typer.Option("--split", help="Whose images are searched.")] = "test",
    top: Annotated[int, typer.Option("--top", min=1, max=100, help="Images a text.")] = 10,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder of the strips; WORK/search without it.")
    ] = None,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Find persons of a release by a written description."""
    from ufine_kit.dataset.reader import open_release

    out = Output(json)
    opened, folder = open_release(release), out_folder or work / "search"
    if not checkpoint.is_dir():
        raise KitError(f"no checkpoint `{checkpoint}`", f"ufine-kit baseline-train {release} --work {work}")
    if dry_run:
        said = {"checkpoint": str(checkpoint), "release": str(release), "texts": texts, "out": str(folder)}
        out.result({**said, "dry_run": True}, [f"{len(texts)} strips into {folder}"])
        return EXIT_DONE
    from dataclasses import asdict

    from ufine_kit.baseline.search import search as find

    found = find(checkpoint, opened, texts, folder, split, top)
    for each in found:
        if each.cut:
            out.say(f"warning: the model reads the beginning alone of `{each.text[:40]}...`")
    results = [{**asdict(each), "strip": str(each.strip)} for each in found]
    lines = [
        line
        for each in found
        for line in [
            str(each.strip),
            *(f"{hit.rank:>3}  {hit.similarity:.3f}  {hit.person_id}  {hit.image_id}" for hit in each.hits),
        ]
    ]
    out.result({"results": results}, lines)
    return EXIT_DONE
