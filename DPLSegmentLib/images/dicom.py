"""A folder with DICOM slices becomes one image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.headers import check_size, read_header

_POSITION, _ORIENTATION = "0020|0032", "0020|0037"
_GAP_TOLERANCE = 0.1
_TILT_DEGREES = 0.5


def read_series(folder: Path, series: str | None = None) -> sitk.Image:
    """The scan of a folder: of the series with this UID, or else of the one with most files.

    Raises ImageError when there is none, slices are missing or repeated, the gantry was tilted, or pixels have colours.
    """
    files = _series_files(folder, series)
    headers = [read_header(Path(file)) for file in files]
    check_size(headers[0], folder, len(files))
    if headers[0].GetNumberOfComponents() > 1:
        raise ImageError(f"{folder} holds colour pictures: choose a folder with a CT or MR series.")
    if len(files) > 1:
        _check_positions(headers, folder)
    return _read(files, folder)


def _series_files(folder: Path, series: str | None) -> tuple[str, ...]:
    with _quiet():
        uids = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not uids:
        raise ImageError(f"{folder} holds no DICOM series: choose the folder that the slices lie in.")
    if series is not None and series not in uids:
        raise ImageError(f"{folder} holds no series {series}: choose one of {', '.join(uids)}.")
    chosen = [series] if series else uids
    return max((sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid) for uid in chosen), key=len)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of ITK on the error stream, where a sentence of ours follows."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _check_positions(headers: list[sitk.ImageFileReader], folder: Path) -> None:
    if not all(header.HasMetaDataKey(_POSITION) and header.HasMetaDataKey(_ORIENTATION) for header in headers):
        raise ImageError(f"{folder} has slices without a position: choose a folder with a CT or MR series.")
    steps = np.diff([_numbers(header, _POSITION) for header in headers], axis=0)
    along, across = np.split(np.reshape(_numbers(headers[0], _ORIENTATION), (2, 3)), 2)
    gaps = steps @ np.cross(along[0], across[0])
    _check_gaps(np.abs(gaps), folder)
    _check_tilt(steps.sum(axis=0), abs(gaps.sum()), folder)


def _check_gaps(gaps: np.ndarray, folder: Path) -> None:
    usual = float(np.median(gaps))
    if gaps.min() < 0.01:
        raise ImageError(f"{folder} has several slices at one place: export each of its scans as its own series.")
    if np.abs(gaps - usual).max() > _GAP_TOLERANCE * usual:
        raise ImageError(
            f"{folder} has slices {gaps.min():.2f} to {gaps.max():.2f} mm apart: some are missing or "
            "unevenly spaced, export the complete series again."
        )


def _check_tilt(step: np.ndarray, height: float, folder: Path) -> None:
    tilt = np.degrees(np.arccos(np.clip(height / np.linalg.norm(step), -1.0, 1.0)))
    if tilt > _TILT_DEGREES:
        raise ImageError(f"{folder} was taken with a gantry tilt of {tilt:.1f} degrees: resample it to a regular grid.")


def _numbers(header: sitk.ImageFileReader, key: str) -> np.ndarray:
    return np.array([float(part) for part in header.GetMetaData(key).split("\\")])


def _read(files: tuple[str, ...], folder: Path) -> sitk.Image:
    try:
        image = sitk.ReadImage(files)
    except RuntimeError as error:
        raise ImageError(f"The DICOM series in {folder} is incomplete or damaged: export it again.") from error
    return image[..., 0] if image.GetDimension() == 4 and image.GetSize()[3] == 1 else image
