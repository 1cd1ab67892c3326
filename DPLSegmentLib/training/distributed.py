"""Several training processes that share their gradients: `torchrun` on GPUs or on CPU cores."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn


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

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


def join_team() -> Team:
    """Read what torchrun set; alone otherwise. One thread a process on a CPU."""
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    card = int(os.environ.get("LOCAL_RANK", 0)) if size > 1 else 0
    device = torch.device("cuda", card) if cuda else torch.device("cpu")
    if not cuda:
        torch.set_num_threads(1)
    if size > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if cuda else "gloo")
    return Team(rank, size, device)


def leave_team() -> None:
    """Close the connections."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
