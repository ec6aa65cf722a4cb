"""Find persons by a written description: the top of a ranking, as data and as a strip of pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ufine_kit.baseline.data import Pairs, load_pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.features import image_features, text_features
from ufine_kit.baseline.subject import Subject, trained_subject
from ufine_kit.baseline.tokens import encode
from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder, write_bytes

PICTURE = (96, 256)  # width and height of one hit, px
FRAME = 4
RIGHT, WRONG, PLAIN = (40, 150, 60), (200, 50, 50), (150, 150, 150)


@dataclass(frozen=True)
class Hit:
    """One image of the ranking. `right` is known where the text is a caption of the split."""

    rank: int
    image_id: str
    person_id: str
    similarity: float
    right: bool | None


@dataclass(frozen=True)
class Found:
    """A text, its hits, where the strip lies, and whether all of the text was read."""

    text: str
    hits: tuple[Hit, ...]
    strip: Path
    cut: bool  # the text was longer than the model reads


def search(
    checkpoint: Path, release: Release, texts: Sequence[str], out: Path, split: str = "test", top: int = 10
) -> list[Found]:
    """Rank the images of a split for every text; write one strip a text into `out`.

    Raises KitError for an empty text or bytes that are none, a split that is not there or a checkpoint that does not open.
    """
    for text in texts:
        if not text.strip():
            raise KitError(
                "an empty text finds nobody", 'ufine-kit search CHECKPOINT RELEASE "a woman in a red coat ..."'
            )
        if not text.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise KitError("a text is no UTF-8", "type it again in a terminal that speaks UTF-8")
    subject = trained_subject(checkpoint)
    pairs = load_pairs(release, split, subject.height_px, subject.width_px)
    where = choose_device("auto")
    with settled(where, 2), memory_named(f"searching split `{split}`", "CUDA_VISIBLE_DEVICES= ufine-kit search ..."):
        subject.model.to(where)
        rankings = [
            ranking(text, row, pairs, top) for text, row in zip(texts, _similar(subject, texts, pairs), strict=True)
        ]
    wanted = {hit.image_id for hits in rankings for hit in hits}
    rows = read_rows(release, split, ("image_id", "image"))
    pictures = {row["image_id"]: row["image"]["bytes"] for row in rows if row["image_id"] in wanted}
    make_folder(out)
    cut = [encode(subject.tokenizer, [text])[1] > 0 for text in texts]
    found = [
        Found(text, hits, out / strip_name(text), long) for text, hits, long in zip(texts, rankings, cut, strict=True)
    ]
    for each in found:
        write_bytes(each.strip, strip(each.hits, pictures))
    return found


def _similar(subject: Subject, texts: Sequence[str], pairs: Pairs) -> np.ndarray:
    ids, _ = encode(subject.tokenizer, texts)
    return text_features(subject.model, ids) @ image_features(subject.model, pairs.pixels).T  # [T, N]


def ranking(text: str, similar: np.ndarray, pairs: Pairs, top: int) -> tuple[Hit, ...]:
    """The first `top` images by similarity [N], ties as they stand in the release."""
    owners = {int(pairs.caption_people[place]) for place, caption in enumerate(pairs.captions) if caption == text}
    order = np.argsort(-similar, kind="stable")[:top].tolist()
    return tuple(
        Hit(
            rank=rank,
            image_id=pairs.image_ids[place],
            person_id=pairs.person_ids[int(pairs.people[place])],
            similarity=round(float(similar[place]), 6),
            right=int(pairs.people[place]) in owners if owners else None,
        )
        for rank, place in enumerate(order, 1)
    )


def strip_name(text: str) -> str:
    """One file a text: the same text writes over its own strip and over no other."""
    return f"strip-{hashlib.sha256(text.encode()).hexdigest()[:12]}.png"


def strip(hits: Sequence[Hit], pictures: dict[str, bytes]) -> bytes:
    """PNG of the hits from left to right, each with its rank and cosine; framed where it is known to be right or wrong."""
    width, height = PICTURE[0] + 2 * FRAME, PICTURE[1] + 2 * FRAME
    whole = Image.new("RGB", (width * len(hits), height + 16), "white")
    drawing = ImageDraw.Draw(whole)
    for number, hit in enumerate(hits):
        colour = PLAIN if hit.right is None else RIGHT if hit.right else WRONG
        drawing.rectangle([(number * width, 0), ((number + 1) * width - 1, height - 1)], fill=colour)
        with Image.open(io.BytesIO(pictures[hit.image_id])) as image:
            whole.paste(image.convert("RGB").resize(PICTURE), (number * width + FRAME, FRAME))
        drawing.text((number * width + FRAME, height + 2), f"{hit.rank}  {hit.similarity:.3f}", fill="black")
    kept = io.BytesIO()
    whole.save(kept, "PNG")
    return kept.getvalue()
