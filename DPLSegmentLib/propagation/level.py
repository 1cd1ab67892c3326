"""Beside its painted slice a structure is about as large as it is painted (ours).

What comes out larger or smaller there shows how much too likely or too unlikely all of it is around that slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, pi

import numpy as np
import torch

from DPLSegmentLib.images.stack import SliceStack
from DPLSegmentLib.propagation.log_odds import shifted
from DPLSegmentLib.propagation.painted import PaintedSlice

_INSIDE = 0.5
_ROUND, _LEAST_SHARE = 0.5, 0.7
_BELIEVED, _MOST = 0.5, 1.0
_FADE_MM = 40.0
_AS_GOOD_AS_NONE, _NOTHING = 0.01, 0.02


def level(probability: np.ndarray, slices: Sequence[int], painted: Sequence[PaintedSlice], stack: SliceStack) -> None:
    """Change the log odds of the named `slices` of `probability` [n, h, w], voxels of `stack`, that are not painted: by
    half of what the two slices beside the nearest painted one need (at most 1), less with the distance (1/e after
    40 mm).

    Of a ball cut through the middle they are 1 - (gap / radius)^2 as large; most structures are longer than wide, so
    half of that difference is expected, with the radius of a disc as large as the paint.
    """
    known = {each.index for each in painted}
    needs = {each.index: _need(probability, each, known, _expected(each, stack)) for each in painted}
    for index in set(slices) - known if painted else ():
        shift = _shift(index, needs, stack.gap_mm)
        if abs(shift) > _AS_GOOD_AS_NONE:
            doubtful = (probability[index] > _NOTHING) & (probability[index] < 1 - _NOTHING)
            moved = shifted(torch.from_numpy(probability[index][doubtful]).float(), shift)
            probability[index][doubtful] = moved.numpy()


def _expected(painted: PaintedSlice, stack: SliceStack) -> float:
    """Pixels of a slice beside it, on average."""
    pixels = float(painted.native.sum())
    radius_mm = (pixels * stack.sides_mm[0] * stack.sides_mm[1] / pi) ** 0.5
    return pixels * max(_LEAST_SHARE, 1 - _ROUND * (stack.gap_mm / radius_mm) ** 2)


def _need(probability: np.ndarray, painted: PaintedSlice, known: set[int], expected: float) -> float:
    """Nothing is told by an end of the structure, nor where a slice beside it is painted as well."""
    beside = [index for index in (painted.index - 1, painted.index + 1) if 0 <= index < len(probability)]
    if len(beside) < 2 or known & set(beside) or not (probability[beside] > _INSIDE).any((1, 2)).all():
        return 0.0
    values = probability[beside].ravel()
    wanted = min(max(round(len(beside) * expected), 1), len(values))
    lowest = float(np.partition(values, -wanted)[-wanted])
    return float(torch.tensor(1 - lowest).double().logit().clamp(-_MOST, _MOST))


def _shift(index: int, needs: Mapping[int, float], gap_mm: float) -> float:
    nearest = min(needs, key=lambda painted: abs(painted - index))
    return _BELIEVED * needs[nearest] * exp(-(abs(index - nearest) - 1) * gap_mm / _FADE_MM)
