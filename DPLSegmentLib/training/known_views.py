"""Embedded views of the scans with drawn structures, for the recogniser to learn from (ours).

Made on the device, so that a graphics card does not wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.stack import SliceStack, stack_along
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.inference import Encode
from DPLSegmentLib.network.network import body_weight, channel_statistics
from DPLSegmentLib.network.recogniser import TOLD_STRIDE, places_of, slice_step
from DPLSegmentLib.propagation.body import body_box
from DPLSegmentLib.propagation.embedding import BATCH, WORKING_SIZE
from DPLSegmentLib.training.known_scans import GREYS, KnownScan

_FEWEST = 24
_JUDGED = 8
_DRAWN = 0.8
_SHORTER, _LONGER = 0.4, 0.12
_TURN, _SHIFT, _ZOOM, _STRETCH = 0.1, 0.04, (-0.12, 0.15), 0.06
_BEND_MM, _BENDS = 4.0, (3, 5, 5)
_WINDOWS = (1.0, 1.5, 2.75, 4.0)
_GAMMA, _BRIGHTNESS, _NOISE, _BLURRED = 0.15, 0.1, 0.04, 0.2
_SHADE, _SHADES = 0.22, (4, 3, 3)
_VARIED = {"CT": 1.0, "MR": 2.0}
_OTHER_AGENT, _AGENT = 0.3, (-0.35, 0.2)


@dataclass(frozen=True, eq=False)
class KnownView:
    """`features` [n, C, h, w] and `slices` [n, 4h, 4w] about 5 mm apart, as the recogniser sees them, half precision,
    with `places` [2, h, w]; `labels` uint8 [n, 4h, 4w]: 1 + the number of a known structure."""

    features: Tensor
    slices: Tensor
    places: Tensor
    labels: Tensor


class Viewer:
    """Looks at scans; `vessels` are the numbers of those structures that a contrast agent brightens."""

    def __init__(self, encode: Encode, vessels: tuple[int, ...]) -> None:
        self.encode = encode
        self.vessels = vessels

    def look(self, scan: KnownScan, generator: np.random.Generator, count: int) -> KnownView:
        """`count` slices of a scan in a row, mostly where something is drawn, turned, bent, mirrored, zoomed and in
        other grey values; the last one again and again where there are fewer. Half of the times front to back, as one
        of the sets is stored the other way round than its headers say. Body and channels are those of the whole scan,
        judged by a few slices from end to end."""
        index = _chosen(scan, generator)
        mirrored = generator.random() < 0.25
        part = _part(scan.labels[index].flatten(1).any(1), count, generator)
        shown = torch.cat([part, torch.linspace(0, len(index) - 1, _JUDGED).round().long()])
        grid = _grid(scan, shown, len(index), mirrored, generator)
        labels = _labels(scan, index[shown], grid)
        sampled = _sampled(_windowed(scan, _around(scan, index[shown]), generator), grid, "bilinear")
        return self._view(self._greyed(sampled, labels, scan.kind, generator), labels[:count], mirrored, count)

    def as_it_is(self, scan: KnownScan) -> KnownView:
        """Every slice that the recogniser would see of it, as the engine shows it."""
        index = _seen(scan)
        grid = _framed(scan, torch.eye(2, 3), len(index))
        greys = scan.greys[_around(scan, index)].float() / GREYS[scan.kind]
        shown = _sampled(greys.clamp(max=1), grid, "bilinear")
        return self._view(shown, _labels(scan, index, grid), False, 0)

    @torch.no_grad()
    def _view(self, triples: Tensor, labels: Tensor, mirrored: bool, others: int) -> KnownView:
        """Of those slices that have `labels`; the body and what is usual in it are judged by the `others`-th and later
        ones."""
        features = torch.cat([self.encode(part).float() for part in triples.split(BATCH[triples.device.type])])
        slices, count = triples[:, 1], len(labels)
        mean, deviation = channel_statistics(features[others:], body_weight(slices[others:], features.shape[-2:]))
        places = places_of(body_box(slices[others:]), features.shape[-2:], STRIDE, mirrored)
        standard = (features[:count] - mean) / deviation
        return KnownView(standard.half(), slices[:count].half(), places.to(slices), labels.to(torch.uint8))

    def _greyed(self, shown: Tensor, labels: Tensor, kind: str, generator: np.random.Generator) -> Tensor:
        """Other brightness, contrast, sharpness, noise and contrast agent, as another scan of the kind has; no more
        than that."""
        if generator.random() < _OTHER_AGENT:
            shown = (shown + self._agent(labels, generator)).clamp(0, 1) * (shown > 0)
        if generator.random() < _BLURRED:
            shown = functional.avg_pool2d(shown, 3, 1, 1)
        gamma, gain = (float(np.exp(_VARIED[kind] * generator.normal(0, by))) for by in (_GAMMA, _BRIGHTNESS))
        shown = _shaded(shown, generator) if kind == "MR" else shown
        bent = shown**gamma * gain
        return (bent + torch.randn_like(bent) * float(generator.uniform(0, _NOISE))).clamp(0, 1)

    def _agent(self, labels: Tensor, generator: np.random.Generator) -> Tensor:
        """[n, 1, H, W] to be added, soft at the borders of the vessels."""
        added = torch.zeros_like(labels)
        for number in self.vessels:
            added += (labels == 1 + number) * float(generator.uniform(*_AGENT))
        return functional.avg_pool2d(added[:, None], 5, 1, 2)


def _shaded(shown: Tensor, generator: np.random.Generator) -> Tensor:
    """Brighter here and darker there, as a coil receives them."""
    drawn = torch.from_numpy(generator.normal(0, _SHADE, (1, 1, *_SHADES)).astype(np.float32)).to(shown)
    size = (len(shown), *shown.shape[2:])
    shade = functional.interpolate(drawn, size=size, mode="trilinear", align_corners=True)
    return shown * shade[0, 0, :, None].exp()


def stack_of(scan: KnownScan) -> SliceStack:
    """Working pixels of its slices as the engine has them; without the slices."""
    empty = np.empty((1, *scan.greys.shape[1:]), np.uint8)
    return stack_along(empty, scan.spacing, 0, WORKING_SIZE, scan.box)


def maps_as_they_are(scan: KnownScan, maps: Tensor) -> Tensor:
    """Maps [z, m, y, x], of any size in plane, to float [n, m, H, W] as `Viewer.as_it_is` shows the scan."""
    index = _seen(scan)
    return _sampled(maps[index].float(), _framed(scan, torch.eye(2, 3), len(index)), "nearest")


def shares_of(labels: Tensor, numbers: Sequence[int]) -> Tensor:
    """Labels [n, 4h, 4w] to [n, 1 + k, 2h, 2w]: how much (0..1) of what the recogniser tells is of nothing, and of each
    of some structures."""
    empty = functional.avg_pool2d(torch.zeros_like(labels, dtype=torch.float32), TOLD_STRIDE)
    each = [functional.avg_pool2d((labels == 1 + number).float(), TOLD_STRIDE) for number in numbers]
    return torch.stack([1 - sum(each, empty), *each], 1)


def _seen(scan: KnownScan) -> Tensor:
    """Which slices the recogniser would see."""
    return torch.arange(0, len(scan.greys), slice_step(scan.spacing[0]))


def _chosen(scan: KnownScan, generator: np.random.Generator) -> Tensor:
    """Which slices: about 5 mm apart, a little more or less where thin ones are there to choose from; some of the times
    not from end to end."""
    count, step = len(scan.greys), slice_step(scan.spacing[0])
    zoomed = step * float(np.exp(generator.normal(0, _LONGER))) if step > 1 else 1.0
    index = np.arange(float(generator.integers(step)), count - 0.5, zoomed).round().astype(int)
    if generator.random() < _SHORTER and len(index) > _FEWEST:
        most = int(generator.integers(_FEWEST, len(index)))
        first = int(generator.integers(len(index) - most))
        index = index[first : first + most]
    return torch.from_numpy(index)


def _part(drawn: Tensor, count: int, generator: np.random.Generator) -> Tensor:
    """Exactly `count` slices of those that may be `drawn` on (bool [n]); the last one again where there are fewer."""
    part = torch.arange(len(drawn))[mostly_drawn(drawn, count, generator)]
    return torch.cat([part, part[-1:].expand(count - len(part))])


def mostly_drawn(drawn: Tensor, most: int, generator: np.random.Generator) -> slice:
    """Up to `most` slices in a row of those that may be `drawn` on (bool [n]); most of the times such that something is
    in their middle."""
    there = np.flatnonzero(drawn.cpu().numpy())
    if not len(there) or generator.random() > _DRAWN:
        return any_range(len(drawn), most, generator)
    start = int(np.clip(generator.choice(there) - most // 2, 0, max(0, len(drawn) - most)))
    return slice(start, min(len(drawn), start + most))


def any_range(count: int, most: int, generator: np.random.Generator) -> slice:
    """Up to `most` of `count` in a row."""
    start = int(generator.integers(max(1, count - most + 1)))
    return slice(start, min(count, start + most))


def _around(scan: KnownScan, index: Tensor) -> Tensor:
    """[n, 3]: each slice between the one before and the one after."""
    return torch.stack([(index + shift).clamp(0, len(scan.greys) - 1) for shift in (-1, 0, 1)], 1)


def _labels(scan: KnownScan, index: Tensor, grid: Tensor) -> Tensor:
    """float [n, H, W]."""
    return _sampled(scan.labels[index][:, None].float(), grid, "nearest")[:, 0]


def _windowed(scan: KnownScan, index: Tensor, generator: np.random.Generator) -> Tensor:
    """Slices [n, 3, y, x] in 0..1; half of the times through a window as wide as it becomes where bone is painted."""
    wide = float(generator.choice(_WINDOWS)) if generator.random() < 0.5 else 1.0
    greys = scan.greys[index].float()
    dithered = (greys + torch.rand_like(greys) - 0.5) * (greys > 0)
    return (dithered / (GREYS[scan.kind] * min(wide, scan.wide))).clamp(0, 1)


def _grid(scan: KnownScan, shown: Tensor, count: int, mirrored: bool, generator: np.random.Generator) -> Tensor:
    """[n, H, W, 2] where to look for each working pixel of the slices that are `shown` (int [n]) of `count`."""
    angle = float(generator.normal(0, _TURN))
    zoom = float(np.exp(-generator.uniform(*_ZOOM)))
    high, wide = zoom * np.exp(generator.normal(0, _STRETCH, 2))
    down, right = generator.normal(0, _SHIFT, 2)
    high = -high if generator.random() < 0.5 else high
    wide = -wide if mirrored else wide
    cos, sin = np.cos(angle), np.sin(angle)
    turn = torch.tensor([[cos * wide, -sin * high, right], [sin * wide, cos * high, down]], dtype=torch.float32)
    grid = _framed(scan, turn, len(shown))
    return grid + _bent(scan, grid, shown, count, generator)


def _framed(scan: KnownScan, turn: Tensor, count: int) -> Tensor:
    """[n, H, W, 2]: the scan's box as the engine frames it, turned by `turn` [2, 3] about its middle; -1..1 of the
    plane, and outside of it in the padding. Angles are kept by mm."""
    top, left, bottom, right = scan.box
    stack = stack_of(scan)
    rows, columns = (
        (torch.arange(side) + 0.5) * stack.pixel_mm - content * stack.pixel_mm / 2
        for side, content in zip(stack.shape, stack.content, strict=True)
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    seen = torch.stack([x, y, torch.full_like(x, max(scan.mm(0), scan.mm(1)) / 2)], -1) @ turn.T
    middle = torch.tensor([(left + right) / 2, (top + bottom) / 2])
    voxels = seen / torch.tensor([scan.spacing[2], scan.spacing[1]]) + middle
    placed = voxels / torch.tensor([scan.greys.shape[2], scan.greys.shape[1]]) * 2 - 1
    placed[stack.content[0] :] = placed[:, stack.content[1] :] = 3.0
    return placed.to(scan.greys.device).expand(count, -1, -1, -1)


def _bent(scan: KnownScan, grid: Tensor, shown: Tensor, count: int, generator: np.random.Generator) -> Tensor:
    """Smooth displacements [n, H, W, 2] of a few mm, of the slices that are `shown` of `count`."""
    drawn = torch.from_numpy(generator.normal(0, _BEND_MM, (1, 2, *_BENDS)).astype(np.float32)).to(grid)
    along = functional.interpolate(drawn, size=(count, *_BENDS[1:]), mode="trilinear", align_corners=True)
    bends = functional.interpolate(
        along[0, :, shown].movedim(1, 0), size=grid.shape[1:3], mode="bilinear", align_corners=True
    )
    return bends.movedim(1, -1) / grid.new_tensor([scan.mm(1), scan.mm(0)]) * 2


def _sampled(planes: Tensor, grid: Tensor, mode: str) -> Tensor:
    """[n, c, y, x] to [n, c, H, W]; zero beyond the border."""
    return functional.grid_sample(planes, grid, mode=mode, padding_mode="zeros", align_corners=False)
