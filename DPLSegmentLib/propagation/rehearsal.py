"""Sweeps come to painted slices too; what they get wrong there is put right where nothing is painted (ours).

They come back from the slice beside it, and they arrive from the painted slice before. Both say how much too large or
too small everything is, and where the error lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

import torch
from scipy import ndimage
from torch import Tensor

from DPLSegmentLib.propagation.correction import Correction, Shift, Stretch
from DPLSegmentLib.propagation.log_odds import fitted_shift, shifted
from DPLSegmentLib.propagation.region import Region, around
from DPLSegmentLib.propagation.sweep import Blend, Seed, SweptSlice

_USUAL_LOSS, _BELIEVED, _BELIEVED_LESS, _MOST = 0.78, 0.7, 0.35, 2.0
_BLUR = 4.0
_REACH = int(3 * _BLUR)
_SOMETHING = 0.005


@dataclass(frozen=True, eq=False)
class _Comparison:
    """A sweep from slice `origin` that came to the painted slice `index`: what is `found` and `painted`, [H, W]."""

    index: int
    origin: int
    found: Tensor
    painted: Tensor

    @property
    def distance(self) -> int:
        return abs(self.index - self.origin)

    def cut(self, region: Region) -> _Comparison:
        """Its part in a region."""
        return replace(self, found=region.cut(self.found), painted=region.cut(self.painted))

    def missing(self, shift: float) -> Tensor:
        """[H, W] in -1..1, smooth: the paint less what is found once its log odds are shifted."""
        return _blurred(self.painted - shifted(self.found, shift))


class Rehearsal:
    """Collects how sweeps came to painted slices, and corrects the others."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self.painted = {seed.index: seed.mask.cpu().float() for seed in seeds}
        self.returned: list[_Comparison] = []
        self.arrived: list[_Comparison] = []

    def add(self, swept: SweptSlice) -> None:
        """Take in how a sweep came to a painted slice; to the one it began from, if it returned."""
        found = (swept.probability * swept.present).cpu().float()
        comparison = _Comparison(swept.index, swept.origin, found, self.painted[swept.index])
        (self.arrived if comparison.distance else self.returned).append(comparison)

    def correct(self, blend: Blend) -> None:
        """Change the probabilities of all slices that are not painted."""
        if not self.returned and not self.arrived:
            return
        region = _around(blend.total)
        correction = self._within(region)._learnt()
        for index in blend.visited_besides(self.painted):
            nearest = min(self.painted, key=lambda painted: abs(painted - index))
            part = region.cut(blend.total[index])
            part.copy_(correction.of(index, nearest, part.float()))

    def _within(self, region: Region) -> Rehearsal:
        """The same in a part of the slices."""
        part = Rehearsal(())
        part.painted = self.painted
        part.returned, part.arrived = ([each.cut(region) for each in some] for some in (self.returned, self.arrived))
        return part

    def _learnt(self) -> Correction:
        loss = _fitted(self.returned, [0.0] * len(self.returned)) if self.returned else _USUAL_LOSS
        shift = self._shift(_believed(loss - _USUAL_LOSS))
        near = {index: self._missing_near(index, loss) for index in {each.index for each in self.returned}}
        return Correction(shift, near, self._missing_between(shift))

    def _shift(self, drift: float) -> Shift:
        """`drift` from return trips, and what sweeps that arrived lose beside that."""
        alone = Shift(max(-_MOST, min(_MOST, drift)), 0.0, 1.0)
        if not self.arrived:
            return alone
        more = _fitted(self.arrived, [alone.at(each.distance) for each in self.arrived])
        return replace(alone, more=more, way=mean(each.distance for each in self.arrived))

    def _missing_near(self, index: int, shift: float) -> Tensor:
        """The mean of the return trips of a painted slice."""
        return torch.stack([each.missing(shift) for each in self.returned if each.index == index]).mean(0)

    def _missing_between(self, shift: Shift) -> dict[Stretch, Tensor]:
        missing: dict[Stretch, Tensor] = {}
        for each in self.arrived:
            ends = (min(each.index, each.origin), max(each.index, each.origin))
            error = each.missing(shift.at(each.distance))
            missing[ends] = missing[ends] + error if ends in missing else error
        return missing


def _believed(more: float) -> float:
    """What slices further on need, from what is lost on a return trip beyond the 0.78 that are lost where they are
    right: 0.7 of it, and half as much where all comes back too small, which is seldom so further on."""
    return more * (_BELIEVED if more < 0 else _BELIEVED_LESS)


def _fitted(comparisons: Sequence[_Comparison], before: Sequence[float]) -> float:
    """The shift that is needed on top of those before."""
    found = [shifted(each.found, shift) for each, shift in zip(comparisons, before, strict=True)]
    return fitted_shift(found, [each.painted for each in comparisons])


def _around(stack: Tensor) -> Region:
    """What holds something on slices [n, H, W], and as far around as the blur reaches."""
    return around((stack > _SOMETHING).any(0), _REACH)


def _blurred(image: Tensor) -> Tensor:
    """[H, W] smoothed by a Gaussian; nothing lies outside of it."""
    return torch.from_numpy(ndimage.gaussian_filter(image.numpy(), _BLUR, mode="constant", radius=_REACH))
