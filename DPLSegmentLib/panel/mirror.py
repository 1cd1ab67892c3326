"""Shows in the panel how things stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from DPLSegmentLib.panel.controls import Situation, reasons
from DPLSegmentLib.panel.painted_list import PaintedList
from DPLSegmentLib.panel.planning import queries
from DPLSegmentLib.panel.range import limits
from DPLSegmentLib.panel.results import Results
from DPLSegmentLib.panel.run import Run
from DPLSegmentLib.panel.state import PanelState
from DPLSegmentLib.panel.view import PanelView, QueryRow
from DPLSegmentLib.panel.wording import result_rows, summary
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.worker.client import WorkerInfo


class Mirror:
    """Reads the painted list and the results, and sets the view."""

    def __init__(
        self, view: PanelView, painted: PaintedList, results: Results, translate: Callable[[str], str]
    ) -> None:
        self._view = view
        self._painted = painted
        self._results = results
        self._ = translate
        self._device: str | None = None
        self._told_cpu = False

    def show(self, state: PanelState | None, running: bool) -> None:
        """Set everything that depends on the state; None: the scene is being closed."""
        view = self._view
        view.set_running(running)
        view.show_painted(self._painted.rows)
        view.show_results(result_rows(self._results.all, self._results.colours))
        if state is not None:
            self._show_state(state)
        for control, why in reasons(self.situation(state, running)).items():
            view.set_enabled(control, not why, self._(why) if why else "")

    def show_end(self, run: Run, info: WorkerInfo | None) -> None:
        """Say what became of a run, and once that no graphics card was found."""
        self._view.show_progress(None, "")
        text, error = summary(run, self._)
        if info is not None and info.devices == ("cpu",) and not self._told_cpu:
            self._told_cpu = True
            text += self._(" PyTorch found no graphics card that it can use, so the CPU works.")
        self._view.show_status(text, error)

    def show_device(self, info: WorkerInfo | None) -> None:
        """Name the device that "Automatic" is, when it is another than before."""
        name = info.device if info else ""
        if name != self._device:
            self._device = name
            self._view.show_device(name)

    def situation(self, state: PanelState | None, running: bool) -> Situation:
        """What the controls depend on."""
        if state is None:
            return Situation()
        chosen = queries(state)
        return Situation(
            scan=present(state.scan),
            segmentation=present(state.segmentation),
            painted=bool(self._painted.chosen),
            full=self._painted.full,
            prototypes=bool(state.prototypes_path),
            targets=len(chosen) + int(present(state.sequence)),
            own=any(node is state.scan for node in chosen),
            running=running,
            results=len(self._results.all),
            next_slice=self._results.uncertain is not None,
            only=self._painted.only is not None,
        )

    def _show_state(self, state: PanelState) -> None:
        self._view.show_queries([QueryRow(node.GetID(), True) for node in queries(state)])
        self._view.show_prototypes(Path(state.prototypes_path).name)
        axis = self._painted.axis or 0
        ready = present(state.scan) and axis >= 0
        self._view.show_range(limits(state.scan, axis, state) if ready else None)
