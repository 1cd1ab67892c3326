"""Baseline: Slicer's own "Grow from seeds", the class `vtkImageGrowCutSegment` of its Segmentations module.

The real thing, from the package `slicer-core` or inside Slicer. The effect in the Segment Editor also cuts the volume
to three slices around the seeds, so that one painted slice gives seven; here it may grow through the whole volume,
which is better for it. No seed locality (Slicer's default; other values are worse).
Source: Zhu et al., "An effective interactive medical image segmentation method using fast GrowCut", IMIC 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.evaluation.seeds import FOREGROUND, as_painted, painted_here, seed_map, within
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support


class GrowFromSeeds:
    """A `Segmenter` for supports in the query's own scan. Raises EvaluationError where `slicer` cannot be imported."""

    name = "grow from seeds"

    def __init__(self) -> None:
        try:
            import slicer
            import vtk
            from vtk.util import numpy_support
        except ImportError as error:
            raise EvaluationError(f"Grow from seeds needs Slicer or `pip install slicer-core`: {error}") from error
        self._slicer, self._vtk, self._arrays = slicer, vtk, numpy_support

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Grow each structure by itself, in the given slices or the whole volume."""
        painted = painted_here(supports, query)
        return Answer({name: self._grow(query, mask, slice_range) for name, mask in painted.items()})

    def _grow(self, query: Volume, painted: np.ndarray, slice_range: tuple[int, int] | None) -> np.ndarray:
        shown = within(slice_range, painted)
        seeds = seed_map(painted[shown], query.spacing)
        mask = np.zeros(painted.shape, bool)
        mask[shown] = self._grow_cut(query.array[shown], seeds, query.spacing) == FOREGROUND
        return as_painted(mask, painted)

    def _grow_cut(self, image: np.ndarray, seeds: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
        grow_cut = self._slicer.vtkImageGrowCutSegment()
        grow_cut.SetIntensityVolume(self._image_data(image, spacing))
        grow_cut.SetSeedLabelVolume(self._image_data(seeds, spacing))
        grow_cut.Update()
        scalars = grow_cut.GetOutput().GetPointData().GetScalars()
        return self._arrays.vtk_to_numpy(scalars).reshape(seeds.shape)

    def _image_data(self, array: np.ndarray, spacing: Sequence[float]) -> Any:
        image = self._vtk.vtkImageData()
        image.SetDimensions(*array.shape[::-1])
        image.SetSpacing(*spacing[::-1])
        image.GetPointData().SetScalars(self._arrays.numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
        return image
