"""A structure that the model knows is recognised where it is painted; where it ends is known then (ours).

One painted slice does not say how far a cord or an aorta goes. Whoever has seen some knows. What is known of CT was
drawn by people and has a name; of MR, regions that were found again in most scans, without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.facing import turn_to
from DPLSegmentLib.images.intensity import Kind, detect_kind
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.config import STRIDE, NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import TOLD_STRIDE, Recogniser, places_of, slice_step
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.known import KnownStructure, Recognised
from DPLSegmentLib.propagation.painted import PaintedSlice
from DPLSegmentLib.propagation.region import Region, region_around
from DPLSegmentLib.propagation.sweep import SweepRange
from DPLSegmentLib.propagation.types import Cancelled, CancelToken

_USUAL = "SPL"
_ALIKE = 0.3
_CHUNK = 16
_NEXT = 1
_WELL, _LITTLE = 0.6, 0.2
_DRAWN_TRUST, _FOUND_TRUST = (0.4, 0.8), (0.7, 0.9)
_TINY = 1e-3
_INSIDE, _LEAST_AREA = 0.5, 0.2


@dataclass(frozen=True)
class _Told:
    """The recogniser's structure `number`; one that is not `believed` is told apart and nothing more. What is painted
    is taken for it from a Dice of `least` on; `trust` begins at its first Dice and is full from its second one on."""

    number: int
    name: str
    least: float = _ALIKE
    trust: tuple[float, float] = _DRAWN_TRUST
    believed: bool = True
    drawn: bool = False


class Recognition:
    """What is known in one scan; looked for when it is asked for, and then kept. `structures` are those that scans of
    this kind may show; `downwards` are slices that begin at the head, `mirrored` ones have the patient's right in their
    last columns."""

    def __init__(
        self,
        recogniser: Recogniser,
        embedding: Embedding,
        structures: Sequence[_Told],
        downwards: bool,
        mirrored: bool,
    ) -> None:
        self.recogniser = recogniser
        self.structures = structures
        self.embedding = embedding
        self.downwards = downwards
        self.mirrored = mirrored
        self.slices = range(0, embedding.count, slice_step(embedding.stack.gap_mm))
        self._whole: Tensor | None = None

    def known(self, painted: Sequence[PaintedSlice], cancel: CancelToken | None = None) -> KnownStructure | None:
        """What is painted and where it is, if it is a known structure; raises Cancelled."""
        recognised = self.recognised(painted, cancel)
        if recognised is None:
            return None
        masks = {each.index: _seen_small(each) for each in painted}
        return self._seen_as(recognised, self._probability(recognised.name, cancel), masks)

    def recognised(self, painted: Sequence[PaintedSlice], cancel: CancelToken | None = None) -> Recognised | None:
        """What is painted, if it is a known structure: by the soft Dice with where that is seen there. The whole scan
        is looked at only where it may be one, judged by its surroundings alone.

        Raises Cancelled.
        """
        glimpsed = self._alike(painted, self._glimpse)
        if float(glimpsed[[each.believed for each in self.structures]].max()) < _ALIKE:
            return None
        whole = self._all(cancel)
        alikes = self._alike(painted, lambda each: whole[self._near(each.index)])
        alikes[alikes < torch.tensor([each.least for each in self.structures])] = 0
        alike, told = float(alikes.max()), self.structures[int(alikes.argmax())]
        return Recognised(told.name, _trust(alike, told.trust)) if alike and told.believed else None

    @property
    def drawn(self) -> set[str]:
        """The names of what people drew, in scans of this kind."""
        return {each.name for each in self.structures if each.drawn}

    def found(
        self, recognised: Recognised, area_mm2: float, reach: SweepRange, cancel: CancelToken | None = None
    ) -> KnownStructure | None:
        """What was recognised in another scan, where it is as large as `area_mm2`: on the slice of `reach` where most
        of it is seen. None where no fifth of that area is, and for what nobody drew in scans of this kind; raises
        Cancelled."""
        if recognised.name not in self.drawn:
            return None
        probability = self._probability(recognised.name, cancel)
        parts, _ = ndimage.label((probability > _INSIDE).numpy(), np.ones((3, 3, 3)))
        largest = parts == max(1, int(np.bincount(parts.ravel(), parts.ravel() > 0).argmax()))
        sizes = largest[reach.first : reach.last + 1].sum((1, 2))
        if sizes.max() * (TOLD_STRIDE * self.embedding.stack.pixel_mm) ** 2 <= _LEAST_AREA * area_mm2:
            return None
        index = reach.first + int(sizes.argmax())
        return self._seen_as(recognised, probability, {index: torch.from_numpy(largest[index]).float()})

    def _seen_as(self, recognised: Recognised, probability: Tensor, masks: Mapping[int, Tensor]) -> KnownStructure:
        """A known structure, of which `masks` [h, w] of some slices are sure."""
        name, trust = recognised.name, recognised.trust
        reach = _reach(probability, masks, _NEXT * self.slices.step, trust)
        return KnownStructure(name, probability, self.embedding.stack, reach, trust, name in self.drawn, tuple(masks))

    def _probability(self, name: str, cancel: CancelToken | None) -> Tensor:
        """[n, h, w] of a structure on every slice."""
        number = next(number for number, each in enumerate(self.structures) if each.name == name)
        return _interpolated(self._all(cancel)[:, number].float(), self.slices.step, self.embedding.count)

    def _alike(self, painted: Sequence[PaintedSlice], seen: Callable[[PaintedSlice], Tensor]) -> Tensor:
        """[k]: how much the painted slices are like each known structure on the likest of those that are `seen`
        [m, k, h, w] there: where it ends is known to a slice or two."""
        return torch.stack([_soft_dice(seen(each), _seen_small(each)).amax(0) for each in painted]).mean(0)

    def _glimpse(self, painted: PaintedSlice) -> Tensor:
        """[m, k, h, w] of the slices near a painted one, judged with their neighbours, around the paint alone."""
        around, near = region_around(painted.working), self._near(painted.index)
        part = self._part(near.start, near.stop - near.start, 1, around)
        whole = part.new_zeros(*part.shape[:2], *(side // TOLD_STRIDE for side in self.embedding.stack.shape))
        around.scaled(TOLD_STRIDE).cut(whole).copy_(part)
        return whole

    def _all(self, cancel: CancelToken | None) -> Tensor:
        """half [m, k, h, w]: every slice that is looked at, some at a time; kept once all of them are there."""
        if self._whole is None:
            parts = []
            for first in range(0, len(self.slices), _CHUNK):
                if cancel and cancel.cancelled():
                    raise Cancelled
                parts.append(self._part(first, _CHUNK, 2))
            self._whole = torch.cat(parts)
        return self._whole

    def _part(self, first: int, count: int, around: int, region: Region | None = None) -> Tensor:
        """half [count, k, h, w] of those from the `first` one on, judged with some more on either side."""
        start = max(0, first - around)
        seen = self._seen(self.slices[start : first + count + around], region)
        return seen[first - start : first - start + count]

    def _near(self, index: int) -> slice:
        """Which of the slices that are looked at: the nearest, and those next to it."""
        nearest = min(round(index / self.slices.step), len(self.slices) - 1)
        return slice(max(0, nearest - _NEXT), nearest + 1 + _NEXT)

    @torch.inference_mode()
    def _seen(self, slices: Sequence[int], region: Region | None) -> Tensor:
        """half [m, k, h, w]: probabilities of the known structures on some slices, or their part, on the CPU."""
        upwards = [0] if self.downwards else []
        shown = region or Region(0, 0, *self.embedding.stack.shape)
        small = shown.scaled(STRIDE)
        features = torch.stack([self.embedding.standardised(index, small) for index in slices]).flip(upwards)
        images = shown.cut(self.embedding.images[list(slices)]).float().flip(upwards)
        logits = self.recogniser(features, small.cut(self._places).to(features), images)
        probabilities = logits.softmax(1)[:, [1 + each.number for each in self.structures]]
        return probabilities.flip(upwards).cpu().half()

    @cached_property
    def _places(self) -> Tensor:
        """[2, h, w]; see `places_of`."""
        return places_of(self.embedding.body, self.embedding.features.shape[-2:], STRIDE, self.mirrored)


def recognition(network: SegmentationNetwork, embedding: Embedding, volume: Volume) -> Recognition | None:
    """None where nothing is known: without a recogniser, of scans of another kind, and of slices that are not axial."""
    turn = turn_to(volume.ijk_to_ras, _USUAL)
    kind = "MR" if detect_kind(volume.array) is Kind.PERCENTILE else "CT"
    recogniser = network.recogniser_of(kind)
    if recogniser is None or embedding.stack.axis or turn.order != (0, 1, 2):
        return None
    structures = _structures(network.config, kind)
    if not any(each.believed for each in structures):
        return None
    return Recognition(recogniser, embedding, structures, downwards=turn.flipped[0], mirrored=turn.flipped[2])


def _structures(config: NetworkConfig, kind: str) -> list[_Told]:
    """Those with names are of CT. What was found there as well only tells what is none of them."""
    named = [_Told(number, name, drawn=True) for number, name in enumerate(config.known) if kind == "CT"]
    found = [
        _Told(number, f"found on {kind}, {number}", _FOUND_TRUST[0], _FOUND_TRUST, kind != "CT")
        for number, of in enumerate(config.found, len(config.known))
        if of == kind
    ]
    return named + found


def _trust(alike: float, limits: tuple[float, float]) -> float:
    """From 0 at the first limit to 1 at the second."""
    none, full = limits
    return min(1.0, max(0.0, (alike - none) / (full - none)))


def _seen_small(painted: PaintedSlice) -> Tensor:
    """[h, w] at the recogniser's stride."""
    return functional.avg_pool2d(painted.working[None].float(), TOLD_STRIDE)[0].cpu()


def _reach(probability: Tensor, painted: Mapping[int, Tensor], near: int, trust: float) -> SweepRange:
    """It is where it is seen well, and ends where it is seen too little, compared with how it is seen up to `near`
    slices from where it is painted, as far as that hangs together with what is painted. With full trust both are the
    same."""
    last = len(probability) - 1
    around = {min(max(index + by, 0), last): mask for index, mask in painted.items() for by in range(-near, near + 1)}
    surest = max(float((probability[index] * mask).max()) for index, mask in around.items())
    (begins, ends), well = (
        _together(probability > share * surest, around, painted)
        for share in (trust * _WELL + (1 - trust) * _LITTLE, _WELL)
    )
    return SweepRange(begins, ends, known=well)


def _together(seen: Tensor, around: Mapping[int, Tensor], painted: Iterable[int]) -> tuple[int, int]:
    """First and last slice of the parts of a mask [n, h, w] that touch the paint or what is `around` it, and of what is
    `painted`."""
    parts, _ = ndimage.label(seen.numpy(), np.ones((3, 3, 3)))
    own = {int(part) for index, mask in around.items() for part in np.unique(parts[index][mask.numpy() > 0])} - {0}
    slices = [*np.flatnonzero(np.isin(parts, list(own)).any((1, 2))).tolist(), *painted]
    return min(slices), max(slices)


def _soft_dice(maps: Tensor, mask: Tensor) -> Tensor:
    """[m, k] of maps [m, k, h, w] with a mask [h, w]."""
    both = torch.minimum(maps.float(), mask).sum((2, 3))
    return 2 * both / (maps.float().sum((2, 3)) + mask.sum() + _TINY)


def _interpolated(maps: Tensor, step: int, count: int) -> Tensor:
    """[count, h, w] of maps [m, h, w] of every `step`-th slice; those after the last one are as the last one is."""
    at = torch.arange(count) / step
    before = at.long().clamp(max=len(maps) - 1)
    after = (before + 1).clamp(max=len(maps) - 1)
    return torch.lerp(maps[before], maps[after], (at - before).clamp(max=1)[:, None, None])
