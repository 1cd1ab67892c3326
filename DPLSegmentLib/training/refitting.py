"""What was found on MR, fitted to the grey values of the scan (ours).

What a teacher sees of a structure has blurred borders, and of a liver it may be one lobe. Its inside tells how bright
the structure is there; what touches it and is as bright belongs to it, what is not does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DPLSegmentLib.propagation.polish import connected
from DPLSegmentLib.training.known_scans import KnownScan

_INSIDE_MM, _LEAST_INSIDE, _LEAST_SHARED = (5.0, 2.5), 2000, 30
_FIELD_SLICES, _FIELD_MM, _FIELD_FLOOR = 1.2, 44.0, 1e-3
_VESSEL = 0.5
_BLUR_MM, _TIDY_PIXELS = 1.9, 5
_ALIKE, _LEAST_DEVIATION = 2.2, 0.06
_BRIDGE_MM, _GAP_MM = 6.25, 7.5
_MOST, _LEAST, _UNUSUAL = 2.0, 0.5, 3.0
_FEWEST = 300


def refitted(scan: KnownScan, labels: np.ndarray) -> np.ndarray:
    """`labels` uint8 [z, y, x] of a scan, each structure fitted to its greys. One of which that would leave less than
    half has no grey value of its own, and stays as it is."""
    result = np.zeros_like(labels)
    logs = np.log(np.maximum(scan.greys.cpu().numpy().astype(float), 1))
    for number in np.unique(labels)[1:]:
        seen = labels == number
        others = (labels > 0) & ~seen
        fitted = _fitted(logs, seen, others, scan.spacing[1]) if seen.sum() >= _FEWEST else seen
        kept = fitted if fitted.sum() >= _LEAST * seen.sum() else seen
        result[kept & (result == 0)] = number
    return result


def without_unusual(scans: Sequence[np.ndarray]) -> None:
    """Take a structure out of the labels [z, y, x] of those scans where it is less than a third, or more than three
    times, as large as usual."""
    for number in {int(number) for labels in scans for number in np.unique(labels)} - {0}:
        sizes = np.array([(labels == number).sum() for labels in scans])
        usual = np.median(sizes[sizes > 0])
        for labels, size in zip(scans, sizes, strict=True):
            if not usual / _UNUSUAL <= size <= usual * _UNUSUAL:
                labels[labels == number] = 0


def _fitted(logs: np.ndarray, seen: np.ndarray, others: np.ndarray, pixel_mm: float) -> np.ndarray:
    """bool [z, y, x]: where log greys are as inside of what is seen, as far as that hangs together with it."""
    core = connected(seen, {})
    inside = _inside(core, pixel_mm)
    usual = _usual(logs, inside)
    if not any(_tell(usual)):
        return seen
    alike = _alike(logs, inside, usual, pixel_mm) & ~others
    unbridged = ndimage.binary_opening(alike, _disc(_BRIDGE_MM, pixel_mm))
    grown = ndimage.binary_propagation(inside & unbridged, mask=unbridged | inside)
    grown = ndimage.binary_opening(grown, _disc(_BRIDGE_MM, pixel_mm))
    pairs = zip(grown, core, inside, alike, strict=True)
    slices = np.stack([_believed(*slices) for slices in pairs]) | (core & alike)
    return connected(_filled(slices, pixel_mm) & ~others, {})


def _believed(grown: np.ndarray, core: np.ndarray, inside: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """What grew in one slice and holds some of the inside there; what was seen where that is too much."""
    parts, count = ndimage.label(grown)
    shared = np.bincount(parts[inside], minlength=count + 1)
    own = np.isin(parts, 1 + np.flatnonzero(shared[1:] > _LEAST_SHARED))
    return own if own.any() and own.sum() <= _MOST * core.sum() else core & alike


def _inside(core: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Without its border."""
    deep, shallow = (ndimage.binary_erosion(core, _disc(mm, pixel_mm)) for mm in _INSIDE_MM)
    return deep if deep.sum() >= _LEAST_INSIDE else shallow


def _usual(logs: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Without vessels."""
    return inside & (np.abs(logs - np.median(logs[inside])) <= _VESSEL) if inside.any() else inside


def _tell(usual: np.ndarray) -> list[bool]:
    """Of each slice, whether so much is seen of the inside that it tells how bright that is."""
    return [int(slice_.sum()) > _LEAST_SHARED for slice_ in usual]


def _alike(logs: np.ndarray, inside: np.ndarray, usual: np.ndarray, pixel_mm: float) -> np.ndarray:
    """bool [z, y, x]: as bright as the usual inside is nearby, by as much as that varies; smoothed."""
    blur = _BLUR_MM / pixel_mm
    off = ndimage.gaussian_filter(logs, (0, blur, blur)) - _nearby(logs, usual, pixel_mm)
    deviation = 1.4826 * np.median(np.abs(off[inside] - np.median(off[inside])))
    alike = np.abs(off) < _ALIKE * max(deviation, _LEAST_DEVIATION)
    return ndimage.median_filter(alike.astype(np.uint8), (1, _TIDY_PIXELS, _TIDY_PIXELS)) > 0


def _nearby(logs: np.ndarray, usual: np.ndarray, pixel_mm: float) -> np.ndarray:
    """The mean of the usual log greys nearby; far from all of them the median of the slice, or of those next to it."""
    sigma = (_FIELD_SLICES, _FIELD_MM / pixel_mm, _FIELD_MM / pixel_mm)
    weight = usual.astype(float)
    filled = np.flatnonzero(_tell(usual))
    medians = [np.median(logs[index][usual[index]]) for index in filled]
    far = np.interp(np.arange(len(logs)), filled, medians)[:, None, None]
    weighted, weights = (ndimage.gaussian_filter(each, sigma) for each in (weight * logs, weight))
    return (weighted + _FIELD_FLOOR * far) / (weights + _FIELD_FLOOR)


def _filled(mask: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Small gaps closed, and holes filled, slice by slice."""
    disc = _disc(_GAP_MM, pixel_mm)
    width = disc.shape[1]
    padded = np.pad(mask, ((0, 0), (width, width), (width, width)))
    closed = ndimage.binary_closing(padded, disc)[:, width:-width, width:-width]
    return np.stack([ndimage.binary_fill_holes(slice_) for slice_ in closed])


def _disc(radius_mm: float, pixel_mm: float) -> np.ndarray:
    """bool [1, d, d]."""
    radius = round(radius_mm / pixel_mm)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (rows**2 + columns**2 <= radius**2)[None]
