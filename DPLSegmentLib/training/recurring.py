"""Structures that nobody named: regions that look alike and lie alike in most scans of a set (ours).

A watershed finds whole kidneys, spleens and livers in most scans, among hundreds of other regions. What is the same
thing in another patient tells the one from the other; no label is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_SCALES = np.array([0.25, 0.2, 0.5, 0.5, 0.4, 0.4, 0.4])
_FORM_WEIGHT = 0.12
_MUTUAL, _FEWEST_MUTUAL, _ALIGNMENTS = 0.4, 4, 3
_ALIKE = 0.3
_ROUNDS = 5
_LEAST_MILLILITRES = 50.0
_LEAST_SHARE = 0.5
_SAME, _WITHIN = 0.2, 0.5
_ALONG = 2


@dataclass(frozen=True, eq=False)
class Region:
    """Sorted flat indices of its `voxels`; the mean `feature` [C], of length one; its `form` [7]: row and column (-1..1
    of the body), place along the slices in decimetres, logarithm of its volume, logarithms of its spread along slices,
    rows and columns; its volume in `millilitres`."""

    voxels: np.ndarray
    feature: np.ndarray
    form: np.ndarray
    millilitres: float


Members = Mapping[int, Region]
"""What a structure is in each scan in which it was found."""


@dataclass(frozen=True, eq=False)
class _Scan:
    regions: Sequence[Region]
    features: np.ndarray
    forms: np.ndarray

    def scores(self, feature: np.ndarray, form: np.ndarray) -> np.ndarray:
        """How much each region is like a feature and a form; 1 at most."""
        return self.features @ feature - _FORM_WEIGHT * (((self.forms - form) / _SCALES) ** 2).sum(1)


def recurring(scans: Sequence[Sequence[Region]], most: int) -> list[Members]:
    """Up to `most` structures that at least half of the scans have, those that are most alike first."""
    kept = [number for number, regions in enumerate(scans) if regions]
    aligned = _aligned([_scan(scans[number]) for number in kept]) if kept else []
    grown = (_grown(aligned, start) for start in _starts(aligned))
    different = {tuple(map(id, each[1].values())): each for each in grown if each}
    ranked = sorted(different.values(), key=lambda each: -each[0])
    chosen: list[Members] = []
    for _, members in ranked:
        if len(chosen) < most and not any(_same(members, other) for other in chosen):
            chosen.append(members)
    return [{kept[number]: region for number, region in members.items()} for members in chosen]


def _scan(regions: Sequence[Region]) -> _Scan:
    return _Scan(regions, np.stack([each.feature for each in regions]), np.stack([each.form for each in regions]))


def _aligned(scans: Sequence[_Scan]) -> list[_Scan]:
    """All of them shifted along the slices such that what is alike lies at the same height."""
    shifts = np.zeros(len(scans))
    for _ in range(_ALIGNMENTS):
        shifts = _shifts([_shifted(scan, shift) for scan, shift in zip(scans, shifts, strict=True)]) + shifts
    return [_shifted(scan, shift) for scan, shift in zip(scans, shifts, strict=True)]


def _shifted(scan: _Scan, shift: float) -> _Scan:
    forms = scan.forms.copy()
    forms[:, _ALONG] -= shift
    return _Scan(scan.regions, scan.features, forms)


def _shifts(scans: Sequence[_Scan]) -> np.ndarray:
    """How much higher what is alike lies in each scan than in the others, on average."""
    between = np.zeros((len(scans), len(scans)))
    for one, lower in enumerate(scans):
        for other, upper in enumerate(scans):
            apart = list(_apart(lower, upper)) if one != other else []
            between[one, other] = np.median(apart) if len(apart) >= _FEWEST_MUTUAL else 0.0
    return between.mean(0)


def _apart(lower: _Scan, upper: _Scan) -> Iterator[float]:
    """How much higher those regions lie in another scan that are each other's likest."""
    for number, (feature, form) in enumerate(zip(lower.features, lower.forms, strict=True)):
        scores = upper.scores(feature, form)
        likest = int(scores.argmax())
        if scores[likest] <= _MUTUAL:
            continue
        back = lower.scores(upper.features[likest], upper.forms[likest])
        if int(back.argmax()) == number:
            yield float(upper.forms[likest, _ALONG] - form[_ALONG])


def _starts(scans: Sequence[_Scan]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for scan in scans:
        for region, feature, form in zip(scan.regions, scan.features, scan.forms, strict=True):
            if region.millilitres >= _LEAST_MILLILITRES:
                yield feature, form


def _grown(scans: Sequence[_Scan], start: tuple[np.ndarray, np.ndarray]) -> tuple[float, Members] | None:
    """The likest region of each scan, compared with the mean of all of them in turn; how good they are, too."""
    feature, form = start
    found: dict[int, int] = {}
    for _ in range(_ROUNDS):
        scores = [scan.scores(feature, form) for scan in scans]
        again = {number: int(each.argmax()) for number, each in enumerate(scores) if each.max() > _ALIKE}
        if again == found or not again:
            break
        found = again
        mean = np.mean([scans[n].features[each] for n, each in found.items()], 0)
        feature = mean / np.linalg.norm(mean)
        form = np.median([scans[n].forms[each] for n, each in found.items()], 0)
    members = {number: scans[number].regions[each] for number, each in found.items()}
    large = members and np.median([each.millilitres for each in members.values()]) >= _LEAST_MILLILITRES
    if not large or len(members) < _LEAST_SHARE * len(scans):
        return None
    alike = [scans[n].scores(feature, form)[each] for n, each in found.items()]
    return float(np.sum(alike)) / len(scans), members


def _same(one: Members, other: Members) -> bool:
    """Whether two structures cover much of the same, or one lies within the other."""
    shared = {
        number: len(np.intersect1d(region.voxels, other[number].voxels, assume_unique=True))
        for number, region in one.items()
        if number in other
    }
    sizes = {number: (len(one[number].voxels), len(other[number].voxels)) for number in shared}
    dice = sum(2 * shared[n] / sum(sizes[n]) for n in shared) / len(one)
    within = np.mean([shared[n] / min(sizes[n]) for n in shared]) if shared else 0.0
    return bool(dice > _SAME or within > _WITHIN)
