"""The numbers of a result beside the colours of its structures."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from DPLSegmentLib.pictures.palette import FAINT, PANEL, TEXT
from DPLSegmentLib.pictures.view import Structure, View

_HEADINGS = ("Dice", "mL", "confidence")
_PLACES = (0.62, 0.78, 0.97)


def draw_table(axes: Axes, view: View) -> None:
    """A line a structure: colour, name, Dice (where there is a reference), size and mean confidence."""
    axes.set(xlim=(0, 1), ylim=(len(view.structures) + 1.2, 0))
    axes.set_axis_off()
    axes.add_patch(FancyBboxPatch((0, 0), 1, len(view.structures) + 1.2, boxstyle="square,pad=0", facecolor=PANEL))
    for heading, place in zip(_HEADINGS, _PLACES, strict=True):
        axes.text(place, 0.65, heading, color=FAINT, fontsize=9, ha="right", va="center")
    for row, structure in enumerate(view.structures):
        _draw_row(axes, row + 1.55, structure)


def _draw_row(axes: Axes, height: float, structure: Structure) -> None:
    axes.add_patch(FancyBboxPatch((0.03, height - 0.2), 0.035, 0.4, boxstyle="square,pad=0", facecolor=structure.color))
    axes.text(0.1, height, structure.name, color=TEXT, fontsize=11, va="center")
    dice = "" if structure.dice is None else f"{structure.dice:.3f}"
    values = (dice, f"{structure.millilitres:.0f}", f"{100 * structure.confidence:.0f} %")
    for value, place in zip(values, _PLACES, strict=True):
        axes.text(place, height, value, color=TEXT, fontsize=11, ha="right", va="center", family="monospace")
