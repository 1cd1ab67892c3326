"""Makes the pictures of the README: `python docs/make_pictures.py [--output FOLDER] [--weights FILE]`.

The bundled CT is loaded into a real MRML scene with one painted slice an organ and propagated on the CPU; then the
slice that the result asks for is painted too (from the bundled label map) and all is propagated again. Slicer's own
slice and 3D views draw it. Needs what `make test` installs.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import numpy as np  # noqa: E402
from panel_picture import draw_panel  # noqa: E402
from picture_sheet import arrow, card, fitted, in_a_column, in_a_row, save, scale, titled, trimmed  # noqa: E402
from PIL import Image  # noqa: E402
from slicer_views import SliceView, SurfaceView, Workbench  # noqa: E402

from DPLSegmentLib.images.reading import read_segmentation  # noqa: E402
from DPLSegmentLib.propagation.engine import Engine, load_engine  # noqa: E402
from DPLSegmentLib.propagation.types import Propagation, SliceResult, Support  # noqa: E402
from DPLSegmentLib.resources import resource  # noqa: E402
from DPLSegmentLib.scene.display import SliceViews, show_surface  # noqa: E402
from DPLSegmentLib.scene.logics import SceneLogics  # noqa: E402
from DPLSegmentLib.scene.oriented import oriented  # noqa: E402
from DPLSegmentLib.scene.painting import PaintedSlice, find_painting  # noqa: E402
from DPLSegmentLib.scene.places import ijk_to_world  # noqa: E402
from DPLSegmentLib.scene.preview import Preview  # noqa: E402
from DPLSegmentLib.scene.sample import load_sample  # noqa: E402
from DPLSegmentLib.scene.scans import read_scan  # noqa: E402
from DPLSegmentLib.scene.segments import structure_names  # noqa: E402

AXIAL, CORONAL = 0, 1
VIEWS, LETTERS = ("Axial", "Coronal"), "SA"
ZOOMS = (1.0, 1.35)
TINY, SMALL, MEDIUM = (290, 242), (340, 283), (420, 350)
STREAMED = 20
FROM_THE_FRONT = (0.30, -1.0, -0.15)
CANVAS = (1100, 1100)
LINE = 2


@dataclass(frozen=True, eq=False)
class Round:
    """One press of Propagate: what was painted, what was streamed and what came out."""

    painted: tuple[PaintedSlice, ...]
    streamed: tuple[SliceResult, ...]
    result: Propagation

    def busiest(self, axis: int) -> int:
        """The slice across an array axis that shows the most structures, then the most of them."""
        others = tuple({0, 1, 2} - {axis})
        areas = np.stack([segment.mask.sum(axis=others) for segment in self.result.segmentation.segments])
        return int(np.argmax((areas > 0).sum(axis=0) + areas.sum(axis=0) / (1.0 + areas.sum())))


class Story:
    """The sample, what is painted on it, and the views that show it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.bench = Workbench()
        folder = resource("SampleData")
        self.scan, self.painted = load_sample(self.bench.scene, self.bench.segmentations, folder)
        self.painted.GetDisplayNode().SetSliceIntersectionThickness(LINE)
        self._volume = read_scan(self.scan)
        self._truth = {each.name: each.mask for each in read_segmentation(folder / "example_ct-labels.nii.gz").segments}

    def propagate(self) -> Round:
        """Use all that is painted."""
        painting, streamed = find_painting(self.painted, self.scan), []
        support = Support(self._volume, painting.support(painting.slices))
        result = self._engine.propagate([support], self._volume, on_slice=streamed.append)
        return Round(painting.slices, tuple(streamed), result)

    def paint(self, index: int) -> None:
        """Paint an axial slice as it should be, beside what is painted already."""
        painting = find_painting(self.painted, self.scan)
        masks = {each.name: each.mask.copy() for each in painting.support(painting.slices).segments}
        for segment_id, name in structure_names(self.painted).items():
            masks[name][index] = self._truth[name][index]
            labelmap = oriented(masks[name], self._volume.ijk_to_ras)
            self.bench.segmentations.SetBinaryLabelmapToSegment(labelmap, self.painted, segment_id)

    def preview(self) -> Preview:
        """An empty preview, as the panel makes it."""
        made = Preview(self.bench.scene, SceneLogics(self.bench.segmentations), self.scan, self.painted)
        made.node.GetDisplayNode().SetSliceIntersectionThickness(LINE)
        return made

    def finished(self, done: Round) -> Preview:
        """The preview of a result."""
        made = self.preview()
        made.finish(done.result)
        return made

    def place(self, axis: int, index: int, height: float | None = None) -> np.ndarray:
        """The middle of a slice of the scan's array in mm (RAS), or a place in it at another slice from below."""
        ijk = [(size - 1) / 2 for size in self.scan.GetImageData().GetDimensions()]
        ijk[2 - axis] = index
        ijk[2] = ijk[2] if height is None else height
        return ijk_to_world(self.scan, tuple(ijk))

    def label(self, axis: int, index: int) -> str:
        """Where a slice lies, as Slicer says it."""
        return f"{LETTERS[axis]} {self.place(axis, index)[2 - axis]:.0f} mm"

    def view(self, axis: int, index: int, size: tuple[int, int] = MEDIUM) -> SliceView:
        """A slice view of the scan; a coronal one is moved up to the organs."""
        view = SliceView(self.bench, VIEWS[axis], size)
        height = None if axis == AXIAL else 0.65 * self.scan.GetImageData().GetDimensions()[2]
        view.show(self.scan, self.place(axis, index, height), ZOOMS[axis])
        return view


def draw_painted(story: Story, painted: tuple[PaintedSlice, ...], size: tuple[int, int]) -> list[Image.Image]:
    """Each painted slice, from above."""
    return [
        card(story.view(AXIAL, each.index, size).image(), f"{', '.join(each.segments)}, {story.label(0, each.index)}")
        for each in reversed(painted)
    ]


def draw_preview(story: Story, done: Round) -> Image.Image:
    """The preview in mid-run and at its end."""
    side, above = done.busiest(CORONAL), done.busiest(AXIAL)
    preview = story.preview()
    for each in done.streamed[:STREAMED]:
        preview.add_slice(each)
    running = card(story.view(CORONAL, side).image(), f"while it runs, {story.label(CORONAL, side)}")
    preview.remove()
    preview = story.finished(done)
    ended = card(story.view(CORONAL, side).image(), f"finished, {story.label(CORONAL, side)}")
    axial = card(story.view(AXIAL, above).image(), f"finished, {story.label(AXIAL, above)}")
    preview.remove()
    return in_a_row([running, ended, axial])


def draw_check(story: Story, done: Round, asked: int) -> Image.Image:
    """The slice to paint next: result, confidence, and painted as it should be. The painting stays."""
    preview, view = story.finished(done), story.view(AXIAL, asked)
    found = card(view.image(), f"slice to paint next, {story.label(AXIAL, asked)}")
    overlay = SliceViews([view.composite], [view.node])
    overlay.overlay(preview.confidence_node)
    preview.node.GetDisplayNode().SetVisibility2DFill(False)
    sure = card(view.image(), "confidence")
    overlay.restore()
    colors = preview.confidence_node.GetDisplayNode().GetColorNode()
    bar = scale(lambda share: color_at(colors, share), "unsure", "sure")
    preview.remove()
    return in_a_column([in_a_row([found, sure, draw_corrected(story, asked, MEDIUM)]), bar])


def color_at(colors: Any, share: float) -> tuple[int, int, int]:
    """A colour (0..255) of a colour node for 0..1."""
    color = [0.0] * 4
    colors.GetColor(round(share * (colors.GetNumberOfColors() - 1)), color)
    return tuple(round(255 * part) for part in color[:3])


def draw_corrected(story: Story, asked: int, size: tuple[int, int]) -> Image.Image:
    """Paint a slice and show it."""
    story.paint(asked)
    return card(story.view(AXIAL, asked, size).image(), "painted as it should be")


def draw_surfaces(story: Story, rounds: list[Round]) -> list[np.ndarray]:
    """The results in 3D, all from the same place."""
    view = SurfaceView(story.bench, CANVAS)
    pictures = []
    for done in rounds:
        preview = story.finished(done)
        show_surface(preview.node, True)
        if not pictures:
            view.look(FROM_THE_FRONT)
        pictures.append(view.image())
        preview.remove()
    return pictures


def draw_overview(story: Story, rounds: list[Round], surface: np.ndarray) -> Image.Image:
    """From the painted slices to the organs in 3D."""
    painted = draw_painted(story, rounds[0].painted, TINY)
    half = (len(painted) + 1) // 2
    begin = in_a_column([in_a_row(painted[:half]), in_a_row(painted[half:])])
    end = card(fitted(trimmed([surface])[0], (440, begin.height)))
    parts = [
        titled(begin, "1  Paint one slice of each structure"),
        titled(in_a_column(draw_middle(story, rounds)), "2  Propagate, check"),
        titled(end, "3  Apply"),
    ]
    return in_a_row([parts[0], arrow(), parts[1], arrow(), parts[2]])


def draw_middle(story: Story, rounds: list[Round]) -> list[Image.Image]:
    """The slice that was corrected, if one was asked for, and the result from the side."""
    cards, asked, side = [], rounds[0].result.next_slice, rounds[-1].busiest(CORONAL)
    if asked is not None:
        cards.append(card(story.view(AXIAL, asked, TINY).image(), f"one slice corrected, {story.label(AXIAL, asked)}"))
    preview = story.finished(rounds[-1])
    cards.append(card(story.view(CORONAL, side, TINY).image(), f"result, {story.label(CORONAL, side)}"))
    preview.remove()
    return cards


def make(folder: Path, engine: Engine) -> None:
    """Write all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    story = Story(engine)
    rounds = [story.propagate()]
    save(in_a_row(draw_painted(story, rounds[0].painted, SMALL)), folder / "painted.png")
    save(draw_preview(story, rounds[0]), folder / "preview.png")
    asked = rounds[0].result.next_slice
    if asked is not None:
        save(draw_check(story, rounds[0], asked), folder / "confidence.png")
        rounds.append(story.propagate())
    surfaces = draw_surfaces(story, rounds)
    labels = ["one painted slice each", "after one more painted slice"]
    cards = [card(fitted(each, (640, 540)), label) for each, label in zip(trimmed(surfaces), labels, strict=False)]
    save(in_a_row(cards), folder / "3d.png")
    save(draw_overview(story, rounds, surfaces[-1]), folder / "overview.png")
    draw_panel(folder / "panel.png", story.scan, story.painted, rounds[-1].result)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the pictures of the README.")
    parser.add_argument("--output", type=Path, default=DOCS.parent / "Resources" / "Screenshots", metavar="FOLDER")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another model than the bundled one")
    arguments = parser.parse_args()
    make(arguments.output, load_engine("cpu", arguments.weights))


if __name__ == "__main__":
    main()
