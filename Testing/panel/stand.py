"""A panel without Qt: a view that remembers what it was told to show, on a real scene with a real worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import slicer

from DPLSegmentLib.panel.presenter import Backstage, Presenter
from DPLSegmentLib.panel.pytorch import PyTorch
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.panel.view import PaintedRow, QueryRow, ResultRow, SliceRange
from DPLSegmentLib.resources import resource
from DPLSegmentLib.scene.display import SliceViews
from DPLSegmentLib.scene.editor import LogicEditor
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.worker.client import Worker

PATIENCE = 120.0


class RecordingView:
    """A `PanelView` that keeps what it shows; `answer` is given to every question."""

    def __init__(self) -> None:
        self.painted: list[PaintedRow] = []
        self.queries: list[QueryRow] = []
        self.results: list[ResultRow] = []
        self.range: SliceRange | None = None
        self.fraction: float | None = None
        self.progress: list[str] = []
        self.status, self.error = "", False
        self.said: list[str] = []
        self.device = self.prototypes = ""
        self.reasons: dict[str, str] = {}
        self.checked: dict[str, bool] = {}
        self.running = self.busy = False
        self.questions: list[str] = []
        self.warnings: list[str] = []
        self.answer = True

    def show_painted(self, rows: Sequence[PaintedRow]) -> None:
        self.painted = list(rows)

    def show_queries(self, rows: Sequence[QueryRow]) -> None:
        self.queries = list(rows)

    def show_range(self, limits: SliceRange | None) -> None:
        self.range = limits

    def show_progress(self, fraction: float | None, text: str) -> None:
        self.fraction = fraction
        self.progress.append(text)

    def show_status(self, text: str, error: bool) -> None:
        self.status, self.error = text, error
        self.said.append(text)

    def show_results(self, rows: Sequence[ResultRow]) -> None:
        self.results = list(rows)

    def show_device(self, text: str) -> None:
        self.device = text

    def show_prototypes(self, text: str) -> None:
        self.prototypes = text

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        self.reasons[control] = "" if enabled else why

    def set_checked(self, control: str, checked: bool) -> None:
        self.checked[control] = checked

    def set_running(self, running: bool) -> None:
        self.running = running

    def set_busy(self, busy: bool) -> None:
        self.busy = busy

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


@dataclass(eq=False)
class State:
    """What a parameter node keeps in Slicer."""

    scan: Any = None
    segmentation: Any = None
    sequence: Any = None
    queries: list[Any] = field(default_factory=list)
    use_range: bool = False
    range_lower: float = 0.0
    range_upper: float = 0.0
    device: str = "cpu"
    model_path: str = ""
    prototypes_path: str = ""
    memory_limit: int = 0
    folders: list[str] = field(default_factory=list)
    output: str = ""
    on_cluster: bool = False
    scheduler: str = ""
    certificates: str = ""
    replace_results: bool = False


class Editor:
    """The Segment Editor of a panel: made anew for the segmentation that is changed; counts its undo steps."""

    def __init__(self, scene: Any, logic: Any, state: State) -> None:
        self._scene, self._logic, self._state = scene, logic, state
        self._editor: LogicEditor | None = None
        self.steps = 0

    def save_state_for_undo(self) -> None:
        self._editor = LogicEditor(self._scene, self._logic, self._state.segmentation, self._state.scan)
        self._editor.save_state_for_undo()
        self.steps += 1

    def modify(self, segmentation: Any, segment_id: str, labelmap: Any, mode: Any) -> None:
        assert self._editor is not None
        self._editor.modify(segmentation, segment_id, labelmap, mode)

    def undo(self) -> None:
        assert self._editor is not None
        self._editor.undo()


@dataclass(eq=False)
class Panel:
    """A presenter and all that it works with."""

    presenter: Presenter
    view: RecordingView
    state: State
    scene: Any
    stage: Stage
    editor: Editor
    beats: list[float] = field(default_factory=list)

    def poll_until(self, ready: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Poll as the timer does; returns the seconds it took. `beats` keeps how long each poll took."""
        begin = time.monotonic()
        while not ready():
            assert time.monotonic() - begin < patience, f"It took too long. {self.view.status} {self.presenter.log()}"
            start = time.monotonic()
            self.presenter.poll()
            self.beats.append(time.monotonic() - start)
            time.sleep(0.02)
        return time.monotonic() - begin

    def finish(self) -> None:
        """Poll until the run has ended."""
        self.poll_until(lambda: not self.presenter.running)

    def node_ids(self) -> set[str]:
        """All nodes of the scene."""
        return {self.scene.GetNthNode(n).GetID() for n in range(self.scene.GetNumberOfNodes())}


def make_logics(scene: Any) -> SceneLogics:
    """Module logics of a scene."""
    made = [
        getattr(slicer, f"vtkSlicer{kind}Logic")() for kind in ("SegmentationsModule", "SegmentEditor", "Sequences")
    ]
    for logic in made:
        logic.SetMRMLScene(scene)
    return SceneLogics(*made)


def make_views(scene: Any) -> tuple[Any, Any]:
    """Composite and slice node of a red slice view."""
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    slice_node = slicer.vtkMRMLSliceNode()
    slice_node.SetLayoutName("Red")
    scene.AddNode(slice_node)
    return composite, slice_node


def open_panel(scene: Any, logics: SceneLogics, worker: Worker, state: State, views: tuple[Any, Any]) -> Panel:
    """A panel in use."""
    view, editor = RecordingView(), Editor(scene, logics.editor, state)
    composite, slice_node = views
    folder = resource("SampleData")
    stage = Stage(scene, logics, editor, lambda: SliceViews([composite], [slice_node]), lambda: [slice_node], folder)
    presenter = Presenter(view, Backstage(worker, PyTorch(testing=True), stage, time.monotonic))
    presenter.use_state(state)
    return Panel(presenter, view, state, scene, stage, editor)
