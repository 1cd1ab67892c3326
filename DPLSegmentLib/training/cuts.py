"""Structures whose border nothing shows: a region is cut in two by a smooth surface (ours).

Supervoxels end where grey values change, so a network that saw nothing else follows every edge and runs through every
gap between touching organs. A cut region has to be held by its shape in the last slice.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_SHARES = (0.3, 0.7)
_SUDDEN = 0.4
_WAVE = 6


def cut(regions: Tensor, label: int, number: int, painted: int, generator: np.random.Generator) -> Tensor:
    """Slices [n, H, W] of region numbers, with the part of `label` behind the surface under a new `number`.

    The surface leaves 30 to 70 % of the region on slice `painted`; it is bent, wavy, and moves by a few pixels a slice,
    or by so many that one part soon ends and the other takes its place.
    """
    surface = _surface(regions.shape, painted, generator).to(regions.device)
    inside = surface[painted][regions[painted] == label]
    if not len(inside):
        return regions
    threshold = torch.quantile(inside, generator.uniform(*_SHARES))
    behind = (regions == label) & (surface > threshold)
    return torch.where(behind, number, regions)


def _surface(shape: torch.Size, painted: int, generator: np.random.Generator) -> Tensor:
    """A height for every pixel, in pixels: a plane at any angle that tilts along the slices, bent and wavy."""
    count, height, width = shape
    angle, tilt = generator.uniform(0, 2 * np.pi), generator.normal(0, 1.5)
    if generator.random() < _SUDDEN:
        tilt = generator.uniform(4, 25) * generator.choice((-1, 1))
    bend = generator.normal(0, 0.01)
    down = torch.arange(height, dtype=torch.float32)[:, None] - height / 2
    right = torch.arange(width, dtype=torch.float32)[None] - width / 2
    ahead = down * np.cos(angle) + right * np.sin(angle)
    across = right * np.cos(angle) - down * np.sin(angle)
    moved = tilt * (torch.arange(count, dtype=torch.float32) - painted)
    waves = torch.from_numpy(generator.normal(0, 2, (1, 1, _WAVE, _WAVE)).astype(np.float32))
    waves = functional.interpolate(waves, size=(height, width), mode="bicubic", align_corners=False)[0, 0]
    return ahead + bend * across.square() + waves + moved[:, None, None]
