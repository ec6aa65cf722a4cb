"""Caption edits and drop lists come back in: checked line by line against a release, and made its next version."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ufine_kit import parts
from ufine_kit.dataset.reader import Release
from ufine_kit.dataset.tombstones import Removed, read_removed, without_removed
from ufine_kit.errors import KitError, first_fault
from ufine_kit.output import count
from ufine_kit.release.revise import TELLING, Revision, concerned, hit_by, home, next_version, revise, unprintable
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count as count_words

Line = TypeVar("Line", bound=BaseModel)
MODELS = ("model", "model_revised")


class Edit(BaseModel):
    """One line of an edits file: another text for one caption. `editor` is a pseudonym: one word, no name, no address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_id: Annotated[str, Field(min_length=1)]
    caption_index: Annotated[int, Field(ge=0, strict=True)]
    text: str
    editor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Drop(BaseModel):
    """One line of a drop list: an image that shall not be in the next version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_id: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(pattern=r"\S", max_length=200)]

    @field_validator("reason")
    @classmethod
    def _plain(cls, reason: str) -> str:
        if unprintable(reason):
            raise ValueError("has control characters")
        return reason


@dataclass
class Edits:
    """What was asked for, by image id; `at` are the lines, for those who have to mend one."""

    texts: dict[str, dict[int, Edit]] = field(default_factory=dict[str, dict[int, Edit]])
    drops: dict[str, Drop] = field(default_factory=dict[str, Drop])
    at: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def images(self) -> set[str]:
        """Every image that is spoken of."""
        return {*self.texts, *self.drops}


@dataclass(frozen=True)
class EditPlan:
    """The revision, and its counts."""

    revision: Revision
    captions: int
    images: int
    unchanged: int


def read_edits(edits: Path | None, drops: Path | None) -> Edits:
    """The lines of both files. Raises KitError for the first that cannot be used, naming it: all of a file counts, or none."""
    found = Edits()
    for where, drop in _lines(drops, Drop):
        if drop.image_id in found.drops:
            raise _refused(where, f"image `{drop.image_id}` is dropped twice")
        found.drops[drop.image_id] = drop
        found.at[drop.image_id, -1] = where
    for where, edit in _lines(edits, Edit):
        key = (edit.image_id, edit.caption_index)
        if key in found.at:
            raise _refused(where, f"caption {edit.caption_index} of image `{edit.image_id}` is edited twice")
        found.texts.setdefault(edit.image_id, {})[edit.caption_index] = edit
        found.at[key] = where
    return found


def plan_edit(release: Release, edits: Edits, version: str | None) -> EditPlan:
    """Compare edits with the release. Raises KitError for an image or caption that is not there, naming the line."""
    if not edits.images():
        raise KitError("no edit and no drop is given", "give --edits FILE or --drop FILE")
    wanted = edits.images()
    columns = ("image_id", "captions")
    found = concerned(release, columns, partial(_rows_of, images=wanted))
    captions = {row["image_id"]: row["captions"] for table in found.values() for row in table.to_pylist()}
    _refuse_unknown(release, edits, captions)
    same = {
        (image, n)
        for image, texts in edits.texts.items()
        for n, edit in texts.items()
        if captions[image][n].strip() == edit.text.strip()
    }
    texts = {
        image: kept
        for image, by in edits.texts.items()
        if (kept := {n: _readable(e, edits.at[image, n]) for n, e in by.items() if (image, n) not in same})
    }
    if both := next((image for image in texts if image in edits.drops), None):
        raise _refused(edits.at[both, min(texts[both])], f"image `{both}` is edited and dropped")
    touched = {*texts, *edits.drops}
    if not touched:
        raise KitError(f"`{release.path}` says all of that already", "there is nothing to change")
    shards = {name for name, table in found.items() if touched & set(table.column("image_id").to_pylist())}
    changed = sum(len(by) for by in texts.values())
    removed = read_removed(home(release), release.name)
    if removed:  # a removal that was cut short between its tombstones and its version
        shards |= set(concerned(release, TELLING, hit_by(removed)))
    revision = Revision(
        release, next_version(release, version), tuple(sorted(shards)),
        partial(_changed, texts=texts, drops=set(edits.drops), removed=removed),
        removed, tuple(_told(changed, edits.drops)),
    )  # fmt: skip
    return EditPlan(revision, changed, len(edits.drops), len(same))


def edit(plan: EditPlan) -> dict[str, Any]:
    """Write the next version; returns its manifest. Raises KitError where others made a version or a removal since."""
    release = plan.revision.release
    with parts.lock(home(release), "build"):
        next_version(release, plan.revision.version)
        if read_removed(home(release), release.name) != plan.revision.removed:
            raise KitError(f"somebody was removed from `{release.name}` just now", "repeat the command")
        return revise(plan.revision)


def _lines(path: Path | None, model: type[Line]) -> Iterator[tuple[str, Line]]:
    if path is None:
        return
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KitError(f"cannot read `{path}`: {error.strerror}", "give an existing JSONL file") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"`{path}` line {number}"
        try:
            yield where, model.model_validate(json.loads(line, object_pairs_hook=_once))
        except ValidationError as error:
            raise _refused(where, first_fault(error, "line")) from None
        except (ValueError, RecursionError) as error:
            raise _refused(where, str(error) if "twice" in str(error) else "no JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, if no key stands in it twice: one reader would take the first, another the last."""
    keys = Counter(key for key, _ in pairs)
    if (key := next((key for key, times in keys.items() if times > 1), None)) is not None:
        raise ValueError(f"`{key}` stands twice")
    return dict(pairs)


def _refused(where: str, problem: str) -> KitError:
    return KitError(f"{where}: {problem}", "mend or take out that line; nothing was changed")


def _readable(edit: Edit, where: str) -> Edit:
    """The edit without blanks around it. What a sheet hands back untouched is not asked: old faults are no edits."""
    if not edit.text.strip():
        raise _refused(where, "`text` is empty")
    if unprintable(edit.text):
        raise _refused(where, "`text` has control characters")
    return edit.model_copy(update={"text": edit.text.strip()})


def _refuse_unknown(release: Release, edits: Edits, captions: Mapping[str, list[str]]) -> None:
    for (image, number), where in edits.at.items():
        if image not in captions:
            raise _refused(where, f"no image `{image}` in `{release.path}`")
        if number >= len(captions[image]):
            raise _refused(
                where, f"image `{image}` has {len(captions[image])} captions, numbered from 0; none is {number}"
            )


def _rows_of(batch: pa.RecordBatch, images: set[str]) -> list[int]:
    return [row for row, image in enumerate(batch.column("image_id").to_pylist()) if image in images]


def _told(changed: int, drops: Mapping[str, Drop]) -> Iterator[str]:
    if changed:
        yield f"{count(changed, 'caption')} edited"
    for reason, number in sorted(Counter(drop.reason for drop in drops.values()).items()):
        yield f"{count(number, 'image')} dropped: {reason}"


def _changed(
    batch: pa.RecordBatch, texts: Mapping[str, Mapping[int, Edit]], drops: set[str], removed: Removed
) -> pa.RecordBatch:
    return without_removed(_edited(batch, texts, drops), removed)


def _edited(batch: pa.RecordBatch, texts: Mapping[str, Mapping[int, Edit]], drops: set[str]) -> pa.RecordBatch:
    ids = batch.column("image_id").to_pylist()
    if any(image in texts for image in ids):
        captions, origins = (batch.column(name).to_pylist() for name in ("captions", "caption_origins"))
        for row, image in enumerate(ids):
            for number, edit in texts.get(image, {}).items():
                captions[row][number] = edit.text
                origins[row][number] = _origin(origins[row][number], edit)
        fresh = {"captions": captions, "caption_origins": origins}
        columns = [
            pa.array(fresh[one.name], one.type) if one.name in fresh else batch.column(one.name) for one in batch.schema
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=batch.schema)
    stays = [image not in drops for image in ids]
    return batch if all(stays) else batch.filter(pa.array(stays, pa.bool_()))


def _origin(old: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """Who stands for the edited text; from which caption it was made, and its style, stay."""
    words = count_words(edit.text)
    kind = "model_revised" if old["kind"] in MODELS else "human"
    return {**old, "kind": kind, "writer": edit.editor, "words": words, "granularity": granularity_of(words)}
