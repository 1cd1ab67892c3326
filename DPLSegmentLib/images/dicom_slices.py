"""A scan with a DICOM file for each slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DPLSegmentLib.images.dicom_grid import Plane, grid_of
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.headers import check_size, damaged

_POSITION, _ORIENTATION, _FRAME_OF_REFERENCE = "0020|0032", "0020|0037", "0020|0052"


class SliceFiles:
    """`files` are in the order of the volume's slices, `ijk_to_ras` is theirs; `frames` are all 0."""

    def __init__(self, files: Sequence[Path], where: str) -> None:
        """Read the headers. Raises ImageError when they make no regular grid of grey slices."""
        with quiet():
            headers = [open_header(file) for file in files]
        check_size(headers[0], Path(where), len(files))
        if any(header.GetNumberOfComponents() > 1 for header in headers):
            raise ImageError(f"{where} holds colour pictures: choose a folder with a CT or MR series.")
        grid = grid_of([_plane(header, file, where) for header, file in zip(headers, files, strict=True)], where)
        self.files = tuple(files[index] for index in grid.order)
        self.frames = (0,) * len(files)
        self.ijk_to_ras = grid.ijk_to_ras
        self._headers = [headers[index] for index in grid.order]

    def voxels(self) -> np.ndarray:
        """Stored values after the rescale of each slice [z, y, x]. Raises ImageError when a slice is damaged."""
        width, height = self._headers[0].GetSize()[:2]
        array = np.empty((len(self.files), height, width), self._type())
        with quiet():
            for plane, header, file in zip(array, self._headers, self.files, strict=True):
                plane[...] = read_pixels(header, file).reshape(plane.shape)
        return array

    def _type(self) -> np.dtype:
        """One that holds the values of all slices: PET has a scale of its own in each."""
        kinds = {header.GetPixelID() for header in self._headers}
        return np.result_type(*(sitk.GetArrayViewFromImage(sitk.Image(1, 1, kind)) for kind in kinds))


def read_pixels(header: sitk.ImageFileReader, file: Path) -> np.ndarray:
    """The voxels of one file, frames first. Raises ImageError when they cannot be decoded."""
    try:
        return sitk.GetArrayFromImage(header.Execute())
    except RuntimeError as error:
        raise damaged(file) from error


def open_header(file: Path) -> sitk.ImageFileReader:
    """The reader of one file, its header read. Raises ImageError when it is damaged."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    reader.SetImageIO("GDCMImageIO")
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise damaged(file) from error
    return reader


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of ITK on the error stream, where a sentence of ours follows."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def plane_axes(numbers: Sequence[float], name: str) -> np.ndarray:
    """Unit vectors [2, 3] along row and column. Raises ImageError when they are none."""
    axes = np.asarray(numbers, float).reshape(-1, 3) if len(numbers) == 6 else np.zeros((2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), atol=0.01):
        raise ImageError(f"{name} does not say in which direction it lies: export the series again.")
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def plane_position(numbers: Sequence[float], name: str) -> np.ndarray:
    """The first voxel [3]. Raises ImageError when it is not given by three numbers."""
    position = np.asarray(numbers, float)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise ImageError(f"{name} does not say where it lies: export the series again.")
    return position


def _plane(header: sitk.ImageFileReader, file: Path, where: str) -> Plane:
    if not (header.HasMetaDataKey(_POSITION) and header.HasMetaDataKey(_ORIENTATION)):
        raise ImageError(f"{where} has slices without a position: choose a folder with a CT or MR series.")
    across, down = header.GetSpacing()[:2]
    columns, rows = header.GetSize()[:2]
    frame = header.GetMetaData(_FRAME_OF_REFERENCE).strip() if header.HasMetaDataKey(_FRAME_OF_REFERENCE) else ""
    return Plane(
        plane_position(_numbers(header, _POSITION), file.name),
        plane_axes(_numbers(header, _ORIENTATION), file.name),
        (across, down),
        (columns, rows),
        frame,
        file.name,
    )


def _numbers(header: sitk.ImageFileReader, key: str) -> list[float]:
    try:
        return [float(part) for part in header.GetMetaData(key).split("\\")]
    except ValueError:
        return []
