"""Episodes: a painted slice, the slices a sweep would visit next, and far slices where the structure is looked for.

Everything is drawn from one generator, so that an episode is fixed by (seed, step, process).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.training.augment import as_painted, photometric, smoothed
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.cuts import cut
from DPLSegmentLib.training.framing import Framer, Framing
from DPLSegmentLib.training.pack import RegionMap, TrainingVolume
from DPLSegmentLib.training.synthesis import faded_contrast, flattened_contrast, random_contrast, shifted_contrast
from DPLSegmentLib.training.views import PlaneView, Window

FAR = 2
_LEAST_PIXELS = 40
_MOST_SHARE = 0.35
_TRIES = 40
_LEAST_CONTRAST = 0.02
_THICK = 4.0
_NEAR = 5.0


@dataclass(frozen=True, eq=False)
class Episode:
    """`chain` [T + 1, 3, H, W]: the painted slice, then the slices of the sweep; `far` [2, 3, H, W]; their true masks
    [m, n, H, W]; `chain_alike`: the true masks with what looks the same and was cut away; `painted` [m, H, W]; `gap` in
    working pixels; `same_view`: far slices share the chain's contrast."""

    chain: Tensor
    chain_masks: Tensor
    chain_alike: Tensor
    far: Tensor
    far_masks: Tensor
    painted: Tensor
    gap: float
    same_view: bool


@dataclass(frozen=True)
class _Place:
    view: PlaneView
    regions: RegionMap
    label: int
    framing: Framing

    @property
    def window(self) -> Window:
        """What it is seen through."""
        return self.framing.window

    @property
    def rough(self) -> bool:
        """Whether its regions have ragged borders: those that a watershed found in a scan."""
        return not (self.regions.labelled or self.view.volume.synthetic)


class EpisodeSampler:
    """Draws episodes from the volumes by the shares that the configuration names."""

    def __init__(self, volumes: list[TrainingVolume], config: TrainingConfig) -> None:
        self.config = config
        self.framer = Framer(config)
        self.groups: dict[str, list[TrainingVolume]] = {}
        for volume in volumes:
            self.groups.setdefault(volume.group, []).append(volume)

    def sample(self, generator: np.random.Generator) -> Episode:
        """One episode; places without enough of a structure are drawn again."""
        for _ in range(_TRIES):
            place = self._place(generator)
            episode = self._episode(place, generator) if place else None
            if episode is not None:
                return episode
        raise TrainingError("No usable structure was found in the training scans; add scans or use a larger crop.")

    def _volume(self, generator: np.random.Generator) -> TrainingVolume:
        real = [name for name in self.groups if name != "synthetic"]
        synthetic = "synthetic" in self.groups and generator.random() < self.config.synthetic_share
        weights = np.array([len(self.groups[name]) ** 0.5 for name in real])
        name = "synthetic" if synthetic else str(generator.choice(real, p=weights / weights.sum()))
        members = self.groups[name]
        return members[int(generator.integers(len(members)))]

    def _place(self, generator: np.random.Generator) -> _Place | None:
        volume = self._volume(generator)
        view = PlaneView(volume, self._axis(volume, generator))
        regions = self._map(volume, generator)
        weights = regions.weights / regions.weights.sum()
        label = int(generator.choice(len(weights), p=weights))
        return _Place(view, regions, label, self.framer.frame(view, regions, label, generator))

    def _axis(self, volume: TrainingVolume, generator: np.random.Generator) -> int:
        thin = max(volume.spacing) <= _THICK and min(volume.image.shape) >= 48
        return int(generator.integers(1, 3)) if thin and generator.random() < 0.2 else 0

    def _map(self, volume: TrainingVolume, generator: np.random.Generator) -> RegionMap:
        drawn = [regions for regions in volume.maps if regions.labelled]
        found = [regions for regions in volume.maps if not regions.labelled]
        if drawn and (not found or generator.random() < self.config.label_share):
            return drawn[0]
        weights = np.array([regions.weights.sum() for regions in found])
        return found[int(generator.choice(len(found), p=weights / weights.sum()))]

    def _episode(self, place: _Place, generator: np.random.Generator) -> Episode | None:
        framing = place.framing
        indices = [framing.start + framing.step * number for number in range(-1, framing.length + 2)]
        regions = place.view.regions(place.regions, indices, place.window)
        parts = self._parts(place, regions, generator)
        labels = self._labels(parts[1], place, generator)
        if not labels:
            return None
        whole = [number if number < len(place.regions.weights) else place.label for number in labels]
        style = int(generator.integers(2**31))
        images = self._images(place, indices, regions, np.random.default_rng(style), parts)
        if float(images[1].std()) < _LEAST_CONTRAST:
            return None
        masks, alike = _masks(parts, labels, place.rough), _masks(regions, whole, place.rough)
        if float(masks[:, 1].sum((1, 2)).min()) < _LEAST_PIXELS / 2:
            return None
        far, far_masks, same = self._far(place, whole, generator, style)
        painted = torch.stack([as_painted(mask, generator) for mask in masks[:, 1]])
        gap = place.view.gap * abs(framing.step) / place.window.pixel
        return Episode(_triples(images), masks[:, 1:-1], alike[:, 1:-1], far, far_masks, painted, gap, same)

    def _parts(self, place: _Place, regions: Tensor, generator: np.random.Generator) -> Tensor:
        wanted = not place.regions.labelled and generator.random() < self.config.cut_share
        return cut(regions, place.label, len(place.regions.weights), 1, generator) if wanted else regions

    def _labels(self, regions: Tensor, place: _Place, generator: np.random.Generator) -> list[int]:
        """The wanted region, if it fits, and others drawn by their weights, its neighbours most.

        A part cut off weighs as its whole.
        """
        sizes = torch.bincount(regions.flatten().clamp(min=0)).cpu().numpy()
        fits = [n for n in np.flatnonzero(sizes) if n and _LEAST_PIXELS <= sizes[n] <= _MOST_SHARE * regions.numel()]
        if place.label not in fits:
            return []
        weights = place.regions.weights
        others = {int(n): weights[n] if n < len(weights) else weights[place.label] for n in fits if n != place.label}
        near = _touching(regions, place.label)
        chances = np.array([weight * (_NEAR if n in near else 1) for n, weight in others.items()]) + 1e-6
        count = min(len(others), self.config.structures - 1)
        drawn = generator.choice(list(others), count, False, chances / chances.sum()) if count else []
        return [place.label, *(int(number) for number in drawn)]

    def _images(
        self, place: _Place, indices: list[int], regions: Tensor, style: np.random.Generator, parts: Tensor
    ) -> Tensor:
        if place.view.volume.synthetic:
            return photometric(random_contrast(regions, style), style)
        images = place.view.slices(indices, place.window)
        tissues, label = self._tissues(place, indices, regions, style)
        if tissues is not None and style.random() < 0.2:
            images = shifted_contrast(images, tissues, style.uniform(0.1, 0.5), style)
        elif tissues is not None and style.random() < 0.3:
            images = faded_contrast(images, tissues, label, style.uniform(0.5, 1.0))
        elif style.random() < 0.2:
            images = _flattened(images, regions == place.label, np.random.default_rng(int(style.integers(2**31))))
        if parts is not regions and style.random() < 0.7:
            images = shifted_contrast(images, parts, style.uniform(0.02, 0.12), style)
        return photometric(images, style)

    def _tissues(
        self, place: _Place, indices: list[int], regions: Tensor, style: np.random.Generator
    ) -> tuple[Tensor | None, int]:
        """Regions that cover the slices, for changing their contrasts, and the number of the wanted one among them.

        Around drawn structures they are those of a watershed; None where the scan has none.
        """
        if not place.regions.labelled:
            return regions, place.label
        found = [each for each in place.view.volume.maps if not each.labelled]
        if not found:
            return None, place.label
        around = found[int(style.integers(len(found)))]
        numbers = len(around.weights)
        under = place.view.regions(around, indices, place.window)
        return torch.where(regions > 0, regions + numbers, under), place.label + numbers

    def _far(
        self, place: _Place, labels: list[int], generator: np.random.Generator, style: int
    ) -> tuple[Tensor, Tensor, bool]:
        other = self._other_patient(place, labels[0], generator) if place.regions.labelled else None
        target = other or place
        target = replace(target, framing=replace(target.framing, window=_nudged(target.window, generator)))
        first, last = target.regions.extents[labels[0], target.view.axis]
        if generator.random() < 0.1:
            first, last = 0, len(target.view.image)
        index = int(generator.integers(first, max(last, first + 1)))
        indices = [index + number * abs(target.framing.step) for number in range(-1, FAR + 1)]
        regions = target.view.regions(target.regions, indices, target.window)
        same = other is None and generator.random() < 0.5
        chosen = np.random.default_rng(style if same else int(generator.integers(2**31)))
        images = self._images(target, indices, regions, chosen, regions)
        return _triples(images), _masks(regions, labels, target.rough)[:, 1:-1], same

    def _other_patient(self, place: _Place, label: int, generator: np.random.Generator) -> _Place | None:
        if generator.random() < 0.4:
            return None
        members = self.groups[place.view.volume.group]
        volume = members[int(generator.integers(len(members)))]
        drawn = [regions for regions in volume.maps if regions.labelled]
        if not drawn or label >= len(drawn[0].weights) or not drawn[0].weights[label]:
            return None
        view = PlaneView(volume, place.view.axis)
        window = self.framer.around(view, drawn[0], label, place.window, generator)
        return _Place(view, drawn[0], label, replace(place.framing, window=window))


def _nudged(window: Window, generator: np.random.Generator) -> Window:
    row, column = (centre + float(generator.normal(0, 6)) for centre in window.centre)
    pixel = window.pixel * float(np.exp(generator.normal(0, 0.08)))
    return Window((row, column), pixel, window.angle + float(generator.normal(0, 0.08)), window.mirrored, window.size)


def _flattened(images: Tensor, seen: Tensor, generator: np.random.Generator) -> Tensor:
    """Little contrast around the structure's grey value; where it is not seen the slices stay as they are.

    The generator is one of its own: how much is drawn from it depends on the slices, and the style must not.
    """
    return flattened_contrast(images, float(images[seen].mean()), generator) if bool(seen.any()) else images


def _touching(regions: Tensor, label: int) -> set[int]:
    """Numbers of the regions on a slice [H, W] that come within four pixels of a region."""
    near = functional.max_pool2d((regions == label).to(torch.float32)[None, None], 9, 1, 4)[0, 0] > 0
    return {int(number) for number in regions[near].unique()}


def _masks(regions: Tensor, labels: list[int], rough: bool) -> Tensor:
    masks = [(regions == label).to(torch.float32) for label in labels]
    return torch.stack([smoothed(mask) for mask in masks] if rough else masks)


def _triples(slices: Tensor) -> Tensor:
    return torch.stack([slices[:-2], slices[1:-1], slices[2:]], 1)
