"""What the section for many scans shows and what happens in it: the border between its presenter and its widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Choices:
    """What was chosen, as it is shown: empty texts where nothing was; `output` is where results will be."""

    folders: tuple[str, ...] = ()
    output: str = ""
    on_cluster: bool = False
    scheduler: str = ""
    certificates: str = ""
    replace_results: bool = False


@dataclass(frozen=True)
class ScanRow:
    """A line of the table: the id of a scan, its state, and what was found in it or why it failed."""

    scan: str
    state: str
    found: str = ""


class CohortView(Protocol):
    """Dumb setters. Controls have their object names of `Resources/UI/DPLSegment.ui`; no setter causes an event."""

    def show_choices(self, choices: Choices) -> None:
        """Fill in what was chosen."""

    def show_scan(self, row: int, scan: ScanRow) -> None:
        """Fill a line of the table; the one after the last is added."""

    def clear_scans(self) -> None:
        """Empty the table."""

    def show_progress(self, fraction: float | None, text: str) -> None:
        """Fill the progress bar to `fraction` (0..1) and write `text` on it; None: hide it."""

    def show_status(self, text: str, error: bool) -> None:
        """Write a sentence in the section's status line; an error is set apart."""

    def set_running(self, running: bool) -> None:
        """Turn Start into Stop and back."""

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        """Switch a control on or off; `why` is its tooltip while it is off."""

    def ask(self, question: str) -> bool:
        """Ask a yes-or-no question; only after the user pressed a button."""
        ...

    def warn(self, sentence: str) -> None:
        """Say why nothing happened, in a dialog; only after the user pressed a button."""

    def open_file(self, path: Path) -> None:
        """Show a file outside of the application."""


class CohortEvents(Protocol):
    """What the widgets tell the presenter."""

    def use_state(self, state: Any) -> None:
        """Another parameter node is in use."""

    def add_folder(self, folder: Path) -> None:
        """A folder to search for scans was chosen."""

    def clear(self) -> None:
        """The folders and the table shall be emptied."""

    def choose_output(self, folder: Path) -> None:
        """A folder for the results was chosen."""

    def choose_compute(self, on_cluster: bool) -> None:
        """The work is to be done on a cluster, or on this computer."""

    def choose_scheduler(self, address: str) -> None:
        """The address of the cluster was typed."""

    def choose_certificates(self, folder: Path) -> None:
        """A folder with certificates was chosen."""

    def choose_replace(self, on: bool) -> None:
        """Results of other prototypes are to be replaced, or not."""

    def start_clicked(self) -> None:
        """Start was pressed, or Stop while running."""

    def select(self, rows: Sequence[int]) -> None:
        """These lines of the table are selected."""

    def retry(self) -> None:
        """Retry was pressed."""

    def open_result(self) -> None:
        """Open result was pressed."""

    def open_report(self) -> None:
        """Report was pressed."""

    def open_summary(self) -> None:
        """Summary was pressed."""

    def poll(self) -> None:
        """Called by a timer."""

    def scene_closing(self) -> None:
        """The scene is about to be closed."""

    def cleanup(self) -> None:
        """The module is unloaded or reloaded: end everything."""
