"""Changes of widgets from the code, of which nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet(*widgets: Any) -> Iterator[None]:
    """Change widgets without their signals."""
    blocked = [widget.blockSignals(True) for widget in widgets]
    try:
        yield
    finally:
        for widget, before in zip(widgets, blocked, strict=True):
            widget.blockSignals(before)
