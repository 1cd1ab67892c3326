"""A result with its scan, turned for display: what every part of a picture draws from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.pictures.anatomy import PLANES, Orientation
from DPLSegmentLib.pictures.palette import Color, colors_for
from DPLSegmentLib.propagation.types import Propagation, StructureReport


@dataclass(frozen=True, eq=False)
class Structure:
    """One structure: masks in display order and the slices, along the display axis of the sweep, that were painted."""

    name: str
    color: Color
    mask: np.ndarray
    painted: np.ndarray | None
    reference: np.ndarray | None
    painted_slices: tuple[int, ...]
    next_slice: int | None
    millilitres: float
    confidence: float
    dice: float | None


@dataclass(frozen=True, eq=False)
class View:
    """Everything in display order (axes to I, P, L); `image` is 0..1, `axis` the display axis that was swept along."""

    image: np.ndarray
    confidence: np.ndarray
    structures: tuple[Structure, ...]
    axis: int
    orientation: Orientation
    flipped: bool

    @property
    def plane(self) -> str:
        """What the swept slices are called."""
        return PLANES[self.axis]

    @property
    def across(self) -> int:
        """The display axis of the slices that show the sweep from the side: coronal ones, or axial of coronal ones."""
        return 1 if self.axis != 1 else 0

    def original_index(self, index: int) -> int:
        """The number that the scan itself gives a slice of the sweep."""
        return self.image.shape[self.axis] - 1 - index if self.flipped else index


def build_view(
    volume: Volume, result: Propagation, painted: Segmentation | None, reference: Segmentation | None
) -> View:
    """Turn a scan, its result and what it may be compared with; all lie on the scan's grid.

    `painted` and `reference` are matched to the result's structures by name.
    """
    turn = Orientation.of(volume.ijk_to_ras)
    structures = _structures(result, painted, reference, turn)
    everything = np.logical_or.reduce([segment.mask for segment in result.segmentation.segments])
    return View(
        image=turn.turn(normalise(volume, everything if everything.any() else None)),
        confidence=turn.turn(result.confidence.array),
        structures=structures,
        axis=turn.display_axis(result.axis),
        orientation=turn,
        flipped=turn.flipped[turn.display_axis(result.axis)],
    )


def _structures(
    result: Propagation, painted: Segmentation | None, reference: Segmentation | None, turn: Orientation
) -> tuple[Structure, ...]:
    segments = result.segmentation.segments
    colors = colors_for([segment.color for segment in segments])
    return tuple(
        _structure(result, index, color, _masks(painted, turn), _masks(reference, turn), turn)
        for index, color in enumerate(colors)
    )


def _structure(
    result: Propagation,
    index: int,
    color: Color,
    painted: dict[str, np.ndarray],
    reference: dict[str, np.ndarray],
    turn: Orientation,
) -> Structure:
    segment = result.segmentation.segments[index]
    report, mask = _report(result, segment.name), turn.turn(segment.mask)
    axis, size = turn.display_axis(result.axis), result.segmentation.shape[result.axis]
    next_slice = None if report.next_slice is None else turn.display_index(result.axis, report.next_slice, size)
    paint, truth = painted.get(report.name), reference.get(report.name)
    return Structure(
        name=report.name,
        color=color,
        mask=mask,
        painted=paint,
        reference=truth,
        painted_slices=() if paint is None else tuple(occupied(paint, axis)),
        next_slice=next_slice,
        millilitres=report.millilitres,
        confidence=report.confidence,
        dice=None if truth is None else dice(mask, truth),
    )


def _report(result: Propagation, name: str) -> StructureReport:
    return next(report for report in result.structures if report.name == name)


def _masks(segmentation: Segmentation | None, turn: Orientation) -> dict[str, np.ndarray]:
    return {segment.name: turn.turn(segment.mask) for segment in segmentation.segments} if segmentation else {}


def occupied(mask: np.ndarray, axis: int) -> list[int]:
    """Ascending indices of the slices along an axis that hold anything of a mask [z, y, x]."""
    return np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))).tolist()
