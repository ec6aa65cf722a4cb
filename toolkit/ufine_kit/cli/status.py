"""`ufine-kit status` and `doctor`: what is there, and what is missing on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ufine_kit.output import Output, count


def status(
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    verify: Annotated[bool, typer.Option("--verify", help="Hash every part again.")] = False,
    json: Json = False,
) -> int:
    """What lies under --work: parts done, missing, stale and failed, releases. Reads done marks only."""
    from ufine_kit.overview import overview
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    view = overview(work, load_recipe(recipe, sets or ()) if recipe or sets else None, verify)
    lines = [_stage_line(stage) for stage in view["stages"]]
    lines += [f"{entry['part']}  failed: {entry['error']}" for stage in view["stages"] for entry in stage["errors"]]
    lines += [f"{entry}  is not what its done mark says" for entry in view["damaged"]]
    lines += [
        f"release {entry['path']}  {entry.get('error') or entry['data_digest'][:12]}" for entry in view["releases"]
    ]
    out.result(view, lines or [f"nothing in {work} yet"])
    if not view["stages"]:
        out.next(f"ufine-kit extract-tracklets videos/ --work {work}")
    if view["damaged"]:
        out.say("damaged parts are made again by their command with --redo")
    return EXIT_CHECK_FAILED if view["damaged"] else EXIT_DONE


def _stage_line(stage: dict[str, object]) -> str:
    words = [f"{stage[state]} {state}" for state in ("done", "missing", "stale", "failed") if stage[state]]
    return f"{stage['stage']!s:24} {count(int(str(stage['rows'])), 'row'):>14}   {', '.join(words)}"


def doctor(work: Work = DEFAULT_WORK, json: Json = False) -> int:
    """What this machine has: extras, cores, memory, disk, GPU; what a verb lacks; whether a campaign's pictures are seen."""
    from ufine_kit.health import health

    out = Output(json)
    found = health(Path(work))
    if any(Path(work).glob("campaigns/*/campaign.json")):
        from ufine_kit.campaign.seen import pictures_seen

        line = pictures_seen(Path(work))
        found["lines"] += [line] if line else []
        found["ok"] = found["ok"] and (line is None or line["ok"])
    out.result(
        found, [f"{'ok  ' if line['ok'] else 'lack'}  {line['what']:12} {line['detail']}" for line in found["lines"]]
    )
    return EXIT_DONE
