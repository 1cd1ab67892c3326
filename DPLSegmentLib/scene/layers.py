"""Labelmaps that several segments share, as Slicer stores them."""

from __future__ import annotations

from typing import Any

import numpy as np

from DPLSegmentLib.scene.oriented import Box, occupied, oriented


class Layers:
    """Label images [z, y, x] on one grid: as few as hold all structures, more than one only where they overlap.

    The first one exists from the start; its memory is touched only where something is written.
    """

    def __init__(self, shape: tuple[int, int, int], ijk_to_ras: np.ndarray) -> None:
        self.shape = shape
        self._ijk_to_ras = ijk_to_ras
        self._arrays: list[np.ndarray] = []
        self._images: list[Any] = []
        self._scalars: list[Any] = []
        self._add_layer()

    @property
    def image(self) -> Any:
        """The first layer as vtkOrientedImageData."""
        return self._images[0]

    @property
    def labels(self) -> np.ndarray:
        """The first layer as uint8 [z, y, x]."""
        return self._arrays[0]

    def put_slice(self, value: int, axis: int, index: int, mask: np.ndarray) -> None:
        """Write one slice of a structure over what else is there; an earlier version of it is replaced."""
        plane = np.moveaxis(self.labels, axis, 0)[index]
        plane[plane == value] = 0
        plane[mask] = value
        self._tell(0)

    def put(self, value: int, mask: np.ndarray) -> Any:
        """Write a whole structure into the first layer where it overlaps nothing, and return that layer's image."""
        box = occupied(mask.view(np.uint8) if mask.dtype == bool else mask)
        if box is None:
            return self.image
        inside = mask[box] > 0
        number = self._free_layer(box, inside)
        self._arrays[number][box][inside] = value
        return self._images[number]

    def clear(self) -> None:
        """Forget everything written so far."""
        del self._arrays[1:], self._images[1:], self._scalars[1:]
        box = occupied(self.labels)
        if box is not None:
            self.labels[box] = 0

    def modified(self) -> None:
        """Tell the views."""
        for number in range(len(self._images)):
            self._tell(number)

    def _free_layer(self, box: Box, inside: np.ndarray) -> int:
        for number, array in enumerate(self._arrays):
            if not array[box][inside].any():
                return number
        return self._add_layer()

    def _tell(self, number: int) -> None:
        """Slicer gives an image other voxels when one of its segments is edited or deleted: ours come back."""
        image, scalars = self._images[number], self._scalars[number]
        if image.GetPointData().GetScalars() != scalars:
            z, y, x = self.shape
            image.SetExtent(0, x - 1, 0, y - 1, 0, z - 1)
            image.GetPointData().SetScalars(scalars)
        image.Modified()

    def _add_layer(self) -> int:
        self._arrays.append(np.zeros(self.shape, np.uint8))
        self._images.append(oriented(self._arrays[-1], self._ijk_to_ras))
        self._scalars.append(self._images[-1].GetPointData().GetScalars())
        return len(self._arrays) - 1
