"""Write the README's figures from kept records: nothing in these blocks is typed by hand. `--check` only compares."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benchmarks" / "records"


def demo() -> str:
    """The session of `make demo`, as it was recorded."""
    return f"```console\n{(RECORDS / 'demo.txt').read_text(encoding='utf-8').strip()}\n```"


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
    big, medians = large["cases"][0]["shape"], large["cases"][0]["medians"]["score"]
    lines += ["", f"{big['queries']:,} x {big['gallery']:,} x {big['dims']} takes {medians['peak_mib']:,.0f} MiB."]
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
