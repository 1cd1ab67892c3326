"""What is seen of a structure, swept from three slices of it (ours).

What is seen leaks here and ends early there. A sweep follows what it began with; where two of three come to the same,
that is right more often.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.evaluation.painting import paint
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine

_SHARES = (0.35, 0.55, 0.75)
_AGREED = 0.7
_FEWEST = 300
_NAME = "seen"


def swept_again(engine: Engine, volume: Volume, labels: np.ndarray, number: int) -> None:
    """Replace a structure of `labels` uint8 [z, y, x] by what two of three sweeps agree on, where nothing else is; take
    it out where the three differ too much."""
    seen = labels == number
    labels[seen] = 0
    if seen.sum() < _FEWEST:
        return
    masks = [_swept(engine, volume, seen, index) for index in _slices(seen)]
    if np.mean([dice(one, other) for one, other in combinations(masks, 2)]) >= _AGREED:
        labels[(np.sum(masks, 0) >= 2) & (labels == 0)] = number


def _slices(seen: np.ndarray) -> list[int]:
    """Below which these shares of it lie."""
    below = seen.sum((1, 2)).cumsum() / seen.sum()
    return [int(np.searchsorted(below, share)) for share in _SHARES]


def _swept(engine: Engine, volume: Volume, seen: np.ndarray, index: int) -> np.ndarray:
    return engine.propagate([paint(volume, seen, (index,), _NAME)], volume).segmentation.segments[0].mask
