"""Which scans the worker process holds; the client decides, so that both always agree."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator

from DPLSegmentLib.worker.requests import Scan


class KeptScans(Collection[str]):
    """Keys of the scans that were sent, the most recently used last, within `limit` bytes of voxels."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sizes: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, key: object) -> bool:
        return key in self._sizes

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def use(self, scans: Iterable[Scan]) -> list[str]:
        """These scans are used now; returns the keys of older ones that have to go."""
        used = {scan.key: scan.volume.array.nbytes for scan in scans}
        for key, size in used.items():
            self._sizes[key] = size
            self._sizes.move_to_end(key)
        dropped = []
        while sum(self._sizes.values()) > self.limit and len(self._sizes) > len(used):
            dropped.append(self._sizes.popitem(last=False)[0])
        return dropped

    def forget(self, scans: Iterable[Scan]) -> list[str]:
        """These scans shall be sent again; returns the keys that were known."""
        keys = dict.fromkeys(scan.key for scan in scans)
        return [key for key in keys if self._sizes.pop(key, None) is not None]

    def clear(self) -> None:
        """The process that held them is gone."""
        self._sizes.clear()
