"""The section for many scans: Qt widgets that show what its presenter says and tell it what the user does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import qt

from DPLSegmentLib.panel.cohort_view import Choices, CohortEvents, CohortView, ScanRow
from DPLSegmentLib.panel.dialogs import Dialogs
from DPLSegmentLib.panel.quietly import quiet

_POLL_MS = 200
_BAR = 1000
_COLUMN_WIDTHS = (120, 105)


class Switches(Protocol):
    """The panel, which switches controls on and off."""

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        """`why` is the tooltip of a control that is off."""


class CohortBox:
    """A part of `PanelWidget` with the widgets `ui` by name."""

    def __init__(
        self,
        ui: Any,
        switches: Switches,
        dialogs: Dialogs,
        make_presenter: Callable[[CohortView], CohortEvents],
        translate: Callable[[str], str] = str,
    ) -> None:
        self.ui = ui
        self._ = translate
        self._switches = switches
        self._dialogs = dialogs
        self._connections: list[tuple[Any, Callable[..., None]]] = []
        self._timer = qt.QTimer()
        self._timer.interval = _POLL_MS
        self.presenter = make_presenter(self)
        for column, width in enumerate(_COLUMN_WIDTHS):
            ui.cohortTable.setColumnWidth(column, width)
        self._connect_all()

    # A part of the panel

    def use_state(self, state: Any) -> None:
        """Another parameter node is in use. From the first one on there is something to poll."""
        self.presenter.use_state(state)
        self._timer.start()

    def scene_closing(self) -> None:
        """The scene is about to be closed."""
        self.presenter.scene_closing()

    def cleanup(self) -> None:
        """The module is unloaded or reloaded."""
        self._timer.stop()
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self.presenter.cleanup()

    # What the user does

    def _connect_all(self) -> None:
        ui, events = self.ui, self.presenter
        self._connect(self._timer.timeout, events.poll)
        self._connect(ui.computeComboBox.currentIndexChanged, self._compute_chosen)
        self._connect(ui.schedulerLineEdit.textEdited, events.choose_scheduler)
        self._connect(ui.replaceCheckBox.toggled, events.choose_replace)
        self._connect(ui.cohortTable.itemSelectionChanged, self._selected)
        for button, slot in self._presses().items():
            self._connect(getattr(ui, button).clicked, slot)

    def _presses(self) -> dict[str, Callable[[], None]]:
        events = self.presenter
        return {
            "cohortAddFolderButton": self._add_folder,
            "cohortClearButton": events.clear,
            "cohortOutputButton": self._choose_output,
            "certificatesButton": self._choose_certificates,
            "cohortStartButton": events.start_clicked,
            "cohortRetryButton": events.retry,
            "cohortOpenButton": events.open_result,
            "cohortReportButton": events.open_report,
            "cohortSummaryButton": events.open_summary,
        }

    def _connect(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._connections.append((signal, slot))

    def _compute_chosen(self) -> None:
        self.presenter.choose_compute(self.ui.computeComboBox.currentIndex > 0)

    def _selected(self) -> None:
        self.presenter.select(sorted({item.row() for item in self.ui.cohortTable.selectedItems()}))

    def _add_folder(self) -> None:
        self._choose(self._("Folder of scans"), self.presenter.add_folder)

    def _choose_output(self) -> None:
        self._choose(self._("Folder for the results"), self.presenter.choose_output)

    def _choose_certificates(self) -> None:
        self._choose(self._("Folder with ca.pem, cert.pem and key.pem"), self.presenter.choose_certificates)

    def _choose(self, title: str, tell: Callable[[Path], None]) -> None:
        folder = self._dialogs.folder(title)
        if folder is not None:
            tell(folder)

    # What the presenter shows (CohortView)

    def show_choices(self, choices: Choices) -> None:
        """Fill in what was chosen."""
        ui = self.ui
        names = ", ".join(Path(folder).name for folder in choices.folders)
        ui.cohortFoldersText.text = names or self._("no folder yet")
        ui.cohortFoldersText.toolTip = "\n".join(choices.folders) or self._("Folders that are searched for scans.")
        ui.cohortOutputLineEdit.text = choices.output
        ui.certificatesLineEdit.text = choices.certificates
        with quiet(ui.schedulerLineEdit, ui.computeComboBox, ui.replaceCheckBox):
            ui.schedulerLineEdit.text = choices.scheduler
            ui.computeComboBox.currentIndex = int(choices.on_cluster)
            ui.replaceCheckBox.checked = choices.replace_results

    def show_scan(self, row: int, scan: ScanRow) -> None:
        """Fill a line of the table; the one after the last is added."""
        table = self.ui.cohortTable
        if row >= table.rowCount:
            table.rowCount = row + 1
        for column, text in enumerate((scan.scan, scan.state, scan.found)):
            self._show_cell(row, column, text)

    def _show_cell(self, row: int, column: int, text: str) -> None:
        table = self.ui.cohortTable
        if table.item(row, column) is None:
            table.setItem(row, column, qt.QTableWidgetItem())
        table.item(row, column).setText(text)
        table.item(row, column).setToolTip(text)

    def clear_scans(self) -> None:
        """Empty the table."""
        with quiet(self.ui.cohortTable):
            self.ui.cohortTable.rowCount = 0

    def show_progress(self, fraction: float | None, text: str) -> None:
        """Fill the progress bar to `fraction` (0..1) and write `text` on it; None: hide it."""
        self.ui.cohortProgressBar.visible = fraction is not None
        self.ui.cohortProgressBar.value = round(_BAR * (fraction or 0.0))
        self.ui.cohortProgressBar.format = text.replace("%", "%%")

    def show_status(self, text: str, error: bool) -> None:
        """Write a sentence in the section's status line; an error is set apart."""
        self.ui.cohortStatusLabel.text = f"\N{WARNING SIGN} {text}" if error else text

    def set_running(self, running: bool) -> None:
        """Turn Start into Stop and back."""
        self.ui.cohortStartButton.text = self._("Stop") if running else self._("Start")

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        """Switch a control on or off; `why` is its tooltip while it is off."""
        self._switches.set_enabled(control, enabled, why)

    def ask(self, question: str) -> bool:
        """Ask a yes-or-no question."""
        return self._dialogs.ask(question)

    def warn(self, sentence: str) -> None:
        """Say why nothing happened."""
        self._dialogs.warn(sentence)

    def open_file(self, path: Path) -> None:
        """Show a file outside of the application."""
        self._dialogs.open_file(path)
