"""Everything that is kept of a painted slice: enough to find its structures in scans that come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.evidence import location_prior
from DPLSegmentLib.network.prototypes import PrototypeExtractor, Prototypes
from DPLSegmentLib.propagation.body import body_box, to_body
from DPLSegmentLib.propagation.course import Course
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.painted import PaintedSlice


@dataclass(frozen=True, eq=False)
class StructurePrototypes:
    """One structure: plain (not yet enhanced) prototypes, the place [32, 32] in body coordinates where it was painted,
    its painted area in mm2, the course of its scan with the height at which it was painted, and what the result shall
    carry: name, value, colour, tags."""

    name: str
    prototypes: Prototypes
    place: Tensor
    area_mm2: float
    course: Course
    value: int = 1
    color: tuple[float, float, float] = (0.5, 0.68, 0.5)
    tags: Mapping[str, str] = field(default_factory=dict)

    def to(self, device: torch.device) -> StructurePrototypes:
        """The same on another device."""
        moved = Prototypes(
            self.prototypes.foreground.to(device),
            self.prototypes.background.to(device),
            self.prototypes.geometry.to(device),
        )
        return replace(self, prototypes=moved, place=self.place.to(device), course=self.course.to(device))


@dataclass(frozen=True, eq=False)
class PrototypeSet:
    """Prototypes of one or more structures, which way the axes of the painted scan run (see `images.facing`), the axis
    it was cut along, the CT window in HU they were seen through (None for other scans), the id of the model that made
    them, and how many slices were painted."""

    structures: tuple[StructurePrototypes, ...]
    facing: str
    axis: int
    window: tuple[float, float] | None
    model_id: str
    slices: int = 1


def collect(painted: Sequence[PaintedSlice], embedding: Embedding, extract: PrototypeExtractor) -> Prototypes:
    """Prototypes of all painted slices of one structure together."""
    return merged([extract(embedding.standardised(each.index), each.small) for each in painted])


def merged(parts: Sequence[Prototypes]) -> Prototypes:
    """One set out of several; the first vectors stay first."""
    return Prototypes(
        torch.cat([part.foreground for part in parts]),
        torch.cat([part.background for part in parts]),
        torch.stack([part.geometry for part in parts]).mean(0),
    )


def place_of(painted: Sequence[PaintedSlice], embedding: Embedding) -> Tensor:
    """Where the structure was painted, [32, 32] in body coordinates, maximum 1."""
    prior = location_prior(torch.stack([each.small for each in painted])).amax(0)
    return to_body(prior, body_box(embedding.images), STRIDE)
