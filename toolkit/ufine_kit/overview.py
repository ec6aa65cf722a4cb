"""What lies under a work folder, told from done marks alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.errors import KitError
from ufine_kit.manifest import read_manifest, release_folders
from ufine_kit.pipeline import BY_NAME, digest, outdated
from ufine_kit.recipe import Recipe


def overview(work: Path, recipe: Recipe | None = None, verify: bool = False) -> dict[str, Any]:
    """Stages with their parts by state, releases, and with `verify` every part whose bytes are not what its mark says.

    Parts are compared with `recipe` where one is given, else each with the recipe in its own done mark: then only a raised
    version or changed inputs make it stale.
    """
    folders = [path.parent for path in sorted([*work.glob("*/plan.json"), *work.glob("*/*/plan.json")])]
    known = [folder for folder in folders if _stage_name(folder, work) in BY_NAME]
    releases = [_release(path) for path in release_folders(work)]
    return {
        "work": str(work),
        "stages": [_stage(folder, work, recipe) for folder in known],
        "releases": releases,
        "damaged": [name for folder in known for name in _damaged(folder, work)] if verify else [],
    }


def _stage_name(folder: Path, work: Path) -> str:
    return folder.relative_to(work).parts[0]


def _stage(folder: Path, work: Path, recipe: Recipe | None) -> dict[str, Any]:
    stage = BY_NAME[_stage_name(folder, work)]
    asked = getattr(recipe, stage.table).model_dump(mode="json") if recipe else None
    counts = {"done": 0, "missing": 0, "stale": 0, "failed": 0}
    errors: list[dict[str, str]] = []
    rows = 0
    old = set(outdated(folder, work))
    for entry in parts.read_plan(folder):
        done = parts.read_done(folder, entry.part)
        made_of = digest(stage, asked if asked is not None else done.recipe if done else {})
        state = parts.state_of(done, made_of, done.inputs if done else {})
        counts["stale" if entry.part in old else state] += 1
        rows += done.rows if done else 0
        errors += _errors(f"{folder.relative_to(work).as_posix()}/{entry.part}", done) if done else []
    return {"stage": folder.relative_to(work).as_posix(), "rows": rows, **counts, "errors": errors}


def _errors(part: str, done: parts.Done) -> list[dict[str, str]]:
    found = [{"part": part, "error": done.error}] if done.error else []
    faults = [f"{bad['input']}: {bad['reason']}" for bad in done.bad_inputs]
    return found + [{"part": part, "error": fault} for fault in faults if fault not in (done.error or "")]


def _damaged(folder: Path, work: Path) -> list[str]:
    return [
        (folder / name).relative_to(work).as_posix()
        for done in parts.done_parts(folder)
        for name in parts.damaged(folder, done)
    ]


def _release(path: Path) -> dict[str, Any]:
    try:
        found = read_manifest(path)
    except KitError as error:
        return {"path": str(path), "error": error.problem}
    return {"path": str(path), "data_digest": found.data_digest, "splits": found.model_dump(mode="json")["splits"]}
