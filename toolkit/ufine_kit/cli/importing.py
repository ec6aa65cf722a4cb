"""`ufine-kit import-dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.release.importing.findings import Finding
    from ufine_kit.release.importing.importing import Imported, Wanted
    from ufine_kit.release.importing.opening import Dataset

SHOWN = 5


def import_dataset(
    format: Annotated[str, typer.Argument(help="cuhk-pedes, icfg-pedes, rstpreid, ufine6926, ufine3c, folder or hub.")],
    path: Annotated[str, typer.Argument(help="Folder of the dataset; for hub: a repository's name or a folder.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the release; the format's without it.")] = None,
    version: Annotated[
        str, typer.Option("--version", help="Like 0.1.0, or next-patch, next-minor, next-major.")
    ] = "0.1.0",
    licence: Annotated[str, typer.Option("--licence", help="SPDX name of the dataset's licence, or other.")] = "other",
    redistribution: Annotated[
        bool | None, typer.Option("--redistribution/--no-redistribution", help="May it be passed on?")
    ] = None,
    consent_basis: Annotated[str, typer.Option("--consent-basis", help="On what ground people in it are shown.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where it came from.")] = "",
    date: Annotated[str, typer.Option("--date", help="When it was fetched.")] = "",
    source: Annotated[str | None, typer.Option("--source", help="The dataset's name in the rows.")] = None,
    annotations: Annotated[Path | None, typer.Option("--annotations", help="Annotation file or table.")] = None,
    images: Annotated[Path | None, typer.Option("--images", help="Folder that file names are relative to.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN,...", help="folder and hub: what holds what.")
    ] = None,
    config: Annotated[str | None, typer.Option("--config", help="hub: configuration.")] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="hub: tag, branch or commit.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="Split of rows that name none.")] = None,
    ids_per_split: Annotated[
        bool, typer.Option("--ids-per-split", help="One number in two splits is two identities.")
    ] = False,
    strip_exif: Annotated[
        bool, typer.Option("--strip-exif", help="Cut EXIF, XMP, IPTC and comments out; pixels stay as they are.")
    ] = False,
    max_pixels: Annotated[int, typer.Option("--max-pixels", min=1, help="Larger pictures are left out.")] = 20_000_000,
    shards: Annotated[int, typer.Option("--shards", min=0, help="Files a split; 0: by size.")] = 0,
    workers: Annotated[
        int,
        typer.Option("--workers", min=0, envvar="UFINE_WORKERS", help="Threads that decode; 0: as there are cores."),
    ] = 0,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Its pictures were drawn by a program.")] = False,
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Exit 0 though rows were left out.")] = False,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Take a dataset that exists in as a release. What cannot be taken is left out, and told of in a report beside it."""
    from ufine_kit.dataset.versions import number_of, resolved
    from ufine_kit.release.importing import importing
    from ufine_kit.release.importing.opening import Where, open_dataset
    from ufine_kit.release.importing.survey import Reading

    out = Output(json)
    dataset = open_dataset(format, path, Where(annotations, images, tuple(columns or ()), source, config, revision))
    word = _word(name or (dataset.prefix if format in ("folder", "hub") else format))
    version = resolved(work / "releases" / word, version)
    number_of(version)
    wanted = importing.Wanted(
        name=word,
        version=version,
        rights=importing.Rights(licence, redistribution, consent_basis, url, date),
        reading=Reading(split, ids_per_split),
        shards=shards,
        strip_exif=strip_exif,
        most_pixels=max_pixels,
        workers=workers,
        synthetic=synthetic or dataset.synthetic,
    )
    return _run(out, work, dataset, wanted, allow_missing, dry_run)


def _run(out: Output, work: Path, dataset: Dataset, wanted: Wanted, allow_missing: bool, dry_run: bool) -> int:
    from ufine_kit.release.importing import importing
    from ufine_kit.release.importing.survey import survey_of

    folder = importing.target(work, wanted)
    survey = survey_of(dataset, wanted.reading)
    if wanted.synthetic:
        out.say(f"{dataset.file}: synthetic: its pictures were drawn by a program")
    for line in dataset.said:
        out.say(f"{dataset.file}: {line}")
    out.say(f"{dataset.file}: {count(len(survey.images), 'image')} listed, {_each(survey.captions_each)}")
    _tell(out, dataset.file, survey.findings)
    if dry_run:
        shards = importing.shards_of(folder.parent, wanted, survey)
        said = {"folder": str(folder), "splits": survey.counts(), "shards": shards, "dry_run": True}
        out.result({**said, **_counted(survey.findings)}, [str(folder)])
        return EXIT_DONE
    imported = importing.import_dataset(work, dataset, survey, wanted)
    _tell(out, dataset.file, imported.findings[len(survey.findings) :])
    return _answer(out, imported, allow_missing, work)


def _answer(out: Output, imported: Imported, allow_missing: bool, work: Path) -> int:
    summary = imported.summary
    for difference in summary["differences"]:
        off = difference["found"] - difference["published"]
        out.say(
            f"  {difference['split']}: {difference['found']:,} {difference['what']} here,"
            f" {difference['published']:,} published ({off:+,})"
        )
    if summary["hint"]:
        out.say(f"  {summary['hint']}")
    for word, reasons in (("left out", summary["left_out"]), ("noted", summary["notes"])):
        for reason, number in reasons.items():
            out.say(f"  {word}: {reason} {number:,}")
    if "metadata" in summary["notes"]:
        out.say("  pictures hold EXIF, XMP, IPTC or comments: import again with --strip-exif before they go out")
    if "two_split_identity" in summary["notes"]:
        out.say("  if these are other people with the same number: --ids-per-split")
    splits = imported.manifest["splits"]
    lines = [f"{split:5}  {_numbers(counts)}" for split, counts in splits.items()]
    lines += [f"data digest {imported.manifest['data_digest']}", f"report {imported.report[0]} and .parquet"]
    report = {"folder": str(imported.folder), "report": [str(path) for path in imported.report]}
    out.result({**report, **imported.manifest}, lines)
    out.next(f"ufine-kit stats {imported.folder} --work {work}")
    return EXIT_CHECK_FAILED if summary["left_out"] and not allow_missing else EXIT_DONE


def _tell(out: Output, file: str, findings: list[Finding]) -> None:
    """The first rows that are left out, a line each; the report has all."""
    out_rows = [found for found in findings if found.left_out]
    for found in out_rows[:SHOWN]:
        image = f" (`{found.image}`)" if found.image else ""
        out.say(f"  {file} row {found.row}{image}: {found.reason}{': ' + found.detail if found.detail else ''}")
    if len(out_rows) > SHOWN:
        out.say(f"  and {len(out_rows) - SHOWN:,} rows more")


def _counted(findings: list[Finding]) -> dict[str, Any]:
    from ufine_kit.release.importing.findings import counted

    out, notes = counted(findings)
    return {"left_out": out, "notes": notes}


def _word(name: str) -> str:
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise KitError(f"`{name}` is no name of a release", "give --name in small letters, digits, - and _")
    return name


def _each(captions: dict[int, int]) -> str:
    return ", ".join(f"{number:,} with {count(each, 'caption')}" for each, number in sorted(captions.items())[:6])


def _numbers(counts: dict[str, int]) -> str:
    return "  ".join(f"{counts[what]:,} {what}" for what in ("identities", "images", "captions"))
