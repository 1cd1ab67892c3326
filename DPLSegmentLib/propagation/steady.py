"""A small cross-section that keeps its size is a tube's: it is followed where its presence alone would end it (ours).

The presence logit falls with the way from the painted slice even where a vessel or a cord is met slice after slice.
What ends tapers first, and is then believed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from DPLSegmentLib.network.evidence import LARGE

_REMEMBERED = 15
_SMALLER, _LARGER = 0.6, 1.7


@dataclass(frozen=True)
class Limits:
    """Above which presence and which confidence of a slice, both 0..1, a structure is taken to be there."""

    presence: float
    confidence: float


USUAL = Limits(0.5, 0.45)
STEADY = Limits(0.15, 0.25)


@dataclass
class Steadiness:
    """Follows the cross-sections of one sweep, `areas` in working pixels, from that of its seed."""

    areas: deque[float]

    def limits(self, area: float) -> Limits:
        """For the next cross-section: lower ones if it and the last 15 lie within 0.6 to 1.7 of the median of those.

        After a large cross-section (600 working pixels) they are the usual ones: organs end more often than tubes.
        """
        middle = median(self.areas)
        steady = all(_SMALLER * middle <= each <= _LARGER * middle for each in (*self.areas, area))
        return STEADY if steady and self.areas[-1] < LARGE else USUAL

    def follow(self, area: float) -> None:
        """Remember a cross-section that was taken."""
        self.areas.append(area)


def steadiness_from(area: float) -> Steadiness:
    """For a sweep whose seed has `area` working pixels."""
    return Steadiness(deque([area], _REMEMBERED))
