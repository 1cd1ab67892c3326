"""What a case's picture shows."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.evaluation.snapshot import take
from DPLSegmentLib.images.volume import Volume

SHAPE = (8, 200, 300)


@pytest.fixture
def scan() -> Volume:
    """Of 1 mm pixels, each with a number of its own; rows run to the back and columns to the left."""
    return Volume(np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int32), np.diag([-1.0, -1.0, 5.0, 1.0]), "scan")


def test_a_small_structure_is_shown_with_a_hand_s_breadth_around_it(scan: Volume) -> None:
    truth, result = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    truth[2:6, 95:105, 145:155], result[2:6, 97:107, 145:155] = True, True
    seen = take(scan, truth, result)
    assert seen.image.shape[1:] == (101, 101)
    for picture, whole in ((seen.truth, truth), (seen.result, result)):
        assert picture.sum() == whole[list(seen.indices)].sum()
        assert set(seen.image[picture]) == set(scan.array[list(seen.indices)][whole[list(seen.indices)]])


@pytest.mark.parametrize("corner", [0, -1])
def test_at_the_edge_of_the_scan_what_there_is_is_shown(scan: Volume, corner: int) -> None:
    truth = np.zeros(SHAPE, bool)
    truth[:, corner, corner] = True
    seen = take(scan, truth, np.zeros(SHAPE, bool))
    assert seen.truth.sum() == len(seen.indices)
    assert 50 <= min(seen.image.shape[1:]) <= max(seen.image.shape[1:]) <= 52


def test_a_structure_as_large_as_the_scan_is_shown_whole(scan: Volume) -> None:
    everything = np.ones(SHAPE, bool)
    assert take(scan, everything, everything).image.shape[1:] == SHAPE[1:]
