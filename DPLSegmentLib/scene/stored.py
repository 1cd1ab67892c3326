"""A result that was read from files, brought into the scene beside its scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.scene.adding import add_scan, add_segmentation
from DPLSegmentLib.scene.carrying import Crop
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.scene.oriented import occupied, oriented
from DPLSegmentLib.scene.segments import describe


def adding_result(scene: Any, logics: SceneLogics, scan: Volume, found: Segmentation) -> Iterator[Any]:
    """Add a scan, then a segmentation on it, a segment at each step; every step gives the scan node.

    Names, colours and terminology are those of the file. It ends early when a node is deleted on the way.
    """
    scan_node = add_scan(scene, scan)
    yield scan_node
    node = add_segmentation(scene, scan_node) if present(scan_node) else None
    for segment in found.segments:
        if not (present(scan_node) and present(node)):
            return
        segment_id = node.GetSegmentation().AddEmptySegment("", segment.name, segment.color)
        describe(node.GetSegmentation().GetSegment(segment_id), segment.name, segment.color, dict(segment.tags))
        crop = _crop(segment.mask)
        if crop:
            labelmap = oriented(crop.mask, found.ijk_to_ras, crop.start)
            logics.segmentations.SetBinaryLabelmapToSegment(labelmap, node, segment_id)
        yield scan_node


def _crop(mask: np.ndarray) -> Crop | None:
    box = occupied(mask.view(np.uint8))
    if box is None:
        return None
    k, j, i = (part.start for part in box)
    return Crop(mask[box], (k, j, i))
