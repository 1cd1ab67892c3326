"""Questions and file choices. Each is opened by a press of a button and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer.util

_TITLE = "DPLSegment"


class Dialogs:
    """Dialogs of the application, over its main window."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        self._ = translate

    def main_window(self) -> Any | None:
        """The main window, or None where there is none (`--no-main-window`)."""
        return slicer.util.mainWindow()

    def ask(self, question: str) -> bool:
        """A question to be answered with yes or no."""
        return bool(slicer.util.confirmYesNoDisplay(question, _TITLE))

    def warn(self, sentence: str) -> None:
        """A sentence to be read."""
        slicer.util.warningDisplay(sentence, _TITLE)

    def folder(self, title: str = "") -> Path | None:
        """A folder, of scans unless the title says something else, or None."""
        return _path(qt.QFileDialog.getExistingDirectory(self.main_window(), title or self._("Folder of scans")))

    def open_file(self, path: Path) -> None:
        """Show a file in the program that the system has for it."""
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def prototypes_to_load(self) -> Path | None:
        """An existing file of prototypes, or None."""
        return _path(qt.QFileDialog.getOpenFileName(self.main_window(), self._("Prototypes"), "", self._kinds()))

    def prototypes_to_save(self) -> Path | None:
        """A file to write prototypes to, or None."""
        return _path(qt.QFileDialog.getSaveFileName(self.main_window(), self._("Prototypes"), "", self._kinds()))

    def _kinds(self) -> str:
        return self._("Prototypes") + " (*.pt)"


def _path(chosen: str) -> Path | None:
    return Path(chosen) if chosen else None
