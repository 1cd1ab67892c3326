"""Beside its painted slice a structure is about as large as it is painted (ours).

What comes out larger or smaller there shows how much too likely or too unlikely all of it is around that slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log

import numpy as np
import torch

from DPLSegmentLib.propagation.log_odds import shifted
from DPLSegmentLib.propagation.painted import PaintedSlice

_INSIDE = 0.5
_AS_LARGE = 0.95
_BELIEVED, _MOST = 0.65, 1.0
_FADE_MM = 40.0
_AS_GOOD_AS_NONE, _NOTHING = 0.01, 0.02


def level(probability: np.ndarray, slices: Sequence[int], painted: Sequence[PaintedSlice], gap_mm: float) -> None:
    """Change the log odds of the named `slices` of `probability` [n, h, w] that are not painted: by 0.65 of what the
    two slices beside the nearest painted one need to be 0.95 as large as it is on average (at most 1), less with the
    distance (1/e after 40 mm)."""
    needs = {each.index: _need(probability, each, {other.index for other in painted}) for each in painted}
    for index in slices:
        shift = 0.0 if index in needs else _shift(index, needs, gap_mm)
        if abs(shift) > _AS_GOOD_AS_NONE:
            doubtful = (probability[index] > _NOTHING) & (probability[index] < 1 - _NOTHING)
            moved = shifted(torch.from_numpy(probability[index][doubtful]).float(), shift)
            probability[index][doubtful] = moved.numpy()


def _need(probability: np.ndarray, painted: PaintedSlice, known: set[int]) -> float:
    """Nothing is told by an end of the structure, nor where a slice beside it is painted as well."""
    beside = [index for index in (painted.index - 1, painted.index + 1) if 0 <= index < len(probability)]
    if len(beside) < 2 or known & set(beside) or not (probability[beside] > _INSIDE).any((1, 2)).all():
        return 0.0
    values = probability[beside].ravel()
    wanted = min(max(round(len(beside) * _AS_LARGE * int(painted.native.sum())), 1), len(values))
    lowest = float(np.partition(values, -wanted)[-wanted])
    return max(-_MOST, min(_MOST, _logit(1 - lowest)))


def _logit(probability: float) -> float:
    within = min(max(probability, 1e-3), 1 - 1e-3)
    return log(within / (1 - within))


def _shift(index: int, needs: Mapping[int, float], gap_mm: float) -> float:
    nearest = min(needs, key=lambda painted: abs(painted - index), default=None)
    if nearest is None:
        return 0.0
    return _BELIEVED * needs[nearest] * exp(-(abs(index - nearest) - 1) * gap_mm / _FADE_MM)
