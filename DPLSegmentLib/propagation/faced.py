"""A scan on which nothing is painted is looked through the way the painted one faces (ours).

Left may be right and head may be feet in the order of the voxels: one scan comes from DICOM, another from NIfTI. The
network, the place in the body and the course along it know nothing of that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from DPLSegmentLib.images.facing import Turn, turn_to
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import OnProgress, OnSlice, Propagation, SliceResult


@dataclass(frozen=True, eq=False)
class Faced:
    """The `query` and how it is `shown`; slices are counted along `axis` of what is shown."""

    query: Volume
    shown: Volume
    turn: Turn
    axis: int

    def index(self, index: int) -> int:
        """A slice of what is shown as the query counts it, and the other way round."""
        return self.turn.index(self.axis, index, self.shown.array.shape[self.axis])

    def reach(self, slice_range: tuple[int, int] | None) -> tuple[int, int] | None:
        """A range of the query's slices on what is shown."""
        return slice_range and (self.index(slice_range[0]), self.index(slice_range[1]))

    def progress(self, on_progress: OnProgress | None) -> OnProgress | None:
        """Tells slices as the query counts them."""
        if on_progress is None:
            return None
        tell = on_progress
        return lambda at: tell(replace(at, slice_index=None if at.slice_index is None else self.index(at.slice_index)))

    def slices(self, on_slice: OnSlice | None) -> OnSlice | None:
        """Tells slices as they lie in the query."""
        if on_slice is None:
            return None
        tell = on_slice
        return lambda found: tell(self._slice(found))

    def _slice(self, found: SliceResult) -> SliceResult:
        thick = np.expand_dims(found.mask, self.axis)
        axis = self.turn.order[self.axis]
        mask = self.turn.undone(thick).squeeze(axis)
        return replace(found, axis=axis, index=self.index(found.index), mask=mask)

    def back(self, result: Propagation) -> Propagation:
        """The result as it lies in the query, to the voxel."""
        segments = tuple(each.with_mask(self.turn.undone(each.mask)) for each in result.segmentation.segments)
        reports = tuple(replace(each, next_slice=self._known(each.next_slice)) for each in result.structures)
        return replace(
            result,
            segmentation=Segmentation(segments, self.query.ijk_to_ras, result.segmentation.name),
            confidence=self.query.with_array(self.turn.undone(result.confidence.array)),
            structures=reports,
            axis=self.turn.order[self.axis],
            next_slice=self._known(result.next_slice),
        )

    def _known(self, index: int | None) -> int | None:
        return None if index is None else self.index(index)


def faced(query: Volume, wanted: str, axis: int) -> Faced:
    """Show a scan the way `wanted` says (see `images.facing`), to be cut along `axis`."""
    turn = turn_to(query.ijk_to_ras, wanted)
    return Faced(query, query if turn.nothing else turn.volume(query), turn, axis)
