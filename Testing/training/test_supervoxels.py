"""Which regions of a watershed are worth learning from."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.training.supervoxels import stabilities, watershed_maps


def test_regions_found_again_at_another_scale_are_stable() -> None:
    one, other = np.zeros((2, 8, 8, 8), np.uint16)
    one[1:4, 1:4, 1:4], one[5:8, 5:8, 5:8] = 1, 2
    other[1:4, 1:4, 1:4], other[5:8, 5:8, 5:6] = 2, 1
    first, second = stabilities([one, other])
    assert first[1] == second[2] == 1
    assert 0 < first[2] == second[1] < 1
    assert first[0] == second[0] == 0


def test_of_a_single_map_nothing_is_known() -> None:
    only = np.ones((2, 2, 2), np.uint16)
    assert not stabilities([only])[0].any()
    assert stabilities([]) == []


def test_what_lies_above_one_another_is_told_apart_on_thick_slices() -> None:
    image = np.full((12, 32, 32), 0.1, np.float32)
    image[1:6, 8:24, 8:24], image[6:11, 8:24, 8:24] = 0.5, 0.6
    finest = watershed_maps(image, (8.0, 1.25, 1.25))[0]
    assert finest[2, 16, 16] == finest[4, 16, 16] != finest[8, 16, 16] == finest[9, 16, 16]
