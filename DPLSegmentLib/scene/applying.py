"""What becomes of a preview: into the segmentation that was painted, or a segmentation of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import slicer

from DPLSegmentLib.scene.carrying import Crop
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.hierarchy import put_beside
from DPLSegmentLib.scene.nodes import checked
from DPLSegmentLib.scene.oriented import oriented
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.scene.reference import reference_grid
from DPLSegmentLib.scene.segments import BINARY, check_labelmaps, structure_names


def apply_preview(
    preview: Preview, target_segmentation: Any, segment_ids: Iterable[str], editor: EditorSeam
) -> tuple[str, ...]:
    """Set segments to what the preview shows of them, in one undo step, and return the ids changed in the target.

    The ids are the preview's, which are those of the segmentation it was made from; in another target the segment of
    the same name is changed, or a new one made. Segments of which nothing was found stay as they are. The target keeps
    its own grid, or takes the scan's when it has none. The preview stays; `preview.remove()` ends it.
    Raises SceneError, with no segment changed, when a node has gone or nothing can be applied.
    """
    checked(target_segmentation, "vtkMRMLSegmentationNode", "segmentation")
    check_labelmaps(target_segmentation)
    crops = _crops(preview, segment_ids)
    _set_reference(preview, target_segmentation)
    labelmaps = _labelmaps(preview, target_segmentation, crops)
    editor.save_state_for_undo()
    changed = {_target_id(preview, target_segmentation, key): labelmap for key, labelmap in labelmaps.items()}
    for target_id, labelmap in changed.items():
        editor.modify(target_segmentation, target_id, labelmap, "set")
    if _scan_is_here(preview, target_segmentation):
        put_beside(target_segmentation.GetScene(), target_segmentation, preview.scan_node)
    return tuple(changed)


def keep_result(preview: Preview, name: str) -> Any:
    """Turn the preview into a segmentation of its own, in the subject hierarchy beside its scan, and return its node.

    Raises SceneError when the preview has gone or shows nothing.
    """
    _crops(preview, preview.segment_ids.values())
    node = preview.release()
    node.SetName(preview.scene.GenerateUniqueName(name))
    if _scan_is_here(preview, node):
        put_beside(preview.scene, node, preview.scan_node)
    return node


def _crops(preview: Preview, segment_ids: Iterable[str]) -> dict[str, Crop]:
    shown = {segment_id: preview.crop_of(segment_id) for segment_id in segment_ids}
    crops = {segment_id: crop for segment_id, crop in shown.items() if crop}
    if not crops:
        raise SceneError(f"Nothing was found in {preview.name}: paint one more slice of the structure and try again.")
    return crops


def _set_reference(preview: Preview, target: Any) -> None:
    """A target without a grid takes the scan's; one on the same grid is told which scan that is, for DICOM export."""
    if not _scan_is_here(preview, target):
        return
    grid = reference_grid(target)
    if grid is None or grid.agrees_with(preview.node, preview.ijk_to_ras, preview.shape):
        target.SetReferenceImageGeometryParameterFromVolumeNode(preview.scan_node)


def _scan_is_here(preview: Preview, node: Any) -> bool:
    scene = preview.scan_node.GetScene()
    return scene is not None and scene == node.GetScene()


def _labelmaps(preview: Preview, target: Any, crops: Mapping[str, Crop]) -> dict[str, Any]:
    """The crops as images on the target's grid."""
    grid, own = reference_grid(target), preview.ijk_to_ras
    if grid is None:
        return {key: oriented(crop.mask, own, crop.start) for key, crop in crops.items()}
    moved = {key: grid.labelmap(crop, preview.node, own) for key, crop in crops.items()}
    labelmaps = {key: image for key, image in moved.items() if image is not None}
    if not labelmaps:
        raise SceneError(
            f"The result for {preview.name} lies outside {target.GetName()}, which was made for another scan: "
            "choose a new segmentation to apply it to."
        )
    return labelmaps


def _target_id(preview: Preview, target: Any, segment_id: str) -> str:
    """The segment of the target that is meant, a new one where there is none of this id or name."""
    segmentation = target.GetSegmentation()
    names = {name: own_id for own_id, name in structure_names(target).items()}
    name = next(name for name, own_id in preview.segment_ids.items() if own_id == segment_id)
    found = segment_id if segmentation.GetSegment(segment_id) else names.get(name)
    if found:
        return found
    segment = slicer.vtkSegment()
    segment.DeepCopyMetadata(preview.node.GetSegmentation().GetSegment(segment_id))
    segmentation.SetSourceRepresentationName(BINARY)
    segmentation.AddSegment(segment, segment_id)
    return segmentation.GetSegmentIdBySegment(segment)
