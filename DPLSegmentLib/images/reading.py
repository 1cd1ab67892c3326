"""Scans and painted maps from files and DICOM folders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DPLSegmentLib.images import dicom, dicom_elements, headers, labelmap, nifti, segnrrd
from DPLSegmentLib.images.checks import check_grid, check_scan
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.geometry import ras_matrix
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume

_SUFFIXES = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".hdr", ".img")

PathLike = str | os.PathLike[str]


def read_volume(path: PathLike, frame: int | None = None, series: str | None = None) -> Volume:
    """Read a scan: NIfTI, NRRD, MetaImage, a DICOM file or a folder with a DICOM series; voxels keep their stored type.

    `frame` picks one volume (from 0) of a 4D image, `series` the series instance UID in a folder that holds several
    (else the one with most files is taken). Raises ImageError when it is no scan that can be worked with.
    """
    path = _existing(path)
    array, matrix = _read_dicom(path, frame, series) if _is_dicom(path) else _read_scan(path, frame)
    volume = Volume(array, matrix, stem(path))
    check_scan(volume)
    return volume


def read_segmentation(path: PathLike) -> Segmentation:
    """Read a painted map: `.seg.nrrd` with names, colours and tags, or a label map, named by `labels.json` beside it.

    A map without anything painted has no segments or empty ones; see `check_painted`. Raises ImageError when the file
    is no label map.
    """
    path = _existing(path)
    if path.is_dir():
        raise ImageError(f"{path} is a folder: choose the painted map itself, a .seg.nrrd or .nii.gz file.")
    header = headers.read_header(path)
    if segnrrd.is_segmentation(header):
        segments = segnrrd.segments_of(header, path)
    else:
        segments = labelmap.segments_of(_read_map(header, path), path)
    matrix = ras_matrix(header)
    check_grid(matrix, stem(path))
    return Segmentation(segments, matrix, stem(path))


def stem(path: PathLike) -> str:
    """The name of a file without the suffix of its format: `scan` for `scan.nii.gz` and `scan.seg.nrrd`."""
    name = Path(path).absolute().name
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)] or name


def _existing(path: PathLike) -> Path:
    path = Path(path)
    if not path.exists():
        raise ImageError(f"There is no file {path}: check its name and folder.")
    return path


def _read_scan(path: Path, frame: int | None) -> tuple[np.ndarray, np.ndarray]:
    header = headers.read_header(path)
    if segnrrd.is_segmentation(header):
        raise ImageError(f"{path.name} is a segmentation: choose the scan that it was painted on.")
    _check_grey_volume(header, path)
    _check_frame(_frames(header), path, frame)
    return _read_frame(header, path, frame or 0), ras_matrix(header)


def _read_map(header: sitk.ImageFileReader, path: Path) -> np.ndarray:
    _check_grey_volume(header, path)
    if _frames(header) > 1:
        raise ImageError(f"{path.name} is a 4D map: save the painted frame as a 3D file.")
    return _read_frame(header, path, 0)


def _check_grey_volume(header: sitk.ImageFileReader, path: Path) -> None:
    if header.GetNumberOfComponents() > 1:
        raise ImageError(
            f"{path.name} is a colour or vector image: one grey value a voxel is needed, choose a CT or MR."
        )
    if header.GetDimension() == 2:
        raise ImageError(
            f"{path.name} is a single flat picture: at least two slices are needed, choose the whole series."
        )
    if header.GetDimension() > 4:
        raise ImageError(f"{path.name} has {header.GetDimension()} dimensions: save one 3D scan of it as a file.")


def _check_frame(frames: int, path: Path, frame: int | None) -> None:
    if frame is None and frames > 1:
        raise ImageError(f"{path.name} is a 4D image of {frames} frames: choose one with --frame N, 0 to {frames - 1}.")
    if not 0 <= (frame or 0) < frames:
        advice = f"choose --frame N, 0 to {frames - 1}" if frames > 1 else "leave out --frame, it is a 3D image"
        raise ImageError(f"{path.name} has no frame {frame}: {advice}.")


def _frames(header: sitk.ImageFileReader) -> int:
    return header.GetSize()[3] if header.GetDimension() == 4 else 1


def _read_frame(header: sitk.ImageFileReader, path: Path, frame: int) -> np.ndarray:
    if nifti.is_nifti(path):
        return nifti.read_voxels(path, header.GetSize(), frame)
    array = headers.read_voxels(header, path)
    return array[frame] if array.ndim == 4 else array


def _is_dicom(path: Path) -> bool:
    return path.is_dir() or dicom_elements.is_dicom(path)


def _read_dicom(path: Path, frame: int | None, series: str | None) -> tuple[np.ndarray, np.ndarray]:
    _check_frame(1, path, frame)
    return dicom.read_scan(path, series)
