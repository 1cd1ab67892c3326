"""Seeds as a user of Slicer paints them: the structure, and a background ring around it, in the painted slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt

from DPLSegmentLib.evaluation.painting import occupied
from DPLSegmentLib.evaluation.seam import NotApplicable
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support

FOREGROUND, BACKGROUND = 1, 2
GAP_MM = 3.0
RING_MM = 40.0


def painted_here(supports: Sequence[Support], query: Volume) -> dict[str, np.ndarray]:
    """The painted masks by structure. Raises NotApplicable when a support is another scan than the query."""
    if any(support.volume is not query for support in supports):
        raise NotApplicable("Seeds have to lie in the scan that is segmented.")
    return {segment.name: segment.mask for support in supports for segment in support.painted.segments}


def seed_map(painted: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """uint8 [z, y, x] with FOREGROUND where painted and BACKGROUND from 3 to 40 mm around it in the same slice."""
    seeds = np.zeros(painted.shape, np.uint8)
    for index in occupied(painted):
        away = distance_transform_edt(~painted[index], sampling=spacing[1:])
        seeds[index][(away > GAP_MM) & (away <= RING_MM)] = BACKGROUND
        seeds[index][painted[index]] = FOREGROUND
    return seeds


def as_painted(mask: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """The result with the painted slices as the user left them."""
    kept = mask.copy()
    kept[occupied(painted)] = painted[occupied(painted)]
    return kept


def within(slice_range: tuple[int, int] | None, painted: np.ndarray) -> slice:
    """The slices to work on: the range that the user gave, widened to what is painted; all of them without one."""
    if slice_range is None:
        return slice(0, len(painted))
    first, *_, last = sorted((*slice_range, *occupied(painted).tolist()))
    return slice(first, last + 1)
