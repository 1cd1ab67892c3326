"""The section for many scans without Qt: a view that remembers what it was told, on a panel with a real worker."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from DPLSegmentLib.cohort.process import starter
from DPLSegmentLib.panel.cohort_batches import Batches
from DPLSegmentLib.panel.cohort_run import CohortPresenter
from DPLSegmentLib.panel.cohort_session import PresenterPainter
from DPLSegmentLib.panel.cohort_view import Choices, ScanRow
from DPLSegmentLib.panel.packages import ClusterPackages
from Testing.panel.stand import PATIENCE, Panel


class RecordingCohortView:
    """A `CohortView` that keeps what it shows; `answer` is given to every question."""

    def __init__(self) -> None:
        self.choices = Choices()
        self.rows: dict[int, ScanRow] = {}
        self.seen: set[tuple[str, str]] = set()
        self.fraction: float | None = None
        self.progress: list[str] = []
        self.status, self.error = "", False
        self.running = False
        self.reasons: dict[str, str] = {}
        self.questions: list[str] = []
        self.warnings: list[str] = []
        self.opened: list[Path] = []
        self.answer = True

    def show_choices(self, choices: Choices) -> None:
        self.choices = choices

    def show_scan(self, row: int, scan: ScanRow) -> None:
        assert row <= len(self.rows)
        self.rows[row] = scan
        self.seen.add((scan.scan, scan.state.partition(",")[0]))

    def clear_scans(self) -> None:
        self.rows = {}

    def show_progress(self, fraction: float | None, text: str) -> None:
        self.fraction = fraction
        self.progress.append(text)

    def show_status(self, text: str, error: bool) -> None:
        self.status, self.error = text, error

    def set_running(self, running: bool) -> None:
        self.running = running

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        self.reasons[control] = "" if enabled else why

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def open_file(self, path: Path) -> None:
        self.opened.append(path)

    def states(self) -> dict[str, str]:
        """The state of each scan as the table says it."""
        return {row.scan: row.state for row in self.rows.values()}


@dataclass(eq=False)
class ManyScans:
    """A presenter of many scans and the panel beside it; `beats` keeps how long each poll took."""

    presenter: CohortPresenter
    view: RecordingCohortView
    panel: Panel
    beats: list[float] = field(default_factory=list)

    def poll_until(self, ready: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Poll as the timers do; returns the seconds it took."""
        begin = time.monotonic()
        while not ready():
            assert time.monotonic() - begin < patience, f"It took too long. {self.view.status} {self.view.rows}"
            self.panel.presenter.poll()
            start = time.monotonic()
            self.presenter.poll()
            self.beats.append(time.monotonic() - start)
            time.sleep(0.02)
        return time.monotonic() - begin

    def run(self) -> None:
        """Press Start and wait for the end."""
        self.presenter.start_clicked()
        self.finish()

    def finish(self) -> None:
        """Wait until no process is left and everything is shown."""
        self.poll_until(lambda: not self.presenter.running and self.presenter.batches.ended)
        self.presenter.poll()

    def select(self, *scans: str) -> None:
        """Select lines by the ids of their scans."""
        self.presenter.select([number for number, row in self.view.rows.items() if row.scan in scans])


def open_many_scans(panel: Panel) -> ManyScans:
    """The section, in use."""
    view = RecordingCohortView()
    batches = Batches(starter(sys.executable, os.environ), time.monotonic)
    painter, packages = PresenterPainter(panel.presenter), ClusterPackages(testing=True)
    presenter = CohortPresenter(view, painter, batches, packages, panel.stage, time.monotonic)
    presenter.use_state(panel.state)
    return ManyScans(presenter, view, panel)
