"""What was found on MR is fitted to the greys: whole where a teacher saw a part, sharp where it saw a blur."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.training.known_scans import KnownScan
from DPLSegmentLib.training.refitting import refitted, without_unusual

SHAPE = (10, 96, 96)


@pytest.fixture
def organ() -> np.ndarray:
    """An egg of 150 ml."""
    z, y, x = np.ogrid[:10, :96, :96]
    return ((z - 5) / 4) ** 2 + ((y - 48) / 22) ** 2 + ((x - 46) / 34) ** 2 < 1


@pytest.fixture
def scan(organ: np.ndarray) -> KnownScan:
    """The organ in darker surroundings, both brighter on one side, with noise."""
    generator = np.random.default_rng(4)
    shading = np.linspace(0.8, 1.2, 96)
    greys = np.where(organ, 60, 30) * shading + generator.normal(0, 2, SHAPE)
    nothing = torch.zeros(SHAPE, dtype=torch.uint8)
    box = (0, 0, 96, 96)
    return KnownScan("one", "MR", torch.from_numpy(greys).byte(), nothing, (7.7, 1.25, 1.25), box, 1.0, torch.ones(0))


def test_of_an_organ_that_was_seen_in_part_the_rest_is_found(scan: KnownScan, organ: np.ndarray) -> None:
    part = organ.copy()
    part[:, :, 54:] = False
    assert dice(part, organ) < 0.8
    assert dice(refitted(scan, part.astype(np.uint8)) == 1, organ) > 0.9


def test_what_was_seen_beyond_the_border_is_taken_back(scan: KnownScan, organ: np.ndarray) -> None:
    blurred = ndimage.binary_dilation(organ, np.ones((1, 3, 3)), iterations=5)
    assert dice(blurred, organ) < 0.85
    assert dice(refitted(scan, blurred.astype(np.uint8)) == 1, organ) > 0.9


def test_neighbours_of_the_same_grey_stay_apart(scan: KnownScan, organ: np.ndarray) -> None:
    labels = organ.astype(np.uint8)
    labels[:, :, 46:] *= 2
    fitted = refitted(scan, labels)
    assert dice(fitted == 1, labels == 1) > 0.9 and dice(fitted == 2, labels == 2) > 0.9


def test_what_is_too_narrow_to_tell_its_grey_value_stays_as_it_was(scan: KnownScan) -> None:
    rod = np.zeros(SHAPE, np.uint8)
    rod[:, 44:52, 40:48] = 1
    np.testing.assert_array_equal(refitted(scan, rod), rod)


def test_what_has_no_grey_value_of_its_own_stays_as_it_was(scan: KnownScan, organ: np.ndarray) -> None:
    ring = ndimage.binary_dilation(organ, np.ones((1, 3, 3)), iterations=2) & ~organ
    assert ((refitted(scan, ring.astype(np.uint8)) == 1) == ring).all()


def test_a_structure_of_another_size_than_in_other_scans_is_left_out() -> None:
    scans = [np.repeat(np.array([0, 1, 2], np.uint8), (50, size, 9)) for size in (10, 12, 3, 40)]
    without_unusual(scans)
    assert [int((labels == 1).sum()) for labels in scans] == [10, 12, 0, 0]
    assert all((labels == 2).sum() == 9 for labels in scans)
