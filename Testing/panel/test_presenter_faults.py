"""What goes wrong in the panel: bad input, nodes that go away, a process that dies, a user who changes their mind."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
import vtk

from Testing.panel.scans import copied
from Testing.panel.stand import Panel


def test_an_empty_panel_says_what_to_do_first(panel: Panel) -> None:
    assert panel.view.reasons["propagateButton"].startswith("There is no scan")
    panel.presenter.propagate_clicked()
    assert panel.view.warnings == [panel.view.status] and panel.view.error


def test_nothing_painted_is_said(panel: Panel, sample: tuple[Any, Any]) -> None:
    panel.state.scan = sample[0]
    panel.presenter.scan_changed()
    assert "no segmentation" in panel.view.reasons["propagateButton"]
    panel.state.segmentation = panel.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    panel.presenter.segmentation_changed()
    assert panel.view.reasons["propagateButton"].startswith("Nothing is painted")


def test_cancel_answers_within_a_second_and_leaves_the_scene_as_it_was(one: Panel) -> None:
    before = one.node_ids()
    one.presenter.propagate_clicked()
    one.poll_until(lambda: (one.view.fraction or 0) > 0.1)
    start = time.monotonic()
    one.presenter.propagate_clicked()
    assert not one.view.running and time.monotonic() - start < 1
    one.poll_until(lambda: one.presenter.worker.idle, 2.0)
    assert one.node_ids() == before and "Cancelled" in one.view.status


def test_discard_leaves_the_scene_as_it_was(one: Panel) -> None:
    before = one.node_ids()
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.discard()
    assert one.node_ids() == before and not one.view.results


def test_a_scan_that_cannot_be_segmented_does_not_stop_the_others(one: Panel) -> None:
    flat = copied(one.state.scan, "Flat")
    flat.GetImageData().GetPointData().GetScalars().Fill(0)
    one.presenter.set_queries([one.state.scan, flat])
    one.presenter.propagate_clicked()
    one.finish()
    assert "Flat" in one.view.status and one.view.error and len(one.view.results) == 1


def test_an_empty_sequence_is_said(one: Panel) -> None:
    browser = one.scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Empty")
    sequence = one.scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Nothing")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    one.state.sequence = browser
    one.presenter.propagate_clicked()
    assert "empty" in one.view.status and one.view.error and not one.presenter.running


def test_closing_the_scene_in_mid_run_leaves_nothing_behind(one: Panel) -> None:
    one.presenter.propagate_clicked()
    one.poll_until(lambda: (one.view.fraction or 0) > 0.1)
    one.presenter.scene_closing()
    one.scene.Clear(0)
    one.poll_until(lambda: one.presenter.worker.idle, 3.0)
    assert not one.view.running and one.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


@pytest.mark.parametrize("which", ["scan", "segmentation", "preview"])
def test_deleting_a_node_in_mid_run_is_said_or_harmless(one: Panel, which: str) -> None:
    one.presenter.propagate_clicked()
    one.poll_until(lambda: (one.view.fraction or 0) > 0.1)
    run = one.presenter.run
    assert run is not None
    node = run.target.preview.node if which == "preview" else getattr(one.state, which)
    one.presenter.node_removed(node.GetID())
    if which != "preview":
        setattr(one.state, which, None)
    one.scene.RemoveNode(node)
    one.finish()
    one.presenter.apply()
    assert one.view.status


def test_a_killed_worker_is_said_and_the_next_run_works(one: Panel) -> None:
    one.presenter.propagate_clicked()
    one.poll_until(lambda: (one.view.fraction or 0) > 0.1)
    os.kill(one.presenter.worker.info.pid, signal.SIGKILL)
    one.finish()
    assert one.view.error and one.view.status
    one.presenter.propagate_clicked()
    one.finish()
    assert not one.view.error and one.view.results


def test_a_folder_without_scans_is_said(one: Panel, tmp_path: Any) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    one.presenter.add_folder(tmp_path)
    assert "holds no scan" in one.view.status and one.view.warnings


def test_leaving_and_unloading_in_mid_run_is_harmless(one: Panel) -> None:
    before = one.node_ids()
    one.presenter.propagate_clicked()
    one.presenter.leave()
    one.poll_until(lambda: (one.view.fraction or 0) > 0.1)
    one.presenter.run.cancel()
    one.presenter.scene_closing()
    assert one.node_ids() == before


def test_a_colour_volume_is_refused_by_name(panel: Panel) -> None:
    node = panel.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Photo")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node.SetAndObserveImageData(image)
    panel.state.scan = node
    panel.state.segmentation = panel.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    panel.presenter.scan_changed()
    assert "Photo" in panel.view.status and panel.view.error


def test_a_panel_without_a_scan_starts_no_process(panel: Panel) -> None:
    panel.presenter.worker.stop()
    for _ in range(3):
        panel.presenter.poll()
    assert not panel.presenter.worker.running
