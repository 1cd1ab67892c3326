"""The panel widget: it shows what it is told, and tells what the user does."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
import slicer
from PySide6 import QtCore, QtTest, QtWidgets

from DPLSegmentLib.panel.view import PaintedRow, QueryRow, ResultRow, SliceRange

PRESSES = {
    "useSliceInViewButton": "use_slice_in_view",
    "tryItButton": "try_it",
    "propagateButton": "propagate_clicked",
    "applyButton": "apply",
    "discardButton": "discard",
    "nextSliceButton": "next_slice",
    "pytorchButton": "install_pytorch",
}
ROWS = [PaintedRow("Axial · S 1.0 mm · liver", True), PaintedRow("Axial · S 4.0 mm · liver", False)]


def press(window: QtWidgets.QWidget, key: QtCore.Qt.Key) -> None:
    """Press a key where nothing else has the focus."""
    QtTest.QTest.keyClick(window, key)
    QtWidgets.QApplication.processEvents()


@pytest.mark.parametrize(("button", "event"), PRESSES.items())
def test_a_press_of_a_button_is_told(
    panel: Any, ui: types.SimpleNamespace, events: Any, button: str, event: str
) -> None:
    getattr(ui, button).click()
    assert [told[0] for told in events.take()] == [event]


def test_showing_painted_slices_tells_nothing_and_switching_one_off_does(
    panel: Any, ui: types.SimpleNamespace, events: Any
) -> None:
    panel.show_painted(ROWS)
    assert events.take() == []
    ui.paintedList.item(0).setCheckState(QtCore.Qt.Unchecked)
    assert events.take() == [("toggle_slice", 0, False)]


def test_a_disabled_control_says_why_and_an_enabled_one_what_it_does(panel: Any, ui: types.SimpleNamespace) -> None:
    usual = ui.applyButton.toolTip()
    panel.set_enabled("applyButton", False, "There is no preview yet.")
    assert not ui.applyButton.isEnabled() and ui.applyButton.toolTip() == "There is no preview yet."
    panel.set_enabled("applyButton", True)
    assert ui.applyButton.isEnabled() and ui.applyButton.toolTip() == usual


def test_progress_is_shown_as_long_as_there_is_some(panel: Any, ui: types.SimpleNamespace) -> None:
    panel.show_progress(0.5, "50 % · 4 s left")
    assert ui.progressBar.isVisible() and ui.progressBar.value() == 500
    panel.show_progress(None, "")
    assert not ui.progressBar.isVisible()


def test_results_are_shown_in_the_colours_of_their_segments(panel: Any, ui: types.SimpleNamespace) -> None:
    panel.show_results([ResultRow("liver", (1.0, 0.5, 0.0), "1 432", "94 %")])
    table = ui.resultTable
    assert [table.item(0, column).text() for column in range(3)] == ["liver", "1 432", "94 %"]
    assert table.item(0, 0).data(QtCore.Qt.DecorationRole).getRgb()[:3] == (255, 128, 0)


def test_checking_scans_from_the_code_tells_nothing_and_by_hand_does(
    panel: Any, ui: types.SimpleNamespace, scene: Any, events: Any
) -> None:
    scan = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    events.take()
    panel.show_queries([QueryRow(scan.GetID(), True), QueryRow("gone", True)])
    assert ui.querySelector.checkedNodes() == (scan,) and events.take() == []
    ui.querySelector.setCheckState(scan, QtCore.Qt.Unchecked)
    assert events.take() == [("set_queries", [])]


def test_the_slice_range_goes_into_the_state_as_one_change(
    panel: Any, ui: types.SimpleNamespace, state: Any, events: Any
) -> None:
    panel.show_range(SliceRange(-100.0, 100.0, 2.5, -50.0, 50.0))
    assert ui.rangeWidget.limits == (-100.0, 100.0) and events.take() == []
    ui.rangeWidget.setValues(-20.0, 30.0)
    assert (state.range_lower, state.range_upper) == (-20.0, 30.0)
    assert events.take() == [("range_changed",)]


def test_device_and_model_go_into_the_state(panel: Any, ui: types.SimpleNamespace, state: Any, events: Any) -> None:
    ui.deviceComboBox.setCurrentIndex(3)
    ui.modelPathLineEdit.setText("other.pt")
    assert (state.device, state.model_path) == ("cpu", "other.pt")
    assert events.take() == [("device_changed", "cpu"), ("model_changed",)]


def test_the_name_of_the_device_is_shown_without_choosing_one(
    panel: Any, ui: types.SimpleNamespace, events: Any
) -> None:
    panel.show_device("NVIDIA RTX 4090")
    assert ui.deviceComboBox.itemText(0) == "Automatic (NVIDIA RTX 4090)" and events.take() == []


def test_files_are_asked_for_and_nothing_is_told_when_none_is_chosen(
    panel: Any, ui: types.SimpleNamespace, events: Any, answers: Any
) -> None:
    ui.addFolderButton.click()
    assert events.take() == []
    answers.path = Path("scans")
    for button in ("addFolderButton", "loadPrototypesButton", "savePrototypesButton", "clearPrototypesButton"):
        getattr(ui, button).click()
    path = Path("scans")
    expected = [("add_folder", path), ("load_prototypes", path), ("save_prototypes", path), ("load_prototypes", None)]
    assert events.take() == expected


def test_the_log_is_one_click_away(panel: Any, ui: types.SimpleNamespace) -> None:
    assert not ui.logText.isVisible()
    ui.logButton.click()
    assert ui.logText.isVisible() and ui.logText.toPlainText() == "what was written"


def test_another_scan_is_edited_before_it_is_told(panel: Any, scene: Any, state: Any, events: Any, editor: Any) -> None:
    state.segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    state.scan = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert events.take() == [("segmentation_changed",), ("scan_changed",)]
    assert editor.editor.calls[-2:] == ["setSegmentationNode", "setSourceVolumeNode"]


def test_painting_is_told(panel: Any, scene: Any, state: Any, events: Any) -> None:
    state.segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    events.take()
    state.segmentation.GetSegmentation().AddEmptySegment("liver")
    assert ("painting_changed",) in events.take()


def test_a_removed_node_and_a_closed_scene_are_told_and_the_state_is_renewed(
    panel: Any, scene: Any, events: Any, state: Any, ui: types.SimpleNamespace
) -> None:
    scan = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    name = scan.GetID()
    scene.RemoveNode(scan)
    assert events.take() == [("node_removed", name)]
    scene.Clear(True)
    told = [event[0] for event in events.take()]
    assert told[0] == "scene_closing" and told[-1] == "use_state" and state.gui is ui


def test_a_module_that_is_not_shown_takes_no_state_from_a_new_scene(panel: Any, scene: Any, events: Any) -> None:
    panel.exit()
    scene.Clear(True)
    assert [event[0] for event in events.take() if event[0] != "node_removed"] == ["leave", "scene_closing"]
    assert panel.state is None


def test_letters_press_buttons_while_the_module_is_shown(panel: Any, window: QtWidgets.QWidget, events: Any) -> None:
    for key in (QtCore.Qt.Key_P, QtCore.Qt.Key_A, QtCore.Qt.Key_N):
        press(window, key)
    assert [told[0] for told in events.take()] == ["propagate_clicked", "apply", "next_slice"]
    panel.exit()
    events.take()
    press(window, QtCore.Qt.Key_P)
    assert events.take() == []


def test_a_letter_does_nothing_when_its_button_is_off(panel: Any, window: QtWidgets.QWidget, events: Any) -> None:
    panel.set_enabled("applyButton", False, "There is no preview yet.")
    press(window, QtCore.Qt.Key_A)
    assert events.take() == []


def test_a_text_input_keeps_its_letters(panel: Any, window: QtWidgets.QWidget, events: Any) -> None:
    window.input.setFocus()
    QtTest.QTest.keyClick(window.input, QtCore.Qt.Key_P)
    assert window.input.text() == "p" and events.take() == []


def test_an_active_effect_keeps_the_letters_it_listens_to(
    panel: Any, window: QtWidgets.QWidget, events: Any, editor: Any
) -> None:
    editor.node.SetActiveEffectName("Draw")
    press(window, QtCore.Qt.Key_A)
    assert events.take() == []
    press(window, QtCore.Qt.Key_P)
    assert events.take() == [("propagate_clicked",)]
    editor.node.SetActiveEffectName("Effect of another extension")
    press(window, QtCore.Qt.Key_P)
    assert events.take() == []


def test_escape_cancels_a_run_and_is_the_editors_at_all_other_times(
    panel: Any, window: QtWidgets.QWidget, events: Any, editor: Any
) -> None:
    press(window, QtCore.Qt.Key_Escape)
    assert events.take() == [] and editor.editor.escaped == 1
    panel.set_running(True)
    editor.editor.calls.clear()
    press(window, QtCore.Qt.Key_Escape)
    assert events.take() == [("cancel",)] and "setActiveEffect" in editor.editor.calls
    panel.set_running(False)
    press(window, QtCore.Qt.Key_Escape)
    assert events.take() == [] and editor.editor.escaped == 2


def test_p_does_not_cancel_a_run(panel: Any, window: QtWidgets.QWidget, events: Any, ui: types.SimpleNamespace) -> None:
    panel.set_running(True)
    assert ui.propagateButton.text() == "Cancel"
    press(window, QtCore.Qt.Key_P)
    assert events.take() == []


def test_the_presenter_is_polled_and_no_longer_after_cleanup(
    panel: Any, events: Any, application: QtWidgets.QApplication
) -> None:
    panel.set_busy(True)
    for _ in range(100):
        QtTest.QTest.qWait(20)
        if events.told.count(("poll",)) >= 2:
            break
    assert events.told.count(("poll",)) >= 2
    panel.cleanup()
    events.told.clear()
    QtTest.QTest.qWait(60)
    assert events.told == []


def test_without_a_main_window_there_are_no_keys(panel: Any, answers: Any) -> None:
    answers.window = None
    panel.exit()
    panel.enter()
    panel.set_running(True)


def test_a_change_goes_through_the_rules_of_the_editors_node(editor: Any, scene: Any) -> None:
    scan, segmentation, labelmap = painted_scene(scene)
    editor.node.SetAndObserveSegmentationNode(segmentation)
    editor.node.SetAndObserveSourceVolumeNode(scan)
    editor.modify(segmentation, "liver", labelmap, "set")
    found = segmentation.GetSegmentation().GetSegment("liver").GetRepresentation("Binary labelmap")
    assert found.GetPointData().GetScalars().GetRange() == (1.0, 1.0)


def painted_scene(scene: Any) -> tuple[Any, Any, Any]:
    """A scan, a segmentation on it with an empty segment, and a labelmap with a few voxels."""
    scan = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(8, 8, 8)
    image.AllocateScalars(4, 1)
    scan.SetAndObserveImageData(image)
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(scan)
    segmentation.GetSegmentation().AddEmptySegment("liver", "liver")
    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetExtent(2, 4, 2, 4, 3, 3)
    labelmap.AllocateScalars(3, 1)
    labelmap.GetPointData().GetScalars().Fill(1)
    return scan, segmentation, labelmap


class ShortJob:
    """A job that is done after a few polls."""

    polls = 0

    @property
    def done(self) -> bool:
        return self.polls >= 3

    def poll(self) -> None:
        self.polls += 1


def test_a_job_without_a_panel_goes_on_by_itself(qt: types.ModuleType) -> None:
    from DPLSegmentLib.panel.polling import keep_polling

    job = keep_polling(ShortJob())
    assert job.polls == 1
    for _ in range(100):
        QtTest.QTest.qWait(20)
        if job.done:
            break
    assert job.polls == 3
