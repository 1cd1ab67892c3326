"""A large cross-section does not grow over a line of another grey value, such as the fat between two organs (ours)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.evidence import LARGE
from DPLSegmentLib.network.likelihood import local_means

_INSIDE = 0.5
_ALIKE = 1.3
_LEAST_DEVIATION = 0.02
_STEPS = 8


def uncrossed(probability: Tensor, mask: Tensor, image: Tensor) -> Tensor:
    """A probability [H, W] without what no path of similar grey leads to from inside the last mask [H, W].

    `image` [H, W] in 0..1 is the slice of the probability. Similar is what differs from the mean of the pixels that
    stay inside by at most 1.3 of their standard deviations; the last mask itself may always be walked on, and a path
    has at most eight pixels outside. A last mask of fewer than 600 working pixels changes nothing.
    """
    before = mask > _INSIDE
    core = before & (probability > _INSIDE)
    if int(before.sum()) < LARGE or not bool(core.any()):
        return probability
    smooth = local_means(image.float())
    values = smooth[core]
    deviation = values.std(correction=0).clamp(min=_LEAST_DEVIATION)
    alike = ((smooth - values.mean()).abs() < _ALIKE * deviation) | before
    reached = core.to(probability)
    for _ in range(_STEPS):
        reached = functional.max_pool2d(reached[None, None], 3, 1, 1)[0, 0] * alike
    return probability * reached
