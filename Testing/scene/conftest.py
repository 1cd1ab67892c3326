"""Real MRML: scenes, logics, scans of all shapes, and segmentations painted on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import slicer

from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.oriented import oriented, plain_image, vtk_matrix
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.scene.scans import ijk_to_ras
from Testing.scene.phantoms import LIVER, SHAPE, TERMINOLOGY, block, color, oblique, result_for, slab, upright

AddScan = Callable[..., Any]
AddPainted = Callable[..., Any]


@pytest.fixture
def scene() -> Iterator[Any]:
    scene = slicer.vtkMRMLScene()
    yield scene
    scene.Clear(1)


@pytest.fixture
def logics(scene: Any) -> SceneLogics:
    made = [slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerSegmentEditorLogic()]
    made += [slicer.vtkSlicerSequencesLogic(), slicer.vtkSlicerSubjectHierarchyModuleLogic()]
    for logic in made:
        logic.SetMRMLScene(scene)
    return SceneLogics(*made[:3])


@pytest.fixture
def add_scan(scene: Any, logics: SceneLogics) -> AddScan:
    """Adds a scan of a shape (z, y, x) on a grid; its voxels count up, so that no two are the same."""

    def add(name: str = "CT", grid: np.ndarray | None = None, shape: tuple[int, int, int] = SHAPE) -> Any:
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        node.SetAndObserveImageData(plain_image(np.arange(np.prod(shape), dtype=np.int32).reshape(shape)))
        node.SetIJKToRASMatrix(vtk_matrix(upright() if grid is None else grid))
        node.CreateDefaultDisplayNodes()
        return node

    return add


@pytest.fixture
def scan(add_scan: AddScan) -> Any:
    return add_scan()


@pytest.fixture(params=["upright", "oblique", "left-handed"])
def any_scan(request: pytest.FixtureRequest, add_scan: AddScan) -> Any:
    """A scan on a usual grid, and on ones that are anisotropic, oblique and mirrored."""
    grids = {"upright": upright(), "oblique": oblique(), "left-handed": oblique() @ np.diag([1, -1, 1, 1])}
    return add_scan(request.param, grids[request.param])


@pytest.fixture
def oblique_scan(add_scan: AddScan) -> Any:
    return add_scan("oblique", oblique() @ np.diag([1, -1, 1, 1]))


@pytest.fixture
def add_segmentation(scene: Any, logics: SceneLogics) -> AddPainted:
    """Adds a segmentation of masks by name, on the grid of a scan, stored as the Segment Editor stores it."""

    def add(
        scan_node: Any, masks: dict[str, np.ndarray], grid: np.ndarray | None = None, start: Any = (0, 0, 0)
    ) -> Any:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        node.CreateDefaultDisplayNodes()
        if scan_node is not None:
            node.SetReferenceImageGeometryParameterFromVolumeNode(scan_node)
        for number, (name, mask) in enumerate(masks.items()):
            segment_id = node.GetSegmentation().AddEmptySegment("", name, color(number))
            node.GetSegmentation().GetSegment(segment_id).SetTag(TERMINOLOGY, f"{LIVER}{number}")
            matrix = ijk_to_ras(scan_node) if grid is None else grid
            if mask.any():
                logics.segmentations.SetBinaryLabelmapToSegment(oriented(mask, matrix), node, segment_id)
        return node

    return add


@pytest.fixture
def painted(scan: Any, add_segmentation: AddPainted) -> Any:
    """Liver on axial slice 7, spleen on axial slice 9."""
    return add_segmentation(scan, {"liver": slab(0, 7), "spleen": slab(0, 9, 22)})


@pytest.fixture
def result(scan: Any) -> Propagation:
    """A result for `painted`: whole organs around what was painted."""
    return result_for(scan, {"liver": block(3, 12, 5), "spleen": block(5, 14, 22)})


@pytest.fixture
def preview(scene: Any, logics: Any, scan: Any, painted: Any, result: Propagation) -> Preview:
    """A finished preview."""
    preview = Preview(scene, logics, scan, painted)
    preview.finish(result)
    return preview
