"""The five rows of UFineBench's ablation on the synthetic world, five seeds each, with intervals, whatever they show.

    python benchmarks/ablation.py WORK                   about 35 minutes of CPU time; stop it and run it again: it goes on
    python benchmarks/ablation.py WORK --seeds 1         one seed a row
    python benchmarks/ablation.py WORK --why             and what was asked afterwards: some three hours of CPU time more

Settings were fixed before any row was run and stand in recipes/ablation_*.toml. A CLIP from scratch learns first from 1,500
persons of the world with coarse texts (recipes/baseline_world.toml); the rows start from it, as the paper's start from CLIP,
learn from 400 other persons with fine texts, and are measured on a fixed gallery of 500 persons with two images each whom
nobody has seen. Every run leaves `WORK/baselines/.../LABEL-seedS-test.json`; benchmarks/records/ablation.json holds all.

Asked afterwards, since the full model came out behind No. 0: is it the temperature, is it SDM or the other losses, does it
stay so with three times the steps, and does it stay so from a start that has seen fine texts? The measure behind the last two
is what a start makes of the first batches: the share p that the softmax gives to the own person. InfoNCE pulls a pair by
1 - p, SDM by some 20 p (1 - p), which is next to nothing for a pair that is far down.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ufine_kit.baseline import losses
from ufine_kit.baseline.batches import draw, open_source
from ufine_kit.baseline.data import load_pairs
from ufine_kit.baseline.evaluate import evaluate, record_path
from ufine_kit.baseline.model import encode_images, encode_texts
from ufine_kit.baseline.objective import similarities
from ufine_kit.baseline.train import start as start_of
from ufine_kit.baseline.train import train
from ufine_kit.dataset.reader import Release, open_release
from ufine_kit.dataset.writer import write_release
from ufine_kit.recipe import load_recipe
from ufine_kit.rows import granularity_of
from ufine_kit.world.draw import jpeg
from ufine_kit.world.retrieval import retrieval_set

ROWS, METRICS = range(5), ("R@1", "mAP", "mSD")
# Student's t at 97.5 % for 1 to 9 degrees of freedom: intervals of 95 % from few seeds.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
LONGER = ("baseline.steps=720", "baseline.evaluate_every=720")
BATCHES = 6  # that tell what a start makes of the train split
FINE_START = ("baseline.steps=1600",)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Question:
    """Some rows once more, with something changed."""

    rows: tuple[int, ...]
    sets: tuple[str, ...] = ()
    start: str = "world"
    seeds: int = 5


# The rows as they were fixed, and what was asked after they were known: label -> question.
FIXED = Question((0, 1, 2, 3, 4))
WHY = {
    "sdm_at_0.02": Question((1,), ("baseline.losses.temperature=0.02",), seeds=3),
    "infonce_and_the_rest": Question((4,), ("baseline.losses.contrastive=1.0", "baseline.losses.sdm=0.0"), seeds=3),
    "for_720_steps": Question((0, 1, 2, 3, 4), LONGER),
    "from_fine": Question((0, 1, 2, 3, 4), start="world_fine"),
}
PROVENANCE = ("crop_id", "video_sha256", "tracklet", "frame", "box_xywh", "upstream_id")


def rows(split: str, identities: int, start: int, granularity: str, captions_each: int) -> Iterable[dict[str, Any]]:
    """Release rows of some persons of the world, two images each."""
    samples = retrieval_set(
        identities, 2, size=(96, 48), captions_each=captions_each, granularity=granularity, start=start
    )
    for number, sample in enumerate(samples):
        image = jpeg(sample.image)
        yield {
            "image_id": f"p{sample.person_id}-{number:05d}",
            "person_id": f"p{sample.person_id}",
            "split": split,
            "source": "synthetic world",
            "image": {"bytes": image, "path": f"{number}.jpg"},
            "captions": list(sample.captions),
            "caption_origins": [origin(text) for text in sample.captions],
            "image_sha256": hashlib.sha256(image).hexdigest(),
            "width": 48,
            "height": 96,
            "dhash": "0" * 16,
            "provenance": dict.fromkeys(PROVENANCE),
        }


def origin(text: str) -> dict[str, Any]:
    """Of a text of the world."""
    words = len(text.split())
    return {
        "kind": "model",
        "writer": "w1",
        "parent": None,
        "words": words,
        "granularity": granularity_of(words),
        "style": "any",
    }


def release(folder: Path, parts: list[tuple[str, int, int, str, int]]) -> Release:
    """The release of that folder, drawn where it is not there yet."""
    if not folder.exists():
        manifest = {"name": folder.name, "version": "1.0.0", "kind": "dataset", "synthetic": True, "recipe": {}}
        write_release(folder, (row for part in parts for row in rows(*part)), 1, manifest)
    return open_release(folder)


def measured(work: Path, world: Release, question: Question, row: int, seed: int, label: str) -> dict[str, Any]:
    """The metrics of one run: kept ones are not run again."""
    name = run_name(label, seed)
    path = record_path(work / "baselines", {
        "data_digest": world.data_digest, "checkpoint": {"name": name, "trained_on": {}}, "release": {"split": "test"},
    })  # fmt: skip
    if not path.exists():
        start = work / "checkpoints" / question.start
        sets = [*question.sets, f"baseline.name={name}", f"baseline.seed={seed}", f"baseline.pretrained='{start}'"]
        sets += ["baseline.threads=1"]  # a model of this size gains nothing from a second
        train(world, load_recipe(f"ablation_{row}", sets).baseline, work / "checkpoints" / name, print)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(evaluate(work / "checkpoints" / name, world), indent=2))
    return json.loads(path.read_text())["metrics"]


def asked(work: Path, world: Release, question: Question, name: str = "") -> dict[str, Any]:
    """Every row of a question with its interval, and the full model against No. 0 and No. 1 where they were asked."""
    found = {
        row: [
            measured(work, world, question, row, seed, labelled(name, question, row)) for seed in range(question.seeds)
        ]
        for row in question.rows
    }
    ahead = {
        f"no_{a}_minus_no_{b}_paired_by_seed": {
            key: interval([x[key] - y[key] for x, y in zip(found[a], found[b], strict=True)]) for key in METRICS
        }
        for a, b in ((1, 0), (4, 0), (4, 1))
        if a in found and b in found
    }
    rows = {
        f"No. {row}": told(runs) | {"last_losses": last_losses(work, labelled(name, question, row), question.seeds)}
        for row, runs in found.items()
    }
    return {"seeds": question.seeds, "rows": rows} | ahead


def last_losses(work: Path, label: str, seeds: int) -> dict[str, float]:
    """Each loss at the end of the curve, the mean over the seeds. A matcher that knows nothing stands at ln 3 - 2/3 ln 2."""
    curves = [work / "checkpoints" / run_name(label, seed) / "metrics.jsonl" for seed in range(seeds)]
    last = [json.loads(path.read_text().splitlines()[-1]) for path in curves]
    return {name: statistics.fmean(each[name] for each in last) for name in last[0] if name != "step"}


def run_name(label: str, seed: int) -> str:
    """As checkpoints may be called."""
    return f"{label}-seed{seed}".replace(".", "_")


def labelled(name: str, question: Question, row: int) -> str:
    """The name of a row's runs."""
    if not name:
        return f"ablation_{row}"
    return name if len(question.rows) == 1 else f"no_{row}_{name}"


def shortened(question: Question, changes: tuple[str, ...]) -> Question:
    """The question as a trial asks it: these changes and one seed; as it is where there are none."""
    return replace(question, sets=(*question.sets, *changes), seeds=1) if changes else question


def own_share(world: Release, start: Path) -> dict[str, float]:
    """Quantiles, over the first batches, of the probability that the softmax of a start gives to the own person's pairs."""
    table = load_recipe("ablation_0", [f"baseline.pretrained='{start}'"]).baseline
    pairs = load_pairs(world, "train", table.image_height_px, table.image_width_px, table.threads)
    model, tokenizer = start_of(table, pairs.captions)
    model.eval()
    source, found = open_source(pairs, tokenizer, table, torch.device("cpu")), list[torch.Tensor]()
    for step in range(BATCHES):
        drawn = draw(source, table, step)
        same = losses.same_person(drawn.people, drawn.people)
        with torch.inference_mode():
            sides = similarities(encode_images(model, drawn.images), encode_texts(model, drawn.ids))
        found += [((side / table.losses.temperature).softmax(dim=1) * same).sum(dim=1) for side in sides]
    each = torch.cat(found).quantile(torch.tensor(QUANTILES)).tolist()
    return {f"{share:.0%}": value for share, value in zip(QUANTILES, each, strict=True)}


def interval(values: list[float]) -> dict[str, float | None]:
    """Mean and the 95 % interval of few values by Student's t; no interval of one."""
    mean = statistics.fmean(values)
    half = T[len(values) - 2] * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return {"mean": mean, "low": None if half is None else mean - half, "high": None if half is None else mean + half}


def told(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean, interval and every value of each metric."""
    return {name: interval([each[name] for each in runs]) | {"each": [each[name] for each in runs]} for name in METRICS}


def main() -> None:
    """Draw, learn the start, run what is missing, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "records/ablation.json")
    parser.add_argument("--why", action="store_true", help="also what was asked after the rows were known")
    parser.add_argument("--trial", action="store_true", help="few persons and steps: does the command run?")
    given = parser.parse_args()
    learn, learn_fine, unseen = (24, 16, 8) if given.trial else (1500, 400, 500)
    changes = ("baseline.steps=2", "baseline.evaluate_every=2", "baseline.batch=8") if given.trial else ()
    first, fine = (
        release(given.work / name, [("train", learn, 0, granularity, 2)])
        for name, granularity in (("first", "coarse"), ("first_fine", "fine"))
    )
    second = release(
        given.work / "second", [("train", learn_fine, 2_000, "fine", 2), ("test", unseen, 10_000, "fine", 1)]
    )
    starts = given.work / "checkpoints"
    train(first, load_recipe("baseline_world", changes).baseline, starts / "world", print)
    fixed = replace(FIXED, seeds=given.seeds, sets=changes)
    record = {"synthetic": True} | asked(given.work, second, fixed)
    if given.why:
        longer = load_recipe("baseline_world", changes or FINE_START).baseline
        train(fine, longer, starts / "world_fine", print)
        record["asked_afterwards"] = {
            name: asked(given.work, second, shortened(question, changes), name) for name, question in WHY.items()
        }
        record["probability_of_own_person_at_the_start"] = {
            name: own_share(second, starts / name) for name in ("world", "world_fine")
        }
    print(json.dumps(record, indent=2))
    given.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
