"""What is painted on a scan, found by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.scene.carrying import Crop, carried
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import checked
from DPLSegmentLib.scene.places import ijk_to_world, slice_position, view_of
from DPLSegmentLib.scene.planes import REFORMATTED, Plane, planes_of
from DPLSegmentLib.scene.scans import check_scan_node, ijk_to_ras, shape_of
from DPLSegmentLib.scene.segments import SegmentInfo, StoredSegment, stored_segments
from DPLSegmentLib.scene.transforms import grid_map


@dataclass(frozen=True)
class PaintedSlice:
    """A slice of the scan's array with the names of the structures painted on it.

    `view` is "Axial", "Sagittal", "Coronal" or "Reformatted"; `position_mm` the S, R or A (world) of the slice's
    centre. A reformatted plane has axis -1, and its position is the S of what is painted.
    """

    axis: int
    index: int
    view: str
    position_mm: float
    segments: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PaintedSegment:
    """A structure on the scan's grid and the (axis, index) it was painted in: none for a 3D segment."""

    info: SegmentInfo
    crop: Crop
    planes: tuple[Plane, ...]

    def holds(self, plane: Plane) -> bool:
        """True when something of it lies in a slice of the scan's array."""
        axis, index = plane
        first, last = self.crop.start[axis], self.crop.stop[axis]
        return first <= index < last and bool(self.crop.mask.take(index - first, axis).any())

    def mask(self, chosen: Iterable[Plane], shape: tuple[int, int, int]) -> np.ndarray:
        """bool [z, y, x]: what of it is painted in the chosen planes."""
        kept = np.zeros(self.crop.mask.shape, bool)
        for axis, index in chosen:
            if axis == REFORMATTED:
                kept |= self.crop.mask
            else:
                box = [slice(None)] * 3
                box[axis] = slice(index - self.crop.start[axis], index - self.crop.start[axis] + 1)
                kept[tuple(box)] = self.crop.mask[tuple(box)]
        return Crop(kept, self.crop.start).full(shape)


class Painting:
    """What is painted: `slices` in order, `full` the names of 3D segments, `outside` those that miss the scan."""

    def __init__(self, scan_node: Any, segments: Collection[PaintedSegment], outside: Collection[str] = ()) -> None:
        self._scan_node = scan_node
        self._shape = shape_of(scan_node)
        self._ijk_to_ras = ijk_to_ras(scan_node)
        self._segments = tuple(segments)
        self._name = scan_node.GetName()
        self.slices = self._slices()
        self.full = tuple(segment.info.name for segment in self._segments if not segment.planes)
        self.outside = tuple(outside)

    def support(self, chosen: Collection[PaintedSlice]) -> Segmentation:
        """The chosen slices as masks [z, y, x] on the scan's grid; names, colours, terminology and ids are kept.

        Raises SceneError when nothing is chosen.
        """
        planes = {(each.axis, each.index) for each in chosen}
        segments = tuple(self._masks(planes))
        if not segments:
            raise SceneError(f"No painted slice of {self._name} is chosen: paint a structure on one slice.")
        return Segmentation(segments, self._ijk_to_ras, self._name)

    def only(self, axis: int, index: int) -> Painting:
        """The same painting with this slice of the scan's array only, of 3D segments too; it may hold nothing."""
        kept = [
            PaintedSegment(segment.info, segment.crop, ((axis, index),))
            for segment in self._segments
            if segment.holds((axis, index))
        ]
        return Painting(self._scan_node, kept, self.outside)

    def _masks(self, planes: set[Plane]) -> Iterable[Segment]:
        for segment in self._segments:
            chosen = planes.intersection(segment.planes)
            if chosen:
                yield segment.info.with_mask(segment.mask(chosen, self._shape))

    def _slices(self) -> tuple[PaintedSlice, ...]:
        planes = sorted({plane for segment in self._segments for plane in segment.planes})
        return tuple(self._slice(plane) for plane in planes)

    def _slice(self, plane: Plane) -> PaintedSlice:
        on_it = [segment for segment in self._segments if plane in segment.planes]
        names = tuple(segment.info.name for segment in on_it)
        if plane[0] == REFORMATTED:
            position = float(ijk_to_world(self._scan_node, _centre(on_it[0].crop))[2])
            return PaintedSlice(*plane, "Reformatted", position, names)
        axis, index = plane
        view = view_of(self._scan_node, axis)
        return PaintedSlice(axis, index, view, slice_position(self._scan_node, axis, index), names)


def find_painting(segmentation_node: Any, scan_node: Any) -> Painting:
    """What is painted in a segmentation, on the grid of a scan, whatever transforms lie between the two.

    Empty when nothing is painted. Raises SceneError when a node cannot be used, when segments are stored as surfaces,
    or when everything painted lies outside the scan.
    """
    checked(segmentation_node, "vtkMRMLSegmentationNode", "segmentation")
    check_scan_node(scan_node)
    stored = stored_segments(segmentation_node)
    crops = [_on_scan(segment, segmentation_node, scan_node) for segment in stored]
    if stored and not any(crops):
        raise SceneError(
            f"What is painted in {segmentation_node.GetName()} lies outside {scan_node.GetName()}: choose the scan "
            "that it was painted on, or put both under the same transform."
        )
    grid = ijk_to_ras(scan_node)
    pairs = list(zip(stored, crops, strict=True))
    found = [PaintedSegment(segment.info, crop, _planes(crop, grid)) for segment, crop in pairs if crop]
    return Painting(scan_node, found, [segment.info.name for segment, crop in pairs if not crop])


def _on_scan(segment: StoredSegment, segmentation_node: Any, scan_node: Any) -> Crop | None:
    between = grid_map(segmentation_node, segment.ijk_to_ras, scan_node, ijk_to_ras(scan_node))
    return carried(segment.crop, between, shape_of(scan_node))


def _planes(crop: Crop, grid: np.ndarray) -> tuple[Plane, ...]:
    found = planes_of(crop.mask, grid)
    return tuple((axis, index if axis == REFORMATTED else index + crop.start[axis]) for axis, index in found)


def _centre(crop: Crop) -> tuple[float, float, float]:
    k, j, i = np.argwhere(crop.mask).mean(axis=0) + crop.start
    return float(i), float(j), float(k)
