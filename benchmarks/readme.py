"""Write the README's figures from kept records: nothing in these blocks is typed by hand. `--check` only compares."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benchmarks" / "records"


SHOWN = ("extract-tracklets", "filter", "build-release", "baseline-train", "evaluate", "push-hub")


def demo() -> str:
    """Six commands of the recorded session of `make demo`, without its lines of progress."""
    session = (RECORDS / "demo.txt").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.split(r"(?m)^(?=\$ )", session)]
    shown = [block for block in blocks if block.startswith(tuple(f"$ ufine-kit {name}" for name in SHOWN))]
    lines = [
        line for block in shown for line in [*block.splitlines(), ""] if not line.startswith(("  part-", "  step"))
    ]
    return "\n".join(["```console", "$ export UFINE_WORK=demo/work UFINE_RECIPE=demo", "", *lines[:-1], "```"])


def evaluator() -> str:
    """The cost of the metrics beside a full sort, from the newest record."""
    record = json.loads((RECORDS / "evaluator_cost.json").read_text(encoding="utf-8"))
    large = json.loads((RECORDS / "evaluator_cost_large.json").read_text(encoding="utf-8"))
    shape = record["cases"][0]["shape"]
    lines = [
        f"Beside an evaluator that sorts the whole matrix, {shape['queries']:,} queries x {shape['gallery']:,} images x"
        f" {shape['dims']} (start-up included, medians, in one run; `make bench`):",
        "",
        "| features | full sort | `ufine-kit score` | CPU | memory |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for case in record["cases"]:
        sides = [case["medians"][side] for side in ("full_sort", "score")]
        told = [f"{side['cpu_s']:.1f} CPU s, {side['peak_mib']:,.0f} MiB" for side in sides]
        ratios = case["ratios"]
        lines.append(f"| {case['features']} | {told[0]} | {told[1]} | {ratios['cpu']:.1f}x | {ratios['memory']:.0f}x |")
    big = large["large"]
    size = "{queries:,} x {gallery:,} x {dims}".format(**big["shape"])
    lines += ["", f"{size} takes {big['peak_mib']:,.0f} MiB at its peak."]
    return "\n".join(lines)


BLOCKS = {"demo": demo, "evaluator": evaluator}


def filled(readme: str) -> str:
    """The README with every block written anew."""
    for name, make in BLOCKS.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        readme = re.sub(
            f"{begin}.*{end}", lambda _, b=begin, e=end, m=make: f"{b}\n{m()}\n{e}", readme, flags=re.DOTALL
        )
    return readme


def main() -> int:
    """0 when the README is current or was written; 1 when `--check` finds it old."""
    path = ROOT / "README.md"
    held = path.read_text(encoding="utf-8")
    wanted = filled(held)
    if "--check" in sys.argv:
        return int(held != wanted)
    path.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
