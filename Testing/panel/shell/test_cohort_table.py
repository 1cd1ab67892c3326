"""The section for many scans: it shows what it is told, and tells what the user does."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtCore, QtTest, QtWidgets

from DPLSegmentLib.panel.cohort_controls import CohortSituation, cohort_reasons
from DPLSegmentLib.panel.cohort_view import Choices, ScanRow
from Testing.panel.shell.conftest import Answers, Events

PRESSES = {
    "cohortClearButton": "clear",
    "cohortStartButton": "start_clicked",
    "cohortRetryButton": "retry",
    "cohortOpenButton": "open_result",
    "cohortReportButton": "open_report",
    "cohortSummaryButton": "open_summary",
}
CHOOSERS = {
    "cohortAddFolderButton": "add_folder",
    "cohortOutputButton": "choose_output",
    "certificatesButton": "choose_certificates",
}
ROWS = [
    ScanRow("P001_ct", "done", "liver 1432.0 mL (94 %), spleen 210.4 mL (91 %)"),
    ScanRow("P002_ct", "skipped", "finished before: liver 1518.3 mL (92 %), spleen 187.0 mL (88 %)"),
    ScanRow("P003_ct", "\N{WARNING SIGN} failed", "P003_ct is damaged: its data end too early. Copy it again."),
    ScanRow("P004_ct", "running, 40 %"),
    ScanRow("P005_ct", "waiting"),
]


@pytest.fixture
def cohort_events() -> Events:
    """The presenter's place."""
    return Events()


@pytest.fixture
def box(panel: Any, ui: types.SimpleNamespace, answers: Answers, cohort_events: Events, state: Any) -> Iterator[Any]:
    """The section in a shown panel."""
    from DPLSegmentLib.panel.cohort_table import CohortBox

    box = CohortBox(ui, panel, answers, lambda _view: cohort_events)
    panel.add_part(box)
    box.use_state(state)
    cohort_events.take()
    return box


def texts(table: QtWidgets.QTableWidget, row: int) -> list[str]:
    """What a line of the table says."""
    return [table.item(row, column).text() for column in range(3)]


def test_the_section_is_folded_until_somebody_wants_it(ui: types.SimpleNamespace) -> None:
    assert ui.cohortCollapsibleButton.property("collapsed") is True


@pytest.mark.parametrize(("button", "event"), PRESSES.items())
def test_a_press_of_a_button_is_told(
    box: Any, ui: types.SimpleNamespace, cohort_events: Events, button: str, event: str
) -> None:
    getattr(ui, button).click()
    assert [told[0] for told in cohort_events.take()] == [event]


@pytest.mark.parametrize(("button", "event"), CHOOSERS.items())
def test_a_folder_is_asked_for_and_nothing_is_told_when_none_is_chosen(
    box: Any, ui: types.SimpleNamespace, cohort_events: Events, answers: Answers, button: str, event: str
) -> None:
    getattr(ui, button).click()
    assert cohort_events.take() == []
    answers.path = Path("study")
    getattr(ui, button).click()
    assert cohort_events.take() == [(event, Path("study"))]


def test_choices_are_shown_without_telling_them_and_told_when_the_user_makes_them(
    box: Any, ui: types.SimpleNamespace, cohort_events: Events
) -> None:
    box.show_choices(Choices(("data/first", "data/second"), "data/out", True, "tls://host:8786", "pems", True))
    assert cohort_events.take() == []
    assert (ui.cohortFoldersText.text(), ui.cohortOutputLineEdit.text()) == ("first, second", "data/out")
    assert (ui.schedulerLineEdit.text(), ui.computeComboBox.currentIndex()) == ("tls://host:8786", 1)
    ui.computeComboBox.setCurrentIndex(0)
    ui.replaceCheckBox.setChecked(False)
    ui.schedulerLineEdit.clear()
    QtTest.QTest.keyClicks(ui.schedulerLineEdit, "t")
    assert cohort_events.take() == [("choose_compute", False), ("choose_replace", False), ("choose_scheduler", "t")]


def test_lines_are_filled_one_at_a_time_and_keep_their_selection(
    box: Any, ui: types.SimpleNamespace, cohort_events: Events
) -> None:
    for number, row in enumerate(ROWS):
        box.show_scan(number, row)
    ui.cohortTable.selectRow(2)
    assert cohort_events.take() == [("select", [2])]
    box.show_scan(2, ScanRow("P003_ct", "running, 3 %"))
    assert texts(ui.cohortTable, 2) == ["P003_ct", "running, 3 %", ""]
    assert {item.row() for item in ui.cohortTable.selectedItems()} == {2} and cohort_events.take() == []
    box.clear_scans()
    assert ui.cohortTable.rowCount() == 0 and cohort_events.take() == []


def test_the_whole_sentence_of_a_failed_scan_is_in_its_tooltip(box: Any, ui: types.SimpleNamespace) -> None:
    box.show_scan(0, ROWS[2])
    assert ui.cohortTable.item(0, 2).toolTip() == ROWS[2].found


def test_start_becomes_stop_and_progress_is_shown_as_long_as_there_is_some(box: Any, ui: types.SimpleNamespace) -> None:
    box.set_running(True)
    box.show_progress(0.25, "3 of 12 scans, 9 min left")
    assert ui.cohortStartButton.text() == "Stop" and ui.cohortProgressBar.value() == 250
    assert ui.cohortProgressBar.isVisible()
    box.set_running(False)
    box.show_progress(None, "")
    assert ui.cohortStartButton.text() == "Start" and not ui.cohortProgressBar.isVisible()


def test_every_control_that_is_off_says_why_and_exists(box: Any, ui: types.SimpleNamespace) -> None:
    for situation in (CohortSituation(), CohortSituation(running=True), CohortSituation(opening=True, busy=True)):
        for control, why in cohort_reasons(situation).items():
            box.set_enabled(control, not why, why)
            widget = getattr(ui, control)
            assert widget.isEnabled() == (not why) and widget.toolTip() == (why or widget.toolTip()) != ""


def test_files_questions_and_sentences_go_to_the_dialogs(box: Any, ui: types.SimpleNamespace, answers: Answers) -> None:
    box.open_file(Path("report.html"))
    assert box.ask("Go on?") and answers.opened == [Path("report.html")]
    box.warn("There is no folder.")
    box.show_status("There is no folder.", True)
    assert answers.said == ["Go on?", "There is no folder."] and ui.cohortStatusLabel.text().endswith("no folder.")


def test_a_closed_scene_is_told_and_nothing_is_polled_after_cleanup(
    panel: Any, box: Any, scene: Any, cohort_events: Events
) -> None:
    scene.Clear(True)
    assert [event[0] for event in cohort_events.take()] == ["scene_closing", "use_state"]
    panel.cleanup()
    assert cohort_events.take() == [("cleanup",)]
    QtTest.QTest.qWait(300)
    assert cohort_events.told == []


def test_the_section_is_rendered(box: Any, ui: types.SimpleNamespace, root: Path) -> None:
    choices = Choices(("study", "follow-up"), "study/DPLSegment", True, "tls://cluster.example.org:8786", "pems")
    box.show_choices(choices)
    for number, row in enumerate(ROWS):
        box.show_scan(number, row)
    box.set_running(True)
    box.show_progress(0.5, "3 of 5 scans, 2 min left")
    box.show_status("3 scans done, 1 finished before, 1 failed. Select those that failed to retry them.", True)
    section = ui.cohortCollapsibleButton
    section.setParent(None)
    section.resize(470, section.sizeHint().height())
    section.show()
    QtWidgets.QApplication.processEvents()
    folder = root / "out" / "panel"
    folder.mkdir(parents=True, exist_ok=True)
    assert section.grab().save(str(folder / "many_scans.png"))
    assert section.minimumSizeHint().width() <= 470 and QtCore.QSize(470, 300).height() < section.height()
