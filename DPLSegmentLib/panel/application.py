"""What the library is given of the application it runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Application:
    """`scene` and `segmentations_logic` are Slicer's own; `python` starts Slicer's Python.

    `testing`: nothing is asked and nothing installed. `translate` turns English into the user's language.
    """

    scene: Any
    segmentations_logic: Any
    python: str
    testing: bool
    translate: Callable[[str], str] = str
    sequences_logic: Any | None = None
