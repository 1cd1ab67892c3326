"""Named structures on the grid of a scan; they may overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Segment:
    """One structure: a mask [z, y, x] of bool and what Slicer keeps with it."""

    name: str
    mask: np.ndarray
    value: int = 1
    color: tuple[float, float, float] = (0.5, 0.68, 0.5)
    tags: Mapping[str, str] = field(default_factory=dict)

    def with_mask(self, mask: np.ndarray) -> Segment:
        """The same name, value, colour and terminology around another mask."""
        return Segment(self.name, mask, self.value, self.color, self.tags)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Segments that share one grid; `ijk_to_ras` as in `Volume`."""

    segments: tuple[Segment, ...]
    ijk_to_ras: np.ndarray
    name: str = "segmentation"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        z, y, x = self.segments[0].mask.shape
        return z, y, x

    def labelmap(self) -> np.ndarray:
        """uint16 [z, y, x]; where segments overlap the later one is seen."""
        labels = np.zeros(self.shape, np.uint16)
        for segment in self.segments:
            labels[segment.mask] = segment.value
        return labels
