"""`ufine-kit build-3c`."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Redo, Sets, Shard, Work, Workers
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.dataset.reader import Release
    from ufine_kit.rewrite.job import JobFolder
    from ufine_kit.rewrite.rounds import Standing
    from ufine_kit.rewrite.selection import Selection
    from ufine_kit.tables import RewriteTable

SHOWN = 10


class Server(StrEnum):
    """Who answers."""

    endpoint = "endpoint"
    vllm = "vllm"


def build_3c(
    releases: Annotated[
        list[Path] | None, typer.Argument(help="Source releases; without them the newest of every name under --work.")
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(metavar="[FAMILY=]URL[,...]", envvar="UFINE_ENDPOINTS", help="OpenAI-compatible servers, to /v1."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY=ID", help="The model of a family, as its server names it.")
    ] = None,
    engine: Annotated[
        Server, typer.Option(help="endpoint: servers that run; vllm: one is started a family.")
    ] = Server.endpoint,
    engine_python: Annotated[
        str | None,
        typer.Option(envvar="UFINE_VLLM_PYTHON", help="Python of the environment that holds vLLM."),
    ] = None,
    engine_args: Annotated[
        str, typer.Option(help="Passed on to vLLM, as '--tensor-parallel-size 4 --max-model-len 2048'.")
    ] = "",
    revised: Annotated[
        Path | None, typer.Option(metavar="JSONL", help="What people decided of the rows in people.jsonl.")
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Build without the rewrites that no attempt mended.")
    ] = False,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    workers: Workers = 0,
    shard: Shard = None,
    redo: Redo = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Draw persons from the test splits of releases and have their descriptions rewritten into an evaluation release."""
    from ufine_kit.rewrite.job import job_folder, selection_of

    out = Output(json)
    table = _table(recipe, sets, model or [])
    sources = _sources(releases or [], work, table)
    job = job_folder(work, table)
    selection = selection_of(job, sources, table, redo, write=not dry_run)
    if dry_run:
        report = _planned(selection, table)
        out.result({**report, "dry_run": True}, [_sentence(report)])
        return EXIT_DONE
    if revised is not None:
        _take_back(out, job, revised, selection, table)
    urls = [url for words in endpoint or [] for url in words.split(",") if url]
    found = _worked(out, job, selection, table, urls, engine, engine_python, engine_args, shard, workers)
    return _finish(out, job, sources, selection, table, found, work, leave_out)


def _table(recipe: str | None, sets: Sequence[str] | None, models: Sequence[str]) -> RewriteTable:
    from ufine_kit.recipe import load_recipe

    table = load_recipe(recipe, sets or ()).rewrite
    if not table.families:
        raise KitError("the recipe names no family of models", "give rewrite.families at least one")
    families = {family.name: family for family in table.families}
    for word in models:
        name, equals, chosen = word.partition("=")
        if not equals:  # the family that the model's own name speaks of
            chosen, name = word, next((family for family in families if family in word.lower()), "")
        if name not in families:
            raise KitError(f"`--model {word}` names no family", f"write FAMILY=ID with one of: {', '.join(families)}")
        families[name] = families[name].model_copy(update={"model": chosen})
    served = [family.model for family in families.values()]
    if len(set(served)) < len(served):
        raise KitError("two families have one model", "name another for one of them: --model FAMILY=ID")
    return table.model_copy(update={"families": tuple(families.values())})


def _sources(paths: Sequence[Path], work: Path, table: RewriteTable) -> list[Release]:
    from ufine_kit.dataset.reader import newest_releases, open_release

    found = [open_release(path) for path in paths or newest_releases(work, "dataset")]
    if (target := work / "releases" / table.name / table.version).exists():
        raise KitError(
            f"`{target}` exists, and a released version never changes", "choose another: --set rewrite.version=X.Y.Z"
        )
    return found


def _planned(selection: Selection, table: RewriteTable) -> dict[str, Any]:
    counts = selection.counts()
    rewrites = counts["originals"] * len(table.families) * table.rewrites_each
    return {**counts, "rewrites": rewrites, "queries": counts["originals"] + rewrites, "selection": selection.said}


def _sentence(report: dict[str, Any]) -> str:
    return (
        f"{report['persons']:,} persons, {count(report['images'], 'image')}, {count(report['originals'], 'original')}, "
        f"{count(report['rewrites'], 'rewrite')}: {report['queries']:,} queries"
    )


def _take_back(out: Output, job: JobFolder, revised: Path, selection: Selection, table: RewriteTable) -> None:
    from ufine_kit.rewrite.job import stand
    from ufine_kit.rewrite.people import for_people, take_back

    found, _ = stand(job, selection.pictures, table)
    refused = take_back(revised, job.revised, {row["rewrite_id"]: row for row in for_people(found, table)})
    for line in refused[:SHOWN]:
        out.say(f"  refused: {line}")
    if len(refused) > SHOWN:
        out.say(f"  and {len(refused) - SHOWN} more refused lines")


def _worked(
    out: Output,
    job: JobFolder,
    selection: Selection,
    table: RewriteTable,
    urls: Sequence[str],
    engine: Server,
    engine_python: str | None,
    engine_args: str,
    shard: str | None,
    workers: int,
) -> Standing:
    """How the rows stand after this run asked and checked what it could."""
    from ufine_kit.adapters.vllm import START_SECONDS
    from ufine_kit.pipeline import default_workers
    from ufine_kit.rewrite.job import keep_engines, stand
    from ufine_kit.rewrite.preflight import look_at
    from ufine_kit.rewrite.run import Tell, buckets_of, work_on

    buckets_of(shard)
    found, _ = stand(job, selection.pictures, table)
    if not found.to_ask and not found.to_check:
        return found
    longest = max((text for one in selection.pictures for text in one.captions), key=len)
    with contextlib.ExitStack() as stack:
        if engine is Server.vllm:
            # A server that died loads its weights again before it answers.
            table = table.model_copy(update={"patience_seconds": max(table.patience_seconds, START_SECONDS)})
            urls = [*urls, *stack.enter_context(_managed(out, job, table, urls, engine_python, engine_args))]
        if not urls:
            raise KitError(
                f"{count(len(found.to_ask), 'rewrite')} to ask for and nobody to ask",
                "give servers (--endpoint http://host:8000/v1,...), or start them: --engine vllm --engine-python PATH",
            )
        endpoints, engines = look_at(urls, table, longest)
        keep_engines(job, engines)
        bar = stack.enter_context(out.progress(len(found.to_ask), "rewrites"))
        tell = Tell(
            lambda rows: bar.step(f"  {count(rows, 'answer')} kept", rows),
            lambda rows: bar.step(f"  {count(rows, 'answer')} checked", 0),
            lambda asks, checks: out.say(f"{count(asks, 'row')} to ask, {count(checks, 'answer')} to check"),
        )
        return work_on(
            job, selection.pictures, table, endpoints, shard, workers or default_workers(len(found.to_ask)), tell
        )


@contextlib.contextmanager
def _managed(
    out: Output, job: JobFolder, table: RewriteTable, given: Sequence[str], python: str | None, arguments: str
) -> Generator[list[str]]:
    """A vLLM server on loopback for every family that no given endpoint serves, stopped at the end."""
    from ufine_kit.adapters.vllm import find_python, serve
    from ufine_kit.recipe import typed_words
    from ufine_kit.rewrite.preflight import families_at

    words = typed_words(arguments, "`--engine-args`")
    chosen = find_python(python)
    elsewhere = families_at(given, table)
    with contextlib.ExitStack() as servers:
        urls: list[str] = []
        for family in [family for family in table.families if family.name not in elsewhere]:
            out.say(f"starting {family.model} (log: {job.path / f'engine-{family.name}.log'})")
            log = job.path / f"engine-{family.name}.log"
            server = serve(chosen, family.model, family.revision, log, words)
            urls.append(servers.enter_context(server).url)
        yield urls


def _finish(
    out: Output,
    job: JobFolder,
    sources: Sequence[Release],
    selection: Selection,
    table: RewriteTable,
    found: Standing,
    work: Path,
    leave_out: bool,
) -> int:
    """Lay out what waits for people; build the release once nothing does."""
    from ufine_kit.rewrite.people import decisions, for_people, slot_id, write_for_people

    decided = decisions(job.revised, found)
    rows = [row for row in for_people(found, table) if row["rewrite_id"] not in decided]
    if not write_for_people(job.people, rows):
        out.say(
            f"  {job.people} was changed by somebody and is left as it is; move it away to get the rows laid out anew"
        )
    open_rows = [slot for slot in found.for_people if slot_id(slot) not in decided]
    report: dict[str, Any] = {
        **_planned(selection, table),
        "accepted": len(found.accepted),
        "failures": dict(found.failures.most_common()),
        "for_people": len(rows),
        "waiting": len(open_rows),
        "left_to_others": len(found.to_ask) + len(found.to_check),
    }
    reasons = "   ".join(f"{name} {number:,}" for name, number in found.failures.most_common(8))
    out.say(
        f"{count(len(found.accepted), 'rewrite')} accepted, {len(open_rows):,} wait for people   {reasons}".rstrip()
    )
    if report["left_to_others"]:
        out.result(report, [f"{report['left_to_others']:,} rows are in other workers' hands"])
        out.next("the same command again, once they are through")
        return EXIT_DONE
    if open_rows and not leave_out:
        out.result(report, [f"{count(len(open_rows), 'rewrite')} wait for people in {job.people}"])
        out.next(
            "the same command with --revised FILE, a copy of these rows with decisions (docs/rewriting.md), or --leave-out"
        )
        return EXIT_CHECK_FAILED
    return _build(out, job, sources, selection, table, work, report)


def _build(
    out: Output,
    job: JobFolder,
    sources: Sequence[Release],
    selection: Selection,
    table: RewriteTable,
    work: Path,
    report: dict[str, Any],
) -> int:
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.dataset.reader import open_release
    from ufine_kit.parquet import read_rows
    from ufine_kit.parts import done_parts, lock
    from ufine_kit.recipe import Recipe
    from ufine_kit.rewrite.assemble import write_3c
    from ufine_kit.rewrite.freeze import plan_freeze
    from ufine_kit.rewrite.spread import lines

    wanted, paths = plan_freeze(job)
    ran = run_stage(out, "rewrites", work, Recipe(rewrite=table), wanted, How(redo=True), paths, table.name)
    if ran.exit_code != EXIT_DONE:
        return ran.exit_code
    rows = [row for part in done_parts(job.path) for row in read_rows(job.path / f"{part.part}.parquet")]
    folder = work / "releases" / table.name / table.version
    with lock(job.path, "release"):
        # It was not there when we began: a worker that was through at the same moment has built it from the same rows.
        built = folder.exists()
        manifest = open_release(folder).manifest if built else write_3c(work, sources, selection, rows, table, job)
    test = manifest["splits"]["test"]
    for line in lines(manifest["rewriting"]["spread"]):
        out.say(f"  {line}")
    report |= {
        "release": str(folder),
        "data_digest": manifest["data_digest"],
        "test": test,
        "rewrites_part": ran.report,
    }
    out.result(
        report, [f"{folder}: {test['identities']:,} persons, {test['images']:,} images, {test['captions']:,} queries"]
    )
    out.next(f"ufine-kit check-release {folder} --work {work}")
    return EXIT_DONE
