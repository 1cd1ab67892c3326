"""The voxels of a NIfTI-1 file.

Read here and not by ITK: its NIfTI reader silently fills up what a truncated file lacks and turns NaN into 0.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from DPLSegmentLib.images.headers import damaged

_TYPES = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 16: "f4", 64: "f8", 1024: "i8", 1280: "u8"}
_HEADER_BYTES = 348
_CHUNK = 1 << 20


def is_nifti(path: Path) -> bool:
    """True for a NIfTI file with its voxels inside, by its name."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_voxels(path: Path, size: tuple[int, ...], frame: int = 0) -> np.ndarray:
    """One frame [z, y, x] of a NIfTI file of this size (x, y, z, ...); float when the header scales the stored numbers.

    Raises ImageError when the file is truncated or damaged.
    """
    try:
        with _opened(path) as file:
            return _frame(file, size[2::-1], frame)
    except (OSError, EOFError, ValueError, KeyError, struct.error, zlib.error) as error:
        raise damaged(path) from error


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else path.open("rb")


def _frame(file: IO[bytes], shape: tuple[int, ...], frame: int) -> np.ndarray:
    dtype, offset, slope, intercept = _header(file.read(_HEADER_BYTES))
    length = math.prod(shape) * dtype.itemsize
    file.seek(int(offset) + frame * length)
    raw = file.read(length)
    _read_to_checksum(file)
    stored = np.frombuffer(bytearray(raw), dtype).reshape(shape)
    return _scaled(stored.astype(dtype.newbyteorder("="), copy=False), slope, intercept)


def _header(raw: bytes) -> tuple[np.dtype, float, float, float]:
    """Voxel type, offset of the voxels in bytes, slope and intercept."""
    order = "<" if struct.unpack_from("<i", raw)[0] == _HEADER_BYTES else ">"
    (code,) = struct.unpack_from(order + "h", raw, 70)
    offset, slope, intercept = struct.unpack_from(order + "fff", raw, 108)
    return np.dtype(order + _TYPES[code]), offset, slope, intercept


def _read_to_checksum(file: IO[bytes]) -> None:
    while file.read(_CHUNK):
        pass


def _scaled(stored: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    if not math.isfinite(slope) or slope == 0 or (slope, intercept) == (1, 0):
        return stored
    kind = np.float64 if stored.dtype.itemsize > 4 else np.float32
    return stored * kind(slope) + kind(intercept)
