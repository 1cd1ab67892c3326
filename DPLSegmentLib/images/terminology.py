"""What Slicer notes about the meaning of a segment: codes of its category, type and place in the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TAGS = ("TerminologyEntry", "Segmentation.TerminologyEntry")
_PARTS = 7
_LONGEST_MEANING = 64


@dataclass(frozen=True)
class Coding:
    """A code as in `SCT^10200004^Liver`."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Terminology:
    """Category and type of a segment, and what is known beyond: side, region of the body, side of that."""

    category: Coding
    kind: Coding
    modifier: Coding | None = None
    region: Coding | None = None
    region_modifier: Coding | None = None


TISSUE = Coding("SCT", "85756007", "Tissue")


def terminology_of(tags: Mapping[str, str]) -> Terminology:
    """The codes in a segment's tags; "Tissue" when there are none or they are incomplete."""
    entry = next((tags[tag] for tag in _TAGS if tags.get(tag)), "")
    parts = [*entry.split("~"), *[""] * _PARTS]
    category, kind, modifier = (_coding(part) for part in parts[1:4])
    if category is None or kind is None:
        return Terminology(TISSUE, TISSUE)
    return Terminology(category, kind, modifier, _coding(parts[5]), _coding(parts[6]))


def _coding(text: str) -> Coding | None:
    fields = [part.strip() for part in text.split("^")]
    if len(fields) != 3 or not all(fields):
        return None
    scheme, value, meaning = fields
    return Coding(scheme, value, meaning[:_LONGEST_MEANING])
