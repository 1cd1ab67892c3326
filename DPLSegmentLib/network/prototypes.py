"""The painted slice as prototypes: a few feature vectors of the structure and of what lies around it.

Global and local prototypes follow ALPNet (Ouyang et al. 2020); the two rings at the border are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_WINDOW = 4
_INSIDE, _OUTSIDE = 0.95, 0.05
_RING = (1, 5)
_EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Unit-RMS vectors: `foreground` [f, C], `background` [b, C]; the first of each is the mean over its region.

    `geometry` [4] describes the painted region, see `network.condition`.
    """

    foreground: Tensor
    background: Tensor
    geometry: Tensor


@dataclass(frozen=True)
class PrototypeExtractor:
    """Prototypes of one slice; `local`, `near` and `far` cap how many vectors come from each kind of place."""

    local: int = 12
    near: int = 16
    far: int = 16

    def __call__(self, features: Tensor, mask: Tensor) -> Prototypes:
        """Standardised `features` [C, h, w] and the painted `mask` [h, w] in 0..1, at the same stride.

        Raises ValueError when nothing is painted.
        """
        if float(mask.sum()) < _EPSILON:
            raise ValueError("Nothing is painted on this slice.")
        return Prototypes(
            unit(self._foreground(features, mask)), unit(self._background(features, mask)), region_geometry(mask)
        )

    def _foreground(self, features: Tensor, mask: Tensor) -> Tensor:
        inner = mask * (1 - _eroded(mask))
        vectors, share = _windows(features, mask)
        chosen = spread(vectors[share > _INSIDE], self.local)
        return torch.cat([mean_under(features, mask)[None], mean_under(features, inner)[None], chosen])

    def _background(self, features: Tensor, mask: Tensor) -> Tensor:
        near = dilated(mask, _RING[1]) * (1 - dilated(mask, _RING[0]))
        outside = 1 - dilated(mask, _RING[0])
        vectors, share = _windows(features, mask)
        closeness = functional.avg_pool2d(near[None, None], _WINDOW, ceil_mode=True).flatten()
        empty = share < _OUTSIDE
        parts = [
            mean_under(features, outside)[None],
            mean_under(features, near)[None],
            spread(vectors[empty & (closeness > 0.5)], self.near),
            spread(vectors[empty & (closeness <= 0.5)], self.far),
        ]
        return torch.cat(parts)


def unit(vectors: Tensor) -> Tensor:
    """Scale the last axis to a root mean square of one."""
    return vectors / (vectors.square().mean(-1, keepdim=True).sqrt() + _EPSILON)


def spread(vectors: Tensor, most: int) -> Tensor:
    """At most `most` rows of `vectors`, evenly spaced in their order: repeatable, and spread over the slice."""
    if len(vectors) <= most:
        return vectors
    chosen = torch.linspace(0, len(vectors) - 1, most, device=vectors.device).round().long()
    return vectors[chosen]


def region_geometry(mask: Tensor) -> Tensor:
    """[4]: log area, effective radius, eccentricity and boundary/area of a mask [h, w]; sizes relative to the slice."""
    area = mask.sum() + _EPSILON
    rows, columns = (torch.linspace(-1, 1, size, device=mask.device) for size in mask.shape)
    row, column = (mask.sum(1) * rows).sum() / area, (mask.sum(0) * columns).sum() / area
    rr = (mask.sum(1) * (rows - row).square()).sum() / area
    cc = (mask.sum(0) * (columns - column).square()).sum() / area
    rc = (mask * (rows - row)[:, None] * (columns - column)[None]).sum() / area
    half = ((rr - cc).square() / 4 + rc.square()).sqrt()
    middle = (rr + cc) / 2
    eccentricity = (1 - (middle - half).clamp(min=0) / (middle + half + _EPSILON)).clamp(min=0).sqrt()
    fraction = area / mask.numel()
    boundary = (mask * (1 - _eroded(mask))).sum() / area
    return torch.stack([fraction.log() / 5, (fraction / torch.pi).sqrt(), eccentricity, boundary])


def mean_under(features: Tensor, weight: Tensor) -> Tensor:
    """The mean [C] of `features` [C, h, w] where a mask [h, w] in 0..1 is."""
    return (features * weight).sum((1, 2)) / (weight.sum() + _EPSILON)


def _windows(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    pooled = functional.avg_pool2d(features[None], _WINDOW, ceil_mode=True)[0]
    share = functional.avg_pool2d(mask[None, None], _WINDOW, ceil_mode=True)
    return pooled.flatten(1).T, share.flatten()


def dilated(mask: Tensor, radius: int) -> Tensor:
    """A mask [h, w] grown by `radius` pixels on every side."""
    return functional.max_pool2d(mask[None, None], 2 * radius + 1, 1, radius)[0, 0]


def _eroded(mask: Tensor) -> Tensor:
    return 1 - dilated(1 - mask, 1)
