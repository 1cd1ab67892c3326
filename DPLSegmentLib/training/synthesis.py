"""Anatomy that never was: random label volumes, and random contrasts for any label map (in the manner of SynthSeg)."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

_SHAPE = (64, 128, 128)
_FIELDS = 24
_MOST_LABELS = 64
_AIR = 0.04


def random_labels(generator: np.random.Generator) -> np.ndarray:
    """Label volume [64, 128, 128] (uint8, from 1) of smooth shapes: blobs, tubes and a background of large regions."""
    background = _argmax_of_noise(generator, 6, (10, 24))
    detail = _argmax_of_noise(generator, _FIELDS, (3, 9)) + 6
    solid = ndimage.gaussian_filter(generator.standard_normal(_SHAPE), 12)
    labels = np.where(solid > np.quantile(solid, generator.uniform(0.3, 0.7)), detail, background)
    for number in range(int(generator.integers(2, 6))):
        labels[_tube(generator)] = 6 + _FIELDS + 1 + number
    return (labels + 1).astype(np.uint8)


def _argmax_of_noise(generator: np.random.Generator, count: int, smoothness: tuple[float, float]) -> np.ndarray:
    best, labels = np.full(_SHAPE, -np.inf), np.zeros(_SHAPE, np.int32)
    for number in range(count):
        sigma = generator.uniform(*smoothness)
        field = ndimage.gaussian_filter(
            generator.standard_normal(_SHAPE), (sigma * generator.uniform(0.7, 2), sigma, sigma)
        )
        field /= field.std()
        labels[field > best] = number
        best = np.maximum(best, field)
    return labels


def _tube(generator: np.random.Generator) -> np.ndarray:
    depth = np.linspace(0, 1, _SHAPE[0])[:, None, None]
    ends = generator.uniform(16, 112, (3, 2))
    row, column = ((1 - depth) ** 2 * a + 2 * depth * (1 - depth) * b + depth**2 * c for a, b, c in ends.T)
    rows, columns = np.ogrid[: _SHAPE[1], : _SHAPE[2]]
    radius = generator.uniform(2, 8) * (1 + 0.3 * np.sin(depth * generator.uniform(2, 9)))
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def random_contrast(labels: Tensor, generator: np.random.Generator) -> Tensor:
    """A picture in 0..1 of label slices [n, H, W]: a random grey value a label, texture, blur and noise.

    In half of the pictures there are few grey values, so that many touching labels look nearly the same; in half of
    them a thin line runs between labels, as fat does between organs.
    """
    table, roughness, texture = (
        torch.from_numpy(drawn.astype(np.float32)).to(labels.device)
        for drawn in (
            _greys(generator),
            generator.uniform(0, 0.12, _MOST_LABELS),
            generator.standard_normal(labels.shape),
        )
    )
    image, roughness = table[labels.long()], roughness[labels.long()]
    image = image + roughness * _blur(texture, generator.uniform(0.3, 1.5)) * 2
    if generator.random() < 0.5:
        image = image + _outlines(labels) * generator.uniform(-0.5, 0.3)
    return _blur(image, generator.uniform(0.3, 1.2)).clamp(0, 1)


def _outlines(labels: Tensor) -> Tensor:
    """1 where the next pixel to the right or below has another label, else 0: [n, H, W]."""
    lines = torch.zeros(labels.shape, device=labels.device)
    lines[:, :-1] += labels[:, :-1] != labels[:, 1:]
    lines[:, :, :-1] += labels[:, :, :-1] != labels[:, :, 1:]
    return lines.clamp(max=1)


def _greys(generator: np.random.Generator) -> np.ndarray:
    greys = generator.uniform(0.05, 1, _MOST_LABELS)
    if generator.random() < 0.5:
        few = generator.integers(0, int(generator.integers(3, 9)), _MOST_LABELS)
        greys = greys[few] + generator.normal(0, 0.02, _MOST_LABELS)
    return greys


def shifted_contrast(image: Tensor, labels: Tensor, strength: float, generator: np.random.Generator) -> Tensor:
    """The scan [n, H, W] with every region made darker or brighter by up to `strength`, its own texture kept."""
    table = torch.from_numpy(generator.uniform(-1, 1, int(labels.max()) + 1).astype(np.float32)) * strength
    return (image + _blur(table.to(image)[labels.long()], 0.6)).clamp(0, 1)


def faded_contrast(image: Tensor, labels: Tensor, label: int, strength: float) -> Tensor:
    """The scan [n, H, W] with the mean grey value of every other region moved towards that of `label`.

    At `strength` 1 they are all equally bright: what is left of a border is texture. Region 0 stays as it is, as does
    everything where `label` is not seen.
    """
    flat, grey = labels.flatten().long(), image.flatten()
    sizes = torch.bincount(flat, minlength=label + 1)
    if not sizes[label]:
        return image
    means = torch.bincount(flat, grey, minlength=label + 1) / sizes.clamp(min=1)
    shift = (means[label] - means) * strength
    shift[0] = 0
    return (image + _blur(shift.to(image)[labels.long()], 0.6)).clamp(0, 1)


def flattened_contrast(image: Tensor, grey: float, generator: np.random.Generator) -> Tensor:
    """The scan [n, H, W] with little contrast around a grey value, and noise: organs that differ elsewhere look alike.

    Within 0.05 to 0.3 of `grey` the grey values are drawn together to a tenth up to six tenths of their distance.
    """
    reach, slope = generator.uniform(0.05, 0.3), generator.uniform(0.1, 0.6)
    noise = torch.from_numpy(generator.standard_normal(image.shape).astype(np.float32)).to(image)
    noise = _blur(noise, generator.uniform(0.3, 0.8)) * generator.uniform(0.01, 0.06)
    low, high = max(grey - reach, 0.0), min(grey + reach, 1.0)
    ends = torch.tensor([0.0, low, high, 1.0])
    heights = torch.tensor([0.0, grey - slope * (grey - low), grey + slope * (high - grey), 1.0])
    return (_interpolated(image, ends.to(image), heights.to(image)) + noise * (image > _AIR)).clamp(0, 1)


def _interpolated(image: Tensor, ends: Tensor, heights: Tensor) -> Tensor:
    """Piecewise linear through (`ends`, `heights`), both [4]."""
    piece = (torch.bucketize(image, ends[1:-1].contiguous())).clamp(max=len(ends) - 2)
    width = (ends[piece + 1] - ends[piece]).clamp(min=1e-6)
    return heights[piece] + (image - ends[piece]) / width * (heights[piece + 1] - heights[piece])


def _blur(image: Tensor, sigma: float) -> Tensor:
    offsets = torch.arange(-3, 4, device=image.device)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2 + 1e-6)).to(image)
    kernel = kernel / kernel.sum()
    padded = functional.pad(image[:, None], (3, 3, 3, 3), mode="replicate")
    blurred = functional.conv2d(padded, kernel[None, None, None])
    return functional.conv2d(blurred, kernel[None, None, :, None])[:, 0]
