"""What a push costs beside a bare `upload_folder` of the same files: CPU seconds of the client against a loopback Hub.

The release is made here: noise crops of 20 kB, two texts of 80 words each. A: `HfApi.upload_folder` to main. B: what
`push-hub` does once the release is judged (plan, pull request, comparison, merge, tag). Turns go A B A B, each into a fresh
repository. The judging and the making of texts and card are timed too, once, and are not part of B.

    PYTHONPATH=tests python benchmarks/push_cost.py [--crops 5000] [--turns 15] [--json benchmarks/records/push_cost.json]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

CROP_BYTES, WORDS = 19_400, 80
PEOPLE_SIZE = 10  # crops of one person


def rows(crops: int) -> Iterator[dict]:
    rng = np.random.default_rng(0)
    vocabulary = [f"word{number}" for number in range(4000)]
    for number in range(crops):
        picture = b"\xff\xd8" + rng.bytes(CROP_BYTES) + b"\xff\xd9"
        texts = [" ".join(vocabulary[n] for n in rng.integers(0, 4000, WORDS)) for _ in range(2)]
        person = number // PEOPLE_SIZE
        origin = {
            "kind": "human", "writer": f"writer-{person % 50}", "parent": None, "words": WORDS, "granularity": "fine",
            "style": "plain",
        }  # fmt: skip
        yield {
            "image_id": f"i{number:06d}", "person_id": f"p{person:05d}", "split": ("train", "train", "val", "test")[person % 4],
            "source": "noise", "image": {"bytes": picture, "path": f"i{number:06d}.jpg"}, "captions": texts,
            "caption_origins": [origin, origin], "image_sha256": hashlib.sha256(picture).hexdigest(), "width": 128,
            "height": 384, "dhash": "0" * 16,
            "provenance": dict.fromkeys(("crop_id", "video_sha256", "tracklet", "frame", "box_xywh", "upstream_id")),
        }  # fmt: skip


def serve(pipe: Connection) -> None:
    """The loopback Hub in a process of its own, so that its work is not counted."""
    from live.hub.double import Hub

    with Hub() as hub:
        pipe.send(hub.url)
        pipe.recv()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(act: Callable[[], object]) -> float:
    before = time.process_time()
    act()
    return time.process_time() - before


def measure(url: str, root: Path, crops: int, turns: int) -> dict:
    os.environ |= {"HF_ENDPOINT": url, "HF_TOKEN": "hf_ownerownerownerowner", "HF_HOME": str(root / "home")}
    from live.hub.making import recipe
    from ufine_kit.adapters.hub import Place, open_place
    from ufine_kit.dataset.reader import open_release
    from ufine_kit.dataset.writer import write_release
    from ufine_kit.hub import admit, repository
    from ufine_kit.hub.push import plan_push, push, stage

    manifest = {
        "name": "noise",
        "version": "0.1.0",
        "kind": "dataset",
        "synthetic": True,
        "recipe": {"license": "cc0-1.0"},
    }
    folder = root / "releases/noise/0.1.0"
    write = multiprocessing.get_context("fork").Process(target=write_release, args=(folder, rows(crops), 2, manifest))
    write.start()  # in a process of its own: its memory is not that of a push
    write.join()
    release = open_release(folder)
    admit.checked = lambda *_: Unchecked()  # noise passes no check of pictures, and checks are not what is measured
    made: list = []
    start_mb = peak_mb()
    prepare = timed(lambda: made.append(repository.prepare(release, recipe(), root, root / "made", "noise")))
    prepared, prepare_mb = made[0], peak_mb()
    bare: list[float] = []
    whole: list[float] = []
    names = iter(range(100))
    for _ in range(turns + 1):  # the first turn warms both up and is left out
        place = open_place(f"org/bare-{next(names)}", "dataset", True, 1, 0.0)
        place.api.create_repo(place.repo, repo_type="dataset", private=True)
        staged = stage(prepared.tree, root / "staged")
        bare.append(
            timed(
                lambda place=place, at=staged: place.api.upload_folder(
                    repo_id=place.repo, folder_path=at, repo_type="dataset"
                )
            )
        )
        bare_mb = peak_mb()
        place = open_place(f"org/whole-{next(names)}", "dataset", True, 1, 0.0)

        def act(place: Place = place) -> None:
            push(plan_push(place, prepared.tree, "0.1.0"), root / "scratch", "manual", False, lambda line: None)

        whole.append(timed(act))
    return {
        "crops": crops, "megabytes": round(prepared.size_bytes / 1e6, 1), "files": len(prepared.tree), "turns": turns,
        "bare_cpu_seconds": [round(value, 3) for value in bare[1:]],
        "push_cpu_seconds": [round(value, 3) for value in whole[1:]],
        "ratio": round(float(np.median(whole[1:]) / np.median(bare[1:])), 3),
        "prepare_cpu_seconds": round(prepare, 3),
        "peak_mb": {"start": round(start_mb), "prepared": round(prepare_mb), "bare": round(bare_mb), "push": round(peak_mb())},
    }  # fmt: skip


class Unchecked:
    """A report that says nothing."""

    passed, checks = True, ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as root:
        said = measure(here.recv(), Path(root), asked.crops, asked.turns)
    here.send("enough")
    with contextlib.suppress(ImportError):
        from importlib.metadata import version

        said["versions"] = {name: version(name) for name in ("huggingface_hub", "pyarrow")}
    said |= {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "transport": "lfs",
    }
    text = json.dumps(said, indent=2)
    if asked.json:
        asked.json.write_text(text + "\n")
    print(text)
    sys.stdout.flush()
    server.join(5)


if __name__ == "__main__":
    main()
