"""Sequences are read scan by scan, and the results play along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.scans import read_scan
from DPLSegmentLib.scene.sequences import SequenceResults, sequence_scans
from Testing.scene.phantoms import block, everything, mask_of, node_ids, result_for

Add = Callable[..., Any]


@pytest.fixture
def sequence(scene: Any, add_scan: Add) -> Any:
    """Three scans at 0, 10 and 20."""
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "heart")
    for phase in range(3):
        scan = add_scan(f"phase {phase}")
        node.SetDataNodeAtValue(scan, str(10 * phase))
        display = scan.GetDisplayNode()
        scene.RemoveNode(scan)
        scene.RemoveNode(display)
    return node


@pytest.fixture
def browser(scene: Any, logics: Any, sequence: Any) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    node.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    logics.sequences.UpdateProxyNodesFromSequences(node)
    return node


def test_scans_are_listed_in_order(sequence: Any, browser: Any) -> None:
    assert [value for value, _ in sequence_scans(sequence)] == ["0", "10", "20"]
    assert sequence_scans(browser) == sequence_scans(sequence)
    assert read_scan(sequence_scans(sequence)[2][1]).shape == (20, 30, 40)


def test_an_empty_sequence_is_refused(scene: Any, logics: Any) -> None:
    with pytest.raises(SceneError, match="is empty"):
        sequence_scans(scene.AddNewNodeByClass("vtkMRMLSequenceNode", "nothing"))


def test_a_browser_without_a_sequence_is_refused(scene: Any, logics: Any) -> None:
    with pytest.raises(SceneError, match="has no sequence"):
        sequence_scans(scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "nothing"))


def test_something_else_is_refused(scene: Any, scan: Any, painted: Any) -> None:
    with pytest.raises(SceneError, match="is no sequence"):
        sequence_scans(scan)
    with pytest.raises(SceneError, match="There is no sequence"):
        sequence_scans(None)
    segmentations = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "segmentations")
    segmentations.SetDataNodeAtValue(painted, "0")
    with pytest.raises(SceneError, match="something else than scans"):
        sequence_scans(segmentations)


def test_results_play_along_with_the_scans(scene: Any, logics: Any, browser: Any, painted: Any) -> None:
    results = SequenceResults(scene, logics, browser, painted, "heart result")
    for number, (value, scan) in enumerate(sequence_scans(browser)):
        results.add(value, result_for(scan, {"liver": block(2 + number, 10, 5)}))
    shown = results.finish()
    played = browser.GetProxyNode(browser.GetMasterSequenceNode())
    for number in range(3):
        browser.SetSelectedItemNumber(number)
        logics.sequences.UpdateProxyNodesFromSequences(browser)
        assert np.array_equal(mask_of(shown, "liver", played), block(2 + number, 10, 5))
    assert everything(shown)[0][:4] == everything(painted)[0][:4]
    assert shown.GetNodeReference(shown.GetReferenceImageGeometryReferenceRole()) == played


def test_results_without_a_browser_are_a_sequence(scene: Any, logics: Any, sequence: Any) -> None:
    results = SequenceResults(scene, logics, sequence, None, "result")
    results.add("10", result_for(sequence_scans(sequence)[1][1], {"liver": block(2, 10, 5)}))
    assert results.finish() is None
    assert results.node.GetNumberOfDataNodes() == 1


def test_removing_results_leaves_the_scene_as_it_was(scene: Any, logics: Any, browser: Any, painted: Any) -> None:
    before = node_ids(scene)
    results = SequenceResults(scene, logics, browser, painted, "heart result")
    value, scan = sequence_scans(browser)[0]
    results.add(value, result_for(scan, {"liver": block(2, 10, 5)}))
    results.finish()
    results.remove()
    results.remove()
    assert node_ids(scene) == before


def test_a_scan_that_has_gone_is_said(scene: Any, logics: Any, browser: Any, scan: Any) -> None:
    results = SequenceResults(scene, logics, browser, None, "result")
    with pytest.raises(SceneError, match="no scan at 77"):
        results.add("77", result_for(scan, {"liver": block(2, 10, 5)}))
    with pytest.raises(SceneError, match="There is no result"):
        results.finish()


def test_results_after_the_scene_was_closed_are_said(scene: Any, logics: Any, browser: Any, scan: Any) -> None:
    results = SequenceResults(scene, logics, browser, None, "result")
    result = result_for(scan, {"liver": block(2, 10, 5)})
    results.add("0", result)
    scene.Clear(0)
    with pytest.raises(SceneError):
        results.finish()
    results.remove()
