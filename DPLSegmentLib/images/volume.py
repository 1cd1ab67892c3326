"""A scan: voxels and where they are in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels [z, y, x] (also called [k, j, i]) and the 4x4 matrix that takes (i, j, k, 1) to RAS in mm."""

    array: np.ndarray
    ijk_to_ras: np.ndarray
    name: str = "volume"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxels along array axes (z, y, x)."""
        k, j, i = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)[::-1]
        return float(k), float(j), float(i)

    @property
    def voxel_millilitres(self) -> float:
        """Volume of one voxel in mL."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3])) / 1000.0)

    def with_array(self, array: np.ndarray) -> Volume:
        """Other voxels on the same grid."""
        return Volume(array, self.ijk_to_ras, self.name)
