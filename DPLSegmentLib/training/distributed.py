"""Several training processes that share their gradients: on the cores of a CPU, or on GPUs by `torchrun`."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed, multiprocessing, nn

from DPLSegmentLib.training.config import TrainingError

_PATIENCE = timedelta(days=1)
"""How long one waits for the others, whose scans may take longer; half an hour is too short on a slow machine."""

_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**33)}
"""For glibc: what one step allocated serves the next instead of going back to the system; saves a tenth of a step."""

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Team:
    """This process' number, how many there are, and the device it works on."""

    rank: int
    size: int
    device: torch.device

    def average_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by the mean over all processes; where one has none it counts as zero."""
        if self.size == 1:
            return
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learning]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient) / self.size)

    def share(self, parts: Sequence[_Part]) -> Sequence[_Part]:
        """Those that this process works on; every process has its own."""
        return parts[self.rank :: self.size]

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


ALONE = Team(0, 1, torch.device("cpu"))


def join_team() -> Team:
    """Read what torchrun set; alone otherwise. One thread a process on a CPU."""
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    card = int(os.environ.get("LOCAL_RANK", 0)) if size > 1 else 0
    device = torch.device("cuda", card) if cuda else torch.device("cpu")
    if not cuda:
        torch.set_num_threads(1)
    if size > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    return Team(rank, size, device)


def in_team(size: int, work: Callable[[Team], None]) -> None:
    """Do `work`, which can be pickled, in `size` new processes that are a team; in this one if `size` is 1, on a
    graphics card, and where torchrun has made a team already. Raises TrainingError with what one of them failed by."""
    if size == 1 or torch.cuda.is_available() or "WORLD_SIZE" in os.environ:
        work(join_team())
        return
    for name, value in _KEEP_MEMORY.items():
        os.environ.setdefault(name, value)
    try:
        multiprocessing.spawn(_member, (size, _free_port(), work), nprocs=size, daemon=True)
    except (multiprocessing.ProcessRaisedException, multiprocessing.ProcessExitedException) as error:
        raise TrainingError(f"A process of the training failed: {str(error).splitlines()[-1]}") from error


def _member(rank: int, size: int, port: int, work: Callable[[Team], None]) -> None:
    there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, **there}
    os.environ.update({name: str(value) for name, value in told.items()})
    work(join_team())
    leave_team()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def leave_team() -> None:
    """Close the connections."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
