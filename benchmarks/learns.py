"""Does the smallest recipe learn from nothing on a CPU, and how much in four minutes? Several seeds, CPU seconds beside each.

    python benchmarks/learns.py WORK                     700 and 1,700 steps, three seeds each: about 17 minutes of CPU time
    python benchmarks/learns.py WORK --steps 700 --seeds 1

recipes/baseline_world.toml from random weights on 1,500 persons of the world with coarse texts, the last step, measured on a
fixed gallery of 500 persons whom nobody has seen, two images each. Steps and seeds are the only things that are changed.
Finished runs in WORK are kept. CPU seconds are those of the training, with pictures decoded and texts tokenised in them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from ablation import METRICS, interval, release

from ufine_kit.baseline.evaluate import evaluate
from ufine_kit.baseline.train import train
from ufine_kit.dataset.reader import Release
from ufine_kit.recipe import load_recipe

TRAINED, UNSEEN = 1500, 500


def run(work: Path, world: Release, steps: int, seed: int) -> dict[str, Any]:
    """Metrics and CPU seconds of one training, kept beside its checkpoint."""
    name = f"learns-{steps}-seed{seed}"
    kept = work / f"{name}.json"
    if not kept.exists():
        changes = [f"baseline.steps={steps}", f"baseline.seed={seed}", f"baseline.name={name}", "baseline.select=last"]
        folder = work / "checkpoints" / name
        shutil.rmtree(folder, ignore_errors=True)  # what was stopped would go on, and its first seconds be lost
        began = time.process_time()
        train(world, load_recipe("baseline_world", changes).baseline, folder, print)
        seconds = time.process_time() - began
        found = evaluate(folder, world)["metrics"]
        kept.write_text(json.dumps({key: found[key] for key in METRICS} | {"cpu_seconds": seconds}))
    return json.loads(kept.read_text())


def told(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Every value, with mean and 95 % interval of the metrics."""
    seconds = [each["cpu_seconds"] for each in runs]
    each = {name: interval([one[name] for one in runs]) | {"each": [one[name] for one in runs]} for name in METRICS}
    return each | {"cpu_seconds": {"mean": statistics.fmean(seconds), "each": seconds}}


def main() -> None:
    """Draw the world, train what is missing, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, nargs="+", default=[700, 1700])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "records/learns.json")
    given = parser.parse_args()
    parts = [("train", TRAINED, 0, "coarse", 2), ("test", UNSEEN, 10_000, "coarse", 1)]
    world = release(given.work / "world", parts)
    found = {
        f"{steps} steps": told([run(given.work, world, steps, seed) for seed in range(given.seeds)])
        for steps in given.steps
    }
    about = {"synthetic": True, "train_identities": TRAINED, "gallery_identities": UNSEEN, "chance_R@1": 100 / UNSEEN}
    record = about | {"seeds": given.seeds, "runs": found}
    print(json.dumps(record, indent=2))
    given.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
