"""`ufine-kit campaign create` and the server's side of `pull`: between a campaign's folder and Label Studio."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.adapters.label_studio import LabelStudio
    from ufine_kit.campaign.create import Pictures
    from ufine_kit.campaign.items import Item, Kind
    from ufine_kit.tables import CampaignTable

KINDS = ("review", "describe", "revise", "fix")


def create(
    kind: Annotated[str, typer.Argument(metavar="{review,describe,revise,fix}", help="What people are asked to do.")],
    name: Annotated[
        str | None, typer.Argument(help="Name of the campaign; `fix` and what it mends share one. [default: the kind]")
    ] = None,
    seats: Annotated[
        int, typer.Option("--seats", min=0, help="A project for each of so many people; 0: one that all share.")
    ] = 0,
    honeypots: Annotated[
        Path | None, typer.Option("--honeypots", help="JSONL with crop_id and a trusted text, to be mixed in.")
    ] = None,
    noise: Annotated[
        Path | None,
        typer.Option(
            "--noise", metavar="FILE", help="For `fix`, `review`: ask about what `evaluate --noise` found alone."
        ),
    ] = None,
    job: Annotated[str | None, typer.Option("--job", help="For `revise`: the rewriting job.")] = None,
    restore_config: Annotated[
        bool, typer.Option("--restore-config", help="Put our labelling config back where somebody changed it.")
    ] = False,
    restore_tasks: Annotated[
        bool, typer.Option("--restore-tasks", help="Send again what somebody deleted on the server.")
    ] = False,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Ask people on Label Studio: a project for a round of items, its tasks sent once. Again: only what is new or missing."""
    from ufine_kit.campaign import create as creating
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.spec import has_campaign
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    asked = _kind(kind)
    table = load_recipe(recipe, sets or ()).campaign
    folder = campaign_folder(work, name or ("describe" if asked == "fix" else asked))
    if asked == "describe" and table.qualify and not seats:
        raise KitError(
            f"`campaign.qualify` asks everybody, and a project that all share asks {table.overlap} people an item",
            "give --seats N, a project for each of N people",
        )
    left_out: dict[str, int] = {}
    if noise is not None:
        items, left_out = _doubted(work, folder, asked, table, noise)
        out.say(
            f"  left out of {noise}: {', '.join(f'{number:,} {why}' for why, number in left_out.items()) or 'none'}"
        )
    else:
        items = _items(work, folder, asked, table, honeypots, job)
    rounds = creating.plan_round(folder, asked, items, table, seats)
    if not rounds and not has_campaign(folder):
        raise KitError(f"nothing to {asked}", f"ufine-kit campaign status {folder.name} --work {work}")
    if dry_run:
        return _foretold(out, folder, asked, rounds, left_out)
    from ufine_kit.adapters.label_studio import connect

    server = connect(work)
    mending = creating.Mending(restore_config, restore_tasks)
    pictures = _pictures(work, folder.name, asked, server, table)
    made = creating.create(folder, asked, items, server, table, pictures, seats, mending)
    for line in made.said:
        out.say(f"  {line}")
    lines = [f"{count(made.added, 'task')} sent"]
    lines += [
        f"  {one['title']}: {count(one['tasks'], 'task')}, {one['added']:,} new  {one['url']}" for one in made.projects
    ]
    report = {"campaign": folder.name, "added": made.added, "projects": made.projects, "said": made.said}
    out.result({**report, "left_out": left_out, "dry_run": False}, lines)
    out.next(f"ufine-kit campaign pull {folder.name} --work {work}")
    return EXIT_DONE


def pull_server(out: Output, work: Path, name: str, full: bool, dry_run: bool) -> int:
    """Pull a campaign's answers from its server and tell what came. Exit 1 where a project is no longer there."""
    from dataclasses import asdict

    from ufine_kit.adapters.label_studio import connect
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.pull import pull
    from ufine_kit.campaign.spec import read_campaign

    folder = campaign_folder(work, name)
    total = sum(one.tasks for made in read_campaign(folder).rounds for one in made.projects)
    with out.progress(total, "tasks") as bar:
        pulled = pull(folder, connect(work), full, not dry_run, bar.step)
    for line in pulled.said:
        out.say(f"  {line}")
    lines = [
        f"{count(pulled.answers, 'new answer')}, {pulled.versions - pulled.answers:,} new versions, "
        f"{pulled.skipped:,} skipped, {pulled.gone:,} gone on the server"
    ]
    if pulled.tampered:
        lines.append(f"  {pulled.tampered:,} written over by another user: kept beside the writer's own words")
    if pulled.surplus:
        lines.append(f"  {count(pulled.surplus, 'task')} answered by more people than asked")
    out.result({**asdict(pulled), "added": pulled.added, "dry_run": dry_run}, lines)
    out.next(f"ufine-kit campaign qc {name} --work {work}")
    return EXIT_CHECK_FAILED if pulled.lost else EXIT_DONE


def only_campaign(work: Path) -> str:
    """The campaign that a command means when none is named. Raises KitError where there is none, or more than one."""
    found = sorted(path.parent.name for path in work.glob("campaigns/*/campaign.json"))
    if not found:
        raise KitError(f"no campaign was created in `{work}`", f"ufine-kit campaign create describe --work {work}")
    if len(found) > 1:
        raise KitError(f"which campaign: {', '.join(found)}?", f"ufine-kit campaign pull {found[0]} --work {work}")
    return found[0]


def _kind(word: str) -> Kind:
    for kind in KINDS:
        if word == kind:
            return kind
    raise KitError(f"nothing is called `{word}`", f"one of: {', '.join(KINDS)}")


def _items(
    work: Path, folder: Path, kind: Kind, table: CampaignTable, honeypots: Path | None, job: str | None
) -> list[Item]:
    """What is asked, built anew from the work folder: each kind in a module of its own."""
    builder: Any = importlib.import_module(f"ufine_kit.campaign.kinds.{kind}")
    if kind == "describe":
        return builder.items(work, folder.name, table, honeypots)
    if kind == "revise":
        return builder.items(work, folder.name, job or _job(work), table)
    return builder.items(folder if kind == "fix" else work, folder.name, table)


def _doubted(
    work: Path, folder: Path, kind: Kind, table: CampaignTable, noise: Path
) -> tuple[list[Item], dict[str, int]]:
    """What is asked about a list of suspects, and how many of its lines are not asked about, by the reason why."""
    from ufine_kit.campaign.suspects import Doubts, read_suspects
    from ufine_kit.campaign.versions import items_of

    if kind not in ("fix", "review"):
        raise KitError(f"`--noise` is about texts and crops that exist, and `{kind}` asks for others", "fix or review")
    builder: Any = importlib.import_module(f"ufine_kit.campaign.kinds.{kind}")
    told: Doubts = builder.doubted(folder if kind == "fix" else work, folder.name, table, read_suspects(noise))
    asked = items_of(folder)
    if before := sum(item.item_key in asked for item in told.items):
        told.left_out["asked before"] = before
    return told.items, dict(told.left_out)


def _job(work: Path) -> str:
    jobs = sorted(path.name for path in work.glob("rewrites/*") if path.is_dir())
    if len(jobs) != 1:
        what = f"which rewriting job: {', '.join(jobs)}?" if jobs else "no rewriting job yet"
        raise KitError(what, f"give --job {jobs[0]}" if jobs else "ufine-kit build-3c")
    return jobs[0]


def _foretold(out: Output, folder: Path, kind: Kind, rounds: Sequence[Sequence[Item]], left_out: dict[str, int]) -> int:
    from ufine_kit.campaign.faces import face_of

    projects: list[dict[str, Any]] = [
        {
            "face": face_of(group[0]),
            "seat": seat,
            "tasks": sum(seat is None or seat in item.seats for item in group),
        }
        for group in rounds
        for seat in sorted({seat for item in group for seat in item.seats}) or [None]
    ]
    lines = [f"  {one['face']} {one['seat'] or 'for all'}: {count(one['tasks'], 'task')}" for one in projects]
    out.result(
        {"campaign": folder.name, "projects": projects, "left_out": left_out, "dry_run": True},
        lines or [f"nothing new to {kind}, nothing sent"],
    )
    return EXIT_DONE


def _pictures(work: Path, name: str, kind: Kind, server: LabelStudio, table: CampaignTable) -> Pictures:
    from ufine_kit.campaign.create import Pictures
    from ufine_kit.campaign.delivery import open_delivery
    from ufine_kit.campaign.pictures import pictures

    def delivery(project: int) -> Callable[[str, bytes], str]:
        return open_delivery(table.delivery, server, project, work / "label-studio" / "files" / name, table)

    return Pictures(lambda items: pictures(work, kind, items), delivery)
