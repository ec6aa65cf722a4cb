"""Join the chosen pictures with originals and rewrites into the rows of an evaluation release, test split alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.dataset.sources import recounted
from ufine_kit.dataset.tombstones import read_removed
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import KitError
from ufine_kit.manifest import ReleaseSource
from ufine_kit.rewrite.job import JobFolder, engines_of
from ufine_kit.rewrite.selection import Picture, Selection
from ufine_kit.rewrite.spread import spread
from ufine_kit.rows import granularity_of
from ufine_kit.tables import RewriteTable
from ufine_kit.text.words import count

GOES_OUT = ("accepted", "kept", "revised")
Rewrites = dict[tuple[str, int], list[dict[str, Any]]]


def by_original(rows: Sequence[Mapping[str, Any]]) -> Rewrites:
    """The rewrites that go out, by image and caption."""
    found: Rewrites = defaultdict(list)
    for row in rows:
        if row["verdict"] in GOES_OUT:
            found[row["image_id"], row["caption_index"]].append(dict(row))
    return found


def write_3c(
    work: Path,
    releases: Sequence[Release],
    selection: Selection,
    rewrites: Sequence[Mapping[str, Any]],
    table: RewriteTable,
    job: JobFolder,
) -> dict[str, Any]:
    """Write `releases/<name>/<version>/`, kind `ufine3c`; returns its manifest.

    Raises KitError where a source release no longer holds what was chosen from it.
    """
    outgoing = by_original(rewrites)
    manifest = {
        "name": table.name,
        "version": table.version,
        "kind": "ufine3c",
        "synthetic": any(release.manifest.get("synthetic") for release in releases),
        "recipe": table.model_dump(mode="json"),
        "inputs": dict(selection.digests),
        "sources": _sources(releases, selection.pictures),
        "rewriting": _rewriting(job, selection, rewrites, outgoing, table),
    }
    rows = _rows(releases, selection.pictures, outgoing, table)
    return write_release(work / "releases" / table.name / table.version, rows, 1, manifest)


def _rows(
    releases: Sequence[Release], pictures: Sequence[Picture], outgoing: Rewrites, table: RewriteTable
) -> Iterator[dict[str, Any]]:
    families = {family.model: family.name for family in table.families}
    for release in releases:
        wanted = {picture.upstream_image: picture for picture in pictures if picture.release == release.name}
        gone = read_removed(release.path.parent, release.name)
        for row in read_rows(release, "test"):
            picture = wanted.pop(row["image_id"], None)
            if picture is not None:
                if gone.hits_person(row["person_id"]) or gone.hits_image(row["image_sha256"], _crop_of(row)):
                    raise KitError(
                        f"image `{row['image_id']}` was removed from `{release.name}` since it was drawn",
                        "draw anew: build-3c --redo",
                    )
                yield _sample(row, picture, outgoing, families)
        if wanted:
            raise KitError(
                f"`{release.path}` no longer holds image `{min(wanted)}`", "draw anew from it: build-3c --redo"
            )


def _crop_of(row: Mapping[str, Any]) -> str:
    return row["provenance"]["crop_id"] or row["image_id"]


def _sample(
    row: Mapping[str, Any], picture: Picture, outgoing: Rewrites, families: Mapping[str, str]
) -> dict[str, Any]:
    captions = list(picture.captions)
    origins = [_original(text, row, index) for index, text in enumerate(captions)]
    for index in range(len(picture.captions)):
        for rewrite in outgoing.get((picture.image_id, index), []):
            captions.append(rewrite["text"])
            origins.append(_origin(rewrite, index, families))
    return {
        **row,
        "image_id": picture.image_id,
        "person_id": picture.person_id,
        "split": "test",
        "source": picture.source,
        "captions": captions,
        "caption_origins": origins,
        "provenance": {**row["provenance"], "upstream_id": picture.upstream_person},
    }


def _original(text: str, row: Mapping[str, Any], index: int) -> dict[str, Any]:
    known = [origin for said, origin in zip(row["captions"], row["caption_origins"], strict=True) if said == text]
    if known:
        return {**known[0], "parent": None}
    words = count(text)  # of a second listing of this picture
    return {
        "kind": "imported", "writer": "imported", "parent": None, "words": words,
        "granularity": granularity_of(words), "style": "original",
    }  # fmt: skip


def _origin(rewrite: Mapping[str, Any], parent: int, families: Mapping[str, str]) -> dict[str, Any]:
    words = count(rewrite["text"])
    return {
        "kind": "model_revised" if rewrite["verdict"] == "revised" else "model",
        "writer": f"{rewrite['model']}@{rewrite['revision']}",
        "parent": parent,
        "words": words,
        "granularity": granularity_of(words),
        "style": families[rewrite["model"]],
    }


def _sources(releases: Sequence[Release], pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    """The sources of the releases, with the images that were chosen of each."""
    found: list[dict[str, Any]] = []
    for release in releases:
        wanted = {picture.upstream_image for picture in pictures if picture.release == release.name}
        videos: Counter[str | None] = Counter()
        words: Counter[str] = Counter()
        for row in read_rows(release, "test", ("image_id", "source", "provenance")):
            if row["image_id"] in wanted:
                videos[row["provenance"]["video_sha256"]] += 1
                words[row["source"]] += 1
        told = [ReleaseSource.model_validate(one) for one in release.manifest.get("sources") or []]
        found += recounted(told, videos, words)
    return found


def _rewriting(
    job: JobFolder,
    selection: Selection,
    rewrites: Sequence[Mapping[str, Any]],
    outgoing: Rewrites,
    table: RewriteTable,
) -> dict[str, Any]:
    """How the rewrites came about, for the manifest and the data sheet."""
    source_of = {picture.image_id: picture.source for picture in selection.pictures}
    families = {family.model: family.name for family in table.families}
    texts = [(picture.source, text) for picture in selection.pictures for text in picture.captions]
    texts += [
        (f"{source_of[row['image_id']]} / {families[row['model']]}", row["text"])
        for rows in outgoing.values()
        for row in rows
    ]
    verdicts = Counter(row["verdict"] for row in rewrites)
    engines = {
        name: {"model": one.model, "server": one.server, "template": one.template}
        for name, one in engines_of(job).items()
    }
    return {
        "prompt": table.prompt,
        "engines": engines,
        "verdicts": dict(sorted(verdicts.items())),
        "revisers": len({row["revised_by"] for row in rewrites if row["revised_by"]}),
        "selection": selection.said,
        "spread": spread(texts),
        "in_words": paragraph(selection, verdicts, table),
    }


def paragraph(selection: Selection, verdicts: Mapping[str, int], table: RewriteTable) -> str:
    """What a data sheet says of the rewriting, from the counts."""
    counts = selection.counts()
    models = " and ".join(f"{family.model} (revision {family.revision})" for family in table.families)
    touched = verdicts.get("revised", 0) + verdicts.get("kept", 0) + verdicts.get("dropped", 0)
    return (
        f"{counts['persons']} persons with {counts['images']} images and {counts['originals']} descriptions were drawn from "
        f"the test splits of {', '.join(selection.digests)}. Each description was rewritten by {models} with the prompt "
        f'"{table.prompt}". {verdicts.get("accepted", 0)} rewrites passed the text rules as they were; people looked at '
        f"{touched}, of which they revised {verdicts.get('revised', 0)} and dropped {verdicts.get('dropped', 0)}; "
        f"{verdicts.get('failed', 0)} were left out."
    )
