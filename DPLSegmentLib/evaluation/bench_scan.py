"""The scan that speed is measured on: the bundled CT on a grid of 257x257x140, with four painted organs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.evaluation.dataset import BENCHMARK
from DPLSegmentLib.evaluation.painting import largest_slice, occupied
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.resample import resample_like, resample_segmentation
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support
from DPLSegmentLib.resources import resource

SHAPE = (140, 257, 257)


@dataclass(frozen=True, eq=False)
class BenchScan:
    """A CT of 140 slices of 257x257 int16 and the whole organs in it."""

    volume: Volume
    organs: Segmentation

    def support(self, count: int, shift: int = 0) -> Support:
        """The scan with the largest slice of the first `count` organs painted, or the one `shift` slices above it.

        Another shift is another painting: a re-paint. Raises IndexError where the organ does not reach that far.
        """
        chosen = (self._painted(position, shift) for position in range(count))
        return Support(self.volume, Segmentation(tuple(chosen), self.volume.ijk_to_ras))

    def _painted(self, position: int, shift: int) -> Segment:
        organ = self.organs.segments[position]
        slices = occupied(organ.mask)
        index = slices[np.searchsorted(slices, largest_slice(organ.mask)) + shift]
        painted = np.zeros_like(organ.mask)
        painted[index] = organ.mask[index]
        return organ.with_mask(painted)


def bench_scan() -> BenchScan:
    """Read and resample the bundled CT; takes a few seconds. Raises ResourceError when it is not installed."""
    small = read_volume(resource("SampleData/example_ct.nii.gz"))
    labels = read_segmentation(resource("SampleData/example_ct-labels.nii.gz"))
    volume = resample_like(small, _grid(small), nearest=False)
    volume = Volume(volume.array.astype(np.int16), volume.ijk_to_ras, "bench")
    return BenchScan(volume, resample_segmentation(_benchmark(labels), volume))


def _grid(volume: Volume) -> Volume:
    """An empty scan of the bench's size over the same space, corner voxels on corner voxels."""
    steps = [(full - 1) / (few - 1) for full, few in zip(volume.shape[::-1], SHAPE[::-1], strict=True)]
    return Volume(np.broadcast_to(np.uint8(0), SHAPE), volume.ijk_to_ras @ np.diag([*steps, 1.0]))


def _benchmark(labels: Segmentation) -> Segmentation:
    named = {segment.name: segment for segment in labels.segments}
    return Segmentation(tuple(named[name] for name in BENCHMARK), labels.ijk_to_ras)
