"""Which texts of a campaign fit another person better, as a trained baseline sees it (UFineBench, Figure 1b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ufine_kit.errors import KitError

if TYPE_CHECKING:
    from ufine_kit.baseline.data import Pairs
    from ufine_kit.baseline.subject import Features, Subject
    from ufine_kit.campaign.qc import Quality
    from ufine_kit.campaign.standing import Text

AT_ONCE = 256  # crops decoded at a time


def ambiguous_texts(
    work: Path, checkpoint: Path, texts: Sequence[Text], people: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Texts whose own person is not among the first ten that the baseline finds among the campaign's crops, widest first.

    Raises KitError for a checkpoint that does not open, BadInput for a crop that does not decode.
    """
    from ufine_kit.baseline.device import choose_device, memory_named, settled
    from ufine_kit.baseline.noise import noise
    from ufine_kit.baseline.subject import trained_subject

    if not checkpoint.is_dir():
        raise KitError(f"no checkpoint `{checkpoint}`", f"ufine-kit baseline-train --work {work}")
    known = [text for text in texts if text.crop_id in people]
    if not known:
        return []
    subject = trained_subject(checkpoint)
    where = choose_device("auto")
    with (
        settled(where, 2),
        memory_named("looking for ambiguous texts", "CUDA_VISIBLE_DEVICES= ufine-kit campaign qc ..."),
    ):
        subject.model.to(where)
        pairs, features, ids = _gallery(work, subject, known, people)
    lines = [line for line in noise(pairs, features) if line["kind"] == "text"]
    return [
        {
            "description_id": ids[line["crop_id"]][line["caption_index"]],
            **{key: line[key] for key in ("crop_id", "person_id", "nearest_image_id", "nearest_person_id", "rank", "margin")},
        }
        for line in lines
    ]  # fmt: skip


def _gallery(
    work: Path, subject: Subject, texts: Sequence[Text], people: Mapping[str, str]
) -> tuple[Pairs, Features, dict[str, list[str]]]:
    """The campaign's crops with their texts as a split, its features, and the texts' ids by crop."""
    import numpy as np
    import torch

    from ufine_kit.baseline.data import Pairs, decode
    from ufine_kit.baseline.features import image_features, text_features
    from ufine_kit.baseline.subject import Features
    from ufine_kit.baseline.tokens import encode
    from ufine_kit.parquet import grouped

    of_crop: dict[str, list[Text]] = {}
    for text in texts:
        of_crop.setdefault(text.crop_id, []).append(text)
    crops: list[str] = []
    parts: list[np.ndarray] = []
    for group in grouped(_pictures(work, set(of_crop)), AT_ONCE):
        pixels = torch.from_numpy(np.stack([decode(row, subject.height_px, subject.width_px) for row in group]))
        parts.append(image_features(subject.model, pixels))
        crops += [row["image_id"] for row in group]
    persons = sorted({people[crop] for crop in crops})
    number = {person: at for at, person in enumerate(persons)}
    told = [text.text for crop in crops for text in of_crop[crop]]
    pairs = Pairs(
        pixels=torch.empty(0), people=torch.tensor([number[people[crop]] for crop in crops]), captions=told,
        caption_images=torch.tensor([at for at, crop in enumerate(crops) for _ in of_crop[crop]]), origins={}, sources=[],
        person_ids=persons, image_ids=crops, crop_ids=[*crops], image_sha256=[],
    )  # fmt: skip
    ids, cut = encode(subject.tokenizer, told)
    features = Features(text_features(subject.model, ids), np.concatenate(parts), cut)
    return pairs, features, {crop: [text.description_id for text in of_crop[crop]] for crop in crops}


def _pictures(work: Path, wanted: set[str]) -> Any:
    from ufine_kit.parquet import read_rows
    from ufine_kit.parts import done_parts

    folder = work / "tracklets"
    for done in done_parts(folder):
        for row in read_rows(folder / f"{done.part}.parquet", ["crop_id", "image"]):
            if row["crop_id"] in wanted:
                yield {"image_id": row["crop_id"], "image": row["image"]}


def mark(quality: Quality, lines: Sequence[Mapping[str, Any]]) -> None:
    """Put a warning on every ambiguous text: a model doubts, people decide."""
    from ufine_kit.text.finding import WARNING, Finding

    for line in lines:
        told = f"fits `{line['nearest_person_id']}` better, own person at rank {line['rank']}"
        quality.findings[line["description_id"]].append(Finding("ambiguous", WARNING, (), told))
