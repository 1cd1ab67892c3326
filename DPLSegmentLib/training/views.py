"""Looks at a training scan from any of its three planes, through a rotated, zoomed and shifted window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.training.pack import RegionMap, TrainingVolume

_WORKING = 256
_MOST_ZOOM = 2.5


@dataclass(frozen=True)
class Window:
    """Where to look: `centre` (row, column) in voxels of the plane, `pixel` in mm, `angle` in radians."""

    centre: tuple[float, float]
    pixel: float
    angle: float
    mirrored: bool
    size: int

    def grid(self, shape: tuple[int, int], spacing: tuple[float, float], device: torch.device) -> Tensor:
        """[1, size, size, 2] coordinates for grid_sample on a plane of `shape` voxels with `spacing` in mm."""
        offset = (torch.arange(self.size, device=device) - (self.size - 1) / 2) * self.pixel
        down, right = torch.meshgrid(offset, -offset if self.mirrored else offset, indexing="ij")
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        row = self.centre[0] + (cos * down - sin * right) / spacing[0]
        column = self.centre[1] + (sin * down + cos * right) / spacing[1]
        return torch.stack([(2 * column + 1) / shape[1] - 1, (2 * row + 1) / shape[0] - 1], -1)[None]


@dataclass(frozen=True, eq=False)
class PlaneView:
    """A volume with `axis` as the slice direction."""

    volume: TrainingVolume
    axis: int

    @property
    def image(self) -> Tensor:
        """uint8 [slice, row, column]."""
        return self.volume.image.movedim(self.axis, 0)

    @property
    def plane(self) -> tuple[float, float]:
        """In-plane spacing in mm."""
        first, second = (size for axis, size in enumerate(self.volume.spacing) if axis != self.axis)
        return first, second

    @property
    def gap(self) -> float:
        """Slice distance in mm."""
        return self.volume.spacing[self.axis]

    @property
    def pixel(self) -> float:
        """Working pixel in mm, as inference would choose it."""
        height, width = self.image.shape[1:]
        longest = max(height * self.plane[0], width * self.plane[1])
        return max(longest / _WORKING, min(self.plane) / _MOST_ZOOM)

    def slices(self, indices: list[int], window: Window) -> Tensor:
        """float32 [n, size, size] in 0..1; indices beyond the ends repeat the last slice."""
        chosen = _chosen(self.image, np.array(indices))
        return _sampled(chosen, window.grid(self._shape, self.plane, chosen.device), "bilinear") / 255.0

    def regions(self, regions: RegionMap, indices: list[int], window: Window) -> Tensor:
        """int32 [n, size, size]; zero beyond the ends."""
        chosen = self._region_slices(regions, np.array(indices))
        sampled = _sampled(chosen, window.grid(self._shape, self.plane, chosen.device), "nearest")
        inside = torch.tensor([0 <= index < len(self.image) for index in indices], device=chosen.device)
        return (sampled * inside[:, None, None]).round().int()

    def area(self, regions: RegionMap, label: int) -> float:
        """Of a region on the middle slice of its extent, in mm2."""
        first, last = regions.extents[label, self.axis]
        inside = self._region_slices(regions, np.array([(first + last) // 2])) == label
        voxels = float(inside.sum()) * float(np.prod(self._steps(regions)))
        return voxels * self.plane[0] * self.plane[1]

    def box(self, regions: RegionMap, label: int, indices: Iterable[int]) -> np.ndarray | None:
        """[2, 2]: from and to in voxels of the plane, of a region on some slices; None where it is on none."""
        inside = (self._region_slices(regions, np.array(list(indices))) == label).any(0)
        sides = [inside.any(1 - axis).nonzero().flatten() for axis in range(2)]
        if not len(sides[0]):
            return None
        steps = [step for axis, step in enumerate(self._steps(regions)) if axis != self.axis]
        return np.array([[int(s[0]) * f, (int(s[-1]) + 1) * f] for s, f in zip(sides, steps, strict=True)])

    def _region_slices(self, regions: RegionMap, indices: np.ndarray) -> Tensor:
        return _chosen(regions.regions.movedim(self.axis, 0), indices // self._steps(regions)[self.axis])

    def _steps(self, regions: RegionMap) -> tuple[int, int, int]:
        return 1, regions.step, regions.step

    @property
    def _shape(self) -> tuple[int, int]:
        height, width = self.image.shape[1:]
        return height, width


def _chosen(slices: Tensor, indices: np.ndarray) -> Tensor:
    return slices[torch.from_numpy(np.clip(indices, 0, len(slices) - 1)).to(slices.device)]


def _sampled(slices: Tensor, grid: Tensor, mode: str) -> Tensor:
    stack = slices.to(torch.float32).contiguous()[None]
    return functional.grid_sample(stack, grid, mode=mode, padding_mode="zeros", align_corners=False)[0]
