"""What lies around a painted structure, so that its height in another patient can be found (ours).

The fields of the painted slice and of those 15 mm before and after it are laid over every 5 mm of the other scan,
shifted by up to a fifth of the body in the slice. The structure is expected where they agree best.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.body import resized
from DPLSegmentLib.propagation.fields import SIDE, STEP_MM

SLICES = 3
"""How many slices of fields they are."""

_APART = 3
_NEAR = SIDE / 6
_FARTHEST = 3


@dataclass(frozen=True, eq=False)
class Surroundings:
    """`fields` [3, C, 16, 16], half precision: of unit length along C, what the whole scan shares taken away, and less
    the further they lie from the middle of what is painted."""

    fields: Tensor

    def to(self, device: torch.device) -> Surroundings:
        """The same on another device."""
        return replace(self, fields=self.fields.to(device))

    def found_in(self, fields: Tensor) -> float:
        """At how many mm from its first slice they agree best with the `fields_of` another scan."""
        padded = functional.pad(_distinct(fields, fields), (_FARTHEST,) * 4)
        heights = torch.arange(len(fields), device=fields.device)
        agreement = torch.zeros((), device=fields.device)
        for own, apart in zip(self.fields.float(), (-_APART, 0, _APART), strict=True):
            met = functional.conv2d(padded, own[None])[:, 0]
            agreement = agreement + met[(heights + apart).clamp(0, len(fields) - 1)]
        return STEP_MM * int(agreement.flatten(1).amax(1).argmax())


def surroundings_of(fields: Tensor, height_mm: float, place: Tensor) -> Surroundings:
    """Of what is painted at a height and at a place [32, 32] of the body, in a scan with these `fields_of` it."""
    middle = round(height_mm / STEP_MM)
    rows = torch.tensor([middle - _APART, middle, middle + _APART]).clamp(0, len(fields) - 1)
    return Surroundings((_distinct(fields[rows], fields) * _nearness(place)).half())


def _distinct(some: Tensor, fields: Tensor) -> Tensor:
    """Some of the fields of a scan, of unit length along C, what all of them share taken away."""
    return functional.normalize(some.float() - fields.float().mean((0, 2, 3), keepdim=True), dim=1)


def _nearness(place: Tensor) -> Tensor:
    """[16, 16], 1 in the middle of a place in the body, less around it."""
    weight = resized(place, (SIDE, SIDE))
    weight = weight / weight.sum().clamp(min=1e-6)
    rows, columns = torch.meshgrid(*(torch.arange(SIDE, device=place.device).float(),) * 2, indexing="ij")
    away = (rows - (weight * rows).sum()) ** 2 + (columns - (weight * columns).sum()) ** 2
    return torch.exp(-0.5 * away / _NEAR**2)
