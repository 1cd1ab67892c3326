"""From slice probabilities to one clean mask on the scan's own grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from DPLSegmentLib.images.stack import THIN_MM
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.region import ends

_SIDE = 0.15
_CHUNK = 32

Voxels = tuple[slice, slice, slice]
"""A part of a scan: which slices, rows and columns."""


def smooth_across(probability: Tensor, gap_mm: float, keep: Sequence[int]) -> Tensor:
    """Thin slices [n, H, W] mixed a little with their neighbours; slices in `keep` stay as they are."""
    if gap_mm > THIN_MM or len(probability) < 3:
        return probability
    mixed = probability.clone()
    mixed[1:-1] = (1 - 2 * _SIDE) * probability[1:-1] + _SIDE * (probability[:-2] + probability[2:])
    mixed[list(keep)] = probability[list(keep)]
    return mixed


def native_probability(probability: Tensor, embedding: Embedding, slices: np.ndarray) -> np.ndarray:
    """float16 [n, h, w] on the in-plane voxels of the scan; only the slices named are computed, the rest is zero."""
    native = np.zeros((len(probability), *embedding.stack.native), np.float16)
    for start in range(0, len(slices), _CHUNK):
        chosen = slices[start : start + _CHUNK]
        native[chosen] = embedding.stack.to_native(probability[torch.from_numpy(chosen)].float().cpu().numpy())
    return native


def native_part(maps: Tensor, embedding: Embedding, box: Voxels) -> np.ndarray:
    """float16, maps [n, H, W] on a part of the voxels of the scan."""
    (slices, *plane), native = box, embedding.stack.to_native
    parts = [native(part.float().cpu().numpy())[:, *plane] for part in maps[slices].split(_CHUNK)]
    return np.concatenate(parts).astype(np.float16) if parts else np.zeros((0, 0, 0), np.float16)


def connected(mask: np.ndarray, anchors: Mapping[int, np.ndarray]) -> np.ndarray:
    """Components of a mask [n, h, w] that touch an anchor (slice index to bool [h, w]); the largest if none does."""
    box = box_of(mask)
    labels, count = ndimage.label(mask[box])
    if count <= 1:
        return mask
    kept, first = np.zeros(count + 1, bool), box[0].start
    for index, anchor in anchors.items():
        if 0 <= index - first < len(labels):
            kept[labels[index - first][anchor[box[1:]]]] = True
    kept[0] = False
    if not kept.any():
        kept[np.bincount(labels.ravel())[1:].argmax() + 1] = True
    cleaned = np.zeros_like(mask)
    cleaned[box] = kept[labels]
    return cleaned


def box_of(mask: np.ndarray) -> Voxels:
    """Around everything in a mask [n, h, w]; of no size where there is nothing."""
    plane = mask.any(0)
    lines = (mask.any((1, 2)), plane.any(1), plane.any(0))
    slices, rows, columns = (slice(*(ends(torch.from_numpy(line)) or (0, 0))) for line in lines)
    return slices, rows, columns


def without_overlap(masks: Sequence[np.ndarray], probabilities: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Where several masks claim a voxel, the one with the highest probability keeps it."""
    if len(masks) == 1:
        return list(masks)
    claimed = np.zeros(masks[0].shape, np.uint8)
    for mask in masks:
        box = box_of(mask)
        claimed[box] += mask[box]
    contested = np.nonzero(claimed > 1)
    if not len(contested[0]):
        return list(masks)
    votes = np.stack(
        [np.where(mask[contested], p[contested], -1) for mask, p in zip(masks, probabilities, strict=True)]
    )
    winner = votes.argmax(0)
    cleared = [mask.copy() for mask in masks]
    for number, mask in enumerate(cleared):
        mask[contested] &= winner == number
    return cleared
