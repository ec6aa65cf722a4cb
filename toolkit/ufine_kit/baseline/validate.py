"""Does a release teach? The named baseline with its seeds, held against zero-shot, chance, and its own texts cut short."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ufine_kit.baseline.chance import shuffled
from ufine_kit.baseline.checkpoint import read_card
from ufine_kit.baseline.data import Pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.evaluate import difference_from, evaluate_subject
from ufine_kit.baseline.features import text_features
from ufine_kit.baseline.model import new_model
from ufine_kit.baseline.origin import weights_of
from ufine_kit.baseline.pretrained import fitted, open_pretrained
from ufine_kit.baseline.subject import Subject, features_of, scored, trained_subject
from ufine_kit.baseline.tokens import encode
from ufine_kit.dataset.intervals import compare
from ufine_kit.dataset.metrics import RetrievalMetrics
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.tables import BaselineTable

# Average lengths of the texts of CUHK-PEDES (23.5) and ICFG-PEDES (37.2), beside UFine6926's 80.8 (UFineBench, Table 1).
CUT_WORDS = (24, 37)
SEED = 0


def validate(
    name: str,
    checkpoints: Sequence[Path],
    release: Release,
    split: str = "test",
    device: str = "auto",
    threads: int = 2,
) -> dict[str, Any]:
    """One record of the series `name`, with a `validation` block; its numbers are means over the checkpoints, one a seed.

    Passed means: for every seed R@1 lies above that of the model before its first step, by a paired interval that excludes 0,
    and captions dealt at random hit no more and no less than chance. Whether long texts pay is told, and is no condition.
    Raises KitError for a checkpoint of another release or of another recipe than the first one's, and a split of one person.
    """
    check_series(checkpoints, release)
    runs = [_one(path, release, split, device, threads) for path in checkpoints]
    records = [record for record, _ in runs]
    values = {name: [record["metrics"][name] for record in records] for name in records[0]["metrics"]}
    block: dict[str, Any] = {
        "seeds": len(runs),
        "checkpoints": [record["checkpoint"]["name"] for record in records],
        "metrics_each": [record["metrics"] for record in records],
        "sd": {name: statistics.stdev(each) if len(each) > 1 else None for name, each in values.items()},
        **{part: [block[part] for _, block in runs] for part in runs[0][1]},
    }
    above = all(each["R@1"]["low"] > 0 for each in block["above_zero_shot"])
    at_chance = all(each["at_chance"] for each in block["shuffled"])
    block |= {"passed": above and at_chance, "passes": {"above_zero_shot": above, "shuffled_at_chance": at_chance}}
    # Under a name of its own: a single checkpoint may be called as the series is, and would write over its record.
    about = records[0]["checkpoint"] | {"name": name if len(runs) == 1 else f"{name}-{len(runs)}-seeds"}
    return {**records[0], **means(records), "checkpoint": about, "validation": block}


def means(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of records on one split the numbers that differ from seed to seed: `metrics`, `by`, and `targets` where there are any."""
    first = records[0]
    metrics = averaged([record["metrics"] for record in records])
    by = {
        field: {label: averaged([record["by"][field][label] for record in records]) for label in labels}
        for field, labels in first["by"].items()
    }
    held = {"targets": difference_from(first["targets"], metrics)} if "targets" in first else {}
    return {"metrics": metrics, "by": by, **held}


def averaged(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of every metric; how many queries there were stays the whole number that it is."""
    return {
        name: value if name == "queries" else statistics.fmean(one[name] for one in each)
        for name, value in each[0].items()
    }


def check_series(checkpoints: Sequence[Path], release: Release) -> None:
    """Raise KitError unless all were trained on this very release, by one recipe (name and seed apart), from one start."""
    cards = [read_card(path) for path in checkpoints]
    for path, card in zip(checkpoints, cards, strict=True):
        if card["made_of"]["data_digest"] != release.data_digest:
            raise KitError(
                f"`{path}` was trained on other data than `{release.name}` {release.version}",
                f"ufine-kit baseline-train {release.path} --seeds {len(checkpoints)} --set baseline.name=...",
            )
        if _recipe_of(card) != _recipe_of(cards[0]):
            raise KitError(
                f"`{path}` and `{checkpoints[0]}` were trained by different recipes",
                f"ufine-kit baseline-train {release.path} --seeds {len(checkpoints)} --set baseline.name=...",
            )


def _recipe_of(card: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """All that seeds of a series share; a row to be held against makes no other recipe."""
    apart = ("name", "seed", "targets")
    return {key: value for key, value in card["recipe"].items() if key not in apart}, card["made_of"].get("start")


def _one(path: Path, release: Release, split: str, device: str, threads: int) -> tuple[dict[str, Any], dict[str, Any]]:
    subject = trained_subject(path)
    record, pairs, features = evaluate_subject(subject, release, split, device, threads)
    if len(pairs.person_ids) < 2:
        raise KitError(
            f"split `{split}` of `{release.name}` has one identity: any ranking of it is right",
            "build the release from more videos, or evaluate without --validate",
        )
    total = scored(features.texts, features.images, pairs)
    where = choose_device(device)
    with settled(where, threads), memory_named(f"validating on split `{split}`", "CUDA_VISIBLE_DEVICES= ufine-kit ..."):
        begun = untrained(subject)
        begun.model.to(where)
        before = features_of(begun, pairs)
        fineness = {
            str(words): _differences(total, _cut_to(subject, pairs, features.images, words), pairs)
            for words in CUT_WORDS
        }
    first = scored(before.texts, before.images, pairs)
    luck = shuffled(features.texts, features.images, pairs, SEED)
    return record, {
        "zero_shot": first.as_dict(),
        "above_zero_shot": _differences(total, first, pairs),
        "shuffled": asdict(luck) | {"at_chance": luck.at_chance},
        "full_minus_cut": fineness,
    }


def untrained(subject: Subject) -> Subject:
    """The same model before its first step: what it was pretrained to, or random weights.

    Pretrained weights read no more tokens than they have positions for: stretched ones know less until they are trained, and
    would be beaten too easily. Raises KitError where the pretrained weights were replaced since.
    """
    try:
        # Without the name: that of one seed is longer than a recipe's may be, and says nothing of the model.
        recipe = {key: value for key, value in subject.card["recipe"].items() if key != "name"}
        table = BaselineTable.model_validate(recipe)
    except ValidationError as error:
        raise KitError(
            f"`{subject.about['name']}` was trained by another kit: {error.errors()[0]['msg']}", "train it again"
        ) from None
    if not table.pretrained:
        return replace(subject, model=new_model(table, len(subject.tokenizer)).eval())
    model, tokenizer = open_pretrained(table.pretrained)
    held, now = subject.card["made_of"].get("start"), weights_of(table.pretrained)
    if held and now and held != now:
        raise KitError(
            f"`{table.pretrained}` holds other weights than those that `{subject.about['name']}` began with",
            "put the old ones back, or train again",
        )
    fitted(model, tokenizer, min(table.text_tokens, model.config.text_config.max_position_embeddings), mask=False)
    return replace(subject, model=model, tokenizer=tokenizer)


def first_words(text: str, words: int) -> str:
    """The beginning of a text; a text that is no longer stays as it is."""
    said = text.split()
    return text if len(said) <= words else " ".join(said[:words])


def _cut_to(subject: Subject, pairs: Pairs, images: Any, words: int) -> RetrievalMetrics:
    ids, _ = encode(subject.tokenizer, [first_words(caption, words) for caption in pairs.captions])
    return scored(text_features(subject.model, ids), images, pairs)


def _differences(one: RetrievalMetrics, other: RetrievalMetrics, pairs: Pairs) -> Mapping[str, Mapping[str, float]]:
    """First minus second, paired by query, persons drawn whole."""
    assert one.per_query is not None and other.per_query is not None
    found = compare(one.per_query, other.per_query, pairs.caption_people.numpy(), seed=SEED)
    return {name: asdict(difference) for name, difference in found.items()}
