"""The painted slices that will be used, as the panel lists them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.panel.view import PaintedRow
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.painting import PaintedSlice, Painting, find_painting

_OTHER_WAY = "Slices of one direction are used at a time; switch the others off to use this one."


class PaintedList:
    """Found by itself from what is painted; remembers which slices the user switched on or off.

    Slices of the direction in which most were painted are on: one run sweeps along one direction.
    """

    def __init__(self) -> None:
        self._painting: Painting | None = None
        self._switched: dict[tuple[int, int], bool] = {}
        self._only: tuple[int, int] | None = None

    def refresh(self, segmentation: Any | None, scan: Any | None) -> None:
        """Look again; raises SceneError. Nothing is painted where a node is missing."""
        self._painting = None
        if segmentation is None or scan is None:
            return
        painting = find_painting(segmentation, scan)
        self._painting = painting.only(*self._only) if self._only else painting

    def forget(self) -> None:
        """Another segmentation: what the user chose no longer holds."""
        self._painting, self._only = None, None
        self._switched.clear()

    def use_only(self, axis: int, index: int) -> None:
        """From the next refresh on this slice of the scan's array is all that counts, of 3D segments too."""
        self._only = (axis, index)

    def use_all(self) -> None:
        """Take `use_only` back."""
        self._only = None

    def toggle(self, row: int, on: bool) -> None:
        """Switch a row; nothing happens for one that is gone."""
        if 0 <= row < len(self.slices):
            self._switched[_plane(self.slices[row])] = on

    @property
    def slices(self) -> tuple[PaintedSlice, ...]:
        """All that were found, in the order of the rows."""
        return self._painting.slices if self._painting else ()

    @property
    def full(self) -> tuple[str, ...]:
        """Names of segments that are painted in 3D."""
        return self._painting.full if self._painting else ()

    @property
    def outside(self) -> tuple[str, ...]:
        """Names of segments that miss the scan."""
        return self._painting.outside if self._painting else ()

    @property
    def only(self) -> tuple[int, int] | None:
        """The slice that `use_only` named."""
        return self._only

    @property
    def chosen(self) -> tuple[PaintedSlice, ...]:
        """Those that will be used."""
        return tuple(each for each in self.slices if self._on(each))

    @property
    def axis(self) -> int | None:
        """The direction of what will be used: an array axis, -1 for a reformatted plane, None for nothing."""
        return self.chosen[0].axis if self.chosen else None

    @property
    def rows(self) -> list[PaintedRow]:
        """Lines for the panel."""
        return [self._row(each) for each in self.slices]

    def support(self) -> Segmentation:
        """The chosen slices as masks on the scan's grid; raises SceneError when there are none."""
        if self._painting is None:
            raise SceneError(
                "Nothing is painted: choose a scan and a segmentation, and paint a structure on one slice."
            )
        return self._painting.support(self.chosen)

    def _row(self, each: PaintedSlice) -> PaintedRow:
        letter = {"Axial": "S", "Sagittal": "R", "Coronal": "A"}.get(each.view, "S")
        text = f"{each.view} {letter} {each.position_mm:.1f} mm: {', '.join(each.segments)}"
        return PaintedRow(text, self._on(each), "" if self._fits(each) else _OTHER_WAY)

    def _on(self, each: PaintedSlice) -> bool:
        return self._fits(each) and self._switched.get(_plane(each), True)

    def _fits(self, each: PaintedSlice) -> bool:
        return each.axis == self._main_axis()

    def _main_axis(self) -> int | None:
        wanted = [each for each in self.slices if self._switched.get(_plane(each), True)]
        counts = Counter(each.axis for each in wanted or self.slices)
        return min(counts, key=lambda axis: (-counts[axis], axis)) if counts else None


def _plane(each: PaintedSlice) -> tuple[int, int]:
    return each.axis, each.index
