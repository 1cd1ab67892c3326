"""Baseline: scikit-image's random walker from the painted slices, on a coarser crop so that it ends in seconds.

Source: Grady, "Random walks for image segmentation", PAMI 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from warnings import catch_warnings, simplefilter

import numpy as np
from scipy.ndimage import find_objects
from skimage.segmentation import random_walker
from skimage.transform import resize

from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.evaluation.seeds import FOREGROUND, as_painted, painted_here, seed_map, within
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support

MARGIN_MM = 40.0
VOXELS = 150_000


class RandomWalker:
    """A `Segmenter` for supports in the query's own scan; `beta` is how hard it is to walk over an edge."""

    name = "random walker"

    def __init__(self, beta: float = 130.0) -> None:
        self.beta = beta

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Walk for each structure by itself, in the given slices or the whole volume."""
        painted = painted_here(supports, query)
        return Answer({name: self._walk(query, mask, slice_range) for name, mask in painted.items()})

    def _walk(self, query: Volume, painted: np.ndarray, slice_range: tuple[int, int] | None) -> np.ndarray:
        box = (within(slice_range, painted), *_around(painted, query.spacing))
        seeds = seed_map(painted, query.spacing)[box]
        mask = np.zeros(painted.shape, bool)
        mask[box] = self._probability(query.array[box].astype(np.float64), seeds, query.spacing) > 0.5
        return as_painted(mask, painted)

    def _probability(self, image: np.ndarray, seeds: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
        coarse = _coarse_shape(image.shape)
        step = [width * full / few for width, full, few in zip(spacing, image.shape, coarse, strict=True)]
        with catch_warnings():
            simplefilter("ignore", UserWarning)
            walked = random_walker(
                resize(image, coarse),
                _coarse_seeds(seeds, coarse),
                self.beta,
                "cg_j",
                1e-3,
                spacing=step,
                return_full_prob=True,
            )
        return resize(walked[FOREGROUND - 1], image.shape)


def _around(painted: np.ndarray, spacing: Sequence[float]) -> tuple[slice, slice]:
    """Rows and columns up to 40 mm around what is painted."""
    rows, columns = find_objects(painted.any(axis=0).astype(np.uint8))[0]
    y, x = (int(round(MARGIN_MM / width)) for width in spacing[1:])
    return slice(max(0, rows.start - y), rows.stop + y), slice(max(0, columns.start - x), columns.stop + x)


def _coarse_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """The slices stay; rows and columns shrink together until at most 150,000 voxels are left."""
    z, y, x = shape
    factor = min(1.0, float(np.sqrt(VOXELS / (z * y * x))))
    return z, max(2, round(y * factor)), max(2, round(x * factor))


def _coarse_seeds(seeds: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    return resize(seeds, shape, order=0, preserve_range=True, anti_aliasing=False).astype(np.int32)
