"""Measure a checkpoint on a split of a release: one record, keyed by the release's data digest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit.baseline.checkpoint import open_checkpoint, person_hash, trained_on
from ufine_kit.baseline.data import Pairs, load_pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.features import score_pairs
from ufine_kit.baseline.tokens import encode
from ufine_kit.dataset.metrics import RetrievalMetrics, by_group
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.parts import versions

RECORD_FORMAT = 1
TOOLS = ("torch", "transformers", "tokenizers", "safetensors")


def evaluate(
    checkpoint: Path, release: Release, split: str = "test", device: str = "auto", threads: int = 2
) -> dict[str, Any]:
    """The record of `checkpoint` on `split`: every caption asks the gallery of all images of the split.

    R@1/5/10, mAP, mINP, mSD in percent, also by source and by granularity of the captions where there is more than one.
    Raises KitError for a split that is not there, a checkpoint that does not open, or a person the model was trained on.
    """
    model, tokenizer, card = open_checkpoint(checkpoint)
    pairs = load_pairs(release, split, card["image_height_px"], card["image_width_px"], threads)
    refuse_train_people(checkpoint, release, pairs)
    ids, cut = encode(tokenizer, pairs.captions)
    where = choose_device(device)
    with (
        settled(where, threads),
        memory_named(
            f"measuring split `{split}`", "measure it on the CPU: CUDA_VISIBLE_DEVICES= ufine-kit evaluate ..."
        ),
    ):
        model.to(where)
        total = score_pairs(model, pairs, ids)
    by = {
        "source": _by_group(total, [pairs.sources[image] for image in pairs.caption_images.tolist()]),
        "granularity": _by_group(total, pairs.granularities),
    }
    return {
        "format": RECORD_FORMAT,
        "data_digest": release.data_digest,
        "release": {"name": release.name, "version": release.version, "split": split},
        "checkpoint": {key: card[key] for key in ("name", "weights_sha256", "made_of", "trained_on", "selection")},
        "synthetic": release.manifest["synthetic"] or card["synthetic"],
        "queries": total.queries,
        "gallery": total.gallery,
        "identities": len(pairs.person_ids),
        "captions_cut": cut,
        "metrics": total.as_dict(),
        "by": {name: groups for name, groups in by.items() if groups},
        "device": where.type,
        "versions": versions(*TOOLS),
    }


def _by_group(total: RetrievalMetrics, groups: Sequence[str]) -> dict[str, dict[str, float]]:
    """The metrics of each group of queries against the whole gallery; nothing where there is one group."""
    assert total.per_query is not None
    found = by_group(total.per_query, np.asarray(groups), total.gallery)
    return {name: {"queries": some.queries, **some.as_dict()} for name, some in found.items()} if len(found) > 1 else {}


def refuse_train_people(checkpoint: Path, release: Release, pairs: Pairs) -> None:
    """Raise KitError where an identity of this release, or an image of any release, was trained on."""
    people, images = trained_on(checkpoint)
    met = [person for person in pairs.person_ids if person_hash(release.name, person) in people]
    if met:
        raise KitError(
            f"{len(met)} of {len(pairs.person_ids)} identities were trained on, `{met[0]}` first",
            f"measure on identities that `{checkpoint.name}` has not seen: --split test of its own release",
        )
    shared = sum(sha256[:16] in images for sha256 in pairs.image_sha256)
    if shared:
        raise KitError(
            f"{shared} images of release `{release.name}` were trained on under another release's name",
            f"measure on images that `{checkpoint.name}` has not seen",
        )


def record_path(baselines: Path, record: dict[str, Any]) -> Path:
    """Where a record stands: `baselines/<first 16 of data_digest>/<checkpoint>-<split>.json`."""
    return baselines / record["data_digest"][:16] / f"{record['checkpoint']['name']}-{record['release']['split']}.json"
