"""What the views show can be changed and comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.scene.display import SliceViews, show_surface, surface_shown
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.oriented import numpy_matrix
from DPLSegmentLib.scene.places import ijk_to_world
from DPLSegmentLib.scene.preview import Preview


@pytest.fixture
def composites(scene: Any) -> list[Any]:
    return [scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", name) for name in ("Red", "Green")]


@pytest.fixture
def slices(scene: Any) -> list[Any]:
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    nodes = []
    for name, orientation in (("Red", "Axial"), ("Green", "Coronal")):
        node = scene.CreateNodeByClass("vtkMRMLSliceNode")
        node.SetLayoutName(name)
        nodes.append(scene.AddNode(node))
        nodes[-1].SetOrientation(orientation)
    return nodes


def test_surfaces_are_made_and_dropped(preview: Preview) -> None:
    assert not surface_shown(preview.node)
    show_surface(preview.node, True)
    assert surface_shown(preview.node)
    surface = preview.node.GetClosedSurfaceInternalRepresentation(preview.segment_ids["liver"])
    assert surface.GetNumberOfPoints() > 0
    show_surface(preview.node, False)
    assert not surface_shown(preview.node)


def test_surfaces_of_a_deleted_preview_are_said(preview: Preview) -> None:
    node = preview.node
    preview.remove()
    with pytest.raises(SceneError, match="was deleted"):
        show_surface(node, True)
    assert not surface_shown(node)


def test_the_overlay_lies_over_the_scan_and_what_was_there_comes_back(
    preview: Preview, composites: list[Any], scan: Any
) -> None:
    composites[0].SetForegroundVolumeID(scan.GetID())
    composites[0].SetForegroundOpacity(0.2)
    views = SliceViews(composites, [])
    views.overlay(preview.confidence_node)
    views.overlay(preview.confidence_node, 0.7)
    shown = [(node.GetForegroundVolumeID(), node.GetForegroundOpacity()) for node in composites]
    assert shown == [(preview.confidence_node.GetID(), 0.7)] * 2
    views.no_overlay()
    assert composites[0].GetForegroundVolumeID() == scan.GetID()
    assert composites[0].GetForegroundOpacity() == pytest.approx(0.2)
    assert composites[1].GetForegroundVolumeID() is None


def test_an_overlay_is_taken_away_after_its_preview(preview: Preview, composites: list[Any], scene: Any) -> None:
    views = SliceViews(composites, [])
    views.overlay(preview.confidence_node)
    preview.remove()
    scene.RemoveNode(composites[1])
    views.restore()
    assert composites[0].GetForegroundVolumeID() is None


def test_no_confidence_is_said(composites: list[Any]) -> None:
    with pytest.raises(SceneError, match="There is no confidence map"):
        SliceViews(composites, []).overlay(None)


def test_slices_jump_to_a_voxel_and_back(scan: Any, slices: list[Any]) -> None:
    before = [numpy_matrix(node.GetSliceToRAS()) for node in slices]
    views = SliceViews([], slices)
    views.jump(scan, (11, 12, 13))
    right, anterior, superior = ijk_to_world(scan, (11, 12, 13))
    assert numpy_matrix(slices[0].GetSliceToRAS())[2, 3] == pytest.approx(superior)
    assert numpy_matrix(slices[1].GetSliceToRAS())[1, 3] == pytest.approx(anterior)
    views.jump(scan, (1, 2, 3))
    views.restore()
    after = [numpy_matrix(node.GetSliceToRAS()) for node in slices]
    assert all(np.allclose(a, b) for a, b in zip(before, after, strict=True))


def test_views_of_a_closed_scene_are_left_alone(
    preview: Preview, composites: list[Any], slices: list[Any], scan: Any, scene: Any
) -> None:
    views = SliceViews(composites, slices)
    views.overlay(preview.confidence_node)
    views.jump(scan, (1, 2, 3))
    scene.Clear(0)
    views.restore()
    with pytest.raises(SceneError, match="deleted"):
        views.jump(scan, (1, 2, 3))
