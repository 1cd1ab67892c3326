"""Where in a scan the structures are that the model knows by name: a small U-Net on slices and their embedding (ours,
not DPL's).

Slices are about 5 mm apart. Blocks after ConvNeXt (Liu et al. 2022), with a filter along the slices added.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from DPLSegmentLib.network.config import STRIDE

TOLD_STRIDE = 2
"""Working pixels per pixel of what it tells."""

SLICES_MM = 5.0
"""Distance of the slices that it sees."""

_WIDTHS = (48, 80, 128)
_BLOCKS = (2, 2, 5)


class Recogniser(nn.Module):
    """Standardised embeddings [n, C, h, w] of slices in order, `places_of` them [2, h, w] and the slices themselves
    [n, 4h, 4w] in 0..1, to logits [n, 1 + k, 2h, 2w]: of nothing known, and of each known structure."""

    def __init__(self, channels: int, known: int) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        finest, middles, coarsest = _BLOCKS
        self.enter = nn.Conv2d(channels + 2 + STRIDE**2, fine, 1)
        self.fine = _Block(fine, fine)
        self.down = nn.Conv2d(fine, middle, 1)
        self.middle = nn.Sequential(*(_Block(middle, 1) for _ in range(middles)))
        self.deeper = nn.Conv2d(middle, coarse, 1)
        self.coarse = nn.Sequential(*(_Block(coarse, 1) for _ in range(coarsest)))
        self.up = nn.Sequential(nn.Conv2d(coarse + middle, middle, 1), _Block(middle, 1))
        self.finer = nn.Sequential(nn.Conv2d(middle + fine, fine, 1), *(_Block(fine, fine) for _ in range(finest)))
        self.leave = nn.Conv2d(fine, (1 + known) * (STRIDE // TOLD_STRIDE) ** 2, 1)

    def forward(self, features: Tensor, places: Tensor, slices: Tensor) -> Tensor:
        pixels = functional.pixel_unshuffle(slices[:, None], STRIDE)
        seen = torch.cat([features, places.expand(len(features), -1, -1, -1), pixels], 1)
        fine = self.fine(self.enter(seen.contiguous(memory_format=torch.channels_last)))
        middle = self.middle(self.down(functional.avg_pool2d(fine, 2)))
        coarse = self.coarse(self.deeper(_halved(middle)))
        again = coarse.repeat_interleave(2, 0)[: len(middle)]
        middle = self.up(torch.cat([_resized(again, middle), middle], 1))
        told = self.leave(self.finer(torch.cat([_resized(middle, fine), fine], 1)))
        return functional.pixel_shuffle(told, STRIDE // TOLD_STRIDE)


class _Block(nn.Module):
    """Filter in plane (in `groups`), filter along the slices, mix the channels; added to what came in."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.plane = nn.Conv2d(channels, channels, 3, padding=1, groups=groups)
        self.along = nn.Parameter(torch.full((3, channels, 1, 1), 1 / 3))
        self.norm = nn.LayerNorm(channels)
        self.mix = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.ReLU(), nn.Conv2d(2 * channels, channels, 1))

    def forward(self, slices: Tensor) -> Tensor:
        filtered = _along(self.plane(slices), self.along)
        return slices + self.mix(self.norm(filtered.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def places_of(box: Sequence[float], shape: tuple[int, int], stride: int, mirrored: bool = False) -> Tensor:
    """[2, h, w]: row and column of each embedding pixel, -1..1 within the body's `box` (top, left, bottom, right) in
    working pixels; columns count from the patient's right, which is the last one of `mirrored` slices."""
    top, left, bottom, right = (edge / stride for edge in box)
    rows, columns = (
        (torch.arange(count) + 0.5 - first) / max(last - first, 1) * 2 - 1
        for count, first, last in ((shape[0], top, bottom), (shape[1], left, right))
    )
    return torch.stack(torch.meshgrid(rows, -columns if mirrored else columns, indexing="ij"))


def slice_step(gap_mm: float) -> int:
    """Every how many slices are seen."""
    return max(1, round(SLICES_MM / gap_mm))


def _along(slices: Tensor, weights: Tensor) -> Tensor:
    """Each channel of [n, C, h, w] filtered along n by `weights` [3, C, 1, 1]; zeros beyond the ends."""
    before, own, after = weights
    filtered = slices * own
    filtered[1:].addcmul_(slices[:-1], before)
    filtered[:-1].addcmul_(slices[1:], after)
    return filtered


def _halved(slices: Tensor) -> Tensor:
    """[n, C, h, w] to half of it in all three directions; a last odd slice stands for two."""
    pooled = functional.avg_pool2d(slices, 2)
    pooled = torch.cat([pooled, pooled[-1:]]) if len(pooled) % 2 else pooled
    return (pooled[::2] + pooled[1::2]) / 2


def _resized(slices: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(slices, size=like.shape[-2:], mode="bilinear", align_corners=False)
