"""Arrays [z, y, x] as the bytes of NIfTI, NRRD and MetaImage files.

Written here and not by ITK because its NIfTI writer stays silent when the disk is full.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.geometry import is_orthonormal, lps_geometry

_TYPES = {
    "u1": ("uint8", "MET_UCHAR", 2),
    "i1": ("int8", "MET_CHAR", 256),
    "u2": ("uint16", "MET_USHORT", 512),
    "i2": ("int16", "MET_SHORT", 4),
    "u4": ("uint32", "MET_UINT", 768),
    "i4": ("int32", "MET_INT", 8),
    "u8": ("uint64", "MET_ULONG_LONG", 1280),
    "i8": ("int64", "MET_LONG_LONG", 1024),
    "f4": ("float", "MET_FLOAT", 16),
    "f8": ("double", "MET_DOUBLE", 64),
}
_LEVEL = 4


def nrrd(array: np.ndarray, ijk_to_ras: np.ndarray, fields: Mapping[str, str] | None = None) -> bytes:
    """A gzip-compressed NRRD; a fourth array axis becomes a list of layers, `fields` become key-value lines."""
    origin, spacing, direction = lps_geometry(ijk_to_ras)
    layers = array.shape[3:]
    axes = [_vector(column) for column in (direction * spacing).T]
    lines = [
        "NRRD0004",
        f"type: {_TYPES[_code(array)][0]}",
        f"dimension: {array.ndim}",
        "space: left-posterior-superior",
        f"sizes: {_row([*layers, *array.shape[2::-1]])}",
        f"space directions: {' '.join(['none'] * len(layers) + axes)}",
        f"kinds: {' '.join(['list'] * len(layers) + ['domain'] * 3)}",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(origin)}",
        *(f"{key}:={_escaped(text)}" for key, text in (fields or {}).items()),
    ]
    return "\n".join([*lines, "", ""]).encode() + _gzip(_raw(array))


def metaimage(array: np.ndarray, ijk_to_ras: np.ndarray) -> bytes:
    """A compressed MetaImage with its voxels in the same file."""
    origin, spacing, direction = lps_geometry(ijk_to_ras)
    voxels = zlib.compress(_raw(array), _LEVEL)
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(voxels)}",
        f"TransformMatrix = {_row(direction.T.ravel())}",
        f"Offset = {_row(origin)}",
        f"ElementSpacing = {_row(spacing)}",
        f"DimSize = {_row(array.shape[::-1])}",
        f"ElementType = {_TYPES[_code(array)][1]}",
        "ElementDataFile = LOCAL",
    ]
    return "\n".join([*lines, ""]).encode() + voxels


def nifti(array: np.ndarray, ijk_to_ras: np.ndarray) -> bytes:
    """A gzip-compressed NIfTI-1 in mm; sheared axes are kept in the sform alone."""
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    handedness, quaternion = _quaternion(ijk_to_ras[:3, :3] / spacing)
    code = _TYPES[_code(array)][2]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, code, array.dtype.itemsize * 8)
    struct.pack_into("<8f", header, 76, handedness, *spacing, 0, 0, 0, 0)
    struct.pack_into("<fffhbb", header, 108, 352.0, 1.0, 0.0, 0, 0, 2)
    struct.pack_into("<hh", header, 252, int(is_orthonormal(ijk_to_ras[:3, :3] / spacing)), 1)
    struct.pack_into("<6f", header, 256, *quaternion, *ijk_to_ras[:3, 3])
    struct.pack_into("<12f", header, 280, *ijk_to_ras[:3].ravel())
    struct.pack_into("<4s", header, 344, b"n+1\0")
    return _gzip(bytes(header) + _raw(array))


def _quaternion(direction: np.ndarray) -> tuple[float, np.ndarray]:
    """NIfTI's qfac (the sign of the third axis) and the vector part of the rotation with a positive real part."""
    handedness = float(np.sign(np.linalg.det(direction)))
    return handedness, Rotation.from_matrix(direction * [1, 1, handedness]).as_quat(canonical=True)[:3]


def _code(array: np.ndarray) -> str:
    return array.dtype.str[1:]


def _raw(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _gzip(raw: bytes) -> bytes:
    return gzip.compress(raw, _LEVEL, mtime=0)


def _row(numbers: np.ndarray | list[int] | tuple[int, ...]) -> str:
    return " ".join(repr(number) for number in np.asarray(numbers).tolist())


def _vector(numbers: np.ndarray) -> str:
    return f"({','.join(repr(number) for number in numbers.tolist())})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
