"""What every method is asked, and what it answers: ours, its ablations and the baselines alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support


@dataclass(frozen=True)
class Part:
    """Query slices [first, last] that go with one painted slice of the support (the published protocol only)."""

    first: int
    last: int
    painted: int


@dataclass(frozen=True, eq=False)
class Answer:
    """A bool mask [z, y, x] on the query's grid for each structure, and what else the method knows.

    `next_slice` is the slice to paint next; `confidence` is [z, y, x] of 0..1.
    """

    masks: Mapping[str, np.ndarray]
    next_slice: Mapping[str, int | None] = field(default_factory=dict)
    confidence: np.ndarray | None = None


class Segmenter(Protocol):
    """A method under evaluation."""

    name: str

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Find every structure that is painted on a support in the query.

        `slice_range` (first, last), both included, is where the structures are, when the user says so. `parts` says
        which query slices go with which painted slice; a method may ignore it and use all painted slices everywhere.
        """
        ...


class NotApplicable(Exception):
    """The method cannot be asked this at all (seeds in another patient's scan); its row leaves the task out."""
