"""Which way the axes of a scan run, and turning a scan so that they run another way. No voxel is resampled."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from DPLSegmentLib.images.volume import Volume

_TOWARDS, _AWAY = "RAS", "LPI"


def facing(ijk_to_ras: np.ndarray) -> str:
    """Three letters: where the array axes z, y, x lead to, the nearest of R, L, A, P, S, I. A usual axial CT: "SPL"."""
    steps = ijk_to_ras[:3, 2::-1]
    steps = steps / np.linalg.norm(steps, axis=0)
    best = max(permutations(range(3)), key=lambda rows: sum(abs(steps[row, axis]) for axis, row in enumerate(rows)))
    return "".join((_TOWARDS if steps[row, axis] > 0 else _AWAY)[row] for axis, row in enumerate(best))


@dataclass(frozen=True)
class Turn:
    """New array axis n is the old axis `order[n]`, backwards where `flipped[n]`."""

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def nothing(self) -> bool:
        """Whether everything stays as it is."""
        return self.order == (0, 1, 2) and not any(self.flipped)

    def array(self, array: np.ndarray) -> np.ndarray:
        """An array [z, y, x] turned."""
        return np.flip(array.transpose(self.order), np.flatnonzero(self.flipped))

    def undone(self, array: np.ndarray) -> np.ndarray:
        """A turned array as it was."""
        back = np.flip(array, np.flatnonzero(self.flipped)).transpose(np.argsort(self.order))
        return np.ascontiguousarray(back)

    def volume(self, scan: Volume) -> Volume:
        """The scan turned, its voxels at the same places of the patient."""
        shift = np.eye(4)
        for new, (old, backwards) in enumerate(zip(self.order, self.flipped, strict=True)):
            shift[2 - old, [0, 1, 2]] = 0
            shift[2 - old, 2 - new] = -1 if backwards else 1
            shift[2 - old, 3] = scan.array.shape[old] - 1 if backwards else 0
        return Volume(np.ascontiguousarray(self.array(scan.array)), scan.ijk_to_ras @ shift, scan.name)

    def index(self, axis: int, index: int, count: int) -> int:
        """A slice number along new `axis` of `count` slices as it is counted along the old one, and the other way."""
        return count - 1 - index if self.flipped[axis] else index


def turn_to(ijk_to_ras: np.ndarray, wanted: str) -> Turn:
    """What makes a scan face the way `wanted` says; see `facing`."""
    has = facing(ijk_to_ras)
    names = [frozenset(pair) for pair in zip(_TOWARDS, _AWAY, strict=True)]
    kinds = [next(name for name in names if letter in name) for letter in has]
    order = [kinds.index(next(name for name in names if letter in name)) for letter in wanted]
    z, y, x = order
    flips = [has[old] != letter for old, letter in zip(order, wanted, strict=True)]
    return Turn((z, y, x), (flips[0], flips[1], flips[2]))
