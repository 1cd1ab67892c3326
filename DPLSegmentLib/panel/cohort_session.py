"""Puts the section for many scans together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from DPLSegmentLib.cohort.process import starter
from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.cohort_batches import Batches
from DPLSegmentLib.panel.cohort_run import CohortPresenter
from DPLSegmentLib.panel.cohort_view import CohortView
from DPLSegmentLib.panel.packages import ClusterPackages
from DPLSegmentLib.panel.presenter import Presenter


class PresenterPainter:
    """The presenter of the panel as `cohort_launch.Painter`."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter

    @property
    def running(self) -> bool:
        """See `cohort_launch.Painter`, and so the others."""
        return self._presenter.running

    @property
    def saving(self) -> bool:
        return self._presenter.saving.busy

    def ready(self) -> bool:
        return self._presenter.engine.ready()

    def save_prototypes(self, path: Path, then: Callable[[], None]) -> None:
        self._presenter.save_prototypes(path, then)


def make_cohort(view: CohortView, presenter: Presenter, application: Application) -> CohortPresenter:
    """The presenter of many scans beside that of the panel; no process is started."""
    batches = Batches(starter(application.python), time.monotonic)
    packages = ClusterPackages(application.testing, application.translate)
    return CohortPresenter(view, PresenterPainter(presenter), batches, packages, presenter.stage, time.monotonic)
