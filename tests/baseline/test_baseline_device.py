"""Devices, and memory that runs out for real."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.device import choose_device, memory_named, settled  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full


def test_memory_that_cpu_torch_cannot_have_is_one_line():
    with (
        pytest.raises(KitError, match="out of memory drawing the world") as error,
        memory_named("drawing the world", "draw less"),
    ):
        torch.empty(1 << 60, dtype=torch.uint8)
    assert error.value.mend == "draw less"


def test_kit_errors_pass_through():
    with pytest.raises(KitError, match="mine"), memory_named("a", "b"):
        raise KitError("mine", "mend")


@pytest.mark.parametrize(
    ("name", "there", "wanted"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "cuda"),
        ("cpu", True, "cpu"),
        ("cuda", True, "cuda"),
        ("cuda", False, None),
    ],
)
def test_device_is_the_gpu_where_there_is_one(monkeypatch, name, there, wanted):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    if wanted is None:
        with pytest.raises(KitError, match="no CUDA device"):
            choose_device(name)
    else:
        assert choose_device(name).type == wanted


def test_kernels_are_deterministic_on_the_cpu_alone():
    for kind, wanted in (("cpu", True), ("cuda", False)):
        with settled(torch.device(kind), 1):
            assert torch.are_deterministic_algorithms_enabled() == wanted
            assert torch.get_num_threads() == 1
