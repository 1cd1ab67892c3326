"""Grey values of CT, MR and pre-windowed scans on one scale from 0 to 1."""

from __future__ import annotations

from enum import Enum

import numpy as np

from DPLSegmentLib.images.volume import Volume

_CT_WINDOW = (-125.0, 275.0)
_CT_SHIFT = 1024.0
_CT_MARGIN = 25.0
_CT_STEP = 50.0
_AIR = -500.0
_SAMPLES = 1_000_000


class Kind(Enum):
    """What the numbers of a scan mean."""

    HU = "CT in Hounsfield units"
    HU_SHIFTED = "CT in Hounsfield units + 1024"
    WINDOWED_8BIT = "already windowed, 0 to 255"
    PERCENTILE = "no fixed unit (MR and others)"


def detect_kind(array: np.ndarray) -> Kind:
    """What the numbers of a scan [z, y, x] mean, judged by their range and distribution alone."""
    low, high = array.min(), array.max()
    if low <= _AIR:
        return Kind.HU
    sample = _sample(array)
    if low == 0 and high == 255 and (array.dtype == np.uint8 or np.mean(sample == 255) > 0.001):
        return Kind.WINDOWED_8BIT
    return Kind.HU_SHIFTED if low >= 0 and _looks_shifted(sample) else Kind.PERCENTILE


def intensity_window(array: np.ndarray, painted: np.ndarray | None = None) -> tuple[float, float]:
    """The stored values that become 0 and 1.

    For CT the window is widened, in steps of 50 HU, when the region painted (bool, the shape of `array`) lies outside.
    """
    kind = detect_kind(array)
    if kind is Kind.WINDOWED_8BIT:
        return 0.0, 255.0
    if kind is Kind.PERCENTILE:
        return _percentile_window(array)
    shift = _CT_SHIFT if kind is Kind.HU_SHIFTED else 0.0
    region = array[painted] if painted is not None else np.empty(0)
    low, high = _widened(region - shift)
    return low + shift, high + shift


def normalise(
    volume: Volume, painted: np.ndarray | None = None, window: tuple[float, float] | None = None
) -> np.ndarray:
    """float32 [z, y, x] in 0..1; `painted` (bool [z, y, x]) makes sure that its grey values are told apart in CT.

    `window`, the stored values that become 0 and 1, is found from the scan when it is not given.
    """
    low, high = window or intensity_window(volume.array, painted)
    scaled = volume.array.astype(np.float32)
    scaled -= low
    scaled /= max(high - low, 1e-6)
    return np.clip(scaled, 0.0, 1.0, out=scaled)


def _sample(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1)[:: max(1, array.size // _SAMPLES) | 1]


def _looks_shifted(sample: np.ndarray) -> bool:
    """Air near 0 and most of the body between fat and soft tissue, around 1024."""
    body = sample[sample > 300]
    if body.size < 0.01 * sample.size or np.mean(sample < 200) < 0.02:
        return False
    return bool(np.mean((body > 850) & (body < 1200)) > 0.65)


def _percentile_window(array: np.ndarray) -> tuple[float, float]:
    sample = _sample(array)
    low, high = np.percentile(sample[sample != 0], [0.5, 99.5]) if sample.any() else (0.0, 1.0)
    return float(low), float(high)


def _widened(region: np.ndarray) -> tuple[float, float]:
    """The CT window, and beyond it where 1st to 99th percentile of the region (HU) reach further."""
    low, high = _CT_WINDOW
    if region.size == 0:
        return low, high
    first, last = np.percentile(region, [1, 99])
    if first < low:
        low = float(np.floor((first - _CT_MARGIN) / _CT_STEP) * _CT_STEP)
    if last > high:
        high = float(np.ceil((last + _CT_MARGIN) / _CT_STEP) * _CT_STEP)
    return low, high
