"""Near-duplicates over a million 64-bit hashes: CPU seconds and peak memory, with every planted pair found.

Random hashes and hashes of which a share is planted beside another (0 to 4 bits off), a heap with 100,000 equal ones, and
one with rarely set bits; each in a fresh process. Beside comparing all with all on 5,000, where both must give one set.

    PYTHONPATH=toolkit python benchmarks/near_duplicates.py [--hashes N] [--record JSON]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DISTANCE = 4
HEAPS = ("random", "planted", "100,000 equal", "bits rarely set")
REAL_SHARE = 0.1  # of the hashes of a heap that stand beside another one
SHOWN_PAIRS = 30_000_000  # of equal hashes: the stream of pairs is cut here, since nobody wants all 5 thousand million


def heap(kind: str, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hashes uint64 [N], and planted pairs int64 [P, 2] that are within the distance."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    planted = np.zeros((0, 2), np.int64)
    if kind == "planted":
        many = int(count * REAL_SHARE)
        planted = np.stack([np.arange(many), np.arange(count - many, count)], 1)
        off = np.zeros(many, np.uint64)
        for _ in range(DISTANCE):
            chosen = rng.random(many) < 0.6
            off ^= np.where(chosen, np.uint64(1) << rng.integers(0, 64, many).astype(np.uint64), np.uint64(0))
        hashes[planted[:, 1]] = hashes[planted[:, 0]] ^ off
    if kind == "100,000 equal":
        hashes[: min(100_000, count)] = 0
    if kind == "bits rarely set":
        pieces = [min(50_000, count - start) for start in range(0, count, 50_000)]
        hashes = np.concatenate(
            [np.packbits(rng.random((size, 64)) < 0.25, axis=1).view(np.uint64).ravel() for size in pieces]
        )
    return hashes, planted


def measure(kind: str, count: int) -> dict[str, object]:
    """One heap, in this process."""
    from ufine_kit.dataset.near import near_pairs

    hashes, planted = heap(kind, count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, pairs, found = time.process_time(), 0, []
    cut = False
    for block in near_pairs(hashes, DISTANCE):
        pairs += len(block.i)
        if len(planted):
            found.append(block.i * count + block.j)
        if pairs > SHOWN_PAIRS:
            cut = True
            break
    seconds = time.process_time() - start
    told = {
        "heap": kind,
        "hashes": count,
        "pairs": pairs,
        "cut": cut,
        "cpu_seconds": round(seconds, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "mib_before": round(before),
    }
    if len(planted):
        told["planted"] = len(planted)
        told["planted_found"] = int(np.isin(planted[:, 0] * count + planted[:, 1], np.concatenate(found)).sum())
    return told


def beside_all_with_all(count: int = 5000) -> dict[str, object]:
    """The same pairs as the definition gives, and what each costs."""
    from ufine_kit.dataset.near import near_pairs

    hashes, _ = heap("planted", count)
    start = time.process_time()
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    i, j = np.nonzero(np.triu(bits <= DISTANCE, 1))
    plain = time.process_time() - start
    start = time.process_time()
    blocks = list(near_pairs(hashes, DISTANCE))
    banded = time.process_time() - start
    ours = {pair for block in blocks for pair in zip(block.i.tolist(), block.j.tolist(), strict=True)}
    same = ours == set(zip(i.tolist(), j.tolist(), strict=True))
    costs = {"all_with_all_cpu_seconds": round(plain, 3), "near_pairs_cpu_seconds": round(banded, 3)}
    return {"hashes": count, "pairs": len(ours), "same_pairs": same, **costs}


def main() -> None:
    """Measure each heap in a process of its own, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--heap", choices=HEAPS)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    if args.heap:
        print(json.dumps(measure(args.heap, args.hashes)))
        return
    cases = []
    for kind in HEAPS:
        typed = [sys.executable, __file__, "--heap", kind, "--hashes", str(args.hashes)]
        cases.append(json.loads(subprocess.run(typed, check=True, capture_output=True, text=True).stdout))
    record = {
        "benchmark": "near_duplicates",
        "distance": DISTANCE,
        "cases": cases,
        "beside_all_with_all": beside_all_with_all(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
    }
    json.dump(record, sys.stdout, indent=2)
    print()
    assert all(case.get("planted") == case.get("planted_found") for case in cases)
    if args.record:
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
