"""What is painted is found by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import vtk

from DPLSegmentLib.images.axes import axis_name
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.oriented import oriented
from DPLSegmentLib.scene.painting import find_painting
from DPLSegmentLib.scene.scans import ijk_to_ras
from DPLSegmentLib.scene.segments import ID_TAG
from Testing.scene.phantoms import bent, block, empty, moved, oblique, slab, tilted, upright

Add = Callable[..., Any]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_painted_slice_is_found_along_each_axis(any_scan: Any, add_segmentation: Add, axis: int) -> None:
    mask = slab(axis, 6)
    painting = find_painting(add_segmentation(any_scan, {"liver": mask}), any_scan)
    (found,) = painting.slices
    assert (found.axis, found.index, found.segments) == (axis, 6, ("liver",))
    assert found.view == axis_name(ijk_to_ras(any_scan), axis).capitalize()
    assert np.array_equal(painting.support(painting.slices).segments[0].mask, mask)


def test_the_position_is_that_of_the_slice_view(scan: Any, add_segmentation: Add) -> None:
    nodes = [find_painting(add_segmentation(scan, {"a": slab(axis, 6)}), scan).slices[0] for axis in range(3)]
    assert [round(found.position_mm, 3) for found in nodes] == [-82.0, 54.6, 45.2]
    assert [found.view for found in nodes] == ["Axial", "Coronal", "Sagittal"]


def test_segments_on_different_slices_are_told_apart(scan: Any, painted: Any) -> None:
    painting = find_painting(painted, scan)
    assert [(found.index, found.segments) for found in painting.slices] == [(7, ("liver",)), (9, ("spleen",))]
    only_spleen = painting.support(painting.slices[1:])
    assert [segment.name for segment in only_spleen.segments] == ["spleen"]


def test_segments_on_the_same_slice_are_one_entry(scan: Any, add_segmentation: Add) -> None:
    node = add_segmentation(scan, {"liver": slab(0, 7), "spleen": slab(0, 7, 22)})
    (found,) = find_painting(node, scan).slices
    assert found.segments == ("liver", "spleen")


def test_segments_that_overlap_keep_all_they_have(scan: Any, add_segmentation: Add) -> None:
    node = add_segmentation(scan, {"liver": slab(0, 7), "lesion": slab(0, 7, 8)})
    painting = find_painting(node, scan)
    masks = [segment.mask for segment in painting.support(painting.slices).segments]
    assert np.array_equal(masks[0], slab(0, 7)) and np.array_equal(masks[1], slab(0, 7, 8))


def test_many_isolated_slices_of_one_segment_are_slices(scan: Any, add_segmentation: Add) -> None:
    mask = np.logical_or.reduce([slab(0, index) for index in range(0, 20, 2)])
    assert [found.index for found in find_painting(add_segmentation(scan, {"a": mask}), scan).slices] == list(
        range(0, 20, 2)
    )


def test_a_few_neighbouring_slices_are_slices(scan: Any, add_segmentation: Add) -> None:
    mask = np.logical_or.reduce([slab(0, index) for index in (7, 8, 9)])
    painting = find_painting(add_segmentation(scan, {"a": mask}), scan)
    assert [(found.axis, found.index) for found in painting.slices] == [(0, 7), (0, 8), (0, 9)]
    assert painting.full == ()


def test_slices_of_two_axes_that_cross_are_both_found(scan: Any, add_segmentation: Add) -> None:
    axial, coronal = slab(0, 7), slab(1, 10)
    painting = find_painting(add_segmentation(scan, {"a": axial | coronal}), scan)
    assert [(found.axis, found.index) for found in painting.slices] == [(0, 7), (1, 10)]
    assert np.array_equal(painting.support(painting.slices).segments[0].mask, axial | coronal)


def test_a_whole_organ_is_named_and_one_slice_of_it_can_be_used(scan: Any, add_segmentation: Add) -> None:
    painting = find_painting(add_segmentation(scan, {"liver": block(3, 14, 5), "spleen": slab(0, 9, 22)}), scan)
    assert painting.full == ("liver",)
    assert [found.segments for found in painting.slices] == [("spleen",)]
    one = painting.only(0, 9)
    assert [(found.index, found.segments) for found in one.slices] == [(9, ("liver", "spleen"))]
    assert one.full == ()
    masks = [segment.mask for segment in one.support(one.slices).segments]
    assert np.array_equal(np.flatnonzero(masks[0].any(axis=(1, 2))), [9])
    assert painting.only(0, 19).slices == ()


def test_a_reformatted_plane_is_recognised(any_scan: Any, add_segmentation: Add) -> None:
    mask = tilted(any_scan)
    painting = find_painting(add_segmentation(any_scan, {"liver": mask}), any_scan)
    (found,) = painting.slices
    assert (found.view, found.axis, found.index, found.segments) == ("Reformatted", -1, 0, ("liver",))
    assert np.array_equal(painting.support(painting.slices).segments[0].mask, mask)


def test_two_neighbouring_slices_of_unlike_size_are_no_reformatted_plane(scan: Any, add_segmentation: Add) -> None:
    mask = slab(0, 7)
    mask[8, 6:8, 5:8] = True
    painting = find_painting(add_segmentation(scan, {"liver": mask}), scan)
    assert [(found.axis, found.index) for found in painting.slices] == [(0, 7), (0, 8)]


def test_name_colour_terminology_and_id_are_kept(scan: Any, painted: Any) -> None:
    painting = find_painting(painted, scan)
    segment = painting.support(painting.slices).segments[1]
    stored = painted.GetSegmentation().GetSegment(segment.tags[ID_TAG])
    assert (segment.name, segment.value) == ("spleen", 2)
    assert segment.color == pytest.approx(stored.GetColor())
    assert segment.tags["TerminologyEntry"] == stored.GetTerminology()


def test_segments_of_one_name_are_numbered(scan: Any, add_segmentation: Add) -> None:
    node = add_segmentation(scan, {"tumour": slab(0, 7), "b": slab(0, 7, 22)})
    node.GetSegmentation().GetNthSegment(1).SetName("tumour")
    assert find_painting(node, scan).slices[0].segments == ("tumour", "tumour (2)")


def test_nothing_painted_is_an_empty_painting(scan: Any, add_segmentation: Add) -> None:
    painting = find_painting(add_segmentation(scan, {"liver": empty((20, 30, 40))}), scan)
    assert (painting.slices, painting.full) == ((), ())
    with pytest.raises(SceneError, match="paint a structure on one slice"):
        painting.support(())


def test_no_segments_at_all_is_an_empty_painting(scene: Any, scan: Any) -> None:
    assert find_painting(scene.AddNewNodeByClass("vtkMRMLSegmentationNode"), scan).slices == ()


def test_an_erased_segment_is_not_painted(scan: Any, painted: Any, logics: Any) -> None:
    segment_id = painted.GetSegmentation().GetNthSegmentID(0)
    blank = oriented(empty((20, 30, 40)), ijk_to_ras(scan))
    logics.segmentations.SetBinaryLabelmapToSegment(blank, painted, segment_id)
    assert [found.segments for found in find_painting(painted, scan).slices] == [("spleen",)]


def test_a_cropped_labelmap_of_larger_extent_than_the_scan_is_cut(scan: Any, add_segmentation: Add) -> None:
    mask = slab(0, 7, shape=(20, 60, 80))
    mask[7, 40:50, 50:70] = True
    painting = find_painting(add_segmentation(scan, {"a": mask}), scan)
    assert np.array_equal(painting.support(painting.slices).segments[0].mask, mask[:, :30, :40])


def test_painting_outside_the_scan_is_said(scan: Any, add_segmentation: Add) -> None:
    far = upright()
    far[:3, 3] += 1000
    node = add_segmentation(scan, {"a": slab(0, 7)}, grid=far)
    with pytest.raises(SceneError, match="lies outside CT"):
        find_painting(node, scan)


def test_a_segment_outside_the_scan_is_named_beside_one_inside(scan: Any, add_segmentation: Add) -> None:
    node = add_segmentation(scan, {"liver": slab(0, 7), "stray": slab(0, 50, shape=(60, 30, 40))})
    painting = find_painting(node, scan)
    assert painting.outside == ("stray",)
    assert [found.segments for found in painting.slices] == [("liver",)]


def test_a_coarser_segmentation_fills_the_slices_it_covers(scan: Any, add_segmentation: Add) -> None:
    coarse = upright() @ np.diag([2.0, 2.0, 1.0, 1.0])
    node = add_segmentation(None, {"a": slab(0, 7, shape=(20, 15, 20))}, grid=coarse)
    painting = find_painting(node, scan)
    assert [(found.axis, found.index) for found in painting.slices] == [(0, 7)]
    small, large = slab(0, 7, shape=(20, 15, 20)).sum(), painting.support(painting.slices).segments[0].mask.sum()
    assert large == pytest.approx(4 * small, rel=0.15)


@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5, 0.75])
def test_a_slice_painted_between_coarser_slices_is_not_lost(scan: Any, add_segmentation: Add, offset: float) -> None:
    fine = upright() @ np.diag([1.0, 1.0, 0.25, 1.0])
    fine[2, 3] += 3 * offset
    painting = find_painting(add_segmentation(None, {"a": slab(0, 40, shape=(80, 30, 40))}, grid=fine), scan)
    assert [(found.axis, found.index in (10, 11)) for found in painting.slices] == [(0, True)]


def test_the_same_parent_transform_changes_nothing_but_the_position(scene: Any, scan: Any, painted: Any) -> None:
    before = find_painting(painted, scan)
    parent = moved(scene, (0, 0, 12.0))
    for node in (scan, painted):
        node.SetAndObserveTransformNodeID(parent.GetID())
    after = find_painting(painted, scan)
    assert [found.index for found in after.slices] == [7, 9]
    assert after.slices[0].position_mm == pytest.approx(before.slices[0].position_mm + 12)
    same_masks(before, after)


def test_a_scan_moved_without_its_segmentation_is_painted_where_it_is_seen(scene: Any, scan: Any, painted: Any) -> None:
    before = find_painting(painted, scan)
    scan.SetAndObserveTransformNodeID(moved(scene, (0, 0, 6.0)).GetID())
    after = find_painting(painted, scan)
    assert [found.index for found in after.slices] == [5, 7]
    assert after.slices[0].position_mm == pytest.approx(before.slices[0].position_mm)


def test_a_scan_turned_away_from_its_segmentation_shows_a_reformatted_plane(
    scene: Any, scan: Any, add_segmentation: Add
) -> None:
    node = add_segmentation(scan, {"a": slab(1, 15)})
    turn = vtk.vtkTransform()
    turn.Translate(30, 30, -70)
    turn.RotateX(25)
    turn.Translate(-30, -30, 70)
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    parent.SetMatrixTransformToParent(turn.GetMatrix())
    scan.SetAndObserveTransformNodeID(parent.GetID())
    assert [found.view for found in find_painting(node, scan).slices] == ["Reformatted"]


@pytest.mark.parametrize("kind", ["grid", "bspline"])
def test_painting_under_a_bent_transform_comes_through_world(scene: Any, scan: Any, painted: Any, kind: str) -> None:
    painted.SetAndObserveTransformNodeID(bent(scene, kind, (0.0, 0.0, 6.0)).GetID())
    found = find_painting(painted, scan)
    assert [each.index for each in found.slices] == [9, 11]
    assert np.array_equal(found.support(found.slices).segments[0].mask, np.roll(slab(0, 7), 2, axis=0))


@pytest.mark.parametrize("kind", ["grid", "bspline"])
def test_a_scan_under_a_bent_transform_is_painted_where_it_is_seen(
    scene: Any, scan: Any, painted: Any, kind: str
) -> None:
    scan.SetAndObserveTransformNodeID(bent(scene, kind, (0.0, 0.0, 6.0)).GetID())
    assert [each.index for each in find_painting(painted, scan).slices] == [5, 7]


def test_the_same_bent_transform_changes_no_voxel(scene: Any, scan: Any, painted: Any) -> None:
    before = find_painting(painted, scan)
    parent = bent(scene, "grid", (0.0, 3.3, 6.0))
    for node in (scan, painted):
        node.SetAndObserveTransformNodeID(parent.GetID())
    same_masks(before, find_painting(painted, scan))


def test_surfaces_are_refused(scan: Any, painted: Any) -> None:
    painted.CreateClosedSurfaceRepresentation()
    painted.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(SceneError, match="Segmentation holds surfaces"):
        find_painting(painted, scan)


def test_deleted_nodes_are_said(scene: Any, scan: Any, painted: Any) -> None:
    scene.RemoveNode(painted)
    with pytest.raises(SceneError, match="segmentation Segmentation was deleted"):
        find_painting(painted, scan)
    with pytest.raises(SceneError, match="There is no segmentation"):
        find_painting(None, scan)


def test_a_large_scan_is_looked_through_at_once(add_scan: Add, add_segmentation: Add) -> None:
    shape = (200, 512, 512)
    scan = add_scan("large", oblique(), shape)
    masks = {}
    for number in range(4):
        masks[f"organ {number}"] = empty(shape)
        masks[f"organ {number}"][60 + 20 * number, 100:300, 100 + 60 * number : 150 + 60 * number] = True
    node = add_segmentation(scan, masks)
    find_painting(node, scan)
    started = time.process_time()
    painting = find_painting(node, scan)
    assert time.process_time() - started < 0.15
    assert len(painting.slices) == 4


def same_masks(before: Any, after: Any) -> None:
    pairs = zip(before.support(before.slices).segments, after.support(after.slices).segments, strict=True)
    assert all(np.array_equal(a.mask, b.mask) for a, b in pairs)


@pytest.mark.parametrize("moved_node", ["scan", "segmentation"])
def test_a_bent_transform_leaves_the_error_log_empty(
    scene: Any, scan: Any, painted: Any, capfd: pytest.CaptureFixture[str], moved_node: str
) -> None:
    node = scan if moved_node == "scan" else painted
    node.SetAndObserveTransformNodeID(bent(scene, "grid", (0.0, 0.0, 6.0)).GetID())
    capfd.readouterr()
    find_painting(painted, scan)
    assert capfd.readouterr().err == ""
