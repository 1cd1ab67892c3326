"""DICOM series and multi-frame files become one image."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from DPLSegmentLib.images.dicom_elements import Elements, read_elements
from DPLSegmentLib.images.dicom_folder import open_folder
from DPLSegmentLib.images.dicom_frames import FramesFile
from DPLSegmentLib.images.dicom_slices import SliceFiles
from DPLSegmentLib.images.errors import ImageError


class DicomScan(Protocol):
    """A scan whose headers were read and found to make a regular grid.

    `files` and `frames` (from 0) say where each slice of the volume comes from: slice k is frame `frames[k]` of file
    `files[k]`, or of the only file.
    """

    files: tuple[Path, ...]
    frames: tuple[int, ...]
    ijk_to_ras: np.ndarray

    def voxels(self) -> np.ndarray:
        """The voxels [z, y, x]."""
        ...


def find_scan(path: Path, series: str | None = None) -> DicomScan:
    """The scan of a folder, of the series with this UID or else of the one with most slices, or of a file.

    Raises ImageError when there is none, slices are damaged, missing, repeated, turned or of different sizes, when the
    gantry was tilted, there are several frames of reference, or pixels have colours.
    """
    if not path.is_dir():
        return _one_file(path)
    folder = open_folder(path)
    uid = folder.choose(series)
    files, where = folder.whole(uid), folder.describe(uid)
    if len(files) == 1 and files[0].elements.frames > 1:
        return FramesFile(files[0].path, where)
    if any(file.elements.frames > 1 for file in files):
        raise ImageError(f"{where} has several multi-frame files: give one of them, {files[0].path.name} for instance.")
    return SliceFiles([file.path for file in files], where)


def read_scan(path: Path, series: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Voxels [z, y, x] and IJK-to-RAS matrix of the scan that `find_scan` finds; raises ImageError as it does."""
    scan = find_scan(path, series)
    return scan.voxels(), scan.ijk_to_ras


def _one_file(path: Path) -> DicomScan:
    elements = _checked(path)
    return FramesFile(path, path.name) if elements.frames > 1 else SliceFiles([path], path.name)


def _checked(path: Path) -> Elements:
    elements = read_elements(path)
    if elements is None or not (elements.is_scan or elements.wrong):
        raise ImageError(f"{path.name} is no DICOM image: choose a CT or MR.")
    if elements.wrong:
        raise ImageError(f"{path.name} is {elements.wrong}: copy or export it again.")
    return elements
