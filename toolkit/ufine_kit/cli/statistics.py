"""`ufine-kit stats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output

if TYPE_CHECKING:
    from ufine_kit.release.statistics import Statistics


def stats(
    releases: Annotated[
        list[Path] | None, typer.Argument(help="Folders of releases, side by side; the newest without any.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", metavar="DIR", help="CLIP tokenizer that counts; else estimated.")
    ] = None,
    attributes: Annotated[
        int, typer.Option("--attributes", min=0, help="Texts of a release that are read for attributes; 0: none.")
    ] = 2000,
    published: Annotated[bool, typer.Option("--published", help="Add what the papers say of their datasets.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Tables for a paper instead of Markdown.")] = False,
    plots: Annotated[Path | None, typer.Option("--plots", metavar="DIR", help="Write PNGs there.")] = None,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """UFineBench's Table 1 for any releases: sizes, words, tokens, granularity, style, origin, attributes."""
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.release import statistics_tables as tables
    from ufine_kit.release.statistics import statistics_of

    out = Output(json)
    if latex and json:
        raise KitError("`--latex` and `--json` are two answers", "give one of them")
    opened = [open_release(path) for path in releases or [newest_release(work)]]
    if dry_run:
        said = {"releases": [str(release.path) for release in opened], "plots": str(plots) if plots else None}
        out.result({**said, "dry_run": True}, [str(release.path) for release in opened])
        return EXIT_DONE
    found: list[Statistics] = []
    with out.progress(len(opened), "releases") as bar:
        for release in opened:
            found.append(statistics_of(release, tokenizer, attributes))
            bar.step(f"  {found[-1].title}  {found[-1].whole['texts']:,} texts")
    notes = tables.notes_of(found)
    write = tables.latex if latex else tables.markdown
    drawn = _draw(found, plots)
    report: dict[str, Any] = {"releases": [_plain(one) for one in found], "notes": notes, "plots": drawn}
    out.result(report, write(tables.tables_of(found, published), notes))
    for path in drawn:
        out.say(path)
    return EXIT_DONE


def _draw(found: list[Statistics], plots: Path | None) -> list[str]:
    if plots is None:
        return []
    from ufine_kit.release.statistics_plots import write_plots

    return [str(path) for path in write_plots(found, plots)]


def _plain(one: Statistics) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(one)
