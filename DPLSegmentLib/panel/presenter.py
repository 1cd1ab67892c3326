"""What happens when something happens in the panel. No Qt: the widget is a `PanelView`, time is given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.panel.background import Background
from DPLSegmentLib.panel.controls import why_no_run
from DPLSegmentLib.panel.display import Shown
from DPLSegmentLib.panel.engine_room import EngineRoom
from DPLSegmentLib.panel.imports import FolderImport
from DPLSegmentLib.panel.mirror import Mirror
from DPLSegmentLib.panel.painted_list import PaintedList
from DPLSegmentLib.panel.planning import plan_run, queries
from DPLSegmentLib.panel.pytorch import PyTorch
from DPLSegmentLib.panel.results import Results
from DPLSegmentLib.panel.run import Run
from DPLSegmentLib.panel.saving import Saving
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.panel.state import PanelState
from DPLSegmentLib.panel.targets import Scans
from DPLSegmentLib.panel.view import PanelView
from DPLSegmentLib.scene.adding import add_segmentation
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.scene.sample import load_sample
from DPLSegmentLib.scene.scans import check_scan_node
from DPLSegmentLib.worker.client import Worker

_SETTLED = 0.25


@dataclass(frozen=True, eq=False)
class Backstage:
    """What the presenter works with; `clock` counts seconds."""

    worker: Worker
    torch: PyTorch
    stage: Stage
    clock: Callable[[], float]


class Presenter:
    """Implements `view.PanelEvents`; nothing is kept in widgets, and nothing here waits."""

    def __init__(self, view: PanelView, backstage: Backstage) -> None:
        self.view = view
        self.worker, self.torch = backstage.worker, backstage.torch
        self.stage, self.clock = backstage.stage, backstage.clock
        self._ = self.stage.translate
        self.state: PanelState | None = None
        self.painted = PaintedList()
        self.scans = Scans()
        self.results = Results()
        self.shown = Shown(self.stage)
        self.background = Background(self.worker, self.scans, self.clock)
        self.saving = Saving(self.worker, self.view.show_status)
        self.run: Run | None = None
        self._import: FolderImport | None = None
        self._painting_since: float | None = None
        self._own: Any | None = None
        self.engine = EngineRoom(self.worker, self.torch, view, self._sorry)
        self._mirror = Mirror(view, self.painted, self.results, self._)

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self.run is not None and self.run.running

    # What is chosen

    def use_state(self, state: PanelState) -> None:
        """Another parameter node is in use."""
        self.state = state
        self.painted.forget()
        self._choose_own()
        self._look()
        self.background.want(state.scan)

    def scan_changed(self) -> None:
        """`state.scan` is another."""
        self.painted.forget()
        self.scans.forget()
        self._choose_own()
        self._look()
        self.background.want(self.state.scan if self.state else None)

    def segmentation_changed(self) -> None:
        """`state.segmentation` is another."""
        self.painted.forget()
        self._look()

    def painting_changed(self) -> None:
        """Something was painted; looked at once the brush has rested."""
        self._painting_since = self.clock()

    def sequence_changed(self) -> None:
        """`state.sequence` is another."""
        self._show()

    def range_changed(self) -> None:
        """The slice range is another."""
        self._show()

    def toggle_slice(self, row: int, on: bool) -> None:
        """A painted slice was switched on or off."""
        self.painted.toggle(row, on)
        self._show()

    def use_slice_in_view(self) -> None:
        """Use what is painted on the slice in view and nothing else; pressed again, all painted slices."""
        if self.painted.only is not None:
            self.painted.use_all()
        else:
            place = self.shown.slice_in_view(self.state.scan) if self.state and present(self.state.scan) else None
            if place is None:
                self._sorry(self._("No slice view shows a slice of the scan: reset one to axial, sagittal or coronal."))
                return
            self.painted.use_only(*place)
        self._look()

    def set_queries(self, nodes: list[Any]) -> None:
        """These scans are checked."""
        if self.state is not None:
            self.state.queries = nodes
            self._show()

    def try_it(self) -> None:
        """Load the sample scan with its painted slices and choose both."""
        stage, state = self.stage, self.state
        try:
            scan, painted = load_sample(stage.scene, stage.logics.segmentations, stage.sample_folder)
        except SceneError as error:
            self._sorry(str(error))
            return
        if state is not None:
            state.scan, state.segmentation = scan, painted
            self.view.show_status(self._("Four organs are painted on one slice each: press Propagate."), False)

    def add_folder(self, folder: Path) -> None:
        """Load the scans of a folder, one at each poll, and check them."""
        try:
            self._import = FolderImport(self.stage.scene, folder)
        except ImageError as error:
            self._sorry(str(error))

    # The run

    def propagate_clicked(self) -> None:
        """Propagate, or cancel while running."""
        if self.running:
            self.cancel()
            return
        self._look()
        self._offer_slice_in_view()
        why = why_no_run(self._mirror.situation(self.state, self.running))
        if why:
            self._sorry(why)
        elif self.engine.ready():
            self._start()

    def cancel(self) -> None:
        """Stop a run; what was finished before stays to be checked."""
        if self.run is not None and self.running:
            self.run.cancel()
            self._ended(self.run)

    def apply(self) -> None:
        """Keep the results."""
        if self.running or not self.results.all:
            return
        self._hide_results()
        try:
            nodes = self.results.apply(self.state.segmentation if self.state else None, self.stage.editor)
        except SceneError as error:
            self._sorry(str(error))
        else:
            names = ", ".join(node.GetName() for node in nodes)
            self.view.show_status(self._("Applied to {names}.").format(names=names), False)
        self._look()

    def discard(self) -> None:
        """Give the results up."""
        if not self.running:
            self._hide_results()
            self.results.discard()
            self.view.show_status(self._("Discarded."), False)
            self._show()

    def show_3d(self, on: bool) -> None:
        """Surfaces of the previews."""
        self.shown.surfaces([preview.node for preview in self.results.previews], on)

    def confidence_overlay(self, on: bool) -> None:
        """Confidence over the scan."""
        try:
            self.shown.overlay(self.results) if on else self.shown.no_overlay()
        except SceneError as error:
            self.view.show_status(str(error), True)

    def next_slice(self) -> None:
        """Go to the slice that would help most if it were painted."""
        try:
            self.shown.jump(self.results.uncertain)
        except SceneError as error:
            self.view.show_status(str(error), True)
            return
        told = self._("Paint this slice as it should be, then press Propagate: it is used as one more.")
        self.view.show_status(told, False)

    # Advanced

    def save_prototypes(self, path: Path, then: Callable[[], None] | None = None) -> None:
        """Write the prototypes of the painted slices; `then` is called once they are there."""
        self._look()
        try:
            plan = plan_run(self.stage, self.scans, self.state, self.painted) if self.state else None
        except SceneError as error:
            self._sorry(str(error))
            return
        if plan is not None and self.engine.ready():
            self.engine.use(self.state, start=True)
            self.saving.start(plan.supports, path, then)

    def load_prototypes(self, path: Path | None) -> None:
        """Use the prototypes of a file, or the painted slices again."""
        if self.state is not None:
            self.state.prototypes_path = str(path or "")
            self._show()

    def device_changed(self, device: str) -> None:
        """Another device was chosen."""
        self.engine.use(self.state, start=False)

    def model_changed(self) -> None:
        """Another model was chosen."""
        self.engine.use(self.state, start=False)

    def memory_changed(self) -> None:
        """Another memory limit was chosen."""
        self.engine.use(self.state, start=False)

    def install_pytorch(self) -> None:
        """Install PyTorch, or say that all is well."""
        if self.engine.ready():
            version = self.torch.version()
            self.view.show_status(self._("PyTorch {version} is ready.").format(version=version), False)
            self.engine.use(self.state, start=True)
            self.worker.start()

    def log(self) -> str:
        """What the worker process wrote, and what it is about."""
        return f"{self.worker.state}\n\n{self.worker.log()}"

    # Time and scene

    def poll(self) -> None:
        """Go on with what is under way."""
        self.worker.poll()
        self._offer_segmentation()
        self._look_if_settled()
        self._import_next()
        if self.run is not None:
            self._go_on(self.run)
        if self.background.waiting and not self.running and self.torch.ready():
            self.background.tick()
        self._mirror.show_device(self.worker.info)
        self.view.set_busy(self.running or self.background.busy or self.saving.busy or self._import is not None)

    def scene_closing(self) -> None:
        """Let go of every node."""
        if self.run is not None:
            self.run.cancel()
        self.run, self._import, self.state = None, None, None
        self.background.stop()
        self._hide_results()
        self.results.discard()
        self.painted.forget()
        self.scans.forget()
        self._show()

    def node_removed(self, node_id: str) -> None:
        """A node is about to leave the scene."""
        if self.state and self.state.scan is not None and self.state.scan.GetID() == node_id:
            self.background.stop()
            self.scans.forget()
        self._painting_since = self.clock()

    def leave(self) -> None:
        """Another module is opened; a run goes on."""
        self.shown.no_overlay()
        self.view.set_checked("confidenceCheckBox", False)

    def cleanup(self) -> None:
        """End everything; the scene is left as it was before the last run."""
        if self.run is not None:
            self.run.cancel()
            self.run = None
        self.background.stop()
        self._hide_results()
        self.results.discard()
        self.worker.stop()

    def _start(self) -> None:
        self._hide_results()
        self.background.stop()
        self.results.discard()
        self.engine.use(self.state, start=True)
        try:
            plan = plan_run(self.stage, self.scans, self.state, self.painted)
            self.run = Run(self.worker, plan, self.clock)
        except SceneError as error:
            self._sorry(str(error))
            return
        self.view.show_status("", False)
        self._show()
        self._go_on(self.run)

    def _offer_slice_in_view(self) -> None:
        if self.painted.full and not self.painted.chosen and not (self.state and self.state.prototypes_path):
            question = self._("{names}: painted in 3D. Use the slice in view only?")
            if self.view.ask(question.format(names=", ".join(self.painted.full))):
                self.use_slice_in_view()

    def _go_on(self, run: Run) -> None:
        run.tick()
        if not run.running:
            self._ended(run)
            return
        waiting = self.worker.info is None
        text = self._("Starting PyTorch") if waiting else run.time_left.text
        self.view.show_progress(run.time_left.fraction, text)

    def _ended(self, run: Run) -> None:
        self.run = None
        self.results.take(run.outcome.results)
        self._mirror.show_end(run, self.worker.info)
        self._look()

    def _choose_own(self) -> None:
        """The painted scan is to be segmented, unless only others were checked."""
        before, state = self._own, self.state
        self._own = state.scan if state else None
        if state is not None and present(state.scan):
            kept = [state.scan if node is before else node for node in queries(state)]
            state.queries = kept or [state.scan]

    def _offer_segmentation(self) -> None:
        """Something to paint into, as soon as a scan is chosen."""
        state = self.state
        if state is not None and present(state.scan) and not present(state.segmentation) and not state.prototypes_path:
            with suppress(SceneError):
                check_scan_node(state.scan)
                node = add_segmentation(self.stage.scene, state.scan)
                node.GetSegmentation().AddEmptySegment("", self._("Structure"))
                state.segmentation = node
                self.segmentation_changed()

    def _look_if_settled(self) -> None:
        if self._painting_since is not None and self.clock() - self._painting_since > _SETTLED:
            self._look()

    def _look(self) -> None:
        """Look at the painting again, and show everything."""
        self._painting_since = None
        state = self.state
        try:
            self.painted.refresh(state.segmentation if state else None, state.scan if state else None)
        except SceneError as error:
            self.view.show_status(str(error), True)
        self._show()

    def _import_next(self) -> None:
        done = self._import
        if done is None or done.step():
            return
        self._import = None
        if self.state is not None:
            self.state.queries = [*queries(self.state), *done.nodes]
        self.view.show_status(*done.summary(self._))
        self._show()

    def _hide_results(self) -> None:
        self.shown.no_overlay()
        self.view.set_checked("confidenceCheckBox", False)
        self.view.set_checked("show3DButton", False)

    def _show(self) -> None:
        self._mirror.show(self.state, self.running)

    def _sorry(self, sentence: str) -> None:
        """The user pressed a button and nothing can happen."""
        self.view.show_status(sentence, True)
        self.view.warn(sentence)
