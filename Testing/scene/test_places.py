"""Slices of the scan and what slice views show are the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.scene.places import ijk_to_world, slice_at, slice_in_view, slice_position, view_of
from Testing.scene.phantoms import bent, moved


@pytest.fixture
def red(scene: Any) -> Any:
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    node = scene.CreateNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("Red")
    return scene.AddNode(node)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_positions_and_slices_go_both_ways(any_scan: Any, axis: int) -> None:
    assert [slice_at(any_scan, axis, slice_position(any_scan, axis, index)) for index in (0, 7, 19)] == [0, 7, 19]


def test_positions_outside_the_scan_are_its_ends(scan: Any) -> None:
    assert (slice_at(scan, 0, -1000), slice_at(scan, 0, 1000)) == (0, 19)


def test_a_moved_scan_is_where_it_is_seen(scene: Any, scan: Any) -> None:
    scan.SetAndObserveTransformNodeID(moved(scene, (1, 2, 3)).GetID())
    assert ijk_to_world(scan, (0, 0, 0)).tolist() == [51, 62, -97]
    scan.SetAndObserveTransformNodeID(bent(scene, "grid", (1, 2, 3)).GetID())
    assert np.allclose(ijk_to_world(scan, (0, 0, 0)), [51, 62, -97])
    assert view_of(scan, 0) == "Axial"


@pytest.mark.parametrize(("orientation", "axis"), [("Axial", 0), ("Coronal", 1), ("Sagittal", 2)])
def test_the_slice_in_view_is_known(scan: Any, red: Any, orientation: str, axis: int) -> None:
    red.SetOrientation(orientation)
    red.JumpSliceByCentering(*ijk_to_world(scan, (11, 12, 13)).tolist())
    assert slice_in_view(red, scan) == (axis, (13, 12, 11)[axis])


def test_a_reformatted_or_empty_view_shows_no_slice(scan: Any, oblique_scan: Any, red: Any) -> None:
    red.SetOrientation("Axial")
    red.JumpSliceByCentering(0, 0, 500)
    assert slice_in_view(red, scan) is None
    red.JumpSliceByCentering(*ijk_to_world(oblique_scan, (11, 12, 13)).tolist())
    assert slice_in_view(red, oblique_scan) is None
