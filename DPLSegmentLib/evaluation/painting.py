"""Paint on a scan as its label map says: the simulated user of every protocol."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support


def occupied(mask: np.ndarray) -> np.ndarray:
    """Ascending indices of the axial slices that a bool mask [z, y, x] touches."""
    return np.flatnonzero(mask.any(axis=(1, 2)))


def extent(mask: np.ndarray) -> tuple[int, int]:
    """First and last axial slice of a mask that is not empty."""
    slices = occupied(mask)
    return int(slices[0]), int(slices[-1])


def largest_slice(mask: np.ndarray) -> int:
    """The axial slice with the largest area; the first of equals."""
    return int(mask.sum(axis=(1, 2)).argmax())


def thirds(mask: np.ndarray) -> tuple[int, int, int]:
    """Slices at 1/6, 3/6 and 5/6 of a structure's extent, moved to the nearest slice that holds it."""
    slices = occupied(mask)
    first, length = slices[0], slices[-1] - slices[0] + 1
    wanted = [first + int(length * share / 6) for share in (1, 3, 5)]
    low, middle, high = (int(slices[np.abs(slices - index).argmin()]) for index in wanted)
    return low, middle, high


def paint(volume: Volume, truth: np.ndarray, slices: Iterable[int], name: str) -> Support:
    """The scan with these axial slices of one structure painted."""
    painted = np.zeros(truth.shape, bool)
    for index in slices:
        painted[index] = truth[index]
    return Support(volume, Segmentation((Segment(name, painted),), volume.ijk_to_ras, volume.name))
