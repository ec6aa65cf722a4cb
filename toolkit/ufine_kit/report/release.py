"""A release as a page shows it: every image with its identity, its captions and where each came from, and its flags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows, shard_paths
from ufine_kit.report.columns import Columns, Numbers, Words, rows_of, tallied
from ufine_kit.report.counts import Table, Tile, table, tile
from ufine_kit.report.document import View
from ufine_kit.report.findings import Findings

IMAGE_WORDS = ("id", "person", "split", "source", "tracklet", "video", "upstream", "flags")
CAPTION_WORDS = ("kind", "writer", "granularity", "style")
THIN = ("image_id", "person_id", "split", "source", "width", "height", "caption_origins", "provenance")
# The borders between coarse, medium and fine (rows.granularity_of).
WORDS_LIMITS = [
    {"name": "medium from", "side": "least", "value": 30, "reason": ""},
    {"name": "fine from", "side": "least", "value": 50, "reason": ""},
]


def release_view(release: Release, findings: Findings, baselines: list[Table]) -> View:
    """All rows of a release. Raises KitError when a file is damaged."""
    images, captions, notes = _columns(release, findings)
    synthetic = bool(release.manifest.get("synthetic"))
    facts: dict[str, Any] = {
        "kind": "release",
        "noun": "images",
        "note": "Synthetic world: made for proof, not for claims." if synthetic else "",
        "tiles": _tiles(images, captions),
        "tables": [*_tables(release, captions), *findings.tables(), *baselines],
        "groupings": {"person": "identities"} | ({"tracklet": "tracklets"} if _told(images["tracklet"]) else {}),
        "headings": ["person", "tracklet", "split", "source", "upstream"],
        "image_facets": {"split": "Split", "source": "Source", "flags": "Flags"},
        "caption_facets": {
            "granularity": "Granularity", "kind": "Origin of the caption", "style": "Style", "writer": "Writer",
        },
        "hints": {
            "coarse": "below 30 words", "medium": "30 to 49 words", "fine": "50 words and more",
            "human": "written by a person", "model": "written by a model",
            "model_revised": "written by a model, revised by a person", "imported": "as the upstream dataset has it",
        },
        "measures": [
            {"column": "words", "of": "caption", "limits": WORDS_LIMITS, "outside": None},
            *({"column": name, "of": "image", "limits": [], "outside": None} for name in ("height", "width", "aspect")),
        ],
        "findings": notes,
    }  # fmt: skip
    title = f"{release.name} {release.version}"
    return View(title, facts, images, captions, lambda: _texts(release), shard_paths(release))


def _texts(release: Release) -> Iterator[list[str]]:
    for row in read_rows(release, columns=["captions", "caption_origins"]):
        captions, told = row["captions"] or [], len(row["caption_origins"] or ())
        # The columns count origins: a row that has fewer captions must not shift those of the rows after it.
        yield [captions[at] or "" if at < len(captions) else "" for at in range(told)]


def _columns(release: Release, findings: Findings) -> tuple[Columns, Columns, dict[str, Any]]:
    words = {name: Words() for name in IMAGE_WORDS}
    numbers = {name: Numbers() for name in ("height", "width", "aspect")}
    origins = {name: Words() for name in CAPTION_WORDS}
    captions: Columns = {"image": Numbers(digits=None), **origins, "words": Numbers(), "parent": Numbers()}
    notes: dict[str, Any] = {}
    for number, row in enumerate(read_rows(release, columns=list(THIN))):
        said = findings.of(row["image_id"], row["person_id"])
        if said:
            notes[str(number)] = said
        for name, value in _words_of(row, tuple(sorted({check for check, _, _ in said}))).items():
            words[name].add(value)
        for name, value in (("height", row["height"]), ("width", row["width"])):
            numbers[name].add(value)
        numbers["aspect"].add(row["height"] / row["width"] if row["width"] else None)
        for origin in row["caption_origins"] or ():
            captions["image"].add(number)
            for name in CAPTION_WORDS:
                origins[name].add(origin[name])
            captions["words"].add(origin["words"])
            captions["parent"].add(origin["parent"])
    told = {
        name: column for name, column in words.items() if name in ("id", "person", "split", "tracklet") or _told(column)
    }
    return {**told, **numbers}, captions, notes


def _words_of(row: dict[str, Any], flags: tuple[str, ...]) -> dict[str, Any]:
    came = row["provenance"] or {}
    return {
        "id": row["image_id"], "person": row["person_id"], "split": row["split"], "source": row["source"],
        "tracklet": came.get("tracklet") or "", "video": (came.get("video_sha256") or "")[:12],
        "upstream": came.get("upstream_id") or "", "flags": flags,
    }  # fmt: skip


def _told(column: Any) -> bool:
    """Whether a column says anything at all."""
    return any(word not in ("", ()) for word in column.words)


def _tiles(images: Columns, captions: Columns) -> list[Tile]:
    person, split = images["person"], images["split"]
    assert isinstance(person, Words)
    assert isinstance(split, Words)
    return [
        tile("images", rows_of(images)),
        tile("identities", len(person.words)),
        tile("captions", rows_of(captions)),
        tile("splits", len(split.words)),
    ]


def _tables(release: Release, captions: Columns) -> list[Table]:
    splits = [
        (name, counts["images"], counts["captions"], counts["identities"]) for name, counts in release.splits.items()
    ]
    found = [table("Splits", ("split", "images", "captions", "identities"), splits)]
    sources = release.manifest.get("sources")
    if isinstance(sources, list):
        keys = ("source", "licence", "redistribution", "consent_basis", "images")
        lines = [[_word(source.get(key)) for key in keys] for source in sources if isinstance(source, dict)]
        found.append(table("Sources", ("source", "licence", "redistribution", "consent", "images"), lines))
    for name, title in (("granularity", "Granularity"), ("kind", "Origin of the captions"), ("style", "Style")):
        column = captions[name]
        if isinstance(column, Words) and column.words:
            lines = sorted(tallied(column).items(), key=lambda item: -item[1])
            found.append(table(title, (name, "captions"), lines))
    changes = release.manifest.get("changes")
    if isinstance(changes, list) and changes:
        found.append(table("Changes", ("what differs from the version before",), [[str(change)] for change in changes]))
    return [*found, table("Data digest", ("sha256 of the rows",), [[release.data_digest]])]


def _word(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return "not said" if value is None else "yes" if value else "no"
    return value if isinstance(value, int) else str(value)
