"""Looking at the header of a file before its voxels are trusted."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.text_header import check_data_files, is_damaged, is_detached

_MOST_GIBIBYTES = 4
_DEFLATE_RATIO = 1040
_BYTES = {
    sitk.sitkUInt8: 1, sitk.sitkInt8: 1, sitk.sitkUInt16: 2, sitk.sitkInt16: 2, sitk.sitkUInt32: 4, sitk.sitkInt32: 4,
    sitk.sitkFloat32: 4,
}  # fmt: skip


def read_header(path: Path) -> sitk.ImageFileReader:
    """The reader of an image whose header makes sense; no voxel is read yet.

    Raises ImageError for what is no image, claims more voxels than its file can hold, or points outside its folder.
    """
    try:
        check_data_files(path)
    except OSError as error:
        raise ImageError(f"{path} cannot be opened ({error.strerror}): copy it to a folder of your own.") from error
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable_header(path, str(error)) from error
    check_size(reader, path)
    _check_claim(reader, path)
    return reader


def read_voxels(reader: sitk.ImageFileReader, path: Path) -> np.ndarray:
    """The voxels behind a header: [z, y, x], frames before, components after. Raises ImageError when damaged."""
    if is_damaged(path):
        raise damaged(path)
    try:
        return sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise damaged(path) from error


def damaged(path: Path) -> ImageError:
    """The sentence for a file that ends too early or fails its checksum."""
    return ImageError(f"{path.name} is incomplete or damaged: copy or export it again.")


def check_size(reader: sitk.ImageFileReader, path: Path, files: int = 1) -> None:
    """Raise ImageError when `files` images like this one are too large to open together."""
    gibibytes = files * _claimed_bytes(reader) / 1024**3
    if gibibytes > _MOST_GIBIBYTES:
        raise ImageError(
            f"{path.name} is too large ({gibibytes:.1f} GiB, at most {_MOST_GIBIBYTES}): crop or resample it first."
        )


def _check_claim(reader: sitk.ImageFileReader, path: Path) -> None:
    """No compression here packs voxels into less than a thousandth: a header that claims more lies."""
    if not is_detached(path) and _claimed_bytes(reader) > (path.stat().st_size + 1024) * _DEFLATE_RATIO:
        raise ImageError(f"{path.name} claims more voxels than its file can hold: copy or export it again.")


def _claimed_bytes(reader: sitk.ImageFileReader) -> int:
    return math.prod(reader.GetSize()) * reader.GetNumberOfComponents() * _BYTES.get(reader.GetPixelID(), 8)


def _unreadable_header(path: Path, message: str) -> ImageError:
    if "orthonormal" in message:
        return ImageError(f"{path.name} has slanted (sheared) axes: resample it to a regular grid first.")
    return ImageError(f"{path.name} is not an image that can be read: choose a NIfTI, NRRD, MetaImage or DICOM file.")
