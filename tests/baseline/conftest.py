"""What the baseline's tests share: one small release, a generator, and ears."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from baseline.releases import world_rows, written
from ufine_kit.dataset.reader import Release


@pytest.fixture(scope="session")
def small_release(tmp_path_factory) -> Release:
    """12 train, 4 val and 6 test identities with two images and two captions each."""
    rows = [*world_rows("train", 12, 0), *world_rows("val", 4, 12), *world_rows("test", 6, 16)]
    return written(tmp_path_factory.mktemp("release") / "0.1.0", rows)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors of these tests are so small that two threads only wait for each other, the longer the busier a machine is."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    yield
    if torch:
        torch.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def quiet():
    """A `tell` that keeps what it was told."""

    class Told(list):
        def __call__(self, line: str) -> None:
            self.append(line)

    return Told()
