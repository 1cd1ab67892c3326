"""Files that come with the library: weights, sample data, icons."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE.parent / "Resources", _HERE / "Resources")

WEIGHTS = "Models/dpl-segment.pt"
"""The bundled weights."""


class ResourceError(FileNotFoundError):
    """A file that comes with DPLSegment is not there; the message says which."""


def resource(name: str) -> Path:
    """Where `Resources/<name>` is: beside the package (source tree, Slicer) or inside it (installed wheel).

    Raises ResourceError when the installation is incomplete.
    """
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise ResourceError(f"Resources/{name} is missing from this installation of DPLSegment: install it again.")
