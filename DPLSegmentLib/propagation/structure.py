"""One structure through one scan: enhance, find where to begin, sweep."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.evidence import grown
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.network.similarity import score
from DPLSegmentLib.propagation.belonging import Belonging
from DPLSegmentLib.propagation.body import from_body
from DPLSegmentLib.propagation.consensus import Vote, agreed
from DPLSegmentLib.propagation.course import corresponding
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.known import KnownStructure
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.painted import PaintedSlice
from DPLSegmentLib.propagation.prototype_set import Section, StructurePrototypes
from DPLSegmentLib.propagation.regrowth import kept_slices
from DPLSegmentLib.propagation.rehearsal import Rehearsal
from DPLSegmentLib.propagation.return_trip import return_trips
from DPLSegmentLib.propagation.search import Search
from DPLSegmentLib.propagation.settle import settle
from DPLSegmentLib.propagation.steps import AffinityStep, DecoderStep, Stepper
from DPLSegmentLib.propagation.sweep import Blend, Guide, Seed, Sweep, SweepRange, SweptSlice
from DPLSegmentLib.propagation.twins import before_twins
from DPLSegmentLib.propagation.types import (
    Cancelled,
    CancelToken,
    OnProgress,
    OnSlice,
    Progress,
    PropagationError,
    SliceResult,
)
from DPLSegmentLib.propagation.variant_scores import VariantScores

_SECTIONS, _SEEDS = 3, 2
_INSIDE = 0.5

Check = Callable[[str, float, int], None]


@dataclass(frozen=True, eq=False)
class SweptStructure:
    """Of each slice: `probability` [n, H, W], `score` [n, H, W] by DPL alone, `confidence` [n], `visited` [n];
    and the slices it began from."""

    probability: Tensor
    score: Tensor
    confidence: Tensor
    visited: Tensor
    seeds: tuple[int, ...]


class StructureRun:
    """Runs one structure; the network's parts and switches come from outside."""

    def __init__(
        self,
        network: SegmentationNetwork,
        options: EngineOptions,
        embedding: Embedding,
        structure: StructurePrototypes,
        axis: int,
        reach: SweepRange,
        known: KnownStructure | None = None,
    ) -> None:
        self.network = network
        self.options = options
        self.embedding = embedding
        self.structure = structure.to(embedding.images.device)
        self.axis = axis
        self.reach = reach
        self.known = known
        self.prototypes = self._enhanced(self.structure.prototypes)

    def run(
        self,
        painted: Sequence[PaintedSlice],
        share: tuple[float, float],
        on_progress: OnProgress | None,
        on_slice: OnSlice | None,
        cancel: CancelToken | None,
    ) -> SweptStructure:
        """Sweep from the painted slices, or from where the structure is found; raises Cancelled.

        `share` is the (start, length) of this structure in the progress of all.
        """

        def check(stage: str, done: float, index: int) -> None:
            if cancel and cancel.cancelled():
                raise Cancelled
            if on_progress:
                on_progress(Progress(stage, share[0] + share[1] * min(done, 1.0), index))

        if not self.options.use_propagation:
            return self._scored(check)
        seeds = self._seeds(painted, check)
        voting = self.reach.certain and not painted and len(seeds) > 1
        blend = self._agreed(seeds, check, on_slice) if voting else self._blended(seeds, check, on_slice)
        return self._settled(blend, seeds, {each.index: each.working.cpu() for each in painted}, check)

    def _blended(self, seeds: Sequence[Seed], check: Check, on_slice: OnSlice | None) -> Blend:
        """One sweep from all seeds, each up to the next: what is painted is right."""
        blend, rehearsal = Blend(self.embedding, seeds), Rehearsal(seeds)
        for swept in self._sweep(seeds, (0.0, 1.0), check, on_slice):
            (rehearsal if swept.index in rehearsal.painted else blend).add(swept)
        for returned in self._returned(seeds, check):
            rehearsal.add(returned)
        rehearsal.correct(blend)
        if self.known:
            self._weigh(self.known, blend, rehearsal.painted)
        return blend

    def _weigh(self, known: KnownStructure, blend: Blend, painted: Container[int]) -> None:
        """What was swept and where the structure is seen, together, on all slices that are not painted."""
        for index in blend.visited_besides(painted):
            swept = blend.total[index]
            swept.copy_(known.weighed(swept.float(), index, self.embedding.stack))

    def _returned(self, seeds: Sequence[Seed], check: Check) -> Iterator[SweptSlice]:
        """How sweeps come back to the painted slices; nothing of slices that were found."""
        painted = [seed for seed in seeds if seed.painted]
        for returned in return_trips(self._stepper(), self.embedding, painted, self.options.crossing):
            check("sweep", 1.0, returned.index)
            yield returned

    def _agreed(self, seeds: Sequence[Seed], check: Check, on_slice: OnSlice | None) -> Blend:
        """A sweep of its own from every seed, and what they agree on: what is found can be wrong."""
        votes = []
        for number, seed in enumerate(seeds):
            vote = Vote(self.embedding, seed)
            for swept in self._sweep([seed], (number / len(seeds), 1 / len(seeds)), check, on_slice):
                vote.add(swept)
            votes.append(vote)
        return agreed(votes, self.embedding)

    def _sweep(
        self, seeds: Sequence[Seed], share: tuple[float, float], check: Check, on_slice: OnSlice | None
    ) -> Iterator[SweptSlice]:
        """The slices of one sweep, which is the given (start, length) of all of this structure's."""
        length = self.reach.last - self.reach.first + 1
        sweep = Sweep(self._stepper(), self.embedding, self.reach, self.options.crossing, self._guide())
        known = {seed.index for seed in seeds}
        for number, swept in enumerate(sweep.run(seeds), 1):
            check("sweep", share[0] + share[1] * min(number / length, 1.0), swept.index)
            if on_slice and swept.index not in known and self.reach.first <= swept.index <= self.reach.last:
                on_slice(self._slice_result(swept))
            yield swept

    def _guide(self) -> Guide | None:
        """A sweep of what is known goes on from what is swept and seen together."""
        known, stack = self.known, self.embedding.stack
        if not known or not known.leads:
            return None
        return lambda swept, index: known.weighed(swept.cpu().float(), index, stack).to(swept)

    def _stepper(self) -> Stepper:
        return DecoderStep(self.network, self.prototypes) if self.options.use_dpl else AffinityStep(self.network)

    @torch.inference_mode()
    def _settled(
        self, blend: Blend, seeds: Sequence[Seed], painted: Mapping[int, Tensor], check: Check
    ) -> SweptStructure:
        """After the walk, without the slices and places that are no part of the result."""
        outside = self._outside(blend, seeds, check)
        blend.drop(outside)
        settled = settle(blend.total, blend.confidence, self.embedding, painted, self.options.settle)
        settled[outside] = 0
        if painted or len(seeds) == 1:
            settled = self._belonging(seeds, check).weighed(settled, self.known.doubted if self.known else 1.0)
        score = self._variant_scores(check).around(settled)
        return SweptStructure(settled, score, blend.confidence, blend.visited, tuple(seed.index for seed in seeds))

    def _variant_scores(self, check: Check) -> VariantScores:
        variants = self.network.varied(self.structure.prototypes, self.options.enhancement)
        return VariantScores(variants, self.embedding, lambda: check("sweep", 1.0, 0))

    def _belonging(self, seeds: Sequence[Seed], check: Check) -> Belonging:
        place = (self.embedding, self.network.affinity, seeds, self.reach.known)
        return Belonging(*place, lambda: check("sweep", 1.0, seeds[-1].index))

    def _outside(self, blend: Blend, seeds: Sequence[Seed], check: Check) -> Tensor:
        """bool [n]: slices passed on the way to the range, or reached by straying into a neighbour or a twin."""
        outside = torch.ones(self.embedding.count, dtype=torch.bool)
        outside[self.reach.first : self.reach.last + 1] = False
        begun = [seed.index for seed in seeds]
        outside[begun] = False
        if self.reach.certain or not seeds:
            return outside
        kept = kept_slices((blend.total > _INSIDE).sum((1, 2)), min(begun), max(begun))
        kept &= before_twins(blend.total, seeds, self.embedding, lambda: check("sweep", 1.0, begun[-1]))
        strayed = ~kept
        strayed[self.reach.known[0] : self.reach.known[1] + 1] = False
        return outside | strayed

    def _seeds(self, painted: Sequence[PaintedSlice], check: Check) -> list[Seed]:
        """What is painted; on another scan where it is recognised, else one slice, or in a range that is sure two for
        each of up to three painted sections, which are looked for in their own shares of the range."""
        if painted:
            return [Seed(each.index, each.working) for each in painted]
        if self.known:
            seed = self.known.seed(self.embedding.stack)
            return [replace(seed, mask=seed.mask.to(self.embedding.images.device))]
        sections = _spread(self.structure.sections)
        if not self.reach.certain or len(sections) == 1:
            return self._search(self.structure.whole, self._height(), [self.reach], check)
        parts = _parts(self.reach, _SEEDS * len(sections))
        shares = [parts[first : first + _SEEDS] for first in range(0, len(parts), _SEEDS)]
        found = [self._search(section, None, share, check) for section, share in zip(sections, shares, strict=True)]
        return [seed for seeds in found for seed in seeds]

    def _height(self) -> float | None:
        """At how many mm the structure may be here: by the whole course of both scans, and by what lies around it."""
        along, around = corresponding(self.structure.course, self.embedding.course), self.structure.surroundings
        heights = [] if along is None else [along]
        heights += [around.found_in(self.embedding.fields)] if around else []
        return fmean(heights) if heights else None

    def _search(
        self, section: Section, height_mm: float | None, parts: Sequence[SweepRange], check: Check
    ) -> list[Seed]:
        """Where in each part the structure looks most like a section of it; none where it seems absent."""
        finder = DecoderStep(self.network, self._enhanced(section.prototypes))
        prior = from_body(section.place, self.embedding.body, STRIDE, self.embedding.features.shape[-2:])
        search = Search(finder, self.embedding, prior, section, height_mm)
        found = (search.seed(part, lambda index: check("score", 0.0, index)) for part in parts)
        return [seed for seed in found if seed]

    @torch.inference_mode()
    def _enhanced(self, prototypes: Prototypes) -> Prototypes:
        return self.network.enhance(prototypes, self.options.enhancement)

    @torch.inference_mode()
    def _scored(self, check: Check) -> SweptStructure:
        """Every slice by its prototype scores alone."""
        count, height, width = self.embedding.images.shape
        probability = torch.zeros(count, height, width, dtype=torch.float16)
        for index in range(self.reach.first, self.reach.last + 1):
            check("score", index / count, index)
            features = self.embedding.standardised(index)[None]
            scores = score(features, self.prototypes.foreground, self.prototypes.background).probability
            probability[index] = grown(scores)[0].to(probability)
        margin = (2 * probability.float() - 1).abs().mean((1, 2))
        return SweptStructure(probability, probability, margin, torch.ones(count, dtype=torch.bool), ())

    def _slice_result(self, swept: SweptSlice) -> SliceResult:
        native = self.embedding.stack.to_native(swept.probability[None].float().cpu().numpy())[0]
        mask = (native > _INSIDE) & swept.present
        return SliceResult(self.structure.name, self.axis, swept.index, mask, swept.confidence)


def reach_of(slice_range: tuple[int, int] | None, count: int) -> SweepRange:
    """The slices that may be visited; raises PropagationError when the range lies outside the scan."""
    if slice_range is None:
        return SweepRange(0, count - 1)
    first, last = sorted(slice_range)
    if first < 0 or last >= count:
        raise PropagationError(
            f"The slice range {first} to {last} lies outside the scan; it has slices 0 to {count - 1}."
        )
    return SweepRange(first, last, certain=True)


def _spread(sections: Sequence[Section]) -> Sequence[Section]:
    """At most three of them, from the middles of three equal shares."""
    count = len(sections)
    return sections if count <= _SECTIONS else [sections[count * share // 6] for share in (1, 3, 5)]


def _parts(reach: SweepRange, count: int) -> list[SweepRange]:
    """`count` stretches of slices, of as equal length as can be; some are empty where there are fewer slices."""
    edges = [reach.first + round(number * (reach.last + 1 - reach.first) / count) for number in range(count + 1)]
    return [SweepRange(first, after - 1, reach.certain) for first, after in pairwise(edges)]
