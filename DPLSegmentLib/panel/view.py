"""What the panel shows and what happens in it: the border between the presenter (no Qt) and the widget (Qt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class PaintedRow:
    """A line of the list of painted slices: its text, whether it is used, and a longer text for the tooltip."""

    text: str
    on: bool
    hint: str = ""


@dataclass(frozen=True)
class ResultRow:
    """A line of the table of results; `colour` is red, green, blue in 0..1, the numbers are texts as they are shown."""

    name: str
    colour: tuple[float, float, float]
    millilitres: str
    confidence: str


@dataclass(frozen=True)
class QueryRow:
    """A scan that can be segmented: the id of its node and whether it is checked."""

    node_id: str
    on: bool


@dataclass(frozen=True)
class SliceRange:
    """Ends and step of the slice range that can be chosen, and the two handles, all in mm along the slice normal."""

    minimum: float
    maximum: float
    step: float
    lower: float
    upper: float


class PanelView(Protocol):
    """Dumb setters. Controls have their object names of `Resources/UI/DPLSegment.ui`; no setter causes an event."""

    def show_painted(self, rows: Sequence[PaintedRow]) -> None:
        """Fill the list of painted slices."""

    def show_queries(self, rows: Sequence[QueryRow]) -> None:
        """Check the scans that will be segmented."""

    def show_range(self, limits: SliceRange | None) -> None:
        """Set ends and handles of the slice range; None: no scan, no range."""

    def show_progress(self, fraction: float | None, text: str) -> None:
        """Fill the progress bar to `fraction` (0..1) and write `text` on it; None: hide it."""

    def show_status(self, text: str, error: bool) -> None:
        """Write a sentence in the status line; an error is set apart."""

    def show_results(self, rows: Sequence[ResultRow]) -> None:
        """Fill the table of results."""

    def show_device(self, text: str) -> None:
        """Say which device "Automatic" is, e.g. "NVIDIA RTX 4090"; empty: not known yet."""

    def show_prototypes(self, text: str) -> None:
        """Say where the prototypes come from: the name of a file; empty: the painted slices."""

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        """Switch a control on or off; `why` is its tooltip while it is off."""

    def set_checked(self, control: str, checked: bool) -> None:
        """Set a check box or checkable button."""

    def set_running(self, running: bool) -> None:
        """Turn Propagate into Cancel and back."""

    def set_busy(self, busy: bool) -> None:
        """Poll every 20 ms while something is under way (a background embedding too), else every 200 ms."""

    def ask(self, question: str) -> bool:
        """Ask a yes-or-no question; only after the user pressed a button."""
        ...

    def warn(self, sentence: str) -> None:
        """Say why nothing happened, in a dialog; only after the user pressed a button."""


class PanelEvents(Protocol):
    """What the widget tells the presenter."""

    def use_state(self, state: Any) -> None:
        """Another parameter node is in use: after start, a closed or a loaded scene."""

    def scan_changed(self) -> None:
        """`state.scan` is another."""

    def segmentation_changed(self) -> None:
        """`state.segmentation` is another."""

    def painting_changed(self) -> None:
        """Something was painted, added, removed or renamed in the segmentation."""

    def sequence_changed(self) -> None:
        """`state.sequence` is another."""

    def range_changed(self) -> None:
        """`state.use_range`, `state.range_lower` or `state.range_upper` (mm) is another."""

    def toggle_slice(self, row: int, on: bool) -> None:
        """A painted slice was switched on or off."""

    def use_slice_in_view(self) -> None:
        """ "Use the slice in view only" was pressed."""

    def try_it(self) -> None:
        """ "Try it" was pressed: load the sample."""

    def set_queries(self, nodes: list[Any]) -> None:
        """These scans are checked."""

    def add_folder(self, folder: Path) -> None:
        """A folder of scans was chosen."""

    def propagate_clicked(self) -> None:
        """The big button was pressed: propagate, or cancel while running."""

    def cancel(self) -> None:
        """Esc was pressed in mid-run."""

    def apply(self) -> None:
        """Apply was pressed."""

    def discard(self) -> None:
        """Discard was pressed."""

    def show_3d(self, on: bool) -> None:
        """Show 3D was switched."""

    def confidence_overlay(self, on: bool) -> None:
        """The confidence overlay was switched."""

    def next_slice(self) -> None:
        """ "Go to the slice to paint next" was pressed."""

    def save_prototypes(self, path: Path) -> None:
        """A file for the prototypes was chosen."""

    def load_prototypes(self, path: Path | None) -> None:
        """A file of prototypes was chosen; None: the painted slices again."""

    def device_changed(self, device: str) -> None:
        """The device is now "auto", "cuda", "mps" or "cpu"; `state.device` says so too."""

    def model_changed(self) -> None:
        """`state.model_path` is another; empty: the bundled model."""

    def memory_changed(self) -> None:
        """`state.memory_limit` (MiB; 0: automatic) is another."""

    def install_pytorch(self) -> None:
        """ "Install or check PyTorch" was pressed."""

    def log(self) -> str:
        """What the worker process wrote."""
        ...

    def poll(self) -> None:
        """Called by a timer."""

    def scene_closing(self) -> None:
        """The scene is about to be closed: drop every node."""

    def node_removed(self, node_id: str) -> None:
        """A node is about to leave the scene."""

    def leave(self) -> None:
        """Another module is opened."""

    def cleanup(self) -> None:
        """The module is unloaded or reloaded: end everything."""
