"""The table of commands. Importing it loads the parser and nothing heavy: the work is imported inside each command."""

from __future__ import annotations

from collections.abc import Callable

import typer

from ufine_kit.cli import (
    baseline,
    campaign,
    campaign_create,
    campaign_quality,
    campaign_server,
    checking,
    exporting,
    extract,
    filtering,
    hub,
    importing,
    release,
    report,
    rewriting,
    score,
    search,
    statistics,
    status,
    world,
)

GROUPS = ("campaign",)

COMMANDS = {
    "extract-tracklets": extract.extract_tracklets,
    "filter": filtering.filter_crops,
    "import-dataset": importing.import_dataset,
    "build-release": release.build_release,
    "edit-release": release.edit_release,
    "remove": release.remove,
    "stats": statistics.stats,
    "check-release": checking.check_release,
    "export": exporting.export,
    "build-3c": rewriting.build_3c,
    "baseline-train": baseline.baseline_train,
    "evaluate": baseline.evaluate,
    "search": search.search,
    "score": score.score,
    "push-hub": hub.push_hub,
    "status": status.status,
    "report": report.report,
    "show": report.show,
    "doctor": status.doctor,
    "world": world.world,
}
CAMPAIGN = {
    "serve": campaign_server.serve,
    "create": campaign_create.create,
    "pull": campaign.pull,
    "qc": campaign_quality.qc,
    "status": campaign_quality.campaign_status,
    "close": campaign.close,
}


def command() -> Callable[..., int | None]:
    """The parser with all verbs."""
    app = typer.Typer(
        name="ufine-kit",
        rich_markup_mode=None,  # Rich help costs 95 ms at every start
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    for name, act in COMMANDS.items():
        app.command(name)(act)
    people = typer.Typer(rich_markup_mode=None, help="Description campaigns with people.")
    for name, act in CAMPAIGN.items():
        people.command(name)(act)
    app.add_typer(people, name="campaign")
    return app


def _top() -> None:
    """From raw videos to a published, validated, ultra-fine-grained dataset for text-based person retrieval."""


def names() -> list[str]:
    """Every command as it is typed after `ufine-kit`."""
    return [*COMMANDS, *(f"campaign {name}" for name in CAMPAIGN)]
