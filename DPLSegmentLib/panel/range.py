"""The slice range: handles in mm as the slice view counts, slices of the scan's array for the engine."""

from __future__ import annotations

from typing import Any

from DPLSegmentLib.panel.state import PanelState
from DPLSegmentLib.panel.view import SliceRange
from DPLSegmentLib.scene.places import slice_at, slice_position
from DPLSegmentLib.scene.scans import shape_of


def limits(scan: Any, axis: int, state: PanelState) -> SliceRange:
    """Ends of the scan along an array axis in mm, and the handles; handles that fit nowhere are put on the ends."""
    last = shape_of(scan)[axis] - 1
    ends = sorted((slice_position(scan, axis, 0), slice_position(scan, axis, last)))
    step = (ends[1] - ends[0]) / max(last, 1)
    lower, upper = sorted((state.range_lower, state.range_upper))
    if lower == upper or lower > ends[1] or upper < ends[0]:
        lower, upper = ends
    return SliceRange(ends[0], ends[1], step, max(lower, ends[0]), min(upper, ends[1]))


def slices(scan: Any, axis: int, state: PanelState) -> tuple[int, int] | None:
    """First and last slice (both included) between the handles; None when the range is not used."""
    if not state.use_range:
        return None
    chosen = limits(scan, axis, state)
    first, last = sorted((slice_at(scan, axis, chosen.lower), slice_at(scan, axis, chosen.upper)))
    return first, last
