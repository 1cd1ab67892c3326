"""Between the RAS matrix of a Volume and the LPS origin, spacing and direction of ITK."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def ras_matrix(image: sitk.Image | sitk.ImageFileReader) -> np.ndarray:
    """IJK-to-RAS (4x4, mm) of an ITK image, or of a header, with three or more dimensions."""
    dimension = image.GetDimension()
    direction = np.reshape(image.GetDirection(), (dimension, dimension))[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = direction * image.GetSpacing()[:3]
    matrix[:3, 3] = image.GetOrigin()[:3]
    return _LPS_RAS @ matrix


def lps_geometry(ijk_to_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LPS origin [3] (mm), spacing [3] (x, y, z in mm) and direction [3, 3] of an IJK-to-RAS matrix."""
    matrix = _LPS_RAS @ ijk_to_ras
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    return matrix[:3, 3], spacing, matrix[:3, :3] / spacing


def is_orthonormal(direction: np.ndarray, tolerance: float = 1e-5) -> bool:
    """True for unit axes [3, 3] at right angles, of either handedness; the tolerance is of their cosines."""
    return bool(np.allclose(direction.T @ direction, np.eye(3), atol=tolerance))
