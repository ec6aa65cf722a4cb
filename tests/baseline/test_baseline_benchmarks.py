"""The benchmarks of the baseline run: the one for a GPU with torch and transformers alone, whatever else is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs ufine-kit[baseline]")

pytestmark = pytest.mark.full

BENCHMARK = Path(__file__).parents[2] / "benchmarks/train_gpu.py"
WITHOUT = ("pydantic", "pyarrow", "datasets", "av", "jinja2")


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
