"""How a scan goes from one end to the other, so that a height in one patient can be found in another (ours).

Each step of 5 mm is described by the means of its fields over a coarser grid. Two courses are laid along each other,
shifted and stretched; where they agree best, heights correspond.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.fields import SIDE, STEP_MM

GRID = 4
"""Into how many rows and columns of fields a step of it is divided."""

_STRETCHES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25)
_LEAST_STEPS = 8
_LEAST_OVERLAP = 0.4


@dataclass(frozen=True, eq=False)
class Course:
    """`profile` [n, C, 4, 4], half precision: the scan every 5 mm, of unit length along C, what all steps share taken
    away; `height`: the step, not rounded, at which something was painted."""

    profile: Tensor
    height: float = 0.0

    def at(self, index: int, gap_mm: float) -> Course:
        """The same with the height of a slice."""
        return replace(self, height=index * gap_mm / STEP_MM)

    def to(self, device: torch.device) -> Course:
        """The same on another device."""
        return replace(self, profile=self.profile.to(device))


def course_of(fields: Tensor) -> Course:
    """The course of a scan, from the `fields_of` it."""
    profile = functional.avg_pool2d(fields.float(), SIDE // GRID)
    return Course(functional.normalize(profile - profile.mean(0), dim=1).half())


def corresponding(painted: Course, query: Course) -> float | None:
    """The height in `query` (mm from its first slice) of what was painted; None where a scan is shorter than 40 mm."""
    similarity = torch.einsum("ncij,mcij->nm", painted.profile.float(), query.profile.float()).cpu() / GRID**2
    count, length = similarity.shape
    if min(count, length) < _LEAST_STEPS:
        return None
    _, shift, stretch = max((*_best_shift(similarity, stretch), stretch) for stretch in _STRETCHES)
    return (painted.height * stretch + shift) * STEP_MM


def _best_shift(similarity: Tensor, stretch: float) -> tuple[float, int]:
    """The highest mean similarity along a line through [n, m] of slope `stretch`, and where that line begins."""
    count, length = similarity.shape
    steps = torch.arange(count)
    shifts = torch.arange(-int(count * stretch), length)
    place = (steps[None] * stretch).round().long() + shifts[:, None]
    inside = (place >= 0) & (place < length)
    agreement = similarity[steps[None].expand_as(place), place.clamp(0, length - 1)] * inside
    met = inside.sum(1)
    mean = agreement.sum(1) / met.clamp(min=1)
    mean[met < _LEAST_OVERLAP * min(count, length)] = -1
    best = int(mean.argmax())
    return float(mean[best]), int(shifts[best])
