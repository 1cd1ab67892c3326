"""A result at a glance: the slice to check, and the one that shows most, with contours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from DPLSegmentLib.cohort.png import png
from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.images.intensity import intensity_window, normalise
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.pictures.anatomy import Orientation
from DPLSegmentLib.pictures.palette import colors_for
from DPLSegmentLib.propagation.types import Propagation

_HEIGHT = 180
_WIDEST = 320
_LINE = 2
_GAP = 4


def write_thumbnail(output: Path, scan: str, picture: bytes) -> None:
    """Where `thumbnail_path` says. Raises OSError or ImageError when it cannot be written."""
    path = thumbnail_path(output, scan)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_bytes(picture)


def thumbnail_path(output: Path, scan: str) -> Path:
    """The picture of a scan, by its id, in an output folder."""
    return output / "thumbnails" / f"{scan}.png"


def thumbnail(volume: Volume, result: Propagation) -> bytes:
    """A PNG of about 400x180 pixels: the slices beside each other as radiologists look at them."""
    masks = [segment.mask for segment in result.segmentation.segments]
    window = intensity_window(volume.array, np.logical_or.reduce(masks)) if any(map(np.any, masks)) else None
    colors = colors_for([segment.color for segment in result.segmentation.segments])
    tiles = [
        _tile(volume, masks, colors, result.axis, index, window)
        for index in _chosen(masks, result.axis, result.next_slice)
    ]
    gap = np.zeros((_HEIGHT, _GAP, 3), np.uint8)
    return png(np.hstack([part for tile in tiles for part in (tile, gap)][:-1]))


def _chosen(masks: list[np.ndarray], axis: int, next_slice: int | None) -> list[int]:
    """The slice to check, then the one with the largest cross-section; one when they are the same."""
    others = tuple({0, 1, 2} - {axis})
    areas = np.sum([mask.sum(axis=others) for mask in masks], axis=0)
    largest = int(areas.argmax()) if areas.any() else areas.size // 2
    return list(dict.fromkeys([largest if next_slice is None else next_slice, largest]))


def _tile(
    volume: Volume,
    masks: list[np.ndarray],
    colors: list[tuple[float, float, float]],
    axis: int,
    index: int,
    window: tuple[float, float] | None,
) -> np.ndarray:
    orientation = Orientation.of(volume.ijk_to_ras)
    image = _flat(volume.array, axis, index, orientation)
    grey = normalise(Volume(image[None], np.eye(4)), window=window or intensity_window(volume.array))[0]
    zoom = _zoom(grey.shape, orientation.pixel(orientation.display_axis(axis)))
    picture = np.repeat(_zoomed(grey, zoom)[..., None], 3, axis=2)
    for mask, color in zip(masks, colors, strict=True):
        picture[_outline(_flat(mask, axis, index, orientation), zoom)] = color
    return _framed((picture * 255).round().astype(np.uint8))


def _flat(array: np.ndarray, axis: int, index: int, orientation: Orientation) -> np.ndarray:
    """A slice, turned for display."""
    thin = orientation.turn(np.take(array, [index], axis))
    return np.take(thin, 0, orientation.display_axis(axis))


def _zoom(shape: tuple[int, ...], pixel: tuple[float, float]) -> tuple[float, float]:
    """Factors for rows and columns that make pixels square and the tile as high as it shall be, or as wide."""
    height, width = shape[0] * pixel[0], shape[1] * pixel[1]
    scale = min(_HEIGHT / height, _WIDEST / width)
    return max(pixel[0] * scale, 1 / shape[0]), max(pixel[1] * scale, 1 / shape[1])


def _zoomed(image: np.ndarray, zoom: tuple[float, float]) -> np.ndarray:
    return np.clip(ndimage.zoom(image.astype(np.float32), zoom, order=1, grid_mode=True, mode="nearest"), 0.0, 1.0)


def _outline(mask: np.ndarray, zoom: tuple[float, float]) -> np.ndarray:
    """The inner edge of a mask in the zoomed picture."""
    large = _zoomed(mask, zoom) > 0.5
    return large & ~ndimage.binary_erosion(large, iterations=_LINE, border_value=1)


def _framed(picture: np.ndarray) -> np.ndarray:
    """Exactly as high as a tile is, the picture in the middle."""
    picture = picture[:_HEIGHT]
    above = (_HEIGHT - len(picture)) // 2
    return np.pad(picture, ((above, _HEIGHT - len(picture) - above), (0, 0), (0, 0)))
