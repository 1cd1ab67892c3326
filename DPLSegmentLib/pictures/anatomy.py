"""Arrays turned the way radiologists look at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

PLANES = ("axial", "coronal", "sagittal")


@dataclass(frozen=True)
class Orientation:
    """Turns arrays [z, y, x] of one grid so that their axes run S to I, A to P and R to L; nothing is resampled.

    Slices across display axis 0 are then axial images with the patient's right on the left, 1 coronal, 2 sagittal ones.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing: tuple[float, float, float]

    @classmethod
    def of(cls, ijk_to_ras: np.ndarray) -> Orientation:
        """The turn for a grid; for an oblique one, to the nearest axes."""
        columns = ijk_to_ras[:3, :3][::-1, ::-1]  # rows S, A, R; columns z, y, x
        rows, axes = linear_sum_assignment(-np.abs(columns / np.linalg.norm(columns, axis=0)))
        spacing = np.linalg.norm(columns, axis=0)[axes]
        return cls(_three(axes), _three(columns[rows, axes] > 0), _three(spacing))

    def turn(self, array: np.ndarray) -> np.ndarray:
        """A view of the array in display order."""
        turned = array.transpose(self.axes)
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]

    def display_axis(self, axis: int) -> int:
        """Where an array axis went."""
        return self.axes.index(axis)

    def display_index(self, axis: int, index: int, size: int) -> int:
        """Where slice `index` of `size` along an array axis went."""
        return size - 1 - index if self.flipped[self.display_axis(axis)] else index

    def pixel(self, display_axis: int) -> tuple[float, float]:
        """Height and width in mm of a pixel of slices across a display axis."""
        height, width = (self.spacing[other] for other in range(3) if other != display_axis)
        return height, width


def _three(values: np.ndarray) -> tuple:
    a, b, c = values.tolist()
    return a, b, c
