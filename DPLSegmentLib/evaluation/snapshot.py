"""A few slices of a case, kept for its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.evaluation.painting import extent
from DPLSegmentLib.images.volume import Volume

SLICES = 5
_AROUND_MM = 20.0
_LEAST_MM = 100.0


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Axial slices of image, truth and result, each [n, y, x], as a radiologist looks at them; pixels (y, x) in mm.

    They show what lies within 20 mm of truth and result, and 100 mm in height and width where the scan is so large.
    """

    indices: Sequence[int]
    image: np.ndarray
    truth: np.ndarray
    result: np.ndarray
    spacing: tuple[float, float]


def take(volume: Volume, truth: np.ndarray, result: np.ndarray) -> Snapshot:
    """Slices evenly through where truth or result are, both bool [z, y, x] and at least one of them not empty."""
    both = truth | result
    first, last = extent(both)
    indices = np.unique(np.linspace(first, last, SLICES + 2)[1:-1].round().astype(int))
    rows, columns = (_near(both.any((0, 2 - axis)), volume.spacing[1 + axis]) for axis in (0, 1))
    arrays = (array[indices, rows, columns] for array in (volume.array, truth, result))
    image, truth, result = (_upright(array, volume.ijk_to_ras) for array in arrays)
    return Snapshot(indices.tolist(), image, truth, result, volume.spacing[1:])


def _near(line: np.ndarray, pixel: float) -> slice:
    """Where a bool [n] of pixels (mm) is true, and what is shown around."""
    places = np.flatnonzero(line)
    half = max(np.ptp(places) / 2 + _AROUND_MM / pixel, _LEAST_MM / 2 / pixel)
    middle = (places[0] + places[-1]) / 2
    return slice(max(0, int(middle - half)), int(middle + half) + 1)


def _upright(slices: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Anterior up and the patient's right on the left."""
    rows = -1 if ijk_to_ras[1, 1] > 0 else 1
    columns = -1 if ijk_to_ras[0, 0] > 0 else 1
    return slices[:, ::rows, ::columns].copy()
