"""The bundled CT with one painted slice per organ."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.scene.adding import add_scan, add_segmentation
from DPLSegmentLib.scene.carrying import Crop
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.oriented import occupied, oriented
from DPLSegmentLib.scene.segments import TERMINOLOGY_TAG

ORGANS = ("liver", "spleen", "right kidney", "left kidney")

_CT, _LABELS = "example_ct.nii.gz", "example_ct-labels.nii.gz"
_SOFT_TISSUE = (350, 40)
_COLORS = {
    "liver": (0.87, 0.51, 0.40),
    "spleen": (0.62, 0.42, 0.47),
    "right kidney": (0.73, 0.40, 0.18),
    "left kidney": (0.85, 0.63, 0.25),
}
_CODES = {
    "liver": "SCT^10200004^Liver~^^",
    "spleen": "SCT^78961009^Spleen~^^",
    "right kidney": "SCT^64033007^Kidney~SCT^24028007^Right",
    "left kidney": "SCT^64033007^Kidney~SCT^7771000^Left",
}
_TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^123037004^Anatomical Structure~{}~Anatomic codes - DICOM master list~^^~^^"
)


def load_sample(scene: Any, segments_logic: Any, folder: Path, organs: Collection[str] = ORGANS) -> tuple[Any, Any]:
    """The scan node and a segmentation node with the largest axial slice of each organ painted, as a user would.

    Raises SceneError when the files in `folder` are missing or damaged.
    """
    try:
        scan, labels = read_volume(folder / _CT), read_segmentation(folder / _LABELS)
    except (ImageError, OSError) as error:
        raise SceneError(f"The sample scan cannot be read ({error}): install the extension again.") from error
    scan_node = _add_scan(scene, scan)
    segmentation_node = add_segmentation(scene, scan_node, "painted")
    for segment in labels.segments:
        if segment.name in organs:
            _add_painted(segmentation_node, segment, scan, segments_logic)
    return scan_node, segmentation_node


def _add_scan(scene: Any, scan: Volume) -> Any:
    node = add_scan(scene, scan, "DPLSegment example CT")
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(*_SOFT_TISSUE)
    return node


def _add_painted(node: Any, segment: Segment, scan: Volume, segments_logic: Any) -> None:
    color = _COLORS.get(segment.name, segment.color)
    segment_id = node.GetSegmentation().AddEmptySegment("", segment.name, color)
    if segment.name in _CODES:
        node.GetSegmentation().GetSegment(segment_id).SetTag(TERMINOLOGY_TAG, _TERMINOLOGY.format(_CODES[segment.name]))
    crop = _largest_slice(segment.mask)
    labelmap = oriented(crop.mask, scan.ijk_to_ras, crop.start)
    segments_logic.SetBinaryLabelmapToSegment(labelmap, node, segment_id)


def _largest_slice(mask: np.ndarray) -> Crop:
    index = int(np.argmax(mask.sum(axis=(1, 2))))
    box = occupied(mask[index : index + 1].view(np.uint8))
    if box is None:
        return Crop(mask[:1, :1, :1], (0, 0, 0))
    return Crop(mask[index : index + 1][box], (index, box[1].start, box[2].start))
