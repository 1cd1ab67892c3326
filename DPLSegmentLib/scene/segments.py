"""Segments as they are stored: in layers that they share, with cropped extents, on a grid of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.scene.carrying import Crop
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.oriented import matrix_of, occupied, start_of, voxels

BINARY = "Binary labelmap"
ID_TAG = "DPLSegment.SegmentID"
TERMINOLOGY_TAG = slicer.vtkSegment.GetTerminologyEntryTagName()


@dataclass(frozen=True, eq=False)
class SegmentInfo:
    """Who a segment is: `name` is unique among the structures, `value` its number among the segments (1, 2, ...)."""

    id: str
    name: str
    value: int
    color: tuple[float, float, float]
    tags: dict[str, str]

    def with_mask(self, mask: np.ndarray) -> Segment:
        """The structure with a mask [z, y, x]; the tags keep the terminology and the segment's id."""
        return Segment(self.name, mask, self.value, self.color, {**self.tags, ID_TAG: self.id})


@dataclass(frozen=True, eq=False)
class StoredSegment:
    """A segment with something painted: its voxels, and IJK to the segmentation's own RAS (4x4, mm)."""

    info: SegmentInfo
    crop: Crop
    ijk_to_ras: np.ndarray


def structure_names(segmentation_node: Any) -> dict[str, str]:
    """Segment ids and the name of each structure; a name used twice is numbered, as in "tumour (2)"."""
    segmentation = segmentation_node.GetSegmentation()
    names: dict[str, str] = {}
    for segment_id in segmentation.GetSegmentIDs():
        name = segmentation.GetSegment(segment_id).GetName() or segment_id
        names[segment_id] = _unused(name, set(names.values()))
    return names


def stored_segments(segmentation_node: Any) -> list[StoredSegment]:
    """All segments with something painted, in order. Raises SceneError when they are stored as surfaces."""
    segmentation = segmentation_node.GetSegmentation()
    check_labelmaps(segmentation_node)
    boxes: dict[Any, Any] = {}
    return (
        [
            StoredSegment(info, crop, matrix_of(image))
            for info, segment in _infos(segmentation_node)
            if (image := segment.GetRepresentation(BINARY)) is not None
            and (crop := labelled(image, segment.GetLabelValue(), boxes))
        ]
        if segmentation.GetNumberOfSegments()
        else []
    )


def check_labelmaps(segmentation_node: Any) -> None:
    """Raise SceneError when the segments are stored as surfaces or in another way that cannot be painted on."""
    segmentation = segmentation_node.GetSegmentation()
    if segmentation.GetNumberOfSegments() and segmentation.GetSourceRepresentationName() != BINARY:
        raise SceneError(
            f"{segmentation_node.GetName()} holds surfaces and nothing that was painted: make Binary labelmap its "
            "source representation in the Segmentations module, or choose another segmentation."
        )


def labelled(image: Any, value: int, boxes: dict[Any, Any] | None = None) -> Crop | None:
    """Where a labelmap has one value; None when nowhere. `boxes` remembers what is occupied in shared labelmaps."""
    boxes = {} if boxes is None else boxes
    array = voxels(image)
    if image not in boxes:
        boxes[image] = occupied(array)
    outer = boxes[image]
    if outer is None:
        return None
    mask = array[outer] == value
    inner = occupied(mask.view(np.uint8))
    if inner is None:
        return None
    k, j, i = (first + a.start + b.start for first, a, b in zip(start_of(image), outer, inner, strict=True))
    return Crop(mask[inner].copy(), (k, j, i))


def describe(segment: Any, name: str, color: tuple[float, float, float], tags: dict[str, str]) -> None:
    """Give a vtkSegment its name, colour and tags, the terminology among them."""
    segment.SetName(name)
    segment.SetColor(*color)
    for key, text in tags.items():
        if key != ID_TAG:
            segment.SetTag(key, text)


def _infos(segmentation_node: Any) -> Iterator[tuple[SegmentInfo, Any]]:
    segmentation = segmentation_node.GetSegmentation()
    for value, (segment_id, name) in enumerate(structure_names(segmentation_node).items(), 1):
        segment = segmentation.GetSegment(segment_id)
        yield SegmentInfo(segment_id, name, value, tuple(segment.GetColor()), _tags(segment)), segment


def _tags(segment: Any) -> dict[str, str]:
    """VTK does not list a segment's tags for Python: those are taken that other programs read."""
    names = (
        TERMINOLOGY_TAG,
        slicer.vtkSlicerSegmentationsModuleLogic.GetStatusTagName(),
    )
    texts = {name: vtk.reference("") for name in names}
    return {name: str(text) for name, text in texts.items() if segment.GetTag(name, text) and str(text)}


def _unused(name: str, used: set[str]) -> str:
    number, candidate = 1, name
    while candidate in used:
        number += 1
        candidate = f"{name} ({number})"
    return candidate
