"""How well a mask matches the truth, and whether a confidence knows where it does not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, find_objects


def dice(result: np.ndarray, truth: np.ndarray) -> float:
    """Overlap 2|A∩B| / (|A|+|B|) of two bool arrays of one shape, 0..1; two empty masks agree and give 1.

    Raises ValueError when the shapes differ. Source: Dice 1945.
    """
    _same_shape(result, truth)
    total = np.count_nonzero(result) + np.count_nonzero(truth)
    return float(2.0 * np.count_nonzero(result & truth) / total) if total else 1.0


def hausdorff95(result: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Distance in mm that 95 % of either surface keeps to the other: the larger of the two directed percentiles.

    `result` and `truth` are bool [z, y, x], `spacing` is mm along (z, y, x). Two empty masks give 0, one empty
    mask gives infinity. Distances are between centres of surface voxels (foreground with a background neighbour
    over a face; the border of the image counts as background).
    Raises ValueError when the shapes differ. Source: Huttenlocher et al. 1993, 95 % as the BraTS challenges do.
    """
    _same_shape(result, truth)
    if not (result.any() or truth.any()):
        return 0.0
    if not (result.any() and truth.any()):
        return math.inf
    box = find_objects((result | truth).astype(np.uint8))[0]
    a, b = _surface(result[box]), _surface(truth[box])
    return max(_directed95(a, b, spacing), _directed95(b, a, spacing))


def error_retention_area(errors: np.ndarray, confidence: np.ndarray) -> float:
    """Area under the error-retention curve, 0..1, lower is better.

    Voxels are handed over to a person from the least confident on; a handed-over voxel has no error. The curve is the
    mean error that is left against the fraction kept. `errors` (0..1 or bool) and `confidence` have one shape.
    No voxel at all gives 0. Source: Malinin et al., "Shifts 2.0", 2022.
    """
    _same_shape(errors, confidence)
    if errors.size == 0:
        return 0.0
    kept = np.argsort(-confidence, axis=None, kind="stable")
    return float(np.cumsum(errors.ravel()[kept], dtype=np.float64).mean() / errors.size)


def retention_gain(errors: np.ndarray, confidence: np.ndarray) -> float:
    """How much of the possible gain over a meaningless confidence is reached: 1 perfect order, 0 chance, < 0 worse.

    Not defined, and nan, when there is no error or nothing but errors.
    """
    chance = float(np.mean(errors)) / 2.0 * (errors.size + 1) / errors.size if errors.size else 0.0
    best = error_retention_area(errors, -errors.astype(np.float64))
    if math.isclose(chance, best):
        return math.nan
    return (chance - error_retention_area(errors, confidence)) / (chance - best)


def _same_shape(one: np.ndarray, other: np.ndarray) -> None:
    if one.shape != other.shape:
        raise ValueError(f"The arrays have different shapes, {one.shape} and {other.shape}.")


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~binary_erosion(mask, border_value=0)


def _directed95(source: np.ndarray, target: np.ndarray, spacing: Sequence[float]) -> float:
    distance = distance_transform_edt(~target, sampling=spacing)
    return float(np.percentile(distance[source], 95))
