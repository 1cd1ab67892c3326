"""Makes pictures look like other scanners' and masks like people's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_AREAS = (500.0, 1500.0, 4000.0)


def photometric(images: Tensor, generator: np.random.Generator) -> Tensor:
    """One random grey-value curve, noise and sometimes inversion for all slices [n, H, W] in 0..1."""
    if generator.random() < 0.6:
        images = _curve(images, generator)
    if generator.random() < 0.1:
        images = torch.where(images > 0.02, 1 - images, images)
    if generator.random() < 0.5:
        images = images * generator.uniform(0.7, 1.3) + generator.uniform(-0.1, 0.1)
    if generator.random() < 0.4:
        noise = torch.from_numpy(generator.standard_normal(images.shape).astype(np.float32)).to(images)
        images = images + noise * generator.uniform(0, 0.07)
    if generator.random() < 0.3:
        images = images * _bias(images, generator)
    if generator.random() < 0.2:
        images = images * _gains(images, generator)
    return images.clamp(0, 1)


def _curve(images: Tensor, generator: np.random.Generator) -> Tensor:
    heights = np.sort(generator.uniform(0, 1, 5)) * 0.6 + np.linspace(0, 1, 5) * 0.4
    heights = torch.from_numpy((heights - heights[0]).astype(np.float32)).to(images)
    position = images.clamp(0, 1) * 3.999
    left = position.long()
    return heights[left] + (heights[left + 1] - heights[left]) * (position - left)


def _bias(images: Tensor, generator: np.random.Generator) -> Tensor:
    """A field [n, H, W] that varies smoothly in the slices and from the first to the last."""
    corners = torch.from_numpy(generator.uniform(0.6, 1.4, (2, 1, 4, 4)).astype(np.float32)).to(images)
    first, last = functional.interpolate(corners, size=images.shape[-2:], mode="bicubic", align_corners=False)[:, 0]
    return torch.lerp(first, last, torch.linspace(0, 1, len(images), device=images.device)[:, None, None])


def _gains(images: Tensor, generator: np.random.Generator) -> Tensor:
    """Factors [n, 1, 1]: slices that were acquired in turns differ a little in brightness."""
    return torch.from_numpy(generator.normal(1, 0.04, (len(images), 1, 1)).astype(np.float32)).to(images)


def as_painted(mask: Tensor, generator: np.random.Generator) -> Tensor:
    """A mask [H, W] as a person might paint it: a pixel or two too large, too small or wobbly at the border."""
    if generator.random() < 0.4:
        return mask
    distance = _blurred(mask, 3)
    wobble = torch.from_numpy(generator.standard_normal((1, 1, 16, 16)).astype(np.float32)).to(mask)
    wobble = functional.interpolate(wobble, size=mask.shape, mode="bicubic", align_corners=False)[0, 0]
    painted = (distance > 0.5 + generator.uniform(-0.2, 0.2) + wobble * generator.uniform(0, 0.15)).to(mask)
    return painted if float(painted.sum()) > 0.5 * float(mask.sum()) else mask


def _blurred(mask: Tensor, radius: int) -> Tensor:
    return _averaged(_averaged(mask[None], radius), 1)[0]


def smoothed(mask: Tensor) -> Tensor:
    """A mask on slices [n, H, W] without ragged borders, and without holes of a vessel's width in a large structure."""
    area = float(mask.sum((1, 2)).amax())
    radius = 1 + sum(area > limit for limit in _AREAS)
    return (_averaged(_averaged(mask, radius), radius) > 0.5).to(mask)


def _averaged(images: Tensor, radius: int) -> Tensor:
    """Means over squares of [n, H, W], along rows, then columns: faster than at once."""
    size = 2 * radius + 1
    rows = functional.avg_pool2d(images[None], (size, 1), 1, (radius, 0))
    return functional.avg_pool2d(rows, (1, size), 1, (0, radius))[0]
