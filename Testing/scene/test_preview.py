"""The preview shows what Apply would keep, cheaply while it grows, and leaves no trace."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.propagation.types import Propagation, SliceResult
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.scene.scans import ijk_to_ras
from Testing.scene.phantoms import block, empty, everything, mask_of, moved, node_ids, oblique, result_for, slab

Add = Callable[..., Any]


@pytest.fixture
def preview(scene: Any, logics: Any, scan: Any, painted: Any) -> Preview:
    return Preview(scene, logics, scan, painted)


def test_segments_are_copied_with_all_they_are_called(preview: Preview, painted: Any) -> None:
    named = [entry[:4] for entry in everything(painted)]
    assert [entry[:4] for entry in everything(preview.node)] == named
    assert preview.node.GetName() == "CT DPLSegment preview"


def test_only_the_structures_asked_for_are_shown(scene: Any, logics: Any, scan: Any, painted: Any) -> None:
    assert list(Preview(scene, logics, scan, painted, {"spleen"}).segment_ids) == ["spleen"]


def test_a_preview_starts_empty_and_on_the_grid_of_the_scan(preview: Preview, scan: Any) -> None:
    assert not mask_of(preview.node, "liver", scan).any()
    role = preview.node.GetReferenceImageGeometryReferenceRole()
    assert preview.node.GetNodeReference(role) == scan


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_streamed_slice_is_shown_at_once(preview: Preview, scan: Any, axis: int) -> None:
    mask = slab(axis, 6)
    events: list[str] = []
    segmentation = preview.node.GetSegmentation()
    segmentation.AddObserver(slicer.vtkSegmentation.SourceRepresentationModified, lambda *_: events.append("told"))
    preview.add_slice(SliceResult("liver", axis, 6, np.moveaxis(mask, axis, 0)[6], 0.9))
    assert np.array_equal(mask_of(preview.node, "liver", scan), mask)
    assert not mask_of(preview.node, "spleen", scan).any()
    assert events


def test_a_slice_that_comes_again_replaces_the_first(preview: Preview, scan: Any) -> None:
    preview.add_slice(SliceResult("liver", 0, 6, np.ones((30, 40), bool), 0.9))
    preview.add_slice(SliceResult("liver", 0, 6, slab(0, 6)[6], 0.9))
    assert np.array_equal(mask_of(preview.node, "liver", scan), slab(0, 6))


def test_a_structure_that_was_not_painted_here_gets_a_segment(scene: Any, logics: Any, scan: Any) -> None:
    preview = Preview(scene, logics, scan)
    preview.add_slice(SliceResult("liver", 0, 6, slab(0, 6)[6], 0.9))
    preview.finish(result_for(scan, {"liver": block(3, 9, 5), "spleen": block(3, 9, 22)}))
    assert np.array_equal(mask_of(preview.node, "spleen", scan), block(3, 9, 22))


def test_the_finished_result_is_voxel_exact(scene: Any, logics: Any, any_scan: Any, add_segmentation: Add) -> None:
    random = np.random.default_rng(3)
    masks = {"liver": random.random((20, 30, 40)) > 0.5, "spleen": random.random((20, 30, 40)) > 0.7}
    source = add_segmentation(any_scan, {"liver": slab(0, 7), "spleen": slab(0, 9, 22)})
    preview = Preview(scene, logics, any_scan, source)
    preview.add_slice(SliceResult("liver", 0, 6, np.ones((30, 40), bool), 0.9))
    preview.finish(result_for(any_scan, masks))
    for name, mask in masks.items():
        assert np.array_equal(mask_of(preview.node, name, any_scan), mask)


def test_a_result_can_be_finished_twice(preview: Preview, scan: Any, result: Propagation) -> None:
    overlapping = result_for(scan, {"liver": block(3, 12, 5), "spleen": block(2, 9, 8)})
    preview.finish(overlapping)
    preview.finish(result)
    assert np.array_equal(mask_of(preview.node, "spleen", scan), block(5, 14, 22))
    assert preview.node.GetSegmentation().GetNumberOfLayers() == 1


def test_a_structure_that_was_not_found_is_empty(preview: Preview, scan: Any) -> None:
    preview.finish(result_for(scan, {"liver": block(3, 12, 5), "spleen": empty((20, 30, 40))}))
    assert not mask_of(preview.node, "spleen", scan).any()
    assert preview.crop_of(preview.segment_ids["spleen"]) is None


def test_the_confidence_is_a_volume_on_the_scan(scene: Any, logics: Any, oblique_scan: Any) -> None:
    preview = Preview(scene, logics, oblique_scan)
    result = result_for(oblique_scan, {"liver": block(3, 12, 5)})
    assert preview.confidence_node is None
    preview.finish(result)
    assert np.array_equal(slicer.util.arrayFromVolume(preview.confidence_node), result.confidence.array)
    assert np.allclose(ijk_to_ras(preview.confidence_node), ijk_to_ras(oblique_scan))


def test_the_preview_lies_under_the_transform_of_the_scan(scene: Any, logics: Any, scan: Any) -> None:
    parent = moved(scene, (5, 6, 7))
    scan.SetAndObserveTransformNodeID(parent.GetID())
    preview = Preview(scene, logics, scan)
    preview.finish(result_for(scan, {"liver": block(3, 12, 5)}))
    assert preview.node.GetParentTransformNode() == parent
    assert preview.confidence_node.GetParentTransformNode() == parent
    assert np.array_equal(mask_of(preview.node, "liver", scan), block(3, 12, 5))


def test_the_middle_of_what_is_shown_in_a_slice_is_known(preview: Preview) -> None:
    assert preview.centre(0, 4) == (19.5, 14.5, 4)
    preview.add_slice(SliceResult("liver", 0, 4, slab(0, 4)[4], 0.9))
    assert preview.centre(0, 4) == (10, 9.5, 4)


def test_removing_leaves_the_scene_as_it_was(
    scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation
) -> None:
    before = node_ids(scene)
    preview = Preview(scene, logics, scan, painted)
    preview.add_slice(SliceResult("liver", 0, 6, slab(0, 6)[6], 0.9))
    preview.finish(result)
    assert len(node_ids(scene)) > len(before)
    preview.remove()
    preview.remove()
    assert node_ids(scene) == before


def test_a_preview_is_not_saved_with_the_scene(preview: Preview, result: Propagation) -> None:
    preview.finish(result)
    shown = [preview.node, preview.node.GetDisplayNode(), preview.confidence_node]
    shown += [preview.confidence_node.GetDisplayNode(), preview.confidence_node.GetDisplayNode().GetColorNode()]
    assert not any(node.GetSaveWithScene() for node in shown)


@pytest.mark.parametrize("how", ["deleted", "closed", "removed"])
def test_a_preview_that_has_gone_drops_slices_and_says_so_at_the_end(
    scene: Any, preview: Preview, result: Propagation, how: str
) -> None:
    {"deleted": lambda: scene.RemoveNode(preview.node), "closed": lambda: scene.Clear(0), "removed": preview.remove}[
        how
    ]()
    preview.add_slice(SliceResult("liver", 0, 6, slab(0, 6)[6], 0.9))
    preview.set_opacity(0.3)
    assert not preview.alive
    with pytest.raises(SceneError, match="CT was deleted: press Propagate"):
        preview.finish(result)
    with pytest.raises(SceneError):
        preview.crop_of("liver")
    with pytest.raises(SceneError):
        preview.release()
    preview.remove()


def test_a_preview_outlives_its_scan(scene: Any, preview: Preview, scan: Any, result: Propagation) -> None:
    scene.RemoveNode(scan)
    preview.finish(result)
    assert preview.crop_of(preview.segment_ids["liver"]).mask.sum() == block(3, 12, 5).sum()


def test_a_segment_deleted_under_way_comes_back(preview: Preview, scan: Any, result: Propagation) -> None:
    preview.node.GetSegmentation().RemoveSegment(preview.segment_ids["liver"])
    preview.add_slice(SliceResult("liver", 0, 6, slab(0, 6)[6], 0.9))
    preview.finish(result)
    assert np.array_equal(mask_of(preview.node, "liver", scan), block(3, 12, 5))


def test_a_result_of_another_size_is_refused(preview: Preview, scan: Any) -> None:
    with pytest.raises(SceneError, match="does not have the size of CT"):
        preview.finish(result_for(scan, {"liver": np.ones((3, 4, 5), bool)}))


def test_slices_of_a_large_scan_are_shown_within_twenty_milliseconds(scene: Any, logics: Any, add_scan: Add) -> None:
    shape = (200, 512, 512)
    scan = add_scan("large", oblique(), shape)
    preview = Preview(scene, logics, scan)
    mask = np.zeros((512, 512), bool)
    mask[100:300, 150:350] = True
    preview.add_slice(SliceResult("liver", 0, 99, mask, 0.9))
    started = time.process_time()
    for index in range(100, 120):
        preview.add_slice(SliceResult("liver", 0, index, mask, 0.9))
    assert (time.process_time() - started) / 20 < 0.02
