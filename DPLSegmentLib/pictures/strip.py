"""Confidence of every structure, slice by slice."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from DPLSegmentLib.pictures.palette import CONFIDENCE_MAP, FAINT, PAINTED, PANEL, TEXT
from DPLSegmentLib.pictures.view import View


def draw_strip(axes: Axes, view: View) -> AxesImage:
    """A row a structure and a column a slice: the mean confidence of its voxels there; painted slices are marked."""
    rows = np.stack([slice_confidence(structure.mask, view.confidence, view.axis) for structure in view.structures])
    rows = rows[:, ::-1] if view.flipped else rows
    count = rows.shape[1]
    axes.set_facecolor(PANEL)
    image = axes.imshow(
        np.ma.masked_invalid(rows), cmap=CONFIDENCE_MAP, vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    _mark(axes, view)
    _label(axes, view, rows, count)
    return image


def slice_confidence(mask: np.ndarray, confidence: np.ndarray, axis: int) -> np.ndarray:
    """Mean confidence (0..1) inside a mask for each slice along an axis; NaN where the mask is empty."""
    others = tuple({0, 1, 2} - {axis})
    count = mask.sum(axis=others).astype(float)
    total = np.where(mask, confidence, 0.0).sum(axis=others, dtype=float)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _mark(axes: Axes, view: View) -> None:
    for row, structure in enumerate(view.structures):
        for index in structure.painted_slices:
            axes.plot(view.original_index(index), row, marker="D", color=PAINTED, markeredgecolor="black", markersize=7)
        if structure.next_slice is not None:
            place = view.original_index(structure.next_slice)
            axes.plot(place, row, marker="v", color="white", markeredgecolor="black", markersize=7)


def _label(axes: Axes, view: View, rows: np.ndarray, count: int) -> None:
    filled = np.flatnonzero(~np.isnan(rows).all(axis=0))
    first, last = (filled[0], filled[-1]) if len(filled) else (0, count - 1)
    axes.set_xlim(max(first - 2.5, -0.5), min(last + 2.5, count - 0.5))
    axes.set_yticks(range(len(rows)), [structure.name for structure in view.structures])
    for tick, structure in zip(axes.get_yticklabels(), view.structures, strict=True):
        tick.set(color=structure.color, fontsize=9)
    axes.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    axes.grid(which="minor", axis="y", color=PANEL, linewidth=3)
    axes.tick_params(axis="x", colors=FAINT, labelsize=8)
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_xlabel(f"{view.plane} slice", color=FAINT, fontsize=8)
    axes.set_title("Confidence, slice by slice", color=TEXT, fontsize=10, loc="left")
    for spine in axes.spines.values():
        spine.set_visible(False)
