"""`ufine-kit check-release`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work, Workers
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.dataset.checks import Outcome, Report
    from ufine_kit.dataset.checks.fix import Fixed
    from ufine_kit.tables import CheckTable

MOST_WORKERS = 64
# Without these no other command opens the release.
NEEDED = ("manifest", "schema")
Names = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this check, or tier of checks.")]


def check_release(
    release: Annotated[
        Path | None, typer.Argument(help="Folder of a release; the newest under --work without it.")
    ] = None,
    only: Names = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", metavar="NAME", help="Not this check, or tier.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say what every check demands, and check nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too, and so does a check not run.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is mechanical, as a new version beside this one.")
    ] = False,
    version: Annotated[
        str | None, typer.Option("--version", help="Of the mended release; else the next patch.")
    ] = None,
    workers: Workers = 0,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Try a release on everything that goes wrong with one; every offending row goes to a Parquet file. Exit 1 on failures."""
    from ufine_kit.dataset.checks import FINDINGS, every_check, keep, report_folder
    from ufine_kit.dataset.checks import check_release as check
    from ufine_kit.dataset.checks.report import named
    from ufine_kit.dataset.reader import newest_release
    from ufine_kit.pipeline import default_workers
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    if listed:
        told = [{"name": one.name, "tier": one.tier, "level": one.level, "what": one.what} for one in every_check()]
        out.result(
            {"checks": told}, [f"{one['tier']:9} {one['level']}  {one['name']:16} {one['what']}" for one in told]
        )
        return EXIT_DONE
    folder = release or newest_release(work)
    table = load_recipe(recipe, sets or ()).check
    kept = report_folder(work, *named(folder))
    with out.progress(1, "row groups") as bar:
        report = check(
            folder,
            table,
            findings=None if dry_run else kept / FINDINGS,
            only=only or (),
            skip=skip or (),
            workers=workers or default_workers(MOST_WORKERS),
            say=lambda done, of: bar.step(f"  {done} of {of} row groups", 1 / of),
        )
    if not dry_run:
        keep(report, kept)
    fixed = _fixed(folder, version, dry_run, table, out) if fix else None
    found = {**report.to_dict(), "findings_file": None if dry_run else str(kept / FINDINGS), "dry_run": dry_run}
    out.result({**found, "fixed": fixed.to_dict() if fixed else None}, [*_lines(report), _summary(report)])
    if not dry_run and report.findings:
        out.say(f"every offending row: {kept / FINDINGS}")
    failed = not report.passed or (strict and any(one.state != "passed" for one in report.checks))
    if command := _next(folder, fixed, report, failed):
        out.next(f"ufine-kit {command} --work {work}")
    return EXIT_CHECK_FAILED if failed else EXIT_DONE


def _fixed(folder: Path, version: str | None, dry_run: bool, table: CheckTable, out: Output) -> Fixed:
    from ufine_kit.dataset.checks.fix import fix_release

    fixed = fix_release(folder, version, dry_run, table)
    for line in fixed.changes or ("nothing to mend mechanically",):
        out.say(f"{'would mend' if dry_run else 'mended'}: {line}" if fixed.changes else line)
    return fixed


def _next(folder: Path, fixed: Fixed | None, report: Report, failed: bool) -> str:
    if fixed and fixed.folder and fixed.changes:
        return f"check-release {fixed.folder}"
    if any(check.name in NEEDED and check.state == "failed" for check in report.checks):
        return ""  # what does not open has no page either: it is restored from a copy
    return f"report {folder}" if failed else f"push-hub {folder} --to DIR"


def _lines(report: Report) -> list[str]:
    """One line a check, the failed ones last: there one looks first."""
    order = {"passed": 0, "not run": 1, "warned": 2, "failed": 3}
    return [_line(check) for check in sorted(report.checks, key=lambda check: order[check.state])]


def _line(check: Outcome) -> str:
    if check.state == "not run":
        return f"not run  {check.name:16} {check.reason}"
    many = f"{check.rows:,}" if check.rows else ""
    return f"{check.state:8} {check.name:16} {many:>7}  {'; '.join(check.examples[:2])}".rstrip()


def _summary(report: Report) -> str:
    states = [check.state for check in report.checks]
    told = [f"{states.count(state)} {state}" for state in ("passed", "warned", "failed", "not run") if state in states]
    return f"{count(len(states), 'check')}: {', '.join(told)}"
