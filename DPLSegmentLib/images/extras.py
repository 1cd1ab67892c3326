"""Packages that come with an extra of dpl-segment, imported when they are needed."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

from DPLSegmentLib.images.errors import ImageError


def extra_module(name: str, task: str, extra: str = "dicom") -> ModuleType:
    """Import a package. Raises ImageError that says what it is needed for and which extra brings it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImageError(
            f"{task} needs the Python package {package}: install it with pip install 'dpl-segment[{extra}]'."
        ) from error


def own_version() -> str:
    """The installed version of dpl-segment, or "source" when it runs from a source tree that is not installed."""
    try:
        return metadata.version("dpl-segment")
    except metadata.PackageNotFoundError:
        return "source"
