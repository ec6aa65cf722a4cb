"""Training in several processes (`torchrun`): who this one is, and features gathered so that losses see the whole batch."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

# Where torch is not installed its classes have no type.
# pyright: reportUntypedBaseClass=false


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """The one that speaks, measures and writes."""
        return self.rank == 0


def from_environment() -> Processes:
    """What `torchrun` says; one process alone where nothing is said."""
    rank, count, local = (int(os.environ.get(name, value)) for name, value in _SPOKEN)
    return Processes(rank, count, local)


_SPOKEN = (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))


@contextlib.contextmanager
def joined(processes: Processes, device: torch.device) -> Generator[None]:
    """The process group of the block: NCCL between GPUs, gloo between CPUs; nothing for one process alone.

    Inside such a block there is the same group: a series of trainings forms it once, since two groups that follow each
    other at one address may meet.
    """
    if processes.count == 1 or distributed.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # else every process opens the first GPU too, for what names no device
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def count() -> int:
    """Processes in the group."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def gathered(rows: torch.Tensor) -> torch.Tensor:
    """Rows [b, ...] of every process, [B, ...] in the order of their ranks; gradients come back to the rows' owners.

    Each process adds its own share of the loss, so the gradient of a row is the sum over all processes.
    """
    return rows if count() == 1 else _Gather.apply(rows)  # type: ignore[no-any-return]


def total(number: torch.Tensor) -> torch.Tensor:
    """The sum of a number over all processes, without gradient."""
    number = number.detach().clone()
    if count() > 1:
        distributed.all_reduce(number)
    return number


def mean_of(sums: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """This process's `sums` over the mean of `counted` among all: averaged over processes it is the batch's mean."""
    return sums / (total(counted.float()) / count()).clamp(min=1)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        parts = [torch.empty_like(rows) for _ in range(count())]
        distributed.all_gather(parts, rows.contiguous())
        ctx.rows = len(rows)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        whole = gradients[0].contiguous()
        distributed.all_reduce(whole)
        start = distributed.get_rank() * ctx.rows
        return whole[start : start + ctx.rows]
