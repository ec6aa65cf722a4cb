"""Two processes see what one would: gradients of the first step, and the curve of a whole training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from safetensors.numpy import load_file  # noqa: E402

from baseline.releases import ALL_LOSSES, flags, small_table  # noqa: E402
from ports import free_port  # noqa: E402
from ufine_kit.baseline.processes import Processes, from_environment, gathered, joined, mean_of  # noqa: E402
from ufine_kit.baseline.train import check_shares, train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full

SCRIPT = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from ufine_kit.baseline import train as training
from ufine_kit.dataset.reader import open_release
from ufine_kit.tables import BaselineTable

kept = torch.nn.utils.clip_grad_norm_
def keep(parameters, norm):
    parameters = list(parameters)
    path = Path(sys.argv[2] + ".gradients")
    if not path.exists() and training.from_environment().first:
        save_file({str(n): p.grad.clone() for n, p in enumerate(parameters) if p.grad is not None}, path)
    return kept(parameters, norm)
torch.nn.utils.clip_grad_norm_ = keep
table = BaselineTable.model_validate_json(sys.argv[3])
training.train(open_release(Path(sys.argv[1])), table, Path(sys.argv[2]), print)
"""


def trained(release, folder: Path, table, count: int) -> tuple[dict, list[dict]]:
    """First gradients and curve of a training in so many processes."""
    port = free_port()
    words = [sys.executable, "-c", SCRIPT, str(release.path), str(folder), table.model_dump_json()]
    running = []
    for rank in range(count):
        group = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        env = os.environ | {name: str(value) for name, value in group.items()}
        running.append(subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for process in running:
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said
    curve = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return load_file(f"{folder}.gradients"), curve


@pytest.fixture(scope="module")
def runs(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    table = small_table(steps=3, evaluate_every=3, **ALL_LOSSES)
    return [trained(small_release, folder / f"of{count}", table, count) for count in (1, 2)]


def test_first_gradients_of_two_processes_are_those_of_one(runs):
    (alone, _), (together, _) = runs
    assert alone.keys() == together.keys()
    largest = max(np.abs(gradient).max() for gradient in alone.values())
    for name, gradient in alone.items():
        np.testing.assert_allclose(together[name], gradient, rtol=1e-5, atol=1e-5 * largest, err_msg=name)


def test_curve_of_two_processes_is_that_of_one(runs):
    (_, alone), (_, together) = runs
    assert len(alone) == len(together) == 1
    for name, value in alone[0].items():
        assert together[0][name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_torchrun_trains_a_series_and_speaks_once(small_release, tmp_path):
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "ufine_kit"]
    words += ["baseline-train", str(small_release.path), "--seeds", "2", "-w", str(tmp_path), *flags(steps=2), "--json"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checkpoints"] == ["tiny-seed0", "tiny-seed1"]
    assert done.stderr.count("seed 1: ") == 1


def test_one_process_alone_gathers_nothing():
    rows = torch.randn(3, 2)
    assert gathered(rows) is rows
    assert mean_of(torch.tensor(6.0), torch.tensor(3)).item() == 2
    assert mean_of(torch.tensor(0.0), torch.tensor(0)).item() == 0  # nothing counted is nothing, not a NaN


def test_torchrun_says_who_a_process_is(monkeypatch):
    assert from_environment() == Processes(0, 1, 0)
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert from_environment() == Processes(3, 4, 1)
    assert not from_environment().first


@pytest.mark.parametrize(
    ("images", "processes", "fits"), [(5, 4, False), (3, 4, False), (4, 4, True), (5, 1, True), (9, 4, True)]
)
def test_images_fewer_than_a_batch_must_divide_too(images, processes, fits):
    """A process without an image stops the others; one image left over would never be seen."""
    if fits:
        check_shares(images, small_table(batch=8), Processes(0, processes))
        return
    with pytest.raises(KitError, match=f"{images} train images do not divide among {processes} processes"):
        check_shares(images, small_table(batch=8), Processes(0, processes))


def test_each_process_keeps_to_its_own_gpu(monkeypatch):
    """Else every process opens the first GPU as well, and pins its memory there."""
    told = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: told.append(("own", str(device))))
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda kind: told.append(("group", kind)))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: told.append(("end", "")))
    with joined(Processes(3, 4, 1), torch.device("cuda", 1)):
        assert told == [("own", "cuda:1"), ("group", "nccl")]


def test_batch_that_does_not_divide_is_refused(small_release, tmp_path, quiet, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(KitError, match="a batch of 8 does not divide among 3") as error:
        train(small_release, small_table(), tmp_path / "a", quiet)
    assert "baseline.batch=9" in error.value.mend
