"""Many scans from files, in a process of their own. No Qt: the widgets are a `CohortView`, time is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from DPLSegmentLib.cohort.process import BatchRequest
from DPLSegmentLib.cohort.report import REPORT
from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.cohort.summary import SUMMARY
from DPLSegmentLib.panel import cohort_words
from DPLSegmentLib.panel.cohort_batches import Batches
from DPLSegmentLib.panel.cohort_board import Board
from DPLSegmentLib.panel.cohort_controls import CohortSituation, cohort_reasons
from DPLSegmentLib.panel.cohort_launch import Heard, Launch, Packages, Painter
from DPLSegmentLib.panel.cohort_open import Opening
from DPLSegmentLib.panel.cohort_pace import Pace
from DPLSegmentLib.panel.cohort_plan import choices, encrypted, why_no_batch
from DPLSegmentLib.panel.cohort_view import Choices, CohortView
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.panel.state import PanelState

_ROWS_A_POLL = 50
_RETRIED = (State.FAILED, State.NOT_REACHED)
_OPENED = (State.DONE, State.FINISHED_BEFORE)


class CohortPresenter:
    """Implements `cohort_view.CohortEvents`; nothing is kept in widgets, and nothing here waits."""

    def __init__(
        self,
        view: CohortView,
        painter: Painter,
        batches: Batches,
        packages: Packages,
        stage: Stage,
        clock: Callable[[], float],
    ) -> None:
        self.view = view
        self.painter, self.batches = painter, batches
        self.launch = Launch(painter, packages, batches, view.ask, Heard(self._begun, self._sorry), stage.translate)
        self.board = Board()
        self.state: PanelState | None = None
        self.opening = Opening(stage, view.show_status)
        self._ = stage.translate
        self._clock = clock
        self._pace = Pace(clock, self._)
        self._selected: list[int] = []
        self._output: Path | None = None
        self._report = False
        self._shown: CohortSituation | None = None

    @property
    def running(self) -> bool:
        """Whether a batch goes on, its preparation included."""
        return self.batches.running or self.launch.preparing

    # What is chosen

    def use_state(self, state: PanelState) -> None:
        """Another parameter node is in use."""
        self.state = state
        self._show_choices()

    def add_folder(self, folder: Path) -> None:
        """One more folder with scans, searched all the way down."""
        if self.state is not None and str(folder) not in self.state.folders:
            self.state.folders = [*self.state.folders, str(folder)]
            self._show_choices()

    def clear(self) -> None:
        """No folder, no table; results that are there stay."""
        if self.state is not None and not self.running:
            self.state.folders, self.state.output = [], ""
            self._empty_table()
            self._show_choices()

    def choose_output(self, folder: Path) -> None:
        """Where results go."""
        if self.state is not None:
            self.state.output = str(folder)
            self._show_choices()

    def choose_compute(self, on_cluster: bool) -> None:
        """Who does the work."""
        if self.state is not None:
            self.state.on_cluster = on_cluster
            self._show_choices()

    def choose_scheduler(self, address: str) -> None:
        """Where the cluster is."""
        if self.state is not None:
            self.state.scheduler = address.strip()
            self._show()

    def choose_certificates(self, folder: Path) -> None:
        """What proves to the cluster who asks."""
        if self.state is not None:
            self.state.certificates = str(folder)
            self._show_choices()

    def choose_replace(self, on: bool) -> None:
        """Whether results of other prototypes may go."""
        if self.state is not None:
            self.state.replace_results = on

    def select(self, rows: Sequence[int]) -> None:
        """Lines of the table."""
        self._selected = sorted(rows)
        self._show()

    # The batch

    def start_clicked(self) -> None:
        """Begin, or go on where the last batch ended; stop while one runs."""
        if self.running:
            self._stop()
        else:
            self._prepare(())

    def retry(self) -> None:
        """Begin the selected scans again that failed or were not reached."""
        again = tuple(record.id for record in self._chosen(_RETRIED))
        if again and not self.running:
            self._prepare(again)

    def open_result(self) -> None:
        """Load the first selected scan that is done, with its segmentation."""
        done = self._chosen(_OPENED)
        if done and self._output is not None and not self.opening.busy:
            self.opening.begin(self._output, done[0].id)
            self._show()

    def open_report(self) -> None:
        """Show the page with pictures."""
        self._open_file(REPORT)

    def open_summary(self) -> None:
        """Show the table with volumes and confidences."""
        self._open_file(SUMMARY)

    # Time and scene

    def poll(self) -> None:
        """Go on with what is under way."""
        self._poll_batch()
        self.opening.tick()
        self.launch.tick()
        for row, record in self.board.changed(_ROWS_A_POLL):
            self.view.show_scan(row, cohort_words.scan_row(record, self.board.percent(record), self._))
        self._show()

    def scene_closing(self) -> None:
        """What was chosen goes with the scene, and the batch with it; finished scans stay."""
        self.batches.kill()
        self.opening.forget()
        self.launch.give_up()
        self.state = None
        self._empty_table()

    def cleanup(self) -> None:
        """End everything."""
        self.batches.kill()
        self.opening.close()
        self.launch.give_up()

    def _prepare(self, only: tuple[str, ...]) -> None:
        if self.state is not None:
            self.launch.prepare(self.state, only)
            self._show()

    def _begun(self, request: BatchRequest) -> None:
        if not request.only:
            self._empty_table()
        self._output, self._pace = request.output, Pace(self._clock, self._)
        self.view.show_status("", False)

    def _stop(self) -> None:
        self.launch.give_up()
        self.batches.stop()
        self.board.give_up(State.WAITING)
        self.view.show_status(cohort_words.stopped(self.board.counts, self._), False)
        self._show()

    def _poll_batch(self) -> None:
        under_way, stopped = not self.batches.ended, not self.batches.running
        for record in self.batches.poll():
            if not (stopped and record.state is State.WAITING):
                self.board.take(record)
        if under_way and self.batches.ended:
            self._ended(stopped)
        self._pace.update(self.board, self.batches.progress)

    def _ended(self, stopped: bool) -> None:
        left = self.board.open
        self.board.give_up(State.WAITING, State.RUNNING)
        self._look_for_report()
        counts = self.board.counts
        if stopped:
            self.view.show_status(cohort_words.stopped(counts, self._), False)
        elif self.batches.message:
            self.view.show_status(self.batches.message, True)
        elif left or not counts:
            self.view.show_status(cohort_words.died(self._), True)
        else:
            self.view.show_status(cohort_words.ended(counts, self._), bool(counts[State.FAILED]))

    # What is shown

    def _show_choices(self) -> None:
        if self.state is not None:
            chosen = choices(self.state)
            if not self.board.counts:
                self._output = Path(chosen.output) if chosen.output else None
            self._look_for_report()
            self.view.show_choices(chosen)
            self._show()

    def _show(self) -> None:
        """Set what depends on the situation, when it is another than before."""
        now = self._situation()
        self.view.show_progress(self._pace.fraction if now.running else None, self._pace.text if now.running else "")
        if now == self._shown:
            return
        self._shown = now
        self.view.set_running(now.running)
        for control, why in cohort_reasons(now).items():
            self.view.set_enabled(control, not why, self._(why) if why else "")

    def _situation(self) -> CohortSituation:
        chosen = choices(self.state) if self.state is not None else Choices()
        return CohortSituation(
            running=self.running,
            busy=self.painter.running,
            opening=self.opening.busy,
            why_not=why_no_batch(chosen),
            folders=bool(chosen.folders),
            on_cluster=chosen.on_cluster,
            encrypted=encrypted(chosen),
            failed=len(self._chosen(_RETRIED)),
            done=len(self._chosen(_OPENED)),
            report=self._report,
        )

    def _chosen(self, states: Sequence[State]) -> list[Record]:
        records = (self.board.at(row) for row in self._selected)
        return [record for record in records if record is not None and record.state in states]

    def _look_for_report(self) -> None:
        self._report = self._output is not None and (self._output / REPORT).is_file()

    def _open_file(self, name: str) -> None:
        path = self._output / name if self._output else None
        if path is not None and path.is_file():
            self.view.open_file(path)
        else:
            self._sorry(self._("There is no {name} any more: press Start to make it again.").format(name=name))

    def _empty_table(self) -> None:
        self.board, self._selected = Board(), []
        self.view.clear_scans()

    def _sorry(self, sentence: str) -> None:
        """The user pressed a button and nothing can happen."""
        self.view.show_status(sentence, True)
        self.view.warn(sentence)
