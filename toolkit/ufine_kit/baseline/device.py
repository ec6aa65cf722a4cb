"""Where the model runs: the device, its threads, CPU determinism, and out-of-memory said in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import numpy as np
import torch

from ufine_kit.errors import KitError


def choose_device(name: str, number: int = 0) -> torch.device:
    """`auto` is the GPU where there is one; `number` is this process's own. Raises KitError for `cuda` without one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise KitError("no CUDA device is there", "let the kit choose: --set baseline.device=auto")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if number and number >= torch.cuda.device_count():
        raise KitError(
            f"process {number + 1} of this machine has no GPU of its own",
            f"torchrun --nproc-per-node {torch.cuda.device_count()} ...",
        )
    return torch.device("cuda", number)


def on_device(values: np.ndarray, device: torch.device) -> torch.Tensor:
    """A small array on the device."""
    return sent(torch.from_numpy(np.ascontiguousarray(values)), device)


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor on the device, from pinned memory where it has to go to a GPU: from any other the copy waits for the GPU."""
    return tensor.to(device) if tensor.device.type == device.type else tensor.pin_memory().to(device, non_blocking=True)


def cached(pixels: torch.Tensor, device: torch.device, where: str) -> torch.Tensor:
    """Decoded images where batches are drawn from: GPU memory, or pinned host memory where they take more than half of it."""
    if device.type != "cuda" or where == "host":
        return pixels.pin_memory() if device.type == "cuda" else pixels
    free, _ = torch.cuda.mem_get_info(device)
    return pixels.to(device) if where == "device" or pixels.nbytes < free / 2 else pixels.pin_memory()


def half_precision(device: torch.device, precision: str) -> bool:
    """Whether the forward pass runs in bf16. Weights, losses and optimiser are fp32 either way.

    `auto`: on a GPU that has it (from Ampere on); others imitate it, slower than fp32.
    """
    if precision != "auto" or device.type != "cuda":
        return precision == "bf16"
    return torch.cuda.is_bf16_supported(including_emulation=False)


@contextlib.contextmanager
def settled(device: torch.device, threads: int) -> Generator[None]:
    """Fixed thread count and, on CPU, deterministic kernels alone; what was set before comes back after."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu")
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


@contextlib.contextmanager
def memory_named(what: str, mend: str) -> Generator[None]:
    """Turn running out of GPU or main memory inside the block into a KitError that names `what` and the knob."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise KitError(f"out of GPU memory {what}", mend) from error
    except MemoryError as error:
        raise KitError(f"out of memory {what}", mend) from error
    except RuntimeError as error:
        # The CPU allocator has no exception of its own, nor has a GPU that is full before torch's allocator is asked.
        if "CUDA error: out of memory" in str(error) or "STATUS_ALLOC_FAILED" in str(error):
            raise KitError(f"out of GPU memory {what}", mend) from error
        if "can't allocate memory" not in str(error):
            raise
        raise KitError(f"out of memory {what}", mend) from error
