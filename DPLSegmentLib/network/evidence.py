"""Puts together what the decoder sees; the same in training and at inference."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.decoder import Evidence
from DPLSegmentLib.network.likelihood import grey_table, looked_up
from DPLSegmentLib.network.similarity import Scores

_PRIOR_POOL = 4
_PRIOR_RADIUS = 6
_PRIOR_SIGMA = 2.0
_GAP_SCALE = 8.0
_WAY_SCALE = 64.0
_FARTHEST = 40.0

LARGE = 600
"""From how many working pixels on a cross-section counts as large: the embedding is fine enough for it."""


@dataclass(frozen=True, eq=False)
class Memory:
    """What a sweep keeps of the slice that it began from (ours): its `grey_table` [n, 32], its masks as affinity alone
    brings them along (`traced` [n, h, w], never corrected: what lay outside stays outside), and the `way` [n] in
    working pixels."""

    greys: Tensor
    traced: Tensor
    way: Tensor

    def renewed(self, masks: Tensor) -> Memory:
        """Before a step from masks [n, H, W]: small ones are traced from there and no longer from where they began.

        The embedding is too coarse to trace what is small: after some slices nothing of it would be left, and the
        decoder would take that for an end. For the same reason its way is at most 40 pixels.
        """
        small = (masks > 0.5).sum((1, 2)) < LARGE
        traced = torch.where(small[:, None, None], shrink(masks), self.traced)
        return Memory(self.greys, traced, torch.where(small, self.way.clamp(max=_FARTHEST), self.way))

    def moved(self, traced: Tensor, gap: float) -> Memory:
        """After a step over `gap` working pixels that brought the traced masks along."""
        return Memory(self.greys, traced, self.way + gap)


@dataclass(frozen=True, eq=False)
class LastSlice:
    """The slice the mask comes from: `image` [H, W], `masks` [n, H, W] in 0..1, `carried` [n, h, w], the masks brought
    over by affinity, and the `memory` with its masks traced to the slice in question."""

    image: Tensor
    masks: Tensor
    carried: Tensor
    memory: Memory


def remember(image: Tensor, masks: Tensor) -> Memory:
    """The memory of a sweep that begins from masks [n, H, W] on an image [H, W]."""
    return Memory(grey_table(image, masks), shrink(masks), masks.new_zeros(len(masks)))


def assemble(
    image: Tensor, features: Tensor, scores: Scores, prior: Tensor, gap: float, last: LastSlice | None
) -> Evidence:
    """Evidence for n structures on one slice.

    `image` [H, W] in 0..1, standardised `features` [C, h, w], `scores` and `prior` [n, h, w], `gap` the slice distance
    in working pixels. Without a last slice (`last=None`) the structure is looked for by its scores and prior alone.
    """
    count = len(prior)
    flat = torch.ones_like(prior)
    if last is None:
        nothing = torch.zeros_like(image)
        images = torch.stack([image, nothing, nothing, nothing, nothing])[None].expand(count, -1, -1, -1)
        carried = masks = traced = torch.zeros_like(prior)
        way = prior.new_zeros(count)
    else:
        ratio = looked_up(grey_table(last.image, last.masks), image)
        known = looked_up(last.memory.greys, image)
        images = torch.stack([image.expand_as(ratio), last.image.expand_as(ratio), last.masks, ratio, known], 1)
        carried, masks = last.carried, shrink(last.masks)
        traced, way = last.memory.traced, last.memory.way
    cues = [scores.foreground, scores.background, scores.probability, carried, masks, prior]
    cues += [flat * min(gap / _GAP_SCALE, 2.0), flat * float(last is None)]
    cues += [traced, flat * (way / _WAY_SCALE).clamp(max=4.0)[:, None, None]]
    return Evidence(images, features.expand(count, -1, -1, -1), torch.stack(cues, 1))


def shrink(masks: Tensor) -> Tensor:
    """[n, H, W] to the embedding's [n, H/4, W/4] by averaging."""
    return functional.avg_pool2d(masks[:, None], STRIDE)[:, 0]


def grown(maps: Tensor) -> Tensor:
    """The embedding's [n, h, w] to [n, H, W], bilinear."""
    return functional.interpolate(maps[None], scale_factor=float(STRIDE), mode="bilinear")[0]


def location_prior(masks: Tensor) -> Tensor:
    """Where to expect the structure: painted masks [n, h, w] widely blurred, maximum 1."""
    size = masks.shape[-2:]
    coarse = functional.avg_pool2d(masks[:, None], _PRIOR_POOL, ceil_mode=True)
    offsets = torch.arange(-_PRIOR_RADIUS, _PRIOR_RADIUS + 1, device=masks.device)
    kernel = torch.exp(-offsets.square() / (2 * _PRIOR_SIGMA**2)).to(masks)
    blurred = functional.conv2d(coarse, kernel[None, None, None], padding=(0, _PRIOR_RADIUS))
    blurred = functional.conv2d(blurred, kernel[None, None, :, None], padding=(_PRIOR_RADIUS, 0))
    blurred = blurred / (blurred.amax((2, 3), keepdim=True) + 1e-6)
    return functional.interpolate(blurred, size=size, mode="bilinear", align_corners=False)[:, 0]
