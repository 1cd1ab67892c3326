"""VTK's images as arrays [z, y, x], and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, numpy_to_vtk, vtk_to_numpy

Start = tuple[int, int, int]
Box = tuple[slice, slice, slice]

_WORD = 8


def voxels(image: Any) -> np.ndarray:
    """A view [z, y, x] of the voxels of a vtkImageData; size 0 when it has none."""
    scalars = image.GetPointData().GetScalars()
    if scalars is None or not scalars.GetNumberOfTuples():
        return np.zeros((0, 0, 0), np.uint8)
    return vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1])


def start_of(image: Any) -> Start:
    """Index (z, y, x) of the first voxel that an image with a cropped extent stores."""
    extent = image.GetExtent()
    return extent[4], extent[2], extent[0]


def matrix_of(image: Any) -> np.ndarray:
    """IJK-to-RAS (4x4, mm) of a vtkOrientedImageData, for indices counted as in its extent."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return numpy_matrix(matrix)


def oriented(array: np.ndarray, ijk_to_ras: np.ndarray, start: Start = (0, 0, 0)) -> Any:
    """A vtkOrientedImageData on the voxels of an array [z, y, x], which it keeps alive; `start` as in `start_of`."""
    image = slicer.vtkOrientedImageData()
    extent = [n for first, size in zip(start[::-1], array.shape[::-1], strict=True) for n in (first, first + size - 1)]
    image.SetExtent(extent)
    set_voxels(image, array)
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(ijk_to_ras))
    return image


def plain_image(array: np.ndarray) -> Any:
    """A vtkImageData on the voxels of an array [z, y, x], as volume nodes want it; it keeps the array alive."""
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    set_voxels(image, array)
    return image


def set_voxels(image: Any, array: np.ndarray) -> None:
    """Let an image of the right extent show an array [z, y, x]; bool becomes uint8, nothing is copied."""
    stored = np.ascontiguousarray(array.view(np.uint8) if array.dtype == bool else array)
    image.GetPointData().SetScalars(numpy_to_vtk(stored.ravel(), array_type=get_vtk_array_type(stored.dtype)))


def vtk_matrix(matrix: np.ndarray) -> Any:
    """A 4x4 array as vtkMatrix4x4."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, float).ravel().tolist())
    return result


def numpy_matrix(matrix: Any) -> np.ndarray:
    """A vtkMatrix4x4 as 4x4 float64."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def occupied(array: np.ndarray) -> Box | None:
    """The smallest box that holds everything above zero in an array [z, y, x]; None when there is nothing."""
    if not array.size:
        return None
    box = (_range(_slice_maxima(array)), slice(None), slice(None))
    if box[0].stop == 0:
        return None
    shadow = array[box].max(axis=0)
    return box[0], _range(shadow.max(axis=1)), _range(shadow.max(axis=0))


def _slice_maxima(array: np.ndarray) -> np.ndarray:
    """Above zero for each slice [y, x] that holds anything; contiguous bytes are looked at eight at a time."""
    plane = array.shape[1] * array.shape[2] * array.itemsize
    if array.flags.c_contiguous and plane % _WORD == 0:
        return array.reshape(len(array), -1).view(np.uint64).max(axis=1)
    return array.max(axis=(1, 2))


def _range(maxima: np.ndarray) -> slice:
    found = np.flatnonzero(maxima)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
