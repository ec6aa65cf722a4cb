"""Flags that mean the same in every verb."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Work = Annotated[Path, typer.Option("--work", "-w", envvar="UFINE_WORK", help="Folder of all artefacts.")]
RecipeName = Annotated[
    str | None, typer.Option("--recipe", "-r", envvar="UFINE_RECIPE", help="TOML file or packaged name.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Change one value of the recipe.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done, write nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Redo = Annotated[bool, typer.Option("--redo", help="Make stale and failed parts again.")]
Shard = Annotated[str | None, typer.Option("--shard", metavar="i/N", help="Only this share of the parts, 1/N to N/N.")]
Engine = Annotated[str, typer.Option("--engine", envvar="UFINE_ENGINE", help="local or ray.")]
Workers = Annotated[
    int, typer.Option("--workers", envvar="UFINE_WORKERS", min=0, help="Processes; 0: as the machine has cores.")
]

DEFAULT_WORK = Path("work")
