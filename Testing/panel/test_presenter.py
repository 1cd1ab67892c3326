"""What a user does in the panel, on a real scene and with a real worker process."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from DPLSegmentLib.images.segmentation import Segmentation
from Testing.panel.scans import copied, good, masks, turn
from Testing.panel.stand import Panel


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


def test_another_scan_gets_a_segmentation_of_its_own(one: Panel, truth: Segmentation) -> None:
    other = copied(one.state.scan, "Other")
    one.presenter.set_queries([other])
    assert one.view.reasons["rangeCheckBox"]
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    kept = one.scene.GetFirstNodeByName("Other segmentation")
    assert kept is not None and good(masks(kept, other), truth) == {"spleen": True}


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


def test_a_scan_under_a_transform_is_segmented_where_it_is(one: Panel, truth: Segmentation) -> None:
    node = turn(one.scene, 20)
    for moved in (one.state.scan, one.state.segmentation):
        moved.SetAndObserveTransformNodeID(node.GetID())
    one.presenter.propagate_clicked()
    one.finish()
    one.presenter.apply()
    assert good(masks(one.state.segmentation, one.state.scan), truth) == {"spleen": True}


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


def test_painting_is_looked_at_once_the_brush_rests(one: Panel) -> None:
    one.poll_until(lambda: len(one.view.painted) == 1)
    inside = one.state.segmentation.GetSegmentation()
    inside.RemoveSegment(inside.GetNthSegmentID(0))
    one.presenter.painting_changed()
    one.presenter.poll()
    assert len(one.view.painted) == 1
    one.poll_until(lambda: not one.view.painted, 2.0)
