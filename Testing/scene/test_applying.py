"""Apply is one undo step through the Segment Editor's rules; a result can become a segmentation of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.scene.applying import apply_preview, keep_result
from DPLSegmentLib.scene.editor import LogicEditor
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.scene.scans import ijk_to_ras
from Testing.scene.phantoms import (
    bent,
    block,
    empty,
    everything,
    mask_of,
    moved,
    node_ids,
    result_for,
    slab,
    tilted,
    upright,
)

Add = Callable[..., Any]


@pytest.fixture
def editor(scene: Any, logics: Any, scan: Any, painted: Any) -> Iterator[LogicEditor]:
    editor = LogicEditor(scene, logics.editor, painted, scan)
    yield editor
    editor.close()


@pytest.fixture
def edit(scene: Any, logics: Any, scan: Any) -> Callable[[Any], LogicEditor]:
    return lambda node: LogicEditor(scene, logics.editor, node, scan)


def apply(preview: Preview, target: Any, editor: LogicEditor) -> tuple[str, ...]:
    return apply_preview(preview, target, preview.segment_ids.values(), editor)


def test_apply_is_voxel_exact(scene: Any, logics: Any, any_scan: Any, add_segmentation: Add) -> None:
    random = np.random.default_rng(3)
    target = add_segmentation(any_scan, {"liver": slab(0, 7), "spleen": slab(0, 9, 22)})
    masks = {"liver": random.random((20, 30, 40)) > 0.5, "spleen": random.random((20, 30, 40)) > 0.7}
    preview = Preview(scene, logics, any_scan, target)
    preview.finish(result_for(any_scan, masks))
    apply(preview, target, LogicEditor(scene, logics.editor, target, any_scan))
    for name, mask in masks.items():
        assert np.array_equal(mask_of(target, name, any_scan), mask)


def test_name_colour_and_terminology_stay(preview: Preview, painted: Any, editor: LogicEditor) -> None:
    before = [entry[:4] for entry in everything(painted)]
    changed = apply(preview, painted, editor)
    assert [entry[:4] for entry in everything(painted)] == before
    assert list(changed) == [entry[0] for entry in before]


def test_one_undo_brings_all_segments_back(preview: Preview, painted: Any, scan: Any, editor: LogicEditor) -> None:
    before = everything(painted)
    apply(preview, painted, editor)
    assert mask_of(painted, "liver", scan).sum() > slab(0, 7).sum()
    editor.undo()
    assert everything(painted) == before
    assert np.array_equal(mask_of(painted, "liver", scan), slab(0, 7))
    assert np.array_equal(mask_of(painted, "spleen", scan), slab(0, 9, 22))


def test_nothing_is_left_after_apply_remove_and_undo(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation
) -> None:
    before = node_ids(scene)
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    editor = LogicEditor(scene, logics.editor, painted, scan)
    apply(preview, painted, editor)
    preview.remove()
    editor.undo()
    editor.close()
    assert node_ids(scene) == before


def test_only_the_segments_asked_for_are_changed(
    preview: Preview, painted: Any, scan: Any, editor: LogicEditor
) -> None:
    apply_preview(preview, painted, [preview.segment_ids["liver"]], editor)
    assert np.array_equal(mask_of(painted, "liver", scan), block(3, 12, 5))
    assert np.array_equal(mask_of(painted, "spleen", scan), slab(0, 9, 22))


def test_other_segments_are_kept_by_default(
    scene: Any, logics: Any, scan: Any, add_segmentation: Add, edit: Any
) -> None:
    target = add_segmentation(scan, {"liver": slab(0, 7), "vessel": block(5, 9, 8)})
    preview = Preview(scene, logics, scan, target, {"liver"})
    preview.finish(result_for(scan, {"liver": block(3, 12, 5)}))
    apply(preview, target, edit(target))
    assert np.array_equal(mask_of(target, "vessel", scan), block(5, 9, 8))
    assert np.array_equal(mask_of(target, "liver", scan), block(3, 12, 5))


def test_the_overwrite_mode_of_the_editor_is_followed(
    scene: Any, logics: Any, scan: Any, add_segmentation: Add
) -> None:
    target = add_segmentation(scan, {"liver": slab(0, 7), "vessel": block(5, 9, 8)})
    node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    node.SetOverwriteMode(node.OverwriteAllSegments)
    preview = Preview(scene, logics, scan, target, {"liver"})
    preview.finish(result_for(scan, {"liver": block(3, 12, 5)}))
    apply(preview, target, LogicEditor(scene, logics.editor, target, scan, node))
    assert np.array_equal(mask_of(target, "vessel", scan), block(5, 9, 8) & ~block(3, 12, 5))


def test_painting_is_masked_to_the_inside_of_a_segment(
    scene: Any, logics: Any, scan: Any, add_segmentation: Add, edit: Any
) -> None:
    target = add_segmentation(scan, {"liver": slab(0, 7), "body": block(6, 9, 8)})
    preview = Preview(scene, logics, scan, target, {"liver"})
    preview.finish(result_for(scan, {"liver": block(3, 12, 5)}))
    editor = edit(target)
    editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    editor.node.SetMaskSegmentID(target.GetSegmentation().GetSegmentIdBySegmentName("body"))
    apply(preview, target, editor)
    inside = block(6, 9, 8)
    assert np.array_equal(mask_of(target, "liver", scan), (block(3, 12, 5) & inside) | (slab(0, 7) & ~inside))


def test_the_editable_intensity_range_is_kept_to(
    preview: Preview, painted: Any, scan: Any, editor: LogicEditor
) -> None:
    array = slicer.util.arrayFromVolume(scan)
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(0, float(array[6].max()))
    apply(preview, painted, editor)
    allowed = array <= array[6].max()
    assert np.array_equal(mask_of(painted, "liver", scan), (block(3, 12, 5) & allowed) | slab(0, 7))


def test_a_segment_of_which_nothing_was_found_stays_as_painted(
    scene: Any, logics: Any, scan: Any, painted: Any, editor: LogicEditor
) -> None:
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result_for(scan, {"liver": block(3, 12, 5), "spleen": empty((20, 30, 40))}))
    apply(preview, painted, editor)
    assert np.array_equal(mask_of(painted, "spleen", scan), slab(0, 9, 22))


def test_nothing_found_at_all_is_said(scene: Any, logics: Any, scan: Any, painted: Any, editor: LogicEditor) -> None:
    preview = Preview(scene, logics, scan, painted)
    with pytest.raises(SceneError, match="Nothing was found in CT"):
        apply(preview, painted, editor)
    with pytest.raises(SceneError, match="Nothing was found in CT"):
        keep_result(preview, "result")


def test_a_segmentation_without_a_grid_takes_that_of_the_scan(
    scene: Any, preview: Preview, scan: Any, edit: Any
) -> None:
    target = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "new")
    apply(preview, target, edit(target))
    assert target.GetNodeReference(target.GetReferenceImageGeometryReferenceRole()) == scan
    assert np.array_equal(mask_of(target, "liver", scan), block(3, 12, 5))
    assert [entry[:4] for entry in everything(target)] == [entry[:4] for entry in everything(preview.node)]


def test_a_segment_of_the_same_name_is_taken_in_another_target(
    preview: Preview, scan: Any, add_segmentation: Add, edit: Any
) -> None:
    target = add_segmentation(scan, {"liver": slab(0, 3)})
    apply_preview(preview, target, [preview.segment_ids["liver"]], edit(target))
    assert [entry[1] for entry in everything(target)] == ["liver"]
    assert np.array_equal(mask_of(target, "liver", scan), block(3, 12, 5))


def test_a_segmentation_of_another_scan_keeps_its_own_grid(
    scene: Any, logics: Any, preview: Preview, add_scan: Add, add_segmentation: Add
) -> None:
    other = add_scan("other", upright() @ np.diag([2.0, 2.0, 1.0, 1.0]), (20, 20, 20))
    target = add_segmentation(other, {"liver": slab(0, 3, shape=(20, 20, 20))})
    apply(preview, target, LogicEditor(scene, logics.editor, target, other))
    assert target.GetNodeReference(target.GetReferenceImageGeometryReferenceRole()) == other
    found = mask_of(target, "liver", other)
    assert np.array_equal(np.flatnonzero(found.any(axis=(1, 2))), np.arange(3, 13))
    assert 4 * found.sum() == pytest.approx(block(3, 12, 5).sum(), rel=0.25)


def test_a_segmentation_elsewhere_is_said_and_left_alone(
    scene: Any, logics: Any, preview: Preview, add_scan: Add, add_segmentation: Add
) -> None:
    far = upright()
    far[:3, 3] += 500
    other = add_scan("other", far)
    target = add_segmentation(other, {"liver": slab(0, 3)})
    before = everything(target)
    with pytest.raises(SceneError, match="lies outside Segmentation"):
        apply(preview, target, LogicEditor(scene, logics.editor, target, other))
    assert everything(target) == before


def test_scan_and_segmentation_under_one_transform_stay_exact(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation, editor: LogicEditor
) -> None:
    parent = bent(scene, "grid", (1.0, 2.0, 3.0))
    for node in (scan, painted):
        node.SetAndObserveTransformNodeID(parent.GetID())
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    apply(preview, painted, editor)
    assert np.array_equal(mask_of(painted, "liver", scan), block(3, 12, 5))


def test_a_result_is_applied_where_it_is_seen_when_only_the_scan_was_moved(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation, editor: LogicEditor
) -> None:
    scan.SetAndObserveTransformNodeID(moved(scene, (0, 0, 6.0)).GetID())
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    apply(preview, painted, editor)
    scan.SetAndObserveTransformNodeID(None)
    assert np.array_equal(mask_of(painted, "liver", scan), block(5, 14, 5))


def test_a_result_is_applied_where_it_is_seen_when_only_the_scan_was_bent(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation, editor: LogicEditor
) -> None:
    scan.SetAndObserveTransformNodeID(bent(scene, "grid", (0, 0, 6.0)).GetID())
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    apply(preview, painted, editor)
    scan.SetAndObserveTransformNodeID(None)
    assert np.array_equal(mask_of(painted, "liver", scan), block(5, 14, 5))


def test_deleted_targets_and_previews_are_said(
    scene: Any, preview: Preview, painted: Any, scan: Any, editor: LogicEditor
) -> None:
    with pytest.raises(SceneError, match="There is no segmentation"):
        apply(preview, None, editor)
    preview.remove()
    with pytest.raises(SceneError, match="preview for CT was deleted"):
        apply(preview, painted, editor)
    scene.RemoveNode(painted)
    with pytest.raises(SceneError, match="was deleted"):
        apply(preview, painted, editor)
    with pytest.raises(SceneError, match="was deleted"):
        editor.save_state_for_undo()


def test_a_kept_result_is_a_segmentation_of_its_own(scene: Any, preview: Preview, scan: Any) -> None:
    node = keep_result(preview, "CT organs")
    preview.remove()
    assert node.GetScene() == scene
    assert node.GetName() == "CT organs"
    assert node.GetSaveWithScene() and node.GetDisplayNode().GetSaveWithScene()
    assert not preview.alive and preview.confidence_node is None
    assert np.array_equal(mask_of(node, "liver", scan), block(3, 12, 5))


def test_a_kept_result_joins_the_study_of_its_scan(scene: Any, preview: Preview, scan: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    study = hierarchy.CreateStudyItem(patient, "study")
    hierarchy.CreateItem(study, scan)
    node = keep_result(preview, "organs")
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_an_applied_segmentation_joins_the_study_of_its_scan(
    scene: Any, preview: Preview, painted: Any, scan: Any, editor: LogicEditor
) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, scan)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), painted)
    apply(preview, painted, editor)
    assert hierarchy.GetItemParent(item) == study


def test_an_applied_result_survives_its_file(
    scene: Any, preview: Preview, painted: Any, scan: Any, editor: LogicEditor, tmp_path: Path
) -> None:
    apply(preview, painted, editor)
    masks = {name: mask_of(painted, name, scan) for name in ("liver", "spleen")}
    painted.AddDefaultStorageNode()
    storage = painted.GetStorageNode()
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    assert storage.WriteData(painted)
    read = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "read")
    storage.ReadData(read)
    assert [entry[1:] for entry in everything(read)] == [entry[1:] for entry in everything(painted)]
    assert all(np.array_equal(mask_of(read, name, scan), mask) for name, mask in masks.items())
    parameter = "Reference image geometry"
    first, second = (node.GetSegmentation().GetConversionParameter(parameter) for node in (painted, read))
    assert np.allclose(numbers(first), numbers(second), atol=1e-6)
    assert painted.GetNodeReference(painted.GetReferenceImageGeometryReferenceRole()) == scan


def test_a_reformatted_result_is_applied_as_it_is(
    scene: Any, logics: Any, oblique_scan: Any, add_segmentation: Add
) -> None:
    mask = tilted(oblique_scan)
    target = add_segmentation(oblique_scan, {"liver": mask})
    preview = Preview(scene, logics, oblique_scan, target)
    preview.finish(result_for(oblique_scan, {"liver": mask | block(8, 11, 14)}))
    apply(preview, target, LogicEditor(scene, logics.editor, target, oblique_scan))
    assert np.array_equal(mask_of(target, "liver", oblique_scan), mask | block(8, 11, 14))
    assert np.allclose(ijk_to_ras(oblique_scan), preview.ijk_to_ras)


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(";") if part]


def test_a_target_under_another_transform_gets_the_result_where_it_is_seen(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation, editor: LogicEditor
) -> None:
    painted.SetAndObserveTransformNodeID(moved(scene, (0, 0, -6.0)).GetID())
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    apply(preview, painted, editor)
    assert np.array_equal(mask_of(painted, "liver", scan), block(3, 12, 5))
