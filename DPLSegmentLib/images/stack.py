"""A volume as a stack of slices of the size that the network works on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MOST_UPSAMPLING = 2.5
"""How many working pixels a voxel becomes at most, along its finer side in plane."""

THIN_MM = 4.0
"""Up to which distance slices count as thin: from one to the next little changes."""

_MULTIPLE = 32
_LEAST_SHARE = 0.01

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class SliceStack:
    """A volume seen along one axis of its own array, through isotropic working pixels.

    `shape` is the working shape (H, W), padded at the bottom and right to multiples of 32; `content` the part of it
    that shows the volume; `native` the in-plane voxels (h, w); `pixel_mm` the side of a working pixel; `gap_mm` the
    distance of the slices; `sides_mm` height and width of a voxel in plane; `box` (top, left, bottom, right) the voxels
    in plane that are looked at.
    """

    planes: np.ndarray
    axis: int
    content: tuple[int, int]
    shape: tuple[int, int]
    pixel_mm: float
    gap_mm: float
    sides_mm: tuple[float, float]
    box: Box

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.planes.shape[0]

    @property
    def thin(self) -> bool:
        """Whether the slices are."""
        return self.gap_mm <= THIN_MM

    @property
    def native(self) -> tuple[int, int]:
        """In-plane voxels (h, w) of the volume itself."""
        h, w = self.planes.shape[1:]
        return h, w

    def through(self, pixel_mm: float, box: Box) -> SliceStack:
        """The same slices through other working pixels, and another part of them."""
        top, left, bottom, right = box
        extents = [count * side for count, side in zip((bottom - top, right - left), self.sides_mm, strict=True)]
        height, width = (max(1, round(extent / pixel_mm)) for extent in extents)
        shape = (_padded_side(height), _padded_side(width))
        return replace(self, content=(height, width), shape=shape, pixel_mm=pixel_mm, box=box)

    def slices(self, start: int, stop: int) -> np.ndarray:
        """Slices start..stop-1 as float32 [n, H, W], bilinear and antialiased, zero in the padding."""
        planes = np.asarray(self._inside(self.planes[start:stop]), np.float32)
        return self._padded(_resized(planes, self.content))

    def slice_to_working(self, mask: np.ndarray) -> np.ndarray:
        """A mask [h, w] as float32 [H, W]: how much (0..1) of each working pixel it covers; areas in mm2 are kept."""
        inside = self._inside(mask).astype(np.float32)
        return self._padded(_averaged(inside[None], self.content))[0]

    def to_native(self, working: np.ndarray) -> np.ndarray:
        """Working slices [n, H, W] as float32 [n, h, w] on the volume's own grid: bilinear, or the mean within voxels
        that are wider than working pixels; zero outside the box."""
        height, width = self.content
        top, left, bottom, right = self.box
        inside = np.asarray(working[:, :height, :width], np.float32)
        size = (bottom - top, right - left)
        fine = (max(size[0], height), max(size[1], width))
        resized = _averaged(_resized(inside, fine), size)
        if resized.shape[1:] == self.native:
            return resized
        native = np.zeros((len(working), *self.native), np.float32)
        self._inside(native)[...] = resized
        return native

    def native_slice(self, volume_mask: np.ndarray, index: int) -> np.ndarray:
        """One slice [h, w] of an array [z, y, x] on the volume's grid, as a view."""
        return np.moveaxis(volume_mask, self.axis, 0)[index]

    def put(self, volume_mask: np.ndarray, index: int, mask: np.ndarray) -> None:
        """Write a slice [h, w] into an array [z, y, x] on the volume's grid."""
        self.native_slice(volume_mask, index)[...] = mask

    def _inside(self, planes: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.box
        return planes[..., top:bottom, left:right]

    def _padded(self, planes: np.ndarray) -> np.ndarray:
        if self.content == self.shape:
            return planes
        padded = np.zeros((len(planes), *self.shape), np.float32)
        padded[:, : self.content[0], : self.content[1]] = planes
        return padded


def stack_along(
    volume_array: np.ndarray, spacing: tuple[float, float, float], axis: int, size: int = 256, box: Box | None = None
) -> SliceStack:
    """The slices of an array [z, y, x] with voxel spacing (z, y, x) in mm along an array axis.

    The long side of the `box` (the whole plane when it is None) becomes `size` working pixels, fewer where the finer
    voxel side would be enlarged more than 2.5 times.
    """
    planes = np.moveaxis(volume_array, axis, 0)
    top, left, bottom, right = box = box or (0, 0, *planes.shape[1:])
    first, second = (spacing[other] for other in range(3) if other != axis)
    pixel = max((bottom - top) * first / size, (right - left) * second / size, min(first, second) / MOST_UPSAMPLING)
    whole = SliceStack(planes, axis, (1, 1), (1, 1), pixel, spacing[axis], (first, second), box)
    return whole.through(pixel, box)


def occupied_box(planes: np.ndarray, threshold: float) -> Box:
    """The smallest box that holds all rows and columns of planes [n, h, w] in which more than 1 % of some slice, and at
    least one voxel, lies above `threshold`; the whole plane where nothing does."""
    above = planes > threshold
    rows, columns = (np.flatnonzero((above.mean(axis) > _LEAST_SHARE).any(0)) for axis in (2, 1))
    if not len(rows) or not len(columns):
        return 0, 0, *planes.shape[1:]
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _padded_side(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _resized(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if planes.shape[1:] == size:
        return planes
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(planes))[:, None]
    return torch.nn.functional.interpolate(batch, size, mode="bilinear", antialias=True)[:, 0].numpy()


def _averaged(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mean of what lies within each of `size` pixels."""
    if planes.shape[1:] == size:
        return planes
    rows, columns = map(_shares, planes.shape[1:], size)
    return rows @ planes @ columns.T


def _shares(count: int, wanted: int) -> np.ndarray:
    """float32 [wanted, count]: how much of each pixel that is wanted each one that is there fills."""
    edges = np.linspace(0, count, wanted + 1)
    there = np.arange(count)
    overlap = np.minimum(edges[1:, None], there + 1) - np.maximum(edges[:-1, None], there)
    return (np.maximum(overlap, 0) * wanted / count).astype(np.float32)
