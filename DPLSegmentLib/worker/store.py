"""The scans that the client has sent."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.images.checks import check_scan
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import PropagationError, Support
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.blocks import SharedArray


class ScanStore:
    """Scans by key, in the shared memory that they came in. The client says which to drop."""

    def __init__(self) -> None:
        self._scans: dict[str, Volume | Exception] = {}

    def put(self, told: protocol.Scan) -> None:
        """Take a scan; what is wrong with it is raised by `get`, to the job that needs it."""
        try:
            volume = Volume(SharedArray.take(told.voxels).array, np.array(told.ijk_to_ras), told.name)
            check_scan(volume)
            self._scans[told.key] = volume
        except Exception as error:
            self._scans[told.key] = error

    def drop(self, key: str) -> None:
        """Forget a scan."""
        self._scans.pop(key, None)

    def get(self, key: str) -> Volume:
        """The same object for a key each time; raises ImageError for a scan that cannot be used."""
        scan = self._scans[key]
        if isinstance(scan, Exception):
            raise scan
        return scan

    def support(self, told: protocol.Painted) -> Support:
        """A scan and what is painted on it; raises PropagationError when that lies on another grid."""
        volume = self.get(told.scan)
        segments = tuple(_segment(each) for each in told.structures)
        if any(segment.mask.shape != volume.shape for segment in segments):
            raise PropagationError(f"What is painted does not fit {volume.name}: paint on the scan that is chosen.")
        if not segments:
            raise PropagationError(f"Nothing is painted on {volume.name}; paint a structure on one slice.")
        return Support(volume, Segmentation(segments, volume.ijk_to_ras, "painted"))


def _segment(told: protocol.PaintedStructure) -> Segment:
    each, mask = told.structure, SharedArray.take(told.mask).array
    return Segment(each.name, mask.astype(bool, copy=False), each.value, each.color, each.tags)
