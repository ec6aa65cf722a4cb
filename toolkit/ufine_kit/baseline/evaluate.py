"""Measure a model on a split of a release: one record, keyed by the release's data digest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit.baseline.checkpoint import TOOLS, person_hash, trained_on
from ufine_kit.baseline.data import Pairs, load_pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.subject import Features, Subject, features_of, scored, trained_subject
from ufine_kit.dataset.metrics import RetrievalMetrics, by_group
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder, read_json, write_json
from ufine_kit.parts import versions

RECORD_FORMAT = 1

# What warnings say, and tables read.
SHARED, CHOSEN = "both drawn from", "was chosen on"

# What the datasets of the field were drawn from: two with a common origin share cameras, and perhaps persons.
UPSTREAM = {
    "cuhkpedes": {"CUHK03", "Market-1501", "SSM", "VIPeR", "CUHK01"},
    "icfgpedes": {"MSMT17"},
    "rstpreid": {"MSMT17"},
}


def evaluate(
    checkpoint: Path, release: Release, split: str = "test", device: str = "auto", threads: int = 2
) -> dict[str, Any]:
    """The record of `checkpoint` on `split`: every caption asks the gallery of all images of the split.

    R@1/5/10, mAP, mINP, mSD in percent, also by source, granularity, style and origin of the captions where there is more than
    one. Raises KitError for a split that is not there, a checkpoint that does not open, or a person it was trained on.
    """
    return evaluate_subject(trained_subject(checkpoint), release, split, device, threads)[0]


def evaluate_subject(
    subject: Subject, release: Release, split: str = "test", device: str = "auto", threads: int = 2
) -> tuple[dict[str, Any], Pairs, Features]:
    """The record, and what it was made from."""
    pairs = load_pairs(release, split, subject.height_px, subject.width_px, threads)
    refuse_train_people(subject, release, pairs)
    where = choose_device(device)
    mend = "measure it on the CPU: CUDA_VISIBLE_DEVICES= ufine-kit evaluate ..."
    with settled(where, threads), memory_named(f"measuring split `{split}`", mend):
        subject.model.to(where)
        features = features_of(subject, pairs)
        total = scored(features.texts, features.images, pairs)
    by = {"source": groups(total, [pairs.sources[image] for image in pairs.caption_images.tolist()])}
    by |= {_GROUP_NAMES.get(field, field): groups(total, values) for field, values in pairs.origins.items()}
    record: dict[str, Any] = {
        "format": RECORD_FORMAT,
        "data_digest": release.data_digest,
        "release": {"name": release.name, "version": release.version, "split": split},
        "checkpoint": subject.about,
        "synthetic": release.manifest["synthetic"] or subject.synthetic,
        "queries": total.queries,
        "gallery": total.gallery,
        "identities": len(pairs.person_ids),
        "captions_cut": features.cut,
        "metrics": total.as_dict(),
        "by": {name: found for name, found in by.items() if found},
        "warnings": [
            *shared_upstream(_trained_sources(subject), set(pairs.sources)),
            *chosen_on(subject, release, split),
        ],
        "device": where.type,
        "versions": versions(*TOOLS),
    }
    held = held_against(subject.card.get("recipe", {}).get("targets", {}), release.name, record["metrics"])
    return record | ({"targets": held} if held else {}), pairs, features


_GROUP_NAMES = {"kind": "text_origin"}


def groups(total: RetrievalMetrics, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """The metrics of each group of queries against the whole gallery; nothing where there is one group."""
    assert total.per_query is not None
    found = by_group(total.per_query, np.asarray(labels), total.gallery)
    return {name: {"queries": some.queries, **some.as_dict()} for name, some in found.items()} if len(found) > 1 else {}


def refuse_train_people(subject: Subject, release: Release, pairs: Pairs) -> None:
    """Raise KitError where an identity of this release, or an image of any release, was trained on."""
    if subject.folder is None:
        return
    people, images = trained_on(subject.folder)
    met = [person for person in pairs.person_ids if person_hash(release.name, person) in people]
    if met:
        raise KitError(
            f"{len(met)} of {len(pairs.person_ids)} identities were trained on, `{met[0]}` first",
            f"measure on identities that `{subject.folder.name}` has not seen: --split test of its own release",
        )
    shared = sum(sha256[:16] in images for sha256 in pairs.image_sha256)
    if shared:
        raise KitError(
            f"{shared} images of release `{release.name}` were trained on under another release's name",
            f"measure on images that `{subject.folder.name}` has not seen",
        )


def _trained_sources(subject: Subject) -> set[str]:
    trained = subject.about["trained_on"] or {}
    return set(trained.get("sources", ()))


def shared_upstream(trained: set[str], measured: set[str]) -> list[str]:
    """A warning for every pair of datasets that are not the same and were drawn from the same pictures."""
    return [
        f"trained on {one}, measured on {other}: {SHARED} {', '.join(sorted(common))}, so this is not cross-domain"
        for one in sorted(trained)
        for other in sorted(measured)
        if _plain(one) != _plain(other)
        and (common := UPSTREAM.get(_plain(one), set[str]()) & UPSTREAM.get(_plain(other), set[str]()))
    ]


def chosen_on(subject: Subject, release: Release, split: str) -> list[str]:
    """A warning where the kept step is the one that did best on this very split."""
    own = (subject.about["trained_on"] or {}).get("data_digest") == release.data_digest
    chosen = own and subject.about["selection"]["rule"].endswith(f" on {split}")
    return [f"the step {CHOSEN} split `{split}`: numbers of it flatter this checkpoint"] if chosen else []


def _plain(source: str) -> str:
    return re.sub(r"[^a-z0-9]", "", source.lower())


def held_against(
    targets: Mapping[str, Mapping[str, Any]], release: str, metrics: Mapping[str, float]
) -> dict[str, Any] | None:
    """The published row of this release, the differences in percent points, and whether all are within its tolerance."""
    row = targets.get(release)
    if row is None:
        return None
    return difference_from(row, metrics)


def difference_from(row: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, Any]:
    """The row, the differences from it in percent points, and whether all are within its tolerance."""
    differences = {name: metrics[name] - value for name, value in row["metrics"].items()}
    within = all(abs(value) <= row["tolerance"] for value in differences.values())
    return {**row, "differences": differences, "within": within}


def record_path(baselines: Path, record: Mapping[str, Any]) -> Path:
    """Where a record stands: `baselines/<first 16 of data_digest>/<checkpoint>-<split>.json`; zero-shot rows in a folder."""
    name = record["checkpoint"]["name"]
    folder = baselines / record["data_digest"][:16]
    folder = folder / "zero-shot" if record["checkpoint"]["trained_on"] is None else folder
    return folder / f"{name}-{record['release']['split']}.json"


def keep_record(baselines: Path, record: Mapping[str, Any]) -> Path:
    """Write a record, without what it tells of noise; the path. A validation of the same weights and data stays in it."""
    path = record_path(baselines, record)
    make_folder(path.parent)
    written = {name: value for name, value in record.items() if name != "noise"}
    write_json(path, written | ({} if "validation" in record else _validated_before(path, record)))
    return path


def _validated_before(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """The validation that a file holds, and its means over the seeds, where it is of these very weights and data."""
    try:
        old = read_json(path)
        weights = old["checkpoint"]["weights_sha256"]
        same = (weights, old["data_digest"]) == (record["checkpoint"]["weights_sha256"], record["data_digest"])
        return {"metrics": old["metrics"], "validation": old["validation"]} if same else {}
    except (KitError, KeyError, TypeError):  # no record, none of a validation, or a torn one
        return {}
