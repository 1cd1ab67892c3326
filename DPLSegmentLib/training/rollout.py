"""One episode through the network: the pure DPL scores, the sweep on its own errors, the search on far slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from DPLSegmentLib.network.decoder import Evidence
from DPLSegmentLib.network.devices import fast_half
from DPLSegmentLib.network.evidence import LastSlice, assemble, location_prior, remember, shrink
from DPLSegmentLib.network.network import Enhancement, SegmentationNetwork, body_weight, standardise
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.network.similarity import Scores, score
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.training.ageing import aged
from DPLSegmentLib.training.episodes import Episode
from DPLSegmentLib.training.leaks import with_leaks
from DPLSegmentLib.training.losses import mask_loss, presence_loss, probability_loss

_SCORE_WEIGHT, _CARRY_WEIGHT, _TRACE_WEIGHT, _PRESENCE_WEIGHT = 0.4, 0.4, 0.2, 0.2


@dataclass(frozen=True)
class RolloutOptions:
    """Which parts of DPL take part; `cross_view` off makes the prototype its own diffusion target; `leaks` is the share
    of masks that are made to run into a neighbour before a step, `aged` that of sweeps that begin as if they had come a
    long way; `diffusion_weight` is that of the diffusion loss."""

    enhancement: Enhancement
    cross_view: bool = True
    leaks: float = 0.2
    aged: float = 0.3
    diffusion_weight: float = 0.2


def default_options(
    switches: EngineOptions | None = None, cross_view: bool = True, diffusion_weight: float = 0.2
) -> RolloutOptions:
    """The shipped recipe, or the same DPL that an engine with these switches has."""
    enhancement = (switches or EngineOptions()).enhancement
    return RolloutOptions(enhancement, cross_view, diffusion_weight=diffusion_weight)


class Rollout:
    """Runs an episode; `network` may be any module with the parts of SegmentationNetwork."""

    def __init__(self, network: SegmentationNetwork, options: RolloutOptions) -> None:
        self.network = network
        self.options = options

    def losses(self, episode: Episode) -> Mapping[str, Tensor]:
        """Weighted losses by name; their sum is to be minimised."""
        chain, far = self._embed(episode)
        plain = [self.network.extract(chain[0], mask) for mask in shrink(episode.painted)]
        enhanced = [self.network.enhance(prototypes, self.options.enhancement) for prototypes in plain]
        prior = location_prior(shrink(episode.painted))
        sweep = self._sweep(episode, chain, enhanced)
        search = self._search(episode, far, enhanced, prior)
        diffusion = self._diffusion(episode, far, plain) * self.options.diffusion_weight
        return {**sweep, **search, "diffusion": diffusion}

    def _embed(self, episode: Episode) -> tuple[Tensor, Tensor]:
        count = len(episode.chain)
        features = self.network.encoder(torch.cat([episode.chain, episode.far]))
        slices = torch.cat([episode.chain[:, 1], episode.far[:, 1]])
        if episode.same_view:
            features = _standardised(features, slices)
            return features[:count], features[count:]
        return _standardised(features[:count], slices[:count]), _standardised(features[count:], slices[count:])

    def _scores(self, features: Tensor, prototypes: list[Prototypes]) -> Scores:
        scores = [score(features[None], each.foreground, each.background) for each in prototypes]
        return Scores(torch.cat([s.foreground for s in scores]), torch.cat([s.background for s in scores]))

    def _decode(self, evidence: Evidence) -> tuple[Tensor, Tensor]:
        with torch.autocast(evidence.images.device.type, torch.bfloat16, enabled=fast_half(evidence.images.device)):
            logits, presence = self.network.decoder(evidence)
        return logits.float(), presence.float()

    def _sweep(self, episode: Episode, chain: Tensor, prototypes: list[Prototypes]) -> dict[str, Tensor]:
        masks, total = episode.painted, {"mask": [], "presence": [], "score": [], "carry": [], "trace": []}
        memory = remember(episode.chain[0, 1], masks)
        if float(torch.rand(())) < self.options.aged:
            memory = aged(memory, self.network.affinity, chain[0], episode.gap)
        for number in range(1, len(chain)):
            truth = episode.chain_masks[:, number]
            scores = self._scores(chain[number], prototypes)
            before, alike = episode.chain_masks[:, number - 1], episode.chain_alike[:, number - 1]
            masks, leaked = with_leaks(masks, before, alike, self.options.leaks)
            small = shrink(masks)
            both = torch.cat([small, memory.traced.detach()])[None]
            carried, traced = self.network.affinity(chain[number][None], chain[number - 1][None], both)[0].chunk(2)
            memory = memory.moved(traced, episode.gap)
            last = LastSlice(episode.chain[number - 1, 1], masks, carried, memory)
            prior = location_prior(small)
            evidence = assemble(episode.chain[number, 1], chain[number], scores, prior, episode.gap, last)
            logits, presence = self._decode(evidence)
            total["mask"].append(mask_loss(logits, truth))
            total["presence"].append(presence_loss(presence, truth) * _PRESENCE_WEIGHT)
            total["score"].append(mask_loss(scores.logit, shrink(episode.chain_alike[:, number])) * _SCORE_WEIGHT)
            total["carry"].append(_carry_loss(carried, shrink(truth), leaked) * _CARRY_WEIGHT)
            total["trace"].append(probability_loss(traced, shrink(truth)) * _TRACE_WEIGHT)
            masks = logits.sigmoid().detach()
        return {name: torch.stack(values).mean() for name, values in total.items()}

    def _search(self, episode: Episode, far: Tensor, prototypes: list[Prototypes], prior: Tensor) -> dict[str, Tensor]:
        total = {"far mask": [], "far presence": [], "far score": []}
        for number in range(len(far)):
            truth = episode.far_masks[:, number]
            scores = self._scores(far[number], prototypes)
            evidence = assemble(episode.far[number, 1], far[number], scores, prior, episode.gap, None)
            logits, presence = self._decode(evidence)
            total["far mask"].append(mask_loss(logits, truth) / 2)
            total["far presence"].append(presence_loss(presence, truth) * _PRESENCE_WEIGHT)
            total["far score"].append(mask_loss(scores.logit, shrink(truth)) * _SCORE_WEIGHT)
        return {name: torch.stack(values).mean() for name, values in total.items()}

    def _diffusion(self, episode: Episode, far: Tensor, plain: list[Prototypes]) -> Tensor:
        loss = far.sum() * 0
        for prototypes, truth in zip(plain, shrink(episode.far_masks[:, 0]), strict=True):
            if float(truth.sum()) > 1:
                target = prototypes if not self.options.cross_view else self.network.extract(far[0], truth)
                loss = loss + self._pairwise(prototypes, target)
        return loss / len(plain)

    def _pairwise(self, prototypes: Prototypes, target: Prototypes) -> Tensor:
        condition = self.options.enhancement.condition(prototypes.foreground, prototypes.geometry)
        nearest = (prototypes.foreground @ target.foreground.T).argmax(1)
        nearest[0] = 0
        return self.network.diffusion.loss(prototypes.foreground, target.foreground[nearest].detach(), condition)


def _standardised(features: Tensor, slices: Tensor) -> Tensor:
    return standardise(features, body_weight(slices, features.shape[-2:]))


def _carry_loss(carried: Tensor, truth: Tensor, leaked: Tensor) -> Tensor:
    """Affinity carries what it is given; what leaked in is for the decoder to take out."""
    return probability_loss(carried[~leaked], truth[~leaked]) if not bool(leaked.all()) else carried.sum() * 0
