"""`export`: one release, one form, one folder that is whole in the end; a rerun completes what was cut short."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.release.exporting.coco import write_coco
from ufine_kit.release.exporting.folder import Folder, check_folder, is_whole, open_folder
from ufine_kit.release.exporting.loaders import FORMS, write_form
from ufine_kit.release.exporting.plain import write_edits, write_imagefolder, write_webdataset

FORMATS = ("cuhk", "icfg", "rstp", "ufine", "webdataset", "imagefolder", "coco", "edits")
# Forms without loose pictures: if their files are right, there is nothing to go through again.
PACKED = ("webdataset", "edits")
TAR_MB = 256
EDITOR = re.compile(r"[A-Za-z0-9_-]{1,64}")  # a pseudonym: no name, no address


@dataclass(frozen=True)
class ExportPlan:
    """What an export would write and where."""

    release: Release
    format: str
    out: Path
    tar_mb: int
    editor: str
    mark: dict[str, Any]
    whole: bool


def plan_export(release: Release, format: str, out: Path, tar_mb: int = TAR_MB, editor: str = "editor") -> ExportPlan:
    """Look at the folder before anything is written. Raises KitError for an unknown form, or a folder that is not ours."""
    if format not in FORMATS:
        raise KitError(f"no format `{format}`", f"--format is one of: {', '.join(FORMATS)}")
    if not EDITOR.fullmatch(editor):
        raise KitError(f"`{editor}` is no pseudonym", "give --editor one word: letters, digits, - and _")
    if out.resolve().is_relative_to(release.path.resolve()):
        raise KitError(f"`{out}` lies in the release itself, which never changes", "choose another --out")
    mark = {
        "format": format,
        "release": release.name,
        "version": release.version,
        "data_digest": release.data_digest,
        "synthetic": release.manifest["synthetic"],
        **({"tar_mb": tar_mb} if format == "webdataset" else {}),
        **({"editor": editor} if format == "edits" else {}),
    }
    check_folder(out, mark)
    return ExportPlan(release, format, out, tar_mb, editor, mark, format in PACKED and is_whole(out))


def export(plan: ExportPlan) -> dict[str, Any]:
    """Write what is missing; returns counts. Raises CheckFailed for a damaged picture, KitError for a text changed since."""
    if plan.whole:
        return {"pictures": 0, "files": 0, "fresh": 0}
    folder = open_folder(plan.out, plan.mark)
    _writer(plan)(plan.release, folder)
    folder.finish()
    return {"pictures": folder.pictures, "files": len(folder.files), "fresh": folder.fresh}


def _writer(plan: ExportPlan) -> Callable[[Release, Folder], None]:
    if plan.format == "webdataset":
        return lambda release, folder: write_webdataset(release, folder, plan.tar_mb << 20)
    if plan.format == "edits":
        return lambda release, folder: write_edits(release, folder, plan.editor)
    general = {"imagefolder": write_imagefolder, "coco": write_coco}
    if plan.format in general:
        return general[plan.format]
    form = "ufine3c" if plan.format == "ufine" and plan.release.manifest["kind"] == "ufine3c" else plan.format
    return lambda release, folder: write_form(release, folder, FORMS[form])


def where_to_look(plan: ExportPlan) -> str:
    """What one would do with the export, in one line."""
    said = {
        "webdataset": f"webdataset.WebDataset('{plan.out}/train-000000.tar')",
        "imagefolder": f"datasets.load_dataset('imagefolder', data_dir='{plan.out}')",
        "coco": f"pycocotools.coco.COCO('{plan.out}/annotations/captions_test.json')",
        "edits": (
            "change texts, list images that shall go, then: ufine-kit edit-release"
            f" {plan.release.path} --edits {plan.out}/edits.jsonl --drop {plan.out}/drop.jsonl"
        ),
    }
    return said.get(plan.format, f"loaders of the field take `{plan.out}` as their root folder")
