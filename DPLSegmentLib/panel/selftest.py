"""The self-test: what a user does, in a real Slicer, with the bundled CT."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

_ORGANS = ("liver", "spleen", "right kidney", "left kidney")
_LEAST_DICE = 0.80
_SECONDS = 300.0
_CANCEL_SECONDS = 1.0


class Scenarios:
    """Mixed into the test class of the module; every test starts with an empty scene."""

    def setUp(self) -> None:
        """An empty scene."""
        _slicer().mrmlScene.Clear()

    def runTest(self) -> None:
        """Run all tests, as "Reload and Test" does."""
        for name in sorted(name for name in dir(self) if name.startswith("test_")):
            self.setUp()
            self.delayDisplay(name.replace("_", " "), 50)
            getattr(self, name)()

    def test_01_the_sample_has_one_painted_slice_per_organ(self) -> None:
        """The bundled CT comes with the painted slices that the other tests start from."""
        scan, painted = self.sample()
        for organ, mask in masks(painted, scan).items():
            self.assertEqual(np.count_nonzero(mask.any(axis=(1, 2))), 1, organ)

    def test_02_the_organs_are_found_from_one_painted_slice_each(self) -> None:
        """Paint, propagate from a script, compare with the labels."""
        scan, painted = self.sample()
        self.assertFound(self.process(scan, painted)[0], scan)

    def test_03_apply_is_one_step_that_undo_takes_back(self) -> None:
        """The same by the buttons of the panel."""
        scan, painted = self.sample()
        panel = self.panel(scan, painted)
        before = masks(painted, scan)
        self.propagate(panel)
        panel.ui.applyButton.click()
        self.assertFound(painted, scan)
        panel.editor.editor.undo()
        after = masks(painted, scan)
        self.assertTrue(all(np.array_equal(before[name], after[name]) for name in before))

    def test_04_cancel_leaves_the_scene_as_it_was(self) -> None:
        """Cancel answers within a second, and nothing is left."""
        scan, painted = self.sample()
        panel = self.panel(scan, painted)
        nodes = node_ids()
        panel.ui.propagateButton.click()
        started = time.monotonic()
        panel.ui.propagateButton.click()
        self.wait(lambda: panel.ui.propagateButton.text != panel._("Cancel"))
        self.assertLess(time.monotonic() - started, _CANCEL_SECONDS)
        self.assertEqual(nodes, node_ids())

    def test_05_another_scan_is_segmented(self) -> None:
        """A copy of the scan stands for another patient's."""
        scan, painted = self.sample()
        other = clone(scan, "Other scan")
        (found,) = self.process(scan, painted, queries=[other])
        self.assertFound(found, other)

    def test_06_a_sequence_gives_a_sequence_of_segmentations(self) -> None:
        """Two time points."""
        scan, painted = self.sample()
        browser = sequence_of(scan, 2)
        found = self.process(scan, painted, queries=[browser])
        self.assertEqual(len(found), 1)

    def test_07_an_oblique_scan_is_segmented(self) -> None:
        """The axes of the scan are those of no anatomical plane."""
        scan, painted = self.sample()
        turn = turned(20.0)
        for node in (scan, painted):
            node.SetAndObserveTransformNodeID(turn.GetID())
            self.assertTrue(node.HardenTransform())
        self.assertFound(self.process(scan, painted)[0], scan)

    def test_08_a_transformed_scan_is_segmented(self) -> None:
        """Scan and segmentation lie under a transform."""
        scan, painted = self.sample()
        turn = turned(10.0)
        for node in (scan, painted):
            node.SetAndObserveTransformNodeID(turn.GetID())
        self.assertFound(self.process(scan, painted)[0], scan)

    def test_09_closing_the_scene_in_mid_run_is_harmless(self) -> None:
        """No error, and the panel works again."""
        panel = self.panel(*self.sample())
        panel.ui.propagateButton.click()
        _slicer().mrmlScene.Clear()
        _slicer().app.processEvents()
        self.propagate(self.panel(*self.sample()))

    # Steps

    def sample(self) -> tuple[Any, Any]:
        """The bundled CT and its painted slices, ready to propagate from."""
        from DPLSegmentLib.panel.pytorch import PyTorch

        if not PyTorch(testing=True).ready():
            self.skipTest("PyTorch is not installed")
        return _slicer().modules.dplsegment.widgetRepresentation().self().logic.loadSample()

    def process(self, *arguments: Any, **options: Any) -> list[Any]:
        """What a script calls."""
        return _slicer().util.getModuleLogic("DPLSegment").process(*arguments, **options)

    def panel(self, scan: Any, painted: Any) -> Any:
        """The panel, shown, with scan and segmentation chosen."""
        _slicer().util.selectModule("DPLSegment")
        panel = _slicer().modules.dplsegment.widgetRepresentation().self().panel
        panel.ui.scanSelector.setCurrentNode(scan)
        panel.ui.segmentationSelector.setCurrentNode(painted)
        return panel

    def propagate(self, panel: Any) -> None:
        """Press Propagate and wait for the result."""
        panel.ui.propagateButton.click()
        self.wait(lambda: panel.ui.applyButton.enabled)

    def wait(self, ready: Callable[[], bool]) -> None:
        """Let the application live until `ready`."""
        end = time.monotonic() + _SECONDS
        while not ready():
            self.assertLess(time.monotonic(), end, "it took too long")
            _slicer().app.processEvents()
            time.sleep(0.01)

    def assertFound(self, segmentation: Any, scan: Any) -> None:
        """Every organ of the sample is found with a good Dice."""
        truth = labels()
        for name, mask in masks(segmentation, scan).items():
            self.assertGreater(dice(mask, truth[name]), _LEAST_DICE, name)


def _slicer() -> Any:
    import slicer

    return slicer


def masks(segmentation: Any, scan: Any) -> dict[str, np.ndarray]:
    """Bool array [z, y, x] on the scan's grid of every segment, by its name."""
    inside = segmentation.GetSegmentation()
    array = _slicer().util.arrayFromSegmentBinaryLabelmap
    ids = inside.GetSegmentIDs()
    return {inside.GetSegment(name).GetName(): array(segmentation, name, scan).astype(bool) for name in ids}


def labels() -> dict[str, np.ndarray]:
    """What is really there in the sample, bool [z, y, x] per organ."""
    from DPLSegmentLib.images.reading import read_segmentation
    from DPLSegmentLib.resources import resource

    segmentation = read_segmentation(resource("SampleData/example_ct-labels.nii.gz"))
    return {segment.name: segment.mask for segment in segmentation.segments if segment.name in _ORGANS}


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice of two bool arrays, 0..1."""
    return 2.0 * np.count_nonzero(found & truth) / max(1, np.count_nonzero(found) + np.count_nonzero(truth))


def node_ids() -> set[str]:
    """All nodes of the scene."""
    scene = _slicer().mrmlScene
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def clone(volume: Any, name: str) -> Any:
    """A copy of a volume node."""
    return _slicer().modules.volumes.logic().CloneVolume(_slicer().mrmlScene, volume, name)


def turned(degrees: float) -> Any:
    """A transform node that turns about an oblique axis."""
    import vtk

    transform = vtk.vtkTransform()
    transform.RotateWXYZ(degrees, 1.0, 2.0, 3.0)
    node = _slicer().mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(transform.GetMatrix())
    return node


def sequence_of(scan: Any, count: int) -> Any:
    """A sequence browser with `count` times the scan."""
    scene = _slicer().mrmlScene
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Sequence")
    for index in range(count):
        sequence.SetDataNodeAtValue(scan, str(index))
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser
