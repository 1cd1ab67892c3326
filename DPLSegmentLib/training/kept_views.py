"""Where the recogniser's lesson gets its views from: kept ones on a CPU, for which each takes seconds to make, or new
ones on a graphics card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from DPLSegmentLib.training.known_scans import KnownScan
from DPLSegmentLib.training.known_views import KnownView, Viewer

_SLICES = 48


class Views(Protocol):
    """A scan and a view of it, drawn from the generator."""

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]: ...


class FreshViews:
    """A new view each time, always of as many slices: a graphics card gets ready for every new shape, which takes it
    longer than the work itself."""

    def __init__(self, viewer: Viewer, scans: Sequence[KnownScan]) -> None:
        self.viewer = viewer
        self.scans = scans

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """Of any scan."""
        scan = self.scans[int(generator.integers(len(self.scans)))]
        return scan, self.viewer.look(scan, generator, _SLICES)


class KeptViews:
    """`copies` views of each scan, the first as it is, made when they are first drawn and kept in `folder`."""

    def __init__(self, folder: Path, viewer: Viewer, scans: Sequence[KnownScan], copies: int) -> None:
        self.folder = folder
        self.viewer = viewer
        self.scans = scans
        self.copies = copies

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """Any of any scan; read when it is looked at."""
        number = int(generator.integers(len(self.scans)))
        return self.scans[number], self.view(number, int(generator.integers(self.copies)))

    def view(self, number: int, copy: int) -> KnownView:
        """Read it, or make it and keep it."""
        kept = self.folder / f"{self.scans[number].name}-{copy}"
        if not kept.is_dir():
            _keep(kept, self._made(self.scans[number], np.random.default_rng([number, copy]), copy))
        arrays = (np.load(kept / f"{each.name}.npy", mmap_mode="c", allow_pickle=False) for each in fields(KnownView))
        return KnownView(*(torch.from_numpy(array) for array in arrays))

    def _made(self, scan: KnownScan, generator: np.random.Generator, copy: int) -> KnownView:
        torch.manual_seed(int(generator.integers(2**31)))
        return self.viewer.look(scan, generator) if copy else self.viewer.as_it_is(scan)


def _keep(kept: Path, view: KnownView) -> None:
    """Another process may have been faster."""
    partial = kept.with_name(f"{kept.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    for each in fields(KnownView):
        np.save(partial / f"{each.name}.npy", getattr(view, each.name).cpu().numpy())
    try:
        partial.rename(kept)
    except OSError:
        shutil.rmtree(partial)
