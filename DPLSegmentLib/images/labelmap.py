"""Label maps: one whole number a structure."""

from __future__ import annotations

import colorsys
import json
from pathlib import Path

import numpy as np

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segment

_MOST_LABELS = 255
_LARGEST_LABEL = 65535


def segments_of(labels: np.ndarray, path: Path) -> tuple[Segment, ...]:
    """One segment for each nonzero value of labels [z, y, x], named by `labels.json` beside `path` where there is one.

    Raises ImageError when the voxels cannot be labels: fractions, negative numbers, more than 255 values.
    """
    values = _label_values(labels, path)
    names = _names_beside(path)
    return tuple(Segment(names.get(v, f"Segment_{v}"), labels == v, v, color_of(v)) for v in values)


def color_of(value: int) -> tuple[float, float, float]:
    """A colour (r, g, b in 0..1) for a label value; neighbouring values get hues far apart."""
    return colorsys.hsv_to_rgb(value * 0.618034 % 1.0, 0.6, 0.9)


def _label_values(labels: np.ndarray, path: Path) -> list[int]:
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.rint(labels)):
        raise _not_labels(path, "it holds fractions")
    values = np.unique(labels)
    if values[0] < 0:
        raise _not_labels(path, "it holds negative numbers")
    if values.size > _MOST_LABELS + 1:
        raise _not_labels(path, f"it holds {values.size} different values")
    if values[-1] > _LARGEST_LABEL:
        raise _not_labels(path, f"it holds the value {int(values[-1])}")
    return [int(value) for value in values if value != 0]


def _not_labels(path: Path, reason: str) -> ImageError:
    return ImageError(
        f"{path.name} is not a label map ({reason}): choose the painted map, with whole numbers "
        f"from 1 to {_LARGEST_LABEL} for at most {_MOST_LABELS} structures."
    )


def _names_beside(path: Path) -> dict[int, str]:
    file = path.parent / "labels.json"
    if not file.is_file():
        return {}
    try:
        return {int(value): str(name) for value, name in json.loads(file.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError, OSError) as error:
        raise ImageError(f'{file} does not name labels: write it as {{"1": "liver"}} or remove it.') from error
