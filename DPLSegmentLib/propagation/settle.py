"""Settles what the sweep found in 3D, on a coarse grid around the structure (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.region import ends
from DPLSegmentLib.propagation.walk import WalkOptions, guided_walk

_SOMETHING = 0.1
_FIXED = 1e4
_LEAST_CERTAINTY = 0.05


@dataclass(frozen=True)
class SettleOptions:
    """Off (`enabled=False`) the sweep's probabilities stay. `pixel_mm` is the side of a coarse pixel, `around_mm` and
    `beyond_mm` how far the walk may go beyond the sweep in plane and across slices."""

    enabled: bool = True
    pixel_mm: float = 2.0
    around_mm: float = 30.0
    beyond_mm: float = 20.0
    walk: WalkOptions = WalkOptions()


@dataclass(frozen=True)
class _Box:
    slices: slice
    rows: slice
    columns: slice
    factor: int

    def of(self, stack: Tensor) -> Tensor:
        """[n, h, w], the part of a stack [n, H, W] inside."""
        return stack[self.slices, self.rows, self.columns]


def settle(
    probability: Tensor,
    confidence: Tensor,
    embedding: Embedding,
    painted: Mapping[int, Tensor],
    options: SettleOptions,
) -> Tensor:
    """Probabilities [n, H, W] after the walk; `confidence` [n]; `painted`, slice index to mask [H, W], stays."""
    box = _box(probability, embedding, options)
    if not options.enabled or box is None:
        return probability
    images = _pooled(box.of(embedding.images).float().to(probability.device), box.factor)
    prior = _pooled(box.of(probability).float(), box.factor)
    certainty = (2 * prior - 1).abs() * confidence[box.slices, None, None].clamp(min=_LEAST_CERTAINTY)
    for index in painted:
        if box.slices.start <= index < box.slices.stop:
            certainty[index - box.slices.start] = _FIXED
    side = embedding.stack.pixel_mm * box.factor
    walked = guided_walk(images, prior, certainty, (embedding.stack.gap_mm, side, side), options.walk)
    settled = torch.zeros_like(probability)
    grown = functional.interpolate(walked[:, None], scale_factor=float(box.factor), mode="bilinear")[:, 0]
    box.of(settled).copy_(grown)
    for index, mask in painted.items():
        settled[index] = mask.to(settled)
    return settled


def _box(probability: Tensor, embedding: Embedding, options: SettleOptions) -> _Box | None:
    """Around everything above 0.1, sides in plane a multiple of the coarse pixel; None where there is nothing."""
    something = probability > _SOMETHING
    spans = [ends(something.flatten(1).any(1)), *(ends(something.any(0).any(1 - axis)) for axis in range(2))]
    if any(span is None for span in spans):
        return None
    factor = max(1, round(options.pixel_mm / embedding.stack.pixel_mm))
    around = int(options.around_mm / embedding.stack.pixel_mm)
    beyond = int(options.beyond_mm / embedding.stack.gap_mm) + 1
    limits = zip(spans, probability.shape, (beyond, around, around), (1, factor, factor), strict=True)
    slices, rows, columns = (_widened(span, count, margin, step) for span, count, margin, step in limits if span)
    return _Box(slices, rows, columns, factor)


def _widened(span: tuple[int, int], count: int, margin: int, step: int) -> slice:
    first, last = max(0, span[0] - margin), min(count, span[1] + margin)
    return slice(first, first + max(step, (last - first) // step * step))


def _pooled(stack: Tensor, factor: int) -> Tensor:
    return functional.avg_pool2d(stack[:, None], factor)[:, 0]
