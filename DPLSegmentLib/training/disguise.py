"""Scans of CT that look like MR, for the recogniser of MR to learn from more patients (ours).

Grey values are bent as MR bends them, slices are thick, and what is the same structure on both is as bright as it is on
some MR scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.training.known_scans import GREYS, KnownScan

_GAP_MM = (5.0, 9.0)
_LOWEST_HU, _HU = -125.0, 400.0
_NO_AIR = 0.5
_OTHERS, _ALIKE = 0.1, 0.04
_USUALLY = 0.75
_TISSUES_HU = (-125, -85, -40, 8, 55, 110, 180, 300, 500, 1500)
_FAT, _DARK_FAT = (0.4, 0.9), (0.02, 0.25)
_FLUID, _DARK_FLUID = (0.55, 1.0), (0.1, 0.4)
_SKIN = (0.0, 0.05)
_DENSER = ((0.12, 0.35), (0.25, 0.6), (0.4, 1.0), (0.05, 0.5), (0.02, 0.3), (0.0, 0.2))


class Disguise:
    """`pairs` are numbers of structures found on CT, and of the same on MR; the first `named` ones have a name.
    `scans` of MR tell how bright they are."""

    def __init__(self, pairs: Mapping[int, int], named: int, scans: Sequence[KnownScan]) -> None:
        self.pairs = pairs
        self.named = named
        self.examples = [_brightness(scan, pairs.values()) for scan in scans]

    def of(self, scan: KnownScan, generator: np.random.Generator) -> KnownScan:
        """A scan of CT as one of MR; what is not paired of what was found there is not told."""
        gap, height, width = scan.spacing
        thick = max(1, round(float(generator.uniform(*_GAP_MM)) / gap))
        part = slice(int(generator.integers(thick)), None, thick)
        greys = self._greys(scan.greys[part].float(), scan.labels[part], generator)
        return replace(
            scan,
            kind="MR",
            greys=(greys.clamp(0, 1) * GREYS["MR"]).round().to(torch.uint8),
            labels=self._labels(scan.labels[part], len(scan.maybe)),
            spacing=(gap * thick, height, width),
            wide=1.0,
            maybe=self._maybe(scan.maybe),
        )

    def _greys(self, greys: Tensor, labels: Tensor, generator: np.random.Generator) -> Tensor:
        """0..1 and more; what is paired as bright as on one of the scans, the others a little brighter or darker."""
        bent = _bent(greys, generator)
        example = self.examples[int(generator.integers(len(self.examples)))]
        offsets = greys.new_zeros(1 + int(labels.max()))
        for label in labels.unique().tolist():
            if label:
                offsets[label] = float(generator.normal(0, _OTHERS))
            wanted = example.get(self.pairs.get(label - 1, -1))
            if wanted is not None:
                usual = float(bent[labels == label].median())
                offsets[label] = wanted + float(generator.normal(0, _ALIKE)) - usual
        added = functional.avg_pool2d(offsets[labels.long()][:, None], 3, 1, 1)[:, 0]
        return (bent + added).clamp(min=0) * (greys > _NO_AIR)

    def _labels(self, labels: Tensor, known: int) -> Tensor:
        table = torch.arange(1 + known, dtype=torch.uint8, device=labels.device)
        table[1 + self.named :] = 0
        for here, there in self.pairs.items():
            table[1 + here] = 1 + there
        return table[labels.long()]

    def _maybe(self, maybe: Tensor) -> Tensor:
        changed = maybe.clone()
        changed[self.named :] = True
        for here, there in self.pairs.items():
            changed[there] = maybe[here]
        return changed


def _brightness(scan: KnownScan, numbers: Iterable[int]) -> dict[int, float]:
    """0..1 of those that are there."""
    there = {number: scan.greys[scan.labels == 1 + number].float() for number in numbers}
    return {number: float(greys.median()) / GREYS["MR"] for number, greys in there.items() if len(greys)}


def _bent(greys: Tensor, generator: np.random.Generator) -> Tensor:
    """Fluid and fat bright or dark, between them and above as it happens."""

    def drawn(limits: tuple[float, float]) -> float:
        return float(generator.uniform(*limits))

    fluid = drawn(_FLUID if generator.random() < _USUALLY else _DARK_FLUID)
    fat = drawn(_DARK_FAT if generator.random() < _USUALLY else _FAT)
    seen = (drawn(_SKIN), fat, fat / 2 + fluid / 5, fluid, *(drawn(limits) for limits in _DENSER))
    hounsfield = greys.cpu().numpy() * (_HU / GREYS["CT"]) + _LOWEST_HU
    return torch.from_numpy(np.interp(hounsfield, _TISSUES_HU, seen)).to(greys)
