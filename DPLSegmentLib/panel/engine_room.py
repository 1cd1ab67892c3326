"""Sees to it that PyTorch is there and that the worker is as the panel says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from DPLSegmentLib.panel.pytorch import PyTorch, PyTorchError
from DPLSegmentLib.panel.state import PanelState
from DPLSegmentLib.panel.view import PanelView
from DPLSegmentLib.worker.client import Worker, WorkerOptions


class EngineRoom:
    """`sorry` says why nothing can happen to a user who pressed a button."""

    def __init__(self, worker: Worker, torch: PyTorch, view: PanelView, sorry: Callable[[str], None]) -> None:
        self._worker = worker
        self._torch = torch
        self._view = view
        self._sorry = sorry

    def ready(self) -> bool:
        """Whether PyTorch can be used, after one question where it has to be installed."""
        try:
            self._torch.ensure(self._view.ask, lambda text: self._view.show_status(text, False))
        except PyTorchError as error:
            self._sorry(str(error))
            return False
        return True

    def use(self, state: PanelState | None, start: bool) -> None:
        """Let the worker be as the state says; one that does not run is left alone unless it is to `start`."""
        wanted = _options(state) if state else WorkerOptions()
        if wanted != self._worker.options and (start or self._worker.running):
            self._worker.restart(wanted)


def _options(state: PanelState) -> WorkerOptions:
    weights = Path(state.model_path) if state.model_path else None
    return WorkerOptions(state.device, weights, state.memory_limit or None)
