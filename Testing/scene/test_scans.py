"""Volume nodes become volumes, or a sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.oriented import plain_image, vtk_matrix
from DPLSegmentLib.scene.scans import ijk_to_ras, read_scan, scan_key


def test_a_scan_is_read_voxel_for_voxel(any_scan: Any) -> None:
    volume = read_scan(any_scan)
    assert np.array_equal(volume.array, slicer.util.arrayFromVolume(any_scan))
    assert np.allclose(volume.ijk_to_ras, ijk_to_ras(any_scan))
    assert volume.name == any_scan.GetName()


def test_what_is_read_is_a_copy(scan: Any) -> None:
    volume = read_scan(scan)
    slicer.util.arrayFromVolume(scan)[:] = 0
    assert volume.array.max() > 0


def test_a_key_changes_with_the_voxels_and_the_grid_only(scan: Any) -> None:
    first = scan_key(scan)
    scan.SetName("another name")
    scan.GetDisplayNode().SetWindowLevel(10, 10)
    assert scan_key(scan) == first
    scan.SetSpacing(2, 2, 2)
    second = scan_key(scan)
    slicer.util.arrayFromVolume(scan)[0, 0, 0] = 7
    slicer.util.arrayFromVolumeModified(scan)
    assert len({first, second, scan_key(scan)}) == 3


def test_no_scan_is_said() -> None:
    with pytest.raises(SceneError, match="There is no scan"):
        read_scan(None)


def test_a_deleted_scan_is_said(scene: Any, scan: Any) -> None:
    scene.RemoveNode(scan)
    with pytest.raises(SceneError, match="CT was deleted"):
        read_scan(scan)


def test_a_scan_of_a_closed_scene_is_said(scene: Any, scan: Any) -> None:
    scene.Clear(0)
    with pytest.raises(SceneError, match="deleted"):
        scan_key(scan)


def test_a_label_map_is_refused(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    with pytest.raises(SceneError, match="labels is a label map"):
        read_scan(node)


def test_a_colour_volume_is_refused(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    image = plain_image(np.zeros((2, 3, 4), np.uint8))
    image.AllocateScalars(3, 3)
    node.SetAndObserveImageData(image)
    with pytest.raises(SceneError, match="photo has several values"):
        read_scan(node)


def test_a_scan_without_voxels_is_refused(scene: Any) -> None:
    with pytest.raises(SceneError, match="empty holds no voxels"):
        read_scan(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_a_node_of_another_kind_is_refused(painted: Any) -> None:
    with pytest.raises(SceneError, match="is no scan"):
        read_scan(painted)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.arange(12.0).reshape(1, 3, 4), "single slice"),
        (np.zeros((3, 3, 4)), "same value"),
        (np.full((3, 3, 4), np.nan), "not numbers"),
        (np.array([0, np.inf] * 18).reshape(3, 3, 4), "not numbers"),
    ],
)
def test_a_scan_that_shows_nothing_is_refused(add_scan: Callable[..., Any], array: np.ndarray, reason: str) -> None:
    node = add_scan()
    node.SetAndObserveImageData(plain_image(array))
    with pytest.raises(SceneError, match=reason):
        read_scan(node)


def test_a_sheared_scan_is_refused(add_scan: Callable[..., Any]) -> None:
    grid = np.eye(4)
    grid[0, 1] = 0.4
    node = add_scan()
    node.SetIJKToRASDirectionMatrix(vtk_matrix(grid))
    with pytest.raises(SceneError, match="sheared"):
        read_scan(node)
