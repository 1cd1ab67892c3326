"""Everything that is kept of a painted slice: enough to find its structures in scans that come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.evidence import location_prior
from DPLSegmentLib.network.prototypes import PrototypeExtractor, Prototypes
from DPLSegmentLib.propagation.body import to_body
from DPLSegmentLib.propagation.course import Course
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.known import Recognised
from DPLSegmentLib.propagation.painted import PaintedSlice
from DPLSegmentLib.propagation.raggedness import raggedness
from DPLSegmentLib.propagation.surroundings import Surroundings, surroundings_of


@dataclass(frozen=True, eq=False)
class Section:
    """A painted slice of a structure: its place [32, 32] in body coordinates (maximum 1), its area in mm2, its plain
    prototypes, and how `ragged` it is (see `raggedness`; files of before do not say it)."""

    place: Tensor
    area_mm2: float
    prototypes: Prototypes
    ragged: float | None = None

    def to(self, device: torch.device) -> Section:
        """The same on another device."""
        return replace(self, place=self.place.to(device), prototypes=_moved(self.prototypes, device))


@dataclass(frozen=True, eq=False)
class StructurePrototypes:
    """One structure: the plain (not yet enhanced) prototypes of all that is painted, its painted sections in the order
    of the slices, the course of its scan with the height at which it was painted, what it was `recognised` as, its
    surroundings (files of before do not tell them), and what the result shall carry: name, value, colour, tags."""

    name: str
    prototypes: Prototypes
    sections: tuple[Section, ...]
    course: Course
    value: int = 1
    color: tuple[float, float, float] = (0.5, 0.68, 0.5)
    tags: Mapping[str, str] = field(default_factory=dict)
    recognised: Recognised | None = None
    surroundings: Surroundings | None = None

    def to(self, device: torch.device) -> StructurePrototypes:
        """The same on another device."""
        moved, sections = _moved(self.prototypes, device), tuple(section.to(device) for section in self.sections)
        around = self.surroundings and self.surroundings.to(device)
        course = self.course.to(device)
        return replace(self, prototypes=moved, sections=sections, course=course, surroundings=around)

    @property
    def whole(self) -> Section:
        """Where any of the sections is, as large as the largest, with all prototypes."""
        return replace(_spanning(self.sections), prototypes=self.prototypes)


@dataclass(frozen=True, eq=False)
class PrototypeSet:
    """Prototypes of one or more structures, which way the axes of the painted scan run (see `images.facing`), the axis
    it was cut along, the CT window in HU they were seen through (None for other scans), and the id of the model that
    made them."""

    structures: tuple[StructurePrototypes, ...]
    facing: str
    axis: int
    window: tuple[float, float] | None
    model_id: str


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


def structure_of(
    segment: Segment, painted: Sequence[PaintedSlice], embedding: Embedding, extract: PrototypeExtractor
) -> StructurePrototypes:
    """What painted slices say of one structure; height and surroundings are those of the largest."""
    sections = tuple(section_of(each, embedding, extract) for each in painted)
    largest, section = max(zip(painted, sections, strict=True), key=lambda pair: pair[1].area_mm2)
    gap = embedding.stack.gap_mm
    return StructurePrototypes(
        segment.name,
        merged([each.prototypes for each in sections]),
        sections,
        embedding.course.at(largest.index, gap),
        segment.value,
        segment.color,
        dict(segment.tags),
        surroundings=surroundings_of(embedding.fields, largest.index * gap, section.place),
    )


def section_of(painted: PaintedSlice, embedding: Embedding, extract: PrototypeExtractor) -> Section:
    """Where and how large the structure was painted on one slice, and how it looks there."""
    place = to_body(location_prior(painted.small[None])[0], embedding.body, STRIDE)
    area = float(painted.working.sum()) * embedding.stack.pixel_mm**2
    return Section(place, area, collect([painted], embedding, extract), raggedness(painted.small))


def joined_sections(one: tuple[Section, ...], other: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections of two patients: pair by pair where there are as many, else those of which there are more."""
    if len(one) != len(other):
        return max(one, other, key=len)
    return tuple(_spanning(pair) for pair in zip(one, other, strict=True))


def _spanning(sections: Sequence[Section]) -> Section:
    place = torch.stack([section.place for section in sections]).amax(0)
    prototypes = merged([section.prototypes for section in sections])
    largest = max(sections, key=lambda section: section.area_mm2)
    return replace(largest, place=place, prototypes=prototypes)


def _moved(prototypes: Prototypes, device: torch.device) -> Prototypes:
    parts = (prototypes.foreground, prototypes.background, prototypes.geometry)
    return Prototypes(*(part.to(device) for part in parts))
