"""What goes into a propagation and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from DPLSegmentLib.images.axes import painted_axis
from DPLSegmentLib.images.intensity import intensity_window
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume


class PropagationError(ValueError):
    """The input cannot be propagated; the message says why and what to do."""


class Cancelled(Exception):
    """The caller asked to stop; nothing was written."""


class CancelToken(Protocol):
    """Asked before every slice."""

    def cancelled(self) -> bool:
        """True once the work shall stop."""
        ...


@dataclass(frozen=True, eq=False)
class Support:
    """A scan and what was painted on it: a segment per structure on the scan's grid, on one or more slices each."""

    volume: Volume
    painted: Segmentation

    @cached_property
    def region(self) -> np.ndarray:
        """bool [z, y, x]: where anything of any structure is painted."""
        return np.logical_or.reduce([segment.mask for segment in self.painted.segments])

    @cached_property
    def axis(self) -> int:
        """The array axis across which it was painted, over all structures; raises PropagationError where nothing is."""
        if not self.region.any():
            raise PropagationError(
                f"Nothing is painted on {self.volume.name}; paint a structure on one slice and try again."
            )
        return painted_axis(self.region)

    @cached_property
    def window(self) -> tuple[float, float]:
        """The stored values shown as 0 and 1, wide enough for what is painted."""
        return intensity_window(self.volume.array, self.region)


@dataclass(frozen=True)
class Progress:
    """Stage ("embed", "score", "sweep", "polish"), its fraction done (0..1) and the slice it is at."""

    stage: str
    fraction: float
    slice_index: int | None = None


@dataclass(frozen=True, eq=False)
class SliceResult:
    """A finished slice of one structure, streamed outward from the painted one: `mask` is bool, in the query's grid."""

    structure: str
    axis: int
    index: int
    mask: np.ndarray
    confidence: float


@dataclass(frozen=True)
class StructureReport:
    """Size in mL and mean confidence (0..1) of one structure, and the slice it would be best to paint next."""

    name: str
    millilitres: float
    confidence: float
    next_slice: int | None


@dataclass(frozen=True, eq=False)
class Propagation:
    """The result on the query's grid; `confidence` is float32 0..1, the maximum of the structures' confidences."""

    segmentation: Segmentation
    confidence: Volume
    structures: tuple[StructureReport, ...]
    axis: int
    next_slice: int | None
    seconds: Mapping[str, float]
    device: str
    model_id: str


OnProgress = Callable[[Progress], None]
OnSlice = Callable[[SliceResult], None]
