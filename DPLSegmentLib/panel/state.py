"""What the presenter reads and writes of the panel's state; in Slicer it is a parameter node (`parameters.py`)."""

from __future__ import annotations

from typing import Any, Protocol


class PanelState(Protocol):
    """Nodes are MRML nodes or None; `range_lower` and `range_upper` in mm along the slice normal; `device` auto, cuda,
    mps or cpu; empty paths: the bundled model, the painted slices; `memory_limit` in MiB, 0: automatic.

    Many scans from files: `folders` to search, `output` folder (empty: one in the first of them), `on_cluster` with the
    address of its `scheduler` and a folder with `certificates`; `replace_results` of other prototypes, too."""

    scan: Any
    segmentation: Any
    sequence: Any
    queries: Any
    use_range: bool
    range_lower: float
    range_upper: float
    device: str
    model_path: str
    prototypes_path: str
    memory_limit: int
    folders: Any
    output: str
    on_cluster: bool
    scheduler: str
    certificates: str
    replace_results: bool
