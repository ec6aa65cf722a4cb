"""Devices, and memory that runs out for real."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.device import choose_device, half_precision, memory_named, sent, settled  # noqa: E402
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


def test_more_processes_than_gpus_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", 1).index == 1
    with pytest.raises(KitError, match="process 3 of this machine has no GPU of its own") as error:
        choose_device("auto", 2)
    assert "--nproc-per-node 2" in error.value.mend


@pytest.mark.parametrize(
    ("precision", "native", "wanted"),
    [("auto", True, True), ("auto", False, False), ("bf16", False, True), ("fp32", True, False)],
)
def test_bf16_is_chosen_where_the_gpu_has_it(monkeypatch, precision, native, wanted):
    """GPUs before Ampere only imitate it, slower than fp32."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    assert half_precision(torch.device("cuda", 0), precision) is wanted


def test_auto_is_fp32_on_a_cpu():
    assert not half_precision(torch.device("cpu"), "auto")


class Pageable:
    """Stands for a tensor of the host on its way to a GPU."""

    device = torch.device("cpu")

    def __init__(self, pinned: bool = False) -> None:
        self.pinned = pinned

    def pin_memory(self) -> Pageable:
        return Pageable(pinned=True)

    def to(self, device: torch.device, non_blocking: bool = False) -> tuple[str, bool]:
        return device.type, self.pinned and non_blocking


def test_host_never_waits_for_a_gpu_that_takes_a_batch():
    """From pageable memory the copy waits for all that the GPU still has to do."""
    assert sent(Pageable(), torch.device("cuda", 0)) == ("cuda", True)
    rows = torch.zeros(2)
    assert sent(rows, torch.device("cpu")) is rows


@pytest.mark.parametrize(
    "said", ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"]
)
def test_gpu_that_others_fill_is_one_line(said):
    with pytest.raises(KitError, match="out of GPU memory training"), memory_named("training", "smaller"):
        raise RuntimeError(said)


def test_kernels_are_deterministic_on_the_cpu_alone():
    for kind, wanted in (("cpu", True), ("cuda", False)):
        with settled(torch.device(kind), 1):
            assert torch.are_deterministic_algorithms_enabled() == wanted
            assert torch.get_num_threads() == 1
