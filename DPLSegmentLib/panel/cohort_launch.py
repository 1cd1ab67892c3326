"""From a press of Start to a running batch: questions, the output folder, and the painted slices as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.process import BatchRequest
from DPLSegmentLib.panel.cohort_batches import Batches
from DPLSegmentLib.panel.cohort_plan import (
    batch_request,
    choices,
    make_output,
    painted_file,
    readable_by_others,
    why_no_batch,
)
from DPLSegmentLib.panel.cohort_view import Choices
from DPLSegmentLib.panel.state import PanelState


class Painter(Protocol):
    """The rest of the panel, where slices are painted."""

    @property
    def running(self) -> bool:
        """Whether a run over scans of the scene goes on."""
        ...

    @property
    def saving(self) -> bool:
        """Whether prototypes are being written."""
        ...

    def ready(self) -> bool:
        """Whether PyTorch can be used, after one question where it has to be installed; says why it cannot."""
        ...

    def save_prototypes(self, path: Path, then: Callable[[], None]) -> None:
        """Write the prototypes of the painted slices and call `then`; says why if that cannot be done."""


class Packages(Protocol):
    """What a cluster needs and Slicer does not bring."""

    def ensure(self, ask: Callable[[str], bool]) -> None:
        """Install what is missing, after one question; raises CohortError when it is not there in the end."""


@dataclass(frozen=True)
class Heard:
    """Who is told: `begun` once the process runs, `sorry` with a sentence when it cannot."""

    begun: Callable[[BatchRequest], None]
    sorry: Callable[[str], None]


class Launch:
    """Nothing here waits: painted slices become prototypes in the panel's worker, and then the batch begins."""

    def __init__(
        self,
        painter: Painter,
        packages: Packages,
        batches: Batches,
        ask: Callable[[str], bool],
        heard: Heard,
        translate: Callable[[str], str],
    ) -> None:
        self._painter, self._packages, self._batches = painter, packages, batches
        self._ask = ask
        self._heard = heard
        self._ = translate
        self._wanted: tuple[PanelState, tuple[str, ...]] | None = None

    @property
    def preparing(self) -> bool:
        """Whether a batch is wanted that was not begun yet."""
        return self._wanted is not None

    def prepare(self, state: PanelState, only: tuple[str, ...]) -> None:
        """Begin as soon as there are prototypes; `only` are ids of scans, all when empty."""
        chosen = choices(state)
        try:
            if not self._agreed(chosen):
                return
            make_output(chosen)
        except CohortError as error:
            self._heard.sorry(str(error))
            return
        self._wanted = state, only
        if state.prototypes_path:
            self._begin(Path(state.prototypes_path))
        else:
            path = painted_file(chosen)
            self._painter.save_prototypes(path, lambda: self._begin(path))

    def tick(self) -> None:
        """Notice that the prototypes could not be written, which was said where that was tried."""
        if self.preparing and not self._painter.saving:
            self.give_up()

    def give_up(self) -> None:
        """No batch is wanted any more."""
        self._wanted = None

    def _agreed(self, chosen: Choices) -> bool:
        """Whether everything is there and the user wants it so; raises CohortError."""
        if why := why_no_batch(chosen):
            raise CohortError(why)
        if not self._painter.ready():
            return False
        if chosen.on_cluster:
            self._packages.ensure(self._ask)
        question = self._("Scans go to {address} without encryption: everyone on the way can read them. Go on?")
        return not readable_by_others(chosen) or self._ask(question.format(address=chosen.scheduler))

    def _begin(self, prototypes: Path) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        try:
            request = batch_request(wanted[0], prototypes, wanted[1])
            self._batches.begin(request)
        except (CohortError, OSError) as error:
            self._heard.sorry(str(error))
        else:
            self._heard.begun(request)
