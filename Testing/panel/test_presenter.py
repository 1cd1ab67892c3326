"""What a user does in the panel, on a real scene and with a real worker process."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
import vtk

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.scene.oriented import voxels
from DPLSegmentLib.scene.painting import find_painting
from Testing.panel.stand import Panel

_GOOD = 0.7


def masks(segmentation: Any, scan: Any) -> dict[str, np.ndarray]:
    """Bool arrays on the scan's grid, by segment name."""
    shape = scan.GetImageData().GetDimensions()[::-1]
    return {each.info.name: each.crop.full(shape) for each in find_painting(segmentation, scan)._segments}


def good(found: dict[str, np.ndarray], truth: Segmentation) -> dict[str, bool]:
    """Whether each organ was found, by name."""
    organs = {segment.name: segment.mask for segment in truth.segments}
    return {name: dice(mask, organs[name]) > _GOOD for name, mask in found.items()}


def copied(scan: Any, name: str) -> Any:
    """Another scan that shows the same, one Hounsfield unit brighter."""
    node = scan.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    image = vtk.vtkImageData()
    image.DeepCopy(scan.GetImageData())
    voxels(image)[...] += 1
    node.SetAndObserveImageData(image)
    matrix = vtk.vtkMatrix4x4()
    scan.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.CreateDefaultDisplayNodes()
    return node


def turn(scene: Any, degrees: float) -> Any:
    """A transform about an oblique axis."""
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(degrees, 1, 2, 3)
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(transform.GetMatrix())
    return node


def keep_only(panel: Panel, name: str) -> None:
    """Leave one painted structure, for a fast run."""
    inside = panel.state.segmentation.GetSegmentation()
    for segment_id in list(inside.GetSegmentIDs()):
        if inside.GetSegment(segment_id).GetName() != name:
            inside.RemoveSegment(segment_id)
    panel.presenter.painting_changed()


@pytest.fixture
def one(ready: Panel) -> Panel:
    """The sample with the spleen as the only painted structure."""
    keep_only(ready, "spleen")
    return ready


@pytest.fixture
def done(one: Panel) -> Panel:
    """The spleen is segmented and waits to be applied."""
    one.presenter.propagate_clicked()
    one.finish()
    assert not one.view.error, one.view.status
    return one


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


def test_try_it_chooses_the_sample_with_its_painted_slices(panel: Panel) -> None:
    panel.presenter.try_it()
    panel.presenter.scan_changed()
    panel.presenter.segmentation_changed()
    assert len(panel.view.painted) >= 3 and all(row.on for row in panel.view.painted)
    assert panel.view.reasons["propagateButton"] == "" and len(panel.view.queries) == 1


def test_four_organs_are_found_previewed_and_applied_in_one_undo_step(ready: Panel, truth: Segmentation) -> None:
    painted = masks(ready.state.segmentation, ready.state.scan)
    ready.presenter.propagate_clicked()
    assert ready.view.running and ready.view.reasons["scanSelector"]
    ready.finish()
    assert len(ready.view.results) == 4 and not ready.view.error
    assert masks(ready.state.segmentation, ready.state.scan)["liver"].sum() == painted["liver"].sum()
    ready.presenter.apply()
    found = masks(ready.state.segmentation, ready.state.scan)
    assert good(found, truth) == dict.fromkeys(painted, True)
    ready.editor.undo()
    after = masks(ready.state.segmentation, ready.state.scan)
    assert ready.editor.steps == 1 and all(np.array_equal(after[name], painted[name]) for name in painted)


def test_the_main_thread_is_never_held_for_long_and_the_preview_begins_at_once(one: Panel) -> None:
    one.poll_until(lambda: one.presenter.worker.info is not None and not one.presenter.background.busy)
    one.beats.clear()
    start = time.monotonic()
    one.presenter.propagate_clicked()
    pressed = time.monotonic() - start
    run = one.presenter.run
    assert run is not None
    one.poll_until(lambda: not one.presenter.running or np.any(_labels(run.target.preview)))
    begun = time.monotonic() - start
    one.finish()
    assert pressed < 0.25 and begun < 2.0
    assert np.quantile(one.beats, 0.99) < 0.05


def _labels(preview: Any) -> np.ndarray:
    return preview._layers.labels


def test_progress_names_the_stage_and_never_goes_back(one: Panel) -> None:
    fractions = []
    one.presenter.propagate_clicked()
    while one.presenter.running:
        one.presenter.poll()
        fractions += [one.view.fraction] if one.view.fraction is not None else []
        time.sleep(0.005)
    assert fractions == sorted(fractions) and one.view.fraction is None
    assert any("Segmenting" in text for text in one.view.progress)


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


def test_another_scan_gets_a_segmentation_of_its_own(one: Panel, truth: Segmentation) -> None:
    other = copied(one.state.scan, "Other")
    one.presenter.set_queries([other])
    assert one.view.reasons["rangeCheckBox"]
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    kept = one.scene.GetFirstNodeByName("Other segmentation")
    assert kept is not None and good(masks(kept, other), truth) == {"spleen": True}


def test_a_scan_that_cannot_be_segmented_does_not_stop_the_others(one: Panel) -> None:
    flat = copied(one.state.scan, "Flat")
    flat.GetImageData().GetPointData().GetScalars().Fill(0)
    one.presenter.set_queries([one.state.scan, flat])
    one.presenter.propagate_clicked()
    one.finish()
    assert "Flat" in one.view.status and one.view.error and len(one.view.results) == 1


def test_a_sequence_gets_a_sequence_of_segmentations(one: Panel) -> None:
    sequence = one.scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Scans")
    for number in range(2):
        sequence.SetDataNodeAtValue(one.state.scan, str(number))
    browser = one.scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Beating")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    one.state.sequence = browser
    one.presenter.set_queries([])
    one.presenter.sequence_changed()
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    kept = one.scene.GetFirstNodeByName("Beating segmentation")
    assert kept.GetNumberOfDataNodes() == 2 and not one.view.error


def test_an_empty_sequence_is_said(one: Panel) -> None:
    browser = one.scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Empty")
    sequence = one.scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Nothing")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    one.state.sequence = browser
    one.presenter.propagate_clicked()
    assert "empty" in one.view.status and one.view.error and not one.presenter.running


def test_a_scan_under_a_transform_is_segmented_where_it_is(one: Panel, truth: Segmentation) -> None:
    node = turn(one.scene, 20)
    for moved in (one.state.scan, one.state.segmentation):
        moved.SetAndObserveTransformNodeID(node.GetID())
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    assert good(masks(one.state.segmentation, one.state.scan), truth) == {"spleen": True}


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


def test_the_scan_is_embedded_ahead_once_it_is_chosen(ready: Panel) -> None:
    assert ready.presenter.background.busy
    ready.poll_until(lambda: not ready.presenter.background.busy)
    assert ready.presenter.worker.idle and not ready.view.error


def test_the_slice_to_paint_next_comes_into_view(done: Panel, views: tuple[Any, Any]) -> None:
    before = views[1].GetSliceToRAS().GetElement(2, 3)
    assert done.view.reasons["nextSliceButton"] == ""
    done.presenter.next_slice()
    assert views[1].GetSliceToRAS().GetElement(2, 3) != before and "Paint this slice" in done.view.status


def test_confidence_is_laid_over_the_scan_and_taken_away(done: Panel, views: tuple[Any, Any]) -> None:
    done.presenter.confidence_overlay(True)
    shown = done.scene.GetNodeByID(views[0].GetForegroundVolumeID())
    assert shown is not None and shown.GetImageData().GetScalarRange()[0] >= 0
    done.presenter.confidence_overlay(False)
    assert views[0].GetForegroundVolumeID() is None


def test_surfaces_are_shown_and_dropped(done: Panel) -> None:
    node = done.presenter.results.previews[0].node
    done.presenter.show_3d(True)
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    done.presenter.show_3d(False)
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_a_segment_painted_in_3d_asks_for_one_slice(done: Panel, views: tuple[Any, Any]) -> None:
    done.presenter.apply()
    assert done.presenter.painted.full == ("spleen",) and not done.view.painted
    assert "Use the slice in view only" in done.view.reasons["propagateButton"]
    index = int(np.argmax(masks(done.state.segmentation, done.state.scan)["spleen"].sum((1, 2))))
    done.stage.views().jump(done.state.scan, (60.0, 50.0, float(index)))
    done.presenter.use_slice_in_view()
    assert len(done.view.painted) == 1 and done.view.reasons["propagateButton"] == ""
    done.presenter.propagate_clicked()
    done.finish()
    assert len(done.view.results) == 1 and not done.view.error


def test_propagate_asks_before_it_takes_one_slice_of_a_3d_segment(done: Panel) -> None:
    done.presenter.apply()
    index = int(np.argmax(masks(done.state.segmentation, done.state.scan)["spleen"].sum((1, 2))))
    done.stage.views().jump(done.state.scan, (60.0, 50.0, float(index)))
    done.view.answer = False
    done.presenter.propagate_clicked()
    assert not done.presenter.running and "painted in 3D" in done.view.questions[-1]
    done.view.answer = True
    done.presenter.propagate_clicked()
    assert done.presenter.running
    done.finish()
    assert len(done.view.results) == 1


def test_a_slice_that_is_switched_off_is_not_used(ready: Panel) -> None:
    for row in range(len(ready.view.painted)):
        ready.presenter.toggle_slice(row, False)
    assert not any(row.on for row in ready.view.painted)
    assert ready.view.reasons["propagateButton"]
    ready.presenter.toggle_slice(0, True)
    assert ready.view.painted[0].on and ready.view.reasons["propagateButton"] == ""


def test_the_range_bounds_the_result(one: Panel) -> None:
    limits = one.view.range
    assert limits is not None
    painted = np.flatnonzero(masks(one.state.segmentation, one.state.scan)["spleen"].any((1, 2)))[0]
    from DPLSegmentLib.scene.places import slice_position

    one.state.use_range = True
    one.state.range_lower = slice_position(one.state.scan, 0, int(painted) - 2)
    one.state.range_upper = slice_position(one.state.scan, 0, int(painted) + 3)
    one.presenter.range_changed()
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    filled = np.flatnonzero(masks(one.state.segmentation, one.state.scan)["spleen"].any((1, 2)))
    assert filled.min() >= painted - 3 and filled.max() <= painted + 4


def test_prototypes_are_saved_and_used_without_painting(one: Panel, tmp_path: Any, truth: Segmentation) -> None:
    path = tmp_path / "für Milz.pt"
    one.presenter.save_prototypes(path)
    one.poll_until(lambda: path.is_file() and not one.presenter.saving.busy)
    one.presenter.load_prototypes(path)
    other = copied(one.state.scan, "Other")
    one.state.segmentation = None
    one.presenter.segmentation_changed()
    one.presenter.set_queries([other])
    assert one.view.reasons["propagateButton"] == "" and one.view.prototypes == path.name
    one.presenter.propagate_clicked()
    one.finish()
    assert [row.name for row in one.view.results] == ["spleen"], one.view.status


def test_scans_of_a_folder_are_loaded_and_checked(one: Panel) -> None:
    one.presenter.add_folder(one.stage.sample_folder)
    one.poll_until(lambda: "loaded" in one.view.status)
    names = [one.scene.GetNodeByID(row.node_id).GetName() for row in one.view.queries]
    assert names == ["DPLSegment example CT", "example_ct"] and not one.view.error


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


def test_painting_is_looked_at_once_the_brush_rests(one: Panel) -> None:
    one.poll_until(lambda: len(one.view.painted) == 1)
    inside = one.state.segmentation.GetSegmentation()
    inside.RemoveSegment(inside.GetNthSegmentID(0))
    one.presenter.painting_changed()
    one.presenter.poll()
    assert len(one.view.painted) == 1
    one.poll_until(lambda: not one.view.painted, 2.0)


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
