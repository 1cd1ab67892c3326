"""Makes the pictures of the README: `python docs/make_pictures.py [FOLDER]`.

The bundled CT is loaded into a real MRML scene with one painted slice an organ, propagated on the CPU, and drawn by
Slicer's own slice and 3D views. Needs the extras `pictures` and `evaluate` (slicer-core).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from picture_sheet import arrow, card, in_a_column, in_a_row, save, scale, titled  # noqa: E402
from PIL import Image  # noqa: E402
from slicer_views import SliceView, SurfaceView, Workbench  # noqa: E402

from DPLSegmentLib.propagation.engine import load_engine  # noqa: E402
from DPLSegmentLib.propagation.types import Propagation, SliceResult, Support  # noqa: E402
from DPLSegmentLib.resources import resource  # noqa: E402
from DPLSegmentLib.scene.display import SliceViews, show_surface  # noqa: E402
from DPLSegmentLib.scene.logics import SceneLogics  # noqa: E402
from DPLSegmentLib.scene.painting import PaintedSlice, find_painting  # noqa: E402
from DPLSegmentLib.scene.places import ijk_to_world  # noqa: E402
from DPLSegmentLib.scene.preview import Preview  # noqa: E402
from DPLSegmentLib.scene.sample import load_sample  # noqa: E402
from DPLSegmentLib.scene.scans import read_scan  # noqa: E402

LARGEST_BYTES = 200_000
DARK = (0.10, 0.11, 0.14)
FROM_THE_FRONT = (0.32, -1.0, -0.18)
AXIAL, CORONAL, SAGITTAL = range(3)
VIEWS = ("Axial", "Coronal", "Sagittal")


@dataclass(frozen=True, eq=False)
class Story:
    """The sample with its painted slices, and what became of them."""

    bench: Workbench
    scan: Any
    painted: Any
    slices: tuple[PaintedSlice, ...]
    streamed: tuple[SliceResult, ...]
    result: Propagation

    @property
    def found(self) -> np.ndarray:
        """int [z, y, x]: how many structures there are in each voxel."""
        return np.sum([segment.mask for segment in self.result.segmentation.segments], axis=0)

    def place(self, axis: int, index: int) -> np.ndarray:
        """The middle of a slice of the scan's array in mm (RAS)."""
        ijk = [(size - 1) / 2 for size in self.scan.GetImageData().GetDimensions()]
        ijk[2 - axis] = index
        return ijk_to_world(self.scan, tuple(ijk))

    def busiest(self, axis: int) -> int:
        """The slice across an axis that shows the most structures, then the most of them."""
        others = tuple({0, 1, 2} - {axis})
        areas = np.stack([segment.mask.sum(axis=others) for segment in self.result.segmentation.segments])
        return int(np.argmax((areas > 0).sum(axis=0) + areas.sum(axis=0) / (1.0 + areas.sum())))

    def preview(self) -> Preview:
        """An empty preview, as the panel makes it."""
        return Preview(self.bench.scene, SceneLogics(self.bench.segmentations), self.scan, self.painted)

    def view(self, axis: int, size: tuple[int, int], index: int | None = None) -> SliceView:
        """A slice view of the scan at a slice, or at the busiest one."""
        view = SliceView(self.bench, VIEWS[axis], size)
        view.show(self.scan)
        view.jump(self.place(axis, self.busiest(axis) if index is None else index))
        return view


def tell() -> Story:
    """Load the sample and propagate its painted slices."""
    bench = Workbench()
    scan, painted = load_sample(bench.scene, bench.segmentations, resource("SampleData"))
    painting = find_painting(painted, scan)
    volume, streamed = read_scan(scan), []
    support = Support(volume, painting.support(painting.slices))
    result = load_engine("cpu").propagate([support], volume, on_slice=streamed.append)
    return Story(bench, scan, painted, painting.slices, tuple(streamed), result)


def main(folder: Path) -> None:
    """Write all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    story = tell()
    print([(s.structure,s.index) for s in story.streamed][:60], len(story.streamed))
    print(story.slices, story.result.structures, story.result.next_slice, story.result.seconds)
    import pickle
    p = story.preview(); p.finish(story.result)
    story.painted.GetDisplayNode().SetVisibility(False)
    for ax in range(3):
        Image.fromarray(story.view(ax,(600,500)).image()).save(folder/f"{VIEWS[ax]}.png")
    v=story.view(1,(600,500)); SliceViews([v.composite],[v.node]).overlay(p.confidence_node)
    p.node.GetDisplayNode().SetVisibility(False)
    Image.fromarray(v.image()).save(folder/"conf.png")
    p.node.GetDisplayNode().SetVisibility(True)
    show_surface(p.node, True)
    s=SurfaceView(story.bench,(600,600),DARK); s.look(FROM_THE_FRONT,1.3)
    Image.fromarray(s.image()).save(folder/"3d.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Resources" / "Screenshots")
