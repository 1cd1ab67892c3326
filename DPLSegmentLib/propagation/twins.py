"""What stops looking like its painted slice and soon looks like it again has gone on into a twin (ours).

A vertebra is followed through its disc into the next one, which looks like the paint; the disc does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.evidence import LARGE, shrink
from DPLSegmentLib.network.prototypes import mean_under
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.stretch import stretch_around
from DPLSegmentLib.propagation.sweep import Seed

_INSIDE = 0.5
_SOON_MM = 20.0
_UNLIKE = 0.06
_OTHER_GREY = 0.015
_AGAIN = 0.8


@torch.inference_mode()
def before_twins(probability: Tensor, seeds: Sequence[Seed], embedding: Embedding, check: Callable[[], None]) -> Tensor:
    """bool [n]: slices of a `probability` [n, H, W] to keep, outward from the first and the last seed to the slice that
    looks least like these between them and a twin.

    Of structures below 600 working pixels all are kept: features there show more of what is around them. `check` is
    asked before each slice and may raise.
    """
    kept = torch.ones(len(probability), dtype=torch.bool)
    order = sorted(seeds, key=lambda seed: seed.index)
    for seed, outward in _outward(probability, order[0], order[-1]) if order else ():
        if float((seed.mask > _INSIDE).sum()) < LARGE:
            continue
        gap = gap_in(*_looks(probability, seed, outward, embedding, check), embedding.stack.gap_mm)
        if gap is not None:
            kept[list(outward[gap:])] = False
    return kept


def gap_in(alike: Tensor, greys: Tensor, gap_mm: float) -> int | None:
    """Which of the cross-sections along a sweep lies in a gap; None where there is none.

    Of each it is told how much `alike` (-1..1) its features are to those of the first one, and its mean of `greys`
    (0..1): in a gap both are less like those of the first one than they are up to 20 mm before it and after it, where
    it looks much the same again.
    """
    soon = max(1, round(_SOON_MM / gap_mm))
    same = -(greys - greys[0]).abs()
    for number in range(1, len(alike) - 1):
        again = float(alike[number + 1 : number + 1 + soon].max()) >= _AGAIN
        if again and _dip(alike, number, soon) >= _UNLIKE and _dip(same, number, soon) >= _OTHER_GREY:
            first = max(1, number - soon)
            return first + int(alike[first : number + soon + 1].argmin())
    return None


def _dip(values: Tensor, number: int, soon: int) -> float:
    """How far a value lies below the highest ones soon before and soon after it."""
    before, after = values[max(0, number - soon) : number], values[number + 1 : number + 1 + soon]
    return float(torch.minimum(before.max(), after.max()) - values[number])


def _outward(probability: Tensor, first: Seed, last: Seed) -> Iterator[tuple[Seed, range]]:
    """The first and the last seed with the slices from there on outward, as long as something is there."""
    start, end = stretch_around((probability > _INSIDE).flatten(1).any(1), first.index, last.index)
    yield first, range(first.index, start - 1, -1)
    yield last, range(last.index, end + 1)


def _looks(
    probability: Tensor, seed: Seed, outward: Sequence[int], embedding: Embedding, check: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """How much alike the features of each cross-section are to those of the seed, and its mean grey value."""
    seen = []
    for index in outward:
        check()
        seen.append(_means(seed.mask if index == seed.index else probability[index], index, embedding))
    features, greys = (torch.stack(parts).cpu() for parts in zip(*seen, strict=True))
    return functional.cosine_similarity(features, features[:1]), greys


def _means(mask: Tensor, index: int, embedding: Embedding) -> tuple[Tensor, Tensor]:
    """Mean features [C] and grey value of a slice where a mask [H, W] is above one half."""
    image, features = embedding.image(index), embedding.standardised(index)
    inside = (mask > _INSIDE).to(image)
    weight = shrink(inside[None])[0]
    return mean_under(features, weight), mean_under(image[None], inside)[0]
