"""Which way a painted slice lies."""

from __future__ import annotations

import numpy as np

_NAMES = ("sagittal", "coronal", "axial")


def painted_axis(mask: np.ndarray) -> int:
    """The array axis (0 z, 1 y, 2 x) across which a mask [z, y, x] was painted slice by slice.

    That is the axis along which it fills clearly fewest slices; a structure thick every way counts as painted along z.
    """
    counts = [len(painted_indices(mask, axis)) for axis in range(3)]
    fewest, next_fewest, _ = sorted(counts)
    return counts.index(fewest) if fewest == 1 or 2 * fewest < next_fewest else 0


def painted_indices(mask: np.ndarray, axis: int) -> list[int]:
    """The slices along an array axis in which anything of a mask [z, y, x] is painted, in ascending order."""
    others = tuple({0, 1, 2} - {axis})
    return np.flatnonzero(mask.any(axis=others)).tolist()


def axis_name(ijk_to_ras: np.ndarray, axis: int) -> str:
    """What slices along an array axis are called: "axial", "sagittal" or "coronal", the nearest one when oblique."""
    normal = np.linalg.inv(ijk_to_ras[:3, :3])[2 - axis]
    return _NAMES[int(np.argmax(np.abs(normal)))]
