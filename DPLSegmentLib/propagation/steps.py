"""From the last slice to the next: the ways a sweep can take one step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.decoder import Evidence
from DPLSegmentLib.network.devices import fast_half
from DPLSegmentLib.network.evidence import (
    LARGE,
    LastSlice,
    Memory,
    assemble,
    grown,
    location_prior,
    remember,
    shrink,
)
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.network.similarity import Scores, score
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.region import region_around

_CARRIED, _CARRIED_THIN = 0.5, 0.25


@dataclass(frozen=True, eq=False)
class Step:
    """A structure on one slice: `probability` [H, W], `presence` 0..1, `agreement` 0..1 (carried back, how much of the
    last mask is met again) and `margin` 0..1 (how far the probabilities inside and at the border are from a toss-up);
    `memory` is what the sweep goes on with, None where nothing was swept.
    """

    probability: Tensor
    presence: float
    agreement: float
    margin: float
    memory: Memory | None = None


class Stepper(Protocol):
    """One structure's way from slice to slice."""

    def begin(self, embedding: Embedding, index: int, mask: Tensor) -> Memory:
        """What a sweep remembers of the slice and mask [H, W] that it begins from."""
        ...

    def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
        """From the mask [H, W] on slice `last` to slice `index`."""
        ...


class DecoderStep:
    """The full step: affinity carries the mask, prototypes score, the decoder decides.

    Of a cross-section of at least 600 working pixels a geometric mean with what affinity carried is taken: the
    embedding is fine enough for it, and affinity does not run into neighbours. Through thin slices affinity counts half
    as much as through thick ones: at each of many steps a little of what becomes longer or wider would be lost.
    """

    def __init__(self, network: SegmentationNetwork, prototypes: Prototypes) -> None:
        self.network = network
        self.prototypes = prototypes

    @torch.inference_mode()
    def begin(self, embedding: Embedding, index: int, mask: Tensor) -> Memory:
        """See `Stepper.begin`."""
        return remember(embedding.image(index), mask[None])

    @torch.inference_mode()
    def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
        """See `Stepper.step`."""
        region = region_around(mask)
        small = region.scaled(STRIDE)
        features, before = embedding.standardised(index, small), embedding.standardised(last, small)
        previous = region.cut(mask)[None]
        shrunk = shrink(previous)
        seen = replace(memory, traced=small.cut(memory.traced)).renewed(previous)
        both = torch.cat([shrunk, seen.traced])
        affinity = self.network.affinity
        keys, keys_before = affinity.keys(features[None]), affinity.keys(before[None])
        carried, traced = affinity.carried(keys, keys_before, both[None])[0].chunk(2)
        scores = self._scores(features)
        prior = location_prior(shrunk)
        gap = embedding.gap * abs(index - last)
        near = seen.moved(traced, gap)
        last_slice = LastSlice(region.cut(embedding.image(last)), previous, carried, near)
        image = region.cut(embedding.image(index))
        probability, presence = self._decode(assemble(image, features, scores, prior, gap, last_slice))
        if float((mask > 0.5).sum()) >= LARGE:
            share = _CARRIED_THIN if embedding.stack.thin else _CARRIED
            probability = probability ** (1 - share) * grown(carried) ** share
        back = affinity.carried(keys_before, keys, shrink(probability)[None])[0]
        agreement = soft_dice(back, shrunk)
        further = replace(near, traced=small.paste(traced[0], memory.traced[0])[None])
        return Step(region.paste(probability[0], mask), presence, agreement, margin_of(probability[0]), further)

    @torch.inference_mode()
    def find(self, embedding: Embedding, index: int, prior: Tensor) -> Step:
        """Look for the structure on a slice with nothing but its prototypes and the place [h, w] it is expected at."""
        features = embedding.standardised(index)
        evidence = assemble(embedding.image(index), features, self._scores(features), prior[None], embedding.gap, None)
        probability, presence = self._decode(evidence)
        return Step(probability[0], presence, 1.0, margin_of(probability[0]))

    @torch.inference_mode()
    def likeness(self, embedding: Embedding, index: int, mask: Tensor) -> float:
        """Mean cosine, 0..1, between what lies under a mask [H, W] on a slice and the prototypes of the structure."""
        weight = shrink(mask[None])[0]
        cosine = self._scores(embedding.standardised(index)).foreground[0]
        return max(0.0, float((cosine * weight).sum() / (weight.sum() + 1e-6)))

    def _scores(self, features: Tensor) -> Scores:
        return score(features[None], self.prototypes.foreground, self.prototypes.background)

    def _decode(self, evidence: Evidence) -> tuple[Tensor, float]:
        device = evidence.images.device
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_half(device)):
            logits, presence = self.network.decoder(evidence)
        return logits.float().sigmoid(), float(presence.float().sigmoid()[0])


class AffinityStep:
    """Affinity alone: label propagation without DPL and without the decoder, for comparison."""

    def __init__(self, network: SegmentationNetwork) -> None:
        self.network = network

    def begin(self, embedding: Embedding, index: int, mask: Tensor) -> Memory:
        """Nothing is remembered."""
        return Memory(mask.new_zeros(0), mask.new_zeros(0), mask.new_zeros(0))

    @torch.inference_mode()
    def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
        """See `Stepper.step`; the structure ends where nothing is carried any more."""
        features, before = embedding.standardised(index)[None], embedding.standardised(last)[None]
        small = shrink(mask[None])[None]
        carried = self.network.affinity(features, before, small)
        probability = grown(carried[0])[0]
        agreement = soft_dice(self.network.affinity(before, features, carried)[0], small[0])
        return Step(probability, float(probability.max() > 0.5), agreement, margin_of(probability), memory)


def soft_dice(a: Tensor, b: Tensor) -> float:
    """Dice of two soft masks of the same shape."""
    return float(2 * (a * b).sum() / (a.square().sum() + b.square().sum() + 1e-6))


def margin_of(probability: Tensor) -> float:
    """Mean of |2p - 1| where p is at least 0.1; 0 where nothing is."""
    inside = probability > 0.1
    return float((2 * probability[inside] - 1).abs().mean()) if bool(inside.any()) else 0.0
