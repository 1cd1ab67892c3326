"""The composition root of the panel's parts, and `process`: the same run without a panel."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Sequence
from typing import Any

from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.painted_list import PaintedList
from DPLSegmentLib.panel.presenter import Backstage, Presenter
from DPLSegmentLib.panel.pytorch import PyTorch
from DPLSegmentLib.panel.run import Run, RunPlan, RunState, Target
from DPLSegmentLib.panel.sequence_target import sequence_targets
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.panel.targets import Scans, ScanTarget
from DPLSegmentLib.panel.view import PanelView
from DPLSegmentLib.resources import resource
from DPLSegmentLib.scene.display import SliceViews
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import checked
from DPLSegmentLib.scene.scans import check_scan_node
from DPLSegmentLib.worker.client import Worker, WorkerOptions
from DPLSegmentLib.worker.launch import starter
from DPLSegmentLib.worker.requests import PaintedScan

_PAUSE = 0.01


class Job:
    """A run without a panel; `results` are the segmentation nodes, in the order of the queries."""

    def __init__(self, worker: Worker, plan: RunPlan, on_done: Callable[[Job], None] | None = None) -> None:
        self.results: list[Any] = []
        self.failures: dict[str, str] = {}
        self._worker = worker
        self._on_done = on_done
        self._run: Run | None = Run(worker, plan, time.monotonic)

    @property
    def done(self) -> bool:
        """Whether it has come to its end, well or not."""
        return self._run is None

    def cancel(self) -> None:
        """Stop; results of scans that were finished before are kept."""
        if self._run is not None:
            self._run.cancel()
            self._end(self._run)

    def poll(self) -> None:
        """Go on; to be called some ten times a second."""
        self._worker.poll()
        if self._run is not None:
            self._run.tick()
            if not self._run.running:
                self._end(self._run)

    def wait(self) -> list[Any]:
        """Poll until it is done; the worker ends with it. Raises SceneError when a scan failed."""
        while not self.done:
            self.poll()
            time.sleep(_PAUSE)
        if self.failures:
            raise SceneError(" ".join(f"{name}: {why}" for name, why in self.failures.items()))
        return self.results

    def _end(self, run: Run) -> None:
        self._run = None
        self.failures = dict(run.outcome.failures)
        if run.state is RunState.CANCELLED and not run.outcome.results:
            self.failures.setdefault("The run", "it was cancelled.")
        kept = [result.target.keep(None, _NoEditor()) for result in run.outcome.results]
        self.results = list(dict.fromkeys(kept))
        if self._on_done:
            self._on_done(self)


class _NoEditor:
    """An `EditorSeam` for results that are kept as segmentations of their own."""

    def save_state_for_undo(self) -> None:
        raise AssertionError("A result of `process` never changes a segmentation.")

    def modify(self, segmentation: Any, segment_id: str, labelmap: Any, mode: str) -> None:
        raise AssertionError("A result of `process` never changes a segmentation.")


class Workers:
    """One worker process for all calls of `process`, until the interpreter ends or `stop` is called."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        atexit.register(self.stop)

    def worker(self, python: str, device: str) -> Worker:
        """The worker for a device; a change of device starts it anew."""
        if self._worker is None:
            self._worker = Worker(starter(python), WorkerOptions(device=device))
        elif self._worker.options.device != device:
            self._worker.restart(WorkerOptions(device=device))
        return self._worker

    def stop(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


WORKERS = Workers()


def process(
    application: Application,
    support: Any,
    segmentation: Any,
    queries: Sequence[Any] | None = None,
    slice_range: tuple[int, int] | None = None,
    device: str = "auto",
    wait: bool = True,
    on_done: Callable[[Job], None] | None = None,
    workers: Workers = WORKERS,
) -> Any:
    """Segment `queries` (volume nodes or sequence browsers; None: the support) from what is painted on `support`.

    `slice_range`: first and last slice along the painted axis, both included. Returns a list with a new segmentation
    node per query, or a `Job` at once with `wait` off, which somebody has to poll. The painted segmentation is not
    changed and no window is opened. Raises SceneError (a ValueError) with a sentence.
    """
    if not PyTorch(testing=True).ready():
        raise SceneError("PyTorch is not installed: press Install or check PyTorch under Advanced in the panel.")
    plan = _plan(application, support, segmentation, [support] if queries is None else queries, slice_range)
    job = Job(workers.worker(application.python, device), plan, on_done)
    return job.wait() if wait else job


def _plan(
    application: Application, support: Any, segmentation: Any, queries: Sequence[Any], ends: tuple[int, int] | None
) -> RunPlan:
    painted, scans, logics = PaintedList(), Scans(), scene_logics(application)
    check_scan_node(support)
    painted.refresh(checked(segmentation, "vtkMRMLSegmentationNode", "segmentation"), support)
    if not painted.slices and painted.full:
        raise SceneError(f"{', '.join(painted.full)}: painted in 3D. Paint one slice of a new segment instead.")
    painting = painted.support()
    names = tuple(segment.name for segment in painting.segments)
    targets: list[Target] = []
    for query in queries:
        if query is not None and query.IsA("vtkMRMLSequenceBrowserNode"):
            targets += sequence_targets(application.scene, logics, query, segmentation)
        else:
            check_scan_node(query)
            own = query is support
            targets.append(ScanTarget(application.scene, logics, scans, query, segmentation, own, names))
    reach = (int(ends[0]), int(ends[1])) if ends else None
    supports = (PaintedScan(scans.scan(support), painting),)
    return RunPlan(supports, tuple(targets), (reach,) * len(targets))


def scene_logics(application: Application) -> SceneLogics:
    """Slicer's module logics as `scene` takes them."""
    return SceneLogics(application.segmentations_logic, sequences=application.sequences_logic)


def make_presenter(view: PanelView, application: Application, editor: EditorSeam) -> Presenter:
    """The presenter of a panel in a running application; no process is started."""
    stage = Stage(
        scene=application.scene,
        logics=scene_logics(application),
        editor=editor,
        views=lambda: SliceViews(composite_nodes(application.scene), slice_nodes(application.scene)),
        slice_nodes=lambda: slice_nodes(application.scene),
        sample_folder=resource("SampleData"),
        translate=application.translate,
    )
    torch = PyTorch(testing=application.testing, translate=application.translate)
    worker = Worker(starter(application.python))
    return Presenter(view, Backstage(worker, torch, stage, time.monotonic))


def slice_nodes(scene: Any) -> list[Any]:
    """Slice views of a scene: red first, then the others by name."""
    nodes = _nodes(scene, "vtkMRMLSliceNode")
    return sorted(nodes, key=lambda node: (node.GetLayoutName() != "Red", node.GetLayoutName() or ""))


def composite_nodes(scene: Any) -> list[Any]:
    """What each slice view of a scene shows."""
    return _nodes(scene, "vtkMRMLSliceCompositeNode")


def _nodes(scene: Any, class_name: str) -> list[Any]:
    return [scene.GetNthNodeByClass(n, class_name) for n in range(scene.GetNumberOfNodesByClass(class_name))]
