"""Slices of a scan with the contours of what was found."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from DPLSegmentLib.pictures.palette import CONFIDENCE_MAP, FAINT, PAINTED, REFERENCE, TEXT
from DPLSegmentLib.pictures.view import Structure, View, occupied

_DASHES = (0, (2.5, 2.0))


def chosen_slices(view: View, count: int) -> list[int]:
    """Display indices of `count` slices: those that were painted, and others spread over what was found."""
    found = occupied(np.logical_or.reduce([structure.mask for structure in view.structures]), view.axis)
    painted = sorted({index for structure in view.structures for index in structure.painted_slices})
    chosen = painted if len(painted) <= count else [painted[i] for i in _spread(len(painted), count)]
    for index in _farthest_first(_inner(found), chosen):
        if len(chosen) >= count:
            break
        chosen = [*chosen, index]
    return sorted(chosen)


def draw_slice(axes: Axes, view: View, index: int) -> None:
    """One slice of the sweep: result solid, reference dashed, painted region filled and the frame lit."""
    _show(axes, view, view.axis, index)
    painted = [structure for structure in view.structures if index in structure.painted_slices]
    for structure in painted:
        _fill(axes, structure, view.axis, index)
    for structure in view.structures:
        _outline(axes, structure, view.axis, index)
    _frame(axes, lit=bool(painted))
    _title(axes, f"slice {view.original_index(index)}", [structure.name for structure in painted])


def draw_side_view(axes: Axes, view: View) -> None:
    """One slice that shows the sweep from the side, with its confidence and lines where something was painted."""
    index = _busiest(view, view.across)
    _show(axes, view, view.across, index)
    confidence = np.take(view.confidence, index, view.across)
    found = np.logical_or.reduce([np.take(structure.mask, index, view.across) for structure in view.structures])
    shown = np.ma.masked_where(~found, confidence)
    axes.imshow(shown, cmap=CONFIDENCE_MAP, vmin=0, vmax=1, alpha=0.45, extent=_extent(view, view.across), zorder=2)
    for structure in view.structures:
        _outline(axes, structure, view.across, index)
    _painted_lines(axes, view)
    _zoom(axes, view)
    axes.set_anchor("NW")
    _frame(axes, lit=False)


def _show(axes: Axes, view: View, axis: int, index: int) -> None:
    picture = np.take(view.image, index, axis)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=_extent(view, axis), interpolation="bilinear")
    axes.set_facecolor("black")
    axes.set_xticks([])
    axes.set_yticks([])


def _extent(view: View, axis: int) -> tuple[float, float, float, float]:
    """Left, right, bottom and top in mm of a slice across a display axis."""
    rows, columns = (view.image.shape[other] for other in range(3) if other != axis)
    height, width = view.orientation.pixel(axis)
    return 0.0, columns * width, rows * height, 0.0


def _outline(axes: Axes, structure: Structure, axis: int, index: int) -> None:
    _contour(axes, structure.mask, axis, index, structure.color, linewidths=2.0, zorder=4)
    if structure.reference is not None:
        _contour(axes, structure.reference, axis, index, REFERENCE, linewidths=0.8, linestyles=[_DASHES], zorder=5)


def _contour(axes: Axes, mask: np.ndarray, axis: int, index: int, color: object, **style: object) -> None:
    """The outline of a mask's slice; nothing where it is empty."""
    flat = np.take(mask, index, axis)
    if flat.any():
        rows, columns = flat.shape
        _, right, bottom, _ = axes.images[0].get_extent()
        x = (np.arange(-1, columns + 1) + 0.5) * right / columns
        y = (np.arange(-1, rows + 1) + 0.5) * bottom / rows
        axes.contour(x, y, np.pad(flat, 1).astype(float), levels=[0.5], colors=[color], **style)


def _fill(axes: Axes, structure: Structure, axis: int, index: int) -> None:
    painted = np.take(structure.painted, index, axis)
    layer = np.zeros((*painted.shape, 4))
    layer[painted] = to_rgba(structure.color, 0.5)
    axes.imshow(layer, extent=axes.images[0].get_extent(), interpolation="nearest", zorder=2)


def _painted_lines(axes: Axes, view: View) -> None:
    for structure in view.structures:
        for index in structure.painted_slices:
            place = (index + 0.5) * view.orientation.spacing[view.axis]
            line = axes.axhline if _is_vertical(view) else axes.axvline
            line(place, color=structure.color, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)


def _zoom(axes: Axes, view: View) -> None:
    """Leave away most of what lies beyond the structures along the sweep."""
    found = occupied(np.logical_or.reduce([structure.mask for structure in view.structures]), view.axis)
    if not found:
        return
    step, count = view.orientation.spacing[view.axis], view.image.shape[view.axis]
    margin = max(30.0 / step, 0.15 * (found[-1] - found[0]))
    low, high = max(found[0] - margin, 0.0) * step, min(found[-1] + 1 + margin, count) * step
    limits = {"ylim": (high, low)} if _is_vertical(view) else {"xlim": (low, high)}
    axes.set(**limits)


def _is_vertical(view: View) -> bool:
    """The sweep runs up and down in the view from the side, not across."""
    return view.axis == min({0, 1, 2} - {view.across})


def _busiest(view: View, axis: int) -> int:
    """The slice across an axis that shows the most structures, then the most of them."""
    others = tuple({0, 1, 2} - {axis})
    areas = np.stack([structure.mask.sum(axis=others) for structure in view.structures])
    return int(np.argmax((areas > 0).sum(axis=0) + areas.sum(axis=0) / (1.0 + areas.sum())))


def _frame(axes: Axes, lit: bool) -> None:
    for spine in axes.spines.values():
        spine.set(edgecolor=PAINTED if lit else "#333944", linewidth=2.6 if lit else 0.8)


def _title(axes: Axes, text: str, painted: list[str]) -> None:
    axes.set_title(text, color=TEXT if painted else FAINT, fontsize=9, loc="left", pad=4)
    if painted:
        names = ", ".join(painted)
        said = "painted: " + (names if len(names) < 36 else f"{len(painted)} structures")
        place = {"transform": axes.transAxes, "ha": "left", "va": "bottom", "zorder": 6}
        axes.text(0.03, 0.03, said, color=PAINTED, fontsize=9, weight="bold", **place)


def _inner(indices: list[int]) -> list[int]:
    """Without the outermost eighths, where little of a structure is seen."""
    edge = len(indices) // 8
    return indices[edge : len(indices) - edge]


def _spread(size: int, count: int) -> list[int]:
    return np.linspace(0, size - 1, count).round().astype(int).tolist()


def _farthest_first(candidates: list[int], chosen: list[int]) -> list[int]:
    """Candidates, each next one as far as can be from all before it."""
    order, left = list(chosen), [index for index in candidates if index not in chosen]
    while left:
        best = max(left, key=lambda index: min((abs(index - other) for other in order), default=0))
        order.append(best)
        left.remove(best)
    return order[len(chosen) :]
