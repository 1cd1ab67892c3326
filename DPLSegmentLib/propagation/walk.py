"""Lets the slices agree in 3D: a random walk over the grey values, held to what the sweep found.

Random walker with priors (Grady 2005); ours: the sweep's probability as prior, its certainty as the strength of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class WalkOptions:
    """`edges` is how much a difference in grey value (0..1) separates neighbours, `hold` how strongly the prior counts,
    `iterations` of conjugate gradients."""

    edges: float = 1000.0
    hold: float = 0.2
    iterations: int = 30


def guided_walk(
    image: Tensor, prior: Tensor, certainty: Tensor, spacing: tuple[float, float, float], options: WalkOptions
) -> Tensor:
    """Probabilities [n, h, w] that vary little where the grey values `image` [n, h, w] in 0..1 do not.

    They stay near `prior` where `certainty` is high (0..1; larger fixes it). `spacing` is in mm. Solves
    (L + hold C) x = hold C prior, L the weighted graph Laplacian of the six neighbours.
    """
    weights = [_edge_weights(image, axis, size / min(spacing), options) for axis, size in enumerate(spacing)]
    strength = options.hold * certainty
    diagonal = strength + _row_sums(weights)
    return _solve(weights, diagonal, strength * prior, prior, options.iterations).clamp(0, 1)


def _edge_weights(image: Tensor, axis: int, distance: float, options: WalkOptions) -> Tensor:
    difference = image.diff(dim=axis)
    return (torch.exp(-options.edges * difference.square()) + _LEAST_WEIGHT) / distance**2


def _row_sums(weights: list[Tensor]) -> Tensor:
    shape = [max(weight.shape[axis] for weight in weights) for axis in range(3)]
    total = torch.zeros(shape, device=weights[0].device)
    for axis, weight in enumerate(weights):
        count = total.shape[axis]
        total.narrow(axis, 0, count - 1).add_(weight)
        total.narrow(axis, 1, count - 1).add_(weight)
    return total


def _times(weights: list[Tensor], diagonal: Tensor, x: Tensor) -> Tensor:
    product = diagonal * x
    for axis, weight in enumerate(weights):
        count = x.shape[axis]
        low, high = x.narrow(axis, 0, count - 1), x.narrow(axis, 1, count - 1)
        product.narrow(axis, 0, count - 1).addcmul_(weight, high, value=-1)
        product.narrow(axis, 1, count - 1).addcmul_(weight, low, value=-1)
    return product


def _solve(weights: list[Tensor], diagonal: Tensor, right: Tensor, start: Tensor, iterations: int) -> Tensor:
    """Conjugate gradients with the diagonal as preconditioner."""
    x, inverse = start.clone(), diagonal.reciprocal()
    residual = right - _times(weights, diagonal, x)
    direction = residual * inverse
    scaled, energy = torch.empty_like(direction), _dot(residual, direction)
    for _ in range(iterations):
        product = _times(weights, diagonal, direction)
        length = energy / (_dot(direction, product) + 1e-12)
        x.addcmul_(length, direction)
        residual.addcmul_(length, product, value=-1)
        torch.mul(residual, inverse, out=scaled)
        following = _dot(residual, scaled)
        direction.mul_(following / (energy + 1e-12)).add_(scaled)
        energy = following
    return x


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return torch.dot(one.flatten(), other.flatten())
