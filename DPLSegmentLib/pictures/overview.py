"""overview.png: a result at a glance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.pictures.palette import BACKGROUND, FAINT, PAINTED, REFERENCE, TEXT
from DPLSegmentLib.pictures.slices import chosen_slices, draw_side_view, draw_slice
from DPLSegmentLib.pictures.strip import draw_strip
from DPLSegmentLib.pictures.surface import draw_surfaces
from DPLSegmentLib.pictures.table import draw_table
from DPLSegmentLib.pictures.view import View, build_view
from DPLSegmentLib.propagation.types import Propagation

_COLUMNS = 6


def write_overview(
    path: Path,
    volume: Volume,
    result: Propagation,
    painted: Segmentation | None = None,
    reference: Segmentation | None = None,
    title: str = "",
) -> None:
    """Draw a result on its scan into a PNG: slices, a view from the side, confidence, surfaces and numbers.

    `painted` and `reference` lie on the scan's grid and are matched to the result by structure name.
    Raises ImageError when the file cannot be written.
    """
    view = build_view(volume, result, painted, reference)
    figure = _figure(view, title or volume.name, _subtitle(result))
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=120, facecolor=BACKGROUND, format="png")


def _subtitle(result: Propagation) -> str:
    return f"{sum(result.seconds.values()):.1f} s on {result.device}, model {result.model_id}"


def _figure(view: View, title: str, subtitle: str) -> Figure:
    figure = Figure(figsize=(16, 9.2), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    figure.text(0.02, 0.955, title, color=TEXT, fontsize=17, weight="bold")
    figure.text(0.02, 0.928, subtitle, color=FAINT, fontsize=9)
    _key(figure, view)
    grid = figure.add_gridspec(2, 1, height_ratios=(1, 1.9), left=0.02, right=0.98, top=0.88, bottom=0.06, hspace=0.1)
    _slices(figure, grid[0], view)
    _details(figure, grid[1], view)
    return figure


def _slices(figure: Figure, place: SubplotSpec, view: View) -> None:
    chosen = chosen_slices(view, _COLUMNS)
    cells = place.subgridspec(1, _COLUMNS, wspace=0.05)
    for column, index in enumerate(chosen):
        draw_slice(figure.add_subplot(cells[column]), view, index)


def _details(figure: Figure, place: SubplotSpec, view: View) -> None:
    cells = place.subgridspec(1, 3, width_ratios=(1.1, 1.4, 0.9), wspace=0.05)
    left = cells[0].subgridspec(2, 1, height_ratios=(1.35, 1), hspace=0.2)
    _titled(figure.add_subplot(left[0]), "From the side, coloured by confidence", draw_side_view, view)
    _strip(figure, left[1], view)
    _titled(figure.add_subplot(cells[1]), "In 3D, from the front", draw_surfaces, view)
    right = cells[2].subgridspec(2, 1, height_ratios=(1 + len(view.structures), max(1, 8 - len(view.structures))))
    draw_table(figure.add_subplot(right[0]), view)


def _titled(axes: Axes, title: str, draw: Callable[[Axes, View], None], view: View) -> None:
    draw(axes, view)
    axes.set_title(title, color=TEXT, fontsize=10, loc="left")


def _strip(figure: Figure, place: SubplotSpec, view: View) -> None:
    cells = place.subgridspec(1, 3, width_ratios=(7, 34, 1), wspace=0.04)
    image = draw_strip(figure.add_subplot(cells[1]), view)
    bar = figure.colorbar(image, cax=figure.add_subplot(cells[2]))
    bar.ax.tick_params(colors=FAINT, labelsize=8)
    bar.outline.set_visible(False)


def _key(figure: Figure, view: View) -> None:
    """What the lines and marks mean."""
    handles = [Line2D([], [], color=FAINT, linewidth=2, label="result")]
    if any(structure.reference is not None for structure in view.structures):
        handles.append(Line2D([], [], color=REFERENCE, linewidth=1, linestyle=(0, (2.5, 2)), label="reference"))
    handles.append(Patch(facecolor="none", edgecolor=PAINTED, linewidth=2, label="painted slice"))
    handles.append(Line2D([], [], color=PAINTED, marker="D", linestyle="", label="painted"))
    handles.append(Line2D([], [], color="white", marker="v", linestyle="", label="paint next"))
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(0.98, 0.985), ncols=5, frameon=False, labelcolor=TEXT
    )
