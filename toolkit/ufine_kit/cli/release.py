"""`ufine-kit build-release`."""

from __future__ import annotations

from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output


def build_release(
    name: Annotated[str | None, typer.Option("--name", help="Name of the release.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="Semantic version, like 0.1.0.")] = None,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Join kept crops and descriptions, split them by identity, and write a release that never changes again."""
    from ufine_kit.recipe import load_recipe
    from ufine_kit.release.build import build, plan_build

    out = Output(json)
    flags = [f'release.{key}="{value}"' for key, value in (("name", name), ("version", version)) if value is not None]
    chosen = load_recipe(recipe, [*(sets or ()), *flags])
    plan = plan_build(work, chosen.release)
    out.say(f"{plan.folder}: " + ", ".join(f"{number:,} {what}" for what, number in plan.counts().items()))
    if dry_run:
        out.result({"folder": str(plan.folder), **plan.counts(), "dry_run": True}, [str(plan.folder)])
        return EXIT_DONE
    manifest = build(work, chosen.release)
    lines = [f"{split:5}  {_words(counts)}" for split, counts in manifest["splits"].items()]
    out.result({"folder": str(plan.folder), **manifest}, [*lines, f"data digest {manifest['data_digest']}"])
    out.next(f"ufine-kit baseline-train {plan.folder} --work {work}")
    return EXIT_DONE


def _words(counts: dict[str, int]) -> str:
    return "  ".join(f"{counts[what]:,} {what}" for what in ("identities", "images", "captions"))
