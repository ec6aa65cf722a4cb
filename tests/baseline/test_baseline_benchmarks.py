"""The benchmarks of the baseline run: the one for a GPU with torch and transformers alone, whatever else is missing."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")

pytestmark = pytest.mark.full

BENCHMARK = Path(__file__).parents[2] / "benchmarks/train_gpu.py"
WITHOUT = ("pydantic", "pyarrow", "datasets", "av", "jinja2")


def test_operations_are_counted_at_the_length_that_the_measured_loop_reads():
    """A compiled step pads its texts to the limit, whatever the first batch holds."""
    bench = runpy.run_path(str(BENCHMARK))
    device, flops = torch.device("cpu"), []
    for compiled in (True, False):
        table = bench["settings"](True, 4, compiled)
        source = bench["random_source"](table, 16, device)
        source = replace(source, lengths=source.lengths // 2)
        flops.append(bench["flops_a_step"](source, table, device))
    assert flops[0] > flops[1]


def test_training_speed_is_measured_with_torch_and_transformers_alone(tmp_path):
    hide = "import sys, runpy\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in WITHOUT)
    words = ["--device", "cpu", "--tiny", "--batch", "4", "--images", "16", "--steps", "1", "--workers", "0"]
    code = f"{hide}sys.argv = ['train_gpu', *{[*words, '--json', str(tmp_path / 'record.json')]!r}]\n"
    code += f"runpy.run_path({str(BENCHMARK)!r}, run_name='__main__')"
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["flops_a_step"] > 0
    assert set(record["loops"]) == {"kit", "straightforward", "open_clip"}
    assert record["tiny"] is True  # sizes that mean nothing say so
