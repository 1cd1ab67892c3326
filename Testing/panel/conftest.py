"""A panel without Qt: real scene and real worker process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer

from DPLSegmentLib.resources import resource
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.sample import load_sample
from DPLSegmentLib.worker.client import Worker, WorkerOptions
from DPLSegmentLib.worker.launch import starter
from Testing.panel.scans import keep_only
from Testing.panel.stand import Panel, State, make_logics, make_views, open_panel


@pytest.fixture
def scene() -> Any:
    """An empty MRML scene."""
    return slicer.vtkMRMLScene()


@pytest.fixture
def logics(scene: Any) -> SceneLogics:
    """Module logics of the scene."""
    return make_logics(scene)


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """One worker process for all tests that do not hurt it."""
    made = Worker(starter(sys.executable, os.environ), WorkerOptions(device="cpu"))
    yield made
    made.stop()


@pytest.fixture
def state() -> State:
    """Nothing chosen yet."""
    return State()


@pytest.fixture
def views(scene: Any) -> tuple[Any, Any]:
    """The red slice view's composite and slice node."""
    return make_views(scene)


@pytest.fixture
def panel(scene: Any, logics: SceneLogics, worker: Worker, state: State, views: tuple[Any, Any]) -> Iterator[Panel]:
    """An opened panel with nothing chosen."""
    made = open_panel(scene, logics, worker, state, views)
    yield made
    made.presenter.scene_closing()
    while not worker.idle:
        worker.poll()
        time.sleep(0.005)


@pytest.fixture
def sample(scene: Any, logics: SceneLogics) -> tuple[Any, Any]:
    """The bundled CT and its painted slices."""
    return load_sample(scene, logics.segmentations, Path(resource("SampleData")))


@pytest.fixture
def ready(panel: Panel, sample: tuple[Any, Any]) -> Panel:
    """A panel in which the sample is chosen."""
    panel.state.scan, panel.state.segmentation = sample
    panel.presenter.scan_changed()
    panel.presenter.segmentation_changed()
    return panel


@pytest.fixture
def one(ready: Panel) -> Panel:
    """The sample with the spleen as the only painted structure."""
    keep_only(ready, "spleen")
    return ready


@pytest.fixture
def done(one: Panel) -> Panel:
    """The spleen is segmented and waits to be applied."""
    one.presenter.propagate_clicked()
    one.finish()
    assert not one.view.error, one.view.status
    return one
