"""What scoring costs: `ufine-kit score` beside an evaluator that sorts the full matrix, each as a whole process.

The full-sort side follows the manner of the field's trainers (torch: product, argsort of the full matrix, cumulated
matches, a loop over queries and one over gallery columns). Both read the same files; CPU seconds (user and system,
over all threads) and peak memory are the kernel's count for the process, start-up included.

    python benchmarks/evaluator_cost.py --runs 3 --json       the test set of UFine6926: 15,258 x 7,629 x 512
    python benchmarks/evaluator_cost.py --large --json        20,000 x 200,000 x 512, ours alone
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UFINE6926 = {"queries": 15258, "gallery": 7629, "people": 2000, "dims": 512}
LARGE = {"queries": 20000, "gallery": 200000, "people": 20000, "dims": 512}
NOISE = {"clustered": (2.0, 2.6), "random": (1e3, 1e3)}  # of gallery and queries, beside centres of unit variance
GATES = {"cpu": 3.0, "memory": 8.0}
LARGE_GATE_MIB = 1024
SAME = 1e-3  # percent points


def make_features(folder: Path, shape: dict[str, int], kind: str) -> None:
    """q.npy, g.npy, qi.npy, gi.npy: every person a centre, every row a noisy copy; gallery images in random order."""
    import numpy as np

    generator = np.random.default_rng(0)
    people, dims = shape["people"], shape["dims"]
    centres = generator.standard_normal((people, dims), np.float32)
    gallery_ids = np.concatenate([np.arange(people), generator.integers(0, people, shape["gallery"] - people)])
    gallery_ids = generator.permutation(gallery_ids)
    each_twice = np.repeat(gallery_ids, 2)[: shape["queries"]]
    for name, ids, noise in (("g", gallery_ids, NOISE[kind][0]), ("q", each_twice, NOISE[kind][1])):
        rows = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (len(ids), dims))
        for start in range(0, len(ids), 8192):
            some = ids[start : start + 8192]
            rows[start : start + 8192] = centres[some] + noise * generator.standard_normal(
                (len(some), dims), np.float32
            )
        np.save(folder / f"{name}i.npy", ids)


def full_sort(folder: Path) -> None:
    """R@k, mAP and mINP with the whole ranking in memory."""
    import numpy as np
    import torch

    queries, gallery = (
        torch.nn.functional.normalize(torch.from_numpy(np.load(folder / f"{name}.npy")), dim=1) for name in "qg"
    )
    query_ids, gallery_ids = (torch.from_numpy(np.load(folder / f"{name}i.npy")) for name in "qg")
    similarity = queries @ gallery.t()
    ranking = torch.argsort(similarity, dim=1, descending=True)
    matches = gallery_ids[ranking].eq(query_ids[:, None])  # [Q, G], best first
    found = matches.cumsum(1)
    hit_by = found[:, :10].clamp(max=1).float().mean(0) * 100
    last = [row.nonzero()[-1] for row in matches]
    inp = torch.cat([found[i, rank] / (rank + 1.0) for i, rank in enumerate(last)])
    precision = torch.stack([found[:, j] / (j + 1.0) for j in range(found.shape[1])], 1) * matches
    ap = precision.sum(1) / matches.sum(1)
    metrics = {f"R@{k}": hit_by[k - 1].item() for k in (1, 5, 10)}
    print(json.dumps({**metrics, "mAP": ap.mean().item() * 100, "mINP": inp.mean().item() * 100, **versions("torch")}))


def versions(*modules: str) -> dict[str, str]:
    return {f"version {name}": getattr(__import__(name), "__version__", "") for name in modules}


def score_command(python: Path, folder: Path) -> list[str]:
    flags = {"query-features": "q", "gallery-features": "g", "query-ids": "qi", "gallery-ids": "gi"}
    paths = [part for flag, name in flags.items() for part in (f"--{flag}", str(folder / f"{name}.npy"))]
    return [str(python), "-m", "ufine_kit", "score", *paths, "--json"]


def own_command(python: Path, role: str, *arguments: str) -> list[str]:
    return [str(python), __file__, "--role", role, *arguments]


def measured(command: list[str], threads: int) -> dict[str, object]:
    """Run to the end; the kernel's account of that process and the JSON it printed.

    This process must stay small: a child's peak starts at its parent's size.
    """
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    environment = {**os.environ, **limits, "PYTHONPATH": str(ROOT / "toolkit")}
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"exit {child.returncode}: {' '.join(command)}")
        out.seek(0)
        printed = out.read()
    return {
        "user_s": round(usage.ru_utime, 3),
        "system_s": round(usage.ru_stime, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
        "answer": json.loads(printed) if printed.strip() else None,
    }


def side_by_side(arguments: argparse.Namespace, kind: str) -> dict[str, object]:
    """Alternate the two on one set of features; medians, ratios, and whether they agree."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        folder = Path(name)
        features = json.dumps({"folder": name, "shape": UFINE6926, "kind": kind})
        measured(own_command(arguments.python, "make-features", features), arguments.threads)
        for run in range(arguments.runs):
            theirs.append(measured(own_command(arguments.torch_python, "full-sort", name), arguments.threads))
            ours.append(measured(score_command(arguments.python, folder), arguments.threads))
            print(f"{kind} run {run}: full sort {brief(theirs[-1])}; score {brief(ours[-1])}", file=sys.stderr)
    answers = ours[0].pop("answer"), theirs[0].pop("answer")
    for run in [*ours[1:], *theirs[1:]]:
        run.pop("answer")
    shared = ("R@1", "R@5", "R@10", "mAP", "mINP")
    gap = max(abs(answers[0][key] - answers[1][key]) for key in shared)
    medians = {side: median(runs) for side, runs in (("score", ours), ("full_sort", theirs))}
    ratios = {
        "cpu": round(medians["full_sort"]["cpu_s"] / medians["score"]["cpu_s"], 2),
        "user": round(medians["full_sort"]["user_s"] / medians["score"]["user_s"], 2),
        "memory": round(medians["full_sort"]["peak_mib"] / medians["score"]["peak_mib"], 2),
    }
    holds = gap <= SAME and ratios["cpu"] >= GATES["cpu"] and ratios["memory"] >= GATES["memory"]
    return {
        "features": kind,
        "shape": UFINE6926,
        "metrics": {key: answers[0][key] for key in (*shared, "mSD")},
        "largest_difference": gap,
        "medians": medians,
        "ratios": ratios,
        "gates_hold": holds,
        "runs": {"score": ours, "full_sort": theirs},
        "torch": answers[1]["version torch"],
    }


def large(arguments: argparse.Namespace) -> dict[str, object]:
    """Ours alone, where the full matrix of similarities and ranks would take 48 GB."""
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        features = json.dumps({"folder": name, "shape": LARGE, "kind": "clustered"})
        measured(own_command(arguments.python, "make-features", features), arguments.threads)
        run = measured(score_command(arguments.python, Path(name)), arguments.threads)
    answer = run.pop("answer")
    keys = ("R@1", "R@5", "R@10", "mAP", "mINP", "mSD")
    metrics = {key: answer[key] for key in keys}
    return {"shape": LARGE, "metrics": metrics, **run, "gates_hold": run["peak_mib"] < LARGE_GATE_MIB}


def median(runs: list[dict[str, object]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in ("cpu_s", "user_s", "system_s", "peak_mib")}


def brief(run: dict[str, object]) -> str:
    return f"{run['cpu_s']:.2f} CPU s ({run['user_s']:.2f} user), {run['peak_mib']:.0f} MiB"


def record(arguments: argparse.Namespace, results: dict[str, object]) -> dict[str, object]:
    """The results with what one must know to repeat them."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    probe = "import json, platform, numpy; print(json.dumps([platform.python_version(), numpy.__version__]))"
    python, numpy = json.loads(subprocess.check_output([arguments.python, "-c", probe], text=True))
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    machine = {"cpu": models[0].partition(": ")[2] if models else platform.processor(), "cores": os.cpu_count()}
    return {
        "benchmark": Path(__file__).stem,
        "commit": commit,
        "machine": {**machine, "memory_gib": round(pages / 2**30, 1), "system": platform.platform()},
        "versions": {"python": python, "numpy": numpy},
        "threads": arguments.threads,
        **results,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--features", choices=[*NOISE, "both"], default="both")
    parser.add_argument("--large", action="store_true", help="20,000 x 200,000 x 512, ours alone")
    parser.add_argument("--threads", type=int, default=2, help="of both sides")
    parser.add_argument("--python", type=Path, default=ROOT / ".venvs/check/bin/python", help="runs the kit")
    parser.add_argument("--torch-python", type=Path, default=ROOT / ".venvs/full/bin/python", help="runs the full sort")
    parser.add_argument("--scratch", type=Path, help="folder for the features (the large case needs 0.5 GB)")
    parser.add_argument("--json", action="store_true", help="write the record to benchmarks/records/")
    parser.add_argument("--role", nargs=2, metavar=("ROLE", "WHAT"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    if arguments.role:
        role, what = arguments.role
        if role == "full-sort":
            full_sort(Path(what))
        else:
            order = json.loads(what)
            make_features(Path(order["folder"]), order["shape"], order["kind"])
        return 0
    if arguments.large:
        results = {"large": large(arguments)}
        print(f"large: {brief(results['large'])}", file=sys.stderr)
    else:
        kinds = list(NOISE) if arguments.features == "both" else [arguments.features]
        results = {"cases": [side_by_side(arguments, kind) for kind in kinds]}
        for case in results["cases"]:
            print(f"{case['features']}: ratios {case['ratios']}, difference {case['largest_difference']:.1e}")
    cases = results.get("cases") or [results["large"]]
    if arguments.json:
        name = f"{Path(__file__).stem}{'_large' if arguments.large else ''}.json"
        path = ROOT / "benchmarks/records" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record(arguments, results), indent=2) + "\n")
        print(path)
    return 0 if all(case["gates_hold"] for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
