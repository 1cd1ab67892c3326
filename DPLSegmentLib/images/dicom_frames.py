"""A scan with all slices in one DICOM file: enhanced multi-frame CT, MR and PET."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from DPLSegmentLib.images.dicom_grid import Plane, grid_of
from DPLSegmentLib.images.dicom_slices import open_header, plane_axes, plane_position, quiet, read_pixels
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.extras import extra_module
from DPLSegmentLib.images.headers import check_size

_POSITION = ("PlanePositionSequence", "ImagePositionPatient")
_ORIENTATION = ("PlaneOrientationSequence", "ImageOrientationPatient")
_SPACING = ("PixelMeasuresSequence", "PixelSpacing")
_SLOPE = ("PixelValueTransformationSequence", "RescaleSlope")
_INTERCEPT = ("PixelValueTransformationSequence", "RescaleIntercept")


class FramesFile:
    """`files` holds the one file, `frames` which of its frames (from 0) each slice of the volume is."""

    def __init__(self, file: Path, where: str) -> None:
        """Read the header. Raises ImageError when its frames make no regular grid of grey slices."""
        with quiet():
            self._header = open_header(file)
        check_size(self._header, file)
        if self._header.GetNumberOfComponents() > 1:
            raise ImageError(f"{where} holds colour pictures: choose a CT or MR.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote what is odd in the file, dates of birth included
            planes, self._scale = _described(file, where)
        grid = grid_of(planes, where)
        self.files = (file,)
        self.frames = grid.order
        self.ijk_to_ras = grid.ijk_to_ras

    def voxels(self) -> np.ndarray:
        """Stored values after the rescale of each frame [z, y, x]. Raises ImageError when the file is damaged."""
        with quiet():
            array = read_pixels(self._header, self.files[0])
        return self._rescaled(array)[list(self.frames)]

    def _rescaled(self, array: np.ndarray) -> np.ndarray:
        """The reader takes the first frame's scale for all; frames with another one are corrected."""
        if (self._scale == self._scale[0]).all():
            return array
        slope, intercept = self._scale[0]
        factors, offsets = (part[:, None, None] for part in self._scale.T)
        return ((array - intercept) / slope * factors + offsets).astype(np.float32)


def _described(file: Path, where: str) -> tuple[list[Plane], np.ndarray]:
    """The plane of each frame, and its slope and intercept [n, 2]."""
    pydicom = extra_module("pydicom", f"{file.name} is a multi-frame DICOM file, and to read it one")
    try:
        image = pydicom.dcmread(file, stop_before_pixels=True)
        groups = _groups(image, where)
        planes = [_plane(image, group, f"frame {n} of {file.name}") for n, group in enumerate(groups, 1)]
        return planes, np.array([_scale(group) for group in groups])
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"{file.name} has a damaged header: copy or export it again.") from error


def _groups(image: Any, where: str) -> list[tuple[Any, Any]]:
    """What is said of each frame and what is said of all."""
    frames = image.get("PerFrameFunctionalGroupsSequence")
    shared = image.get("SharedFunctionalGroupsSequence")
    if not frames or len(frames) != int(image.get("NumberOfFrames") or 0):
        raise ImageError(f"{where} does not say where each of its frames lies: export it as a series of single slices.")
    return [(frame, shared[0] if shared else None) for frame in frames]


def _plane(image: Any, group: tuple[Any, Any], name: str) -> Plane:
    down, across = _values(group, _SPACING) or (0.0, 0.0)
    return Plane(
        plane_position(_values(group, _POSITION), name),
        plane_axes(_values(group, _ORIENTATION), name),
        (across, down),
        (int(image.Columns), int(image.Rows)),
        str(image.get("FrameOfReferenceUID", "")),
        name,
    )


def _values(group: tuple[Any, Any], place: tuple[str, str]) -> list[float]:
    sequence, keyword = place
    for item in group:
        found = item.get(sequence) if item is not None else None
        if found and keyword in found[0]:
            value = found[0].get(keyword)
            return [float(part) for part in (value if hasattr(value, "__iter__") else [value])]
    return []


def _scale(group: tuple[Any, Any]) -> tuple[float, float]:
    (slope, *_), (intercept, *_) = _values(group, _SLOPE) or [1.0], _values(group, _INTERCEPT) or [0.0]
    return slope, intercept
