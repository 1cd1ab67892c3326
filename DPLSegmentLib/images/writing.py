"""Scans and segmentations to files, complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from DPLSegmentLib.images import encoding, segnrrd
from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume

_ENCODERS = {".nii.gz": encoding.nifti, ".nrrd": encoding.nrrd, ".mha": encoding.metaimage}


def write_volume(volume: Volume, path: str | os.PathLike[str]) -> None:
    """Write a scan, compressed, as `.nii.gz`, `.nrrd` or `.mha`; bool is written as uint8 and float16 as float32.

    Raises ImageError for another suffix or when the file cannot be written; then nothing is left behind.
    """
    _write_array(volume.array, volume.ijk_to_ras, Path(path))


def write_segmentation(segmentation: Segmentation, path: str | os.PathLike[str]) -> None:
    """Write segments as `.seg.nrrd` (overlaps, names, colours and tags kept) or as a label map (later segments win).

    Raises ImageError for another suffix or when the file cannot be written; then nothing is left behind.
    """
    path = Path(path)
    if path.name.lower().endswith(".seg.nrrd"):
        layers, fields = segnrrd.header_of(segmentation)
        _write_bytes(encoding.nrrd(layers, segmentation.ijk_to_ras, fields), path)
    else:
        labels = segmentation.labelmap()
        _write_array(labels.astype(np.uint8) if labels.max() < 256 else labels, segmentation.ijk_to_ras, path)


def _write_array(array: np.ndarray, ijk_to_ras: np.ndarray, path: Path) -> None:
    encoder = next((encoder for suffix, encoder in _ENCODERS.items() if path.name.lower().endswith(suffix)), None)
    if encoder is None:
        raise ImageError(f"{path.name} is no image name: let it end in {', '.join(_ENCODERS)} or .seg.nrrd.")
    _write_bytes(encoder(_storable(array), ijk_to_ras), path)


def _storable(array: np.ndarray) -> np.ndarray:
    stored = {"b1": np.uint8, "f2": np.float32}.get(array.dtype.str[1:])
    return array if stored is None else array.astype(stored)


def _write_bytes(content: bytes, path: Path) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(content)
