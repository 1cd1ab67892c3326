"""A few slices of a case, kept for its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.evaluation.painting import extent
from DPLSegmentLib.images.volume import Volume

SLICES = 5


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Axial slices of image, truth and result, each [n, y, x], as a radiologist looks at them; pixels (y, x) in mm."""

    indices: Sequence[int]
    image: np.ndarray
    truth: np.ndarray
    result: np.ndarray
    spacing: tuple[float, float]


def take(volume: Volume, truth: np.ndarray, result: np.ndarray) -> Snapshot:
    """Slices evenly through where truth or result are, both bool [z, y, x] and at least one of them not empty."""
    first, last = extent(truth | result)
    indices = np.unique(np.linspace(first, last, SLICES + 2)[1:-1].round().astype(int))
    image, truth, result = (_upright(array[indices], volume.ijk_to_ras) for array in (volume.array, truth, result))
    return Snapshot(indices.tolist(), image, truth, result, volume.spacing[1:])


def _upright(slices: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Anterior up and the patient's right on the left."""
    rows = -1 if ijk_to_ras[1, 1] > 0 else 1
    columns = -1 if ijk_to_ras[0, 0] > 0 else 1
    return slices[:, ::rows, ::columns].copy()
