"""Sweeps that go to the next slice and come back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.network.evidence import Memory
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.return_trip import return_trips
from DPLSegmentLib.propagation.steps import Step
from DPLSegmentLib.propagation.sweep import Seed

SHRINK = 0.8


class Shrinking:
    """Makes every mask a little fainter; finds nothing on the slices `blind`."""

    def __init__(self, blind: tuple[int, ...] = ()) -> None:
        self.blind = blind

    def begin(self, embedding: Embedding, index: int, mask: Tensor) -> Memory:
        """See `Stepper.begin`."""
        return Memory(torch.zeros(0), torch.zeros(0), torch.zeros(0))

    def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
        """See `Stepper.step`."""
        return Step(mask * SHRINK * (index not in self.blind), 1.0, 1.0, 1.0)


@pytest.fixture
def square(kidney_embedding: Embedding) -> Tensor:
    """A mask on a slice of the crop."""
    mask = torch.zeros(kidney_embedding.images.shape[1:])
    mask[20:60, 30:70] = 1
    return mask


def places(embedding: Embedding, seeds: list[Seed], stepper: Shrinking) -> list[tuple[int, int]]:
    """Where the trips came back to, and from which slice they say they began."""
    return [(each.index, each.origin) for each in return_trips(stepper, embedding, seeds, crossing=False)]


def test_a_trip_leads_to_each_neighbour_and_back_to_the_paint(kidney_embedding: Embedding, square: Tensor) -> None:
    assert places(kidney_embedding, [Seed(12, square)], Shrinking()) == [(12, 12), (12, 12)]


def test_what_comes_back_has_lost_what_the_way_back_loses(kidney_embedding: Embedding, square: Tensor) -> None:
    first, _ = return_trips(Shrinking(), kidney_embedding, [Seed(12, square)], crossing=False)
    assert float(first.probability.max()) == pytest.approx(SHRINK)


def test_neighbours_that_are_painted_and_those_outside_of_the_scan_are_not_visited(
    kidney_embedding: Embedding, square: Tensor
) -> None:
    assert places(kidney_embedding, [Seed(12, square), Seed(13, square)], Shrinking()) == [(12, 12), (13, 13)]
    assert places(kidney_embedding, [Seed(0, square)], Shrinking()) == [(0, 0)]


def test_there_is_no_way_back_from_where_nothing_is_found(kidney_embedding: Embedding, square: Tensor) -> None:
    assert places(kidney_embedding, [Seed(12, square)], Shrinking(blind=(13,))) == [(12, 12)]
