"""Memories of sweeps that have come a long way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.network.affinity import LocalAffinity
from DPLSegmentLib.network.evidence import Memory
from DPLSegmentLib.training.ageing import aged


@pytest.fixture
def features() -> Tensor:
    torch.manual_seed(3)
    return torch.randn(8, 24, 24)


@pytest.fixture
def memory() -> Memory:
    square = torch.zeros(1, 24, 24)
    square[:, 6:18, 6:18] = 1
    return Memory(torch.zeros(1, 32), square, torch.tensor([5.0]))


def test_the_way_grows_by_whole_steps_and_the_trace_stays_where_it_was(features: Tensor, memory: Memory) -> None:
    for seed in range(10):
        torch.manual_seed(seed)
        old = aged(memory, LocalAffinity(8, 4, 3), features, 2.0)
        assert float(old.way - memory.way) / 2.0 in range(20)
        assert float(old.traced.min()) >= 0 and float(old.traced.max()) <= 1 + 1e-5
        assert float(old.traced[0, 10:14, 10:14].mean()) > float(old.traced[0, :2].mean())


def test_a_longer_way_blurs_more(features: Tensor, memory: Memory) -> None:
    torch.manual_seed(0)
    ways = [aged(memory, LocalAffinity(8, 4, 3), features, 2.0) for _ in range(40)]
    near = [float((old.traced - memory.traced).abs().mean()) for old in ways if old.way < 10]
    far = [float((old.traced - memory.traced).abs().mean()) for old in ways if old.way > 30]
    assert max(near) < max(far) and sum(near) / len(near) < sum(far) / len(far)
