"""What lies under a work folder, told from done marks alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.files import read_json, sha256_file
from ufine_kit.pipeline import BY_NAME, digest
from ufine_kit.recipe import Recipe


def overview(work: Path, recipe: Recipe | None = None, verify: bool = False) -> dict[str, Any]:
    """Stages with their parts by state, releases, and with `verify` every part whose bytes are not what its mark says.

    Parts are compared with `recipe` where one is given, else each with the recipe in its own done mark: then only a raised
    version or changed inputs make it stale.
    """
    folders = [path.parent for path in sorted([*work.glob("*/plan.json"), *work.glob("descriptions/*/plan.json")])]
    known = [folder for folder in folders if _stage_name(folder, work) in BY_NAME]
    releases = [_release(path) for path in sorted(work.glob("releases/*/*/release.json"))]
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
    for entry in parts.read_plan(folder):
        done = parts.read_done(folder, entry.part)
        made_of = digest(stage, asked if asked is not None else done.recipe if done else {})
        counts[parts.state_of(done, made_of, _inputs_now(done, work))] += 1
        rows += done.rows if done else 0
        if done and done.error:
            errors.append({"part": f"{stage.name}/{entry.part}", "error": done.error})
        errors += [
            {"part": f"{stage.name}/{entry.part}", "error": f"{bad['input']}: {bad['reason']}"}
            for bad in (done.bad_inputs if done else [])
        ]
    return {"stage": folder.relative_to(work).as_posix(), "rows": rows, **counts, "errors": errors}


def _inputs_now(done: parts.Done | None, work: Path) -> dict[str, str]:
    """A part's inputs with the upstream parts' sha256 of this moment; files outside the work folder count as unchanged."""
    current = dict(done.inputs) if done else {}
    for name in current:
        upstream, slash, part = name.partition("/")
        if slash and upstream in BY_NAME:
            made = parts.read_done(work / upstream, part)
            current[name] = made.sha256 if made else ""
    return current


def _damaged(folder: Path, work: Path) -> list[str]:
    wrong: list[str] = []
    for done in parts.done_parts(folder):
        files = {f"{done.part}.parquet": done.sha256} | {
            f"{done.part}.{suffix}": sha for suffix, sha in done.attachments.items()
        }
        wrong += [
            (folder / name).relative_to(work).as_posix()
            for name, sha in files.items()
            if not (folder / name).is_file() or sha256_file(folder / name) != sha
        ]
    return wrong


def _release(path: Path) -> dict[str, Any]:
    manifest = read_json(path)
    return {"path": str(path.parent), "data_digest": manifest["data_digest"], "splits": manifest["splits"]}
