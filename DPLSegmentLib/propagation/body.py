"""Where the patient is on the slices, so that places can be compared between scans (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.region import ends

_AIR = 0.05
_LEAST_SHARE = 0.02
PRIOR_SIZE = 32


def body_box(images: Tensor) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in working pixels around what is not air on slices [n, H, W]."""
    body = (images > _AIR).float().mean(0)
    top, bottom = ends(body.mean(1) > _LEAST_SHARE) or (0, body.shape[0])
    left, right = ends(body.mean(0) > _LEAST_SHARE) or (0, body.shape[1])
    return top, left, bottom, right


def to_body(prior: Tensor, box: tuple[int, int, int, int], stride: int) -> Tensor:
    """A map [h, w] at `stride` cut to the body box and resized to [32, 32]."""
    rows, columns = spans(box, stride, prior.shape)
    return resized(prior[rows, columns], (PRIOR_SIZE, PRIOR_SIZE))


def from_body(prior: Tensor, box: tuple[int, int, int, int], stride: int, shape: tuple[int, int]) -> Tensor:
    """The inverse of `to_body` on another scan: [32, 32] to a map [h, w] of `shape`, zero outside the body."""
    rows, columns = spans(box, stride, shape)
    placed = torch.zeros(shape, device=prior.device)
    placed[rows, columns] = resized(prior, placed[rows, columns].shape)
    return placed


def spans(box: tuple[int, int, int, int], stride: int, shape: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of the box on a map of `shape` at `stride`; at least one of each."""
    top, left, bottom, right = (round(edge / stride) for edge in box)
    top, left = min(top, shape[0] - 1), min(left, shape[1] - 1)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def resized(image: Tensor, shape: Sequence[int]) -> Tensor:
    """A map [h, w] in another size, bilinear."""
    return functional.interpolate(image[None, None], size=tuple(shape), mode="bilinear", align_corners=False)[0, 0]
