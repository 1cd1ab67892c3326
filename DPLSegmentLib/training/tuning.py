"""Scans to choose rules by, with large smooth watershed regions as truth instead of drawn labels (ours).

MR scans as they are; CT scans whose slices are as thick as those of MR; and the same with soft tissue of nearly one
grey value, noise and uneven brightness: there a sweep strays as it does on real organs of MR, but the truth comes from
the scan as it was, whose borders are plain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.training.augment import smoothed
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.pack import scan_paths, stored_scans
from DPLSegmentLib.training.supervoxels import SCALES

_THICK_MM = 7.5
_LEAST_SLICES = 5
_MOST_ALIKE = 0.5
_MOST_OF_A_SCALE = 3
_GREYS = (0.0, 0.15, 0.35, 0.45, 0.68, 0.85, 1.0)
_PLAIN = (0.0, 0.08, 0.22, 0.32, 0.6, 0.85, 1.0)
_FLAT = (0.0, 0.08, 0.25, 0.36, 0.48, 0.7, 0.9)
_FLAT_DARK = (0.0, 0.08, 0.5, 0.5, 0.38, 0.33, 0.6)
_DARK_SHARE = 0.4
_NOISE, _UNEVEN = 0.025, 0.2


@dataclass(frozen=True, eq=False)
class TuningScan:
    """A scan of the set `group`, and regions of it [z, y, x] (uint8, from 1) that stand for structures."""

    group: str
    case: str
    volume: Volume
    regions: np.ndarray


@dataclass(frozen=True)
class Wanted:
    """Which regions are large enough and no air, fat or bone: millilitres and mean grey value 0..1, from and to."""

    millilitres: tuple[float, float]
    greys: tuple[float, float]


MR = Wanted((3.0, 1500.0), (0.18, 1.0))
CT = Wanted((60.0, 2200.0), (0.45, 0.9))


def count(config: TrainingConfig) -> int:
    """How many scans `tuning_scans` gives at most."""
    return len(scan_paths(config, "abdomen-mr")) + 2 * len(scan_paths(config, "abdomen-ct"))


def tuning_scans(config: TrainingConfig) -> Iterator[TuningScan]:
    """All scans of the three sets that have such regions, made from the training scans of `config.data`; the same at
    every call."""
    return (scan for scan in _candidates(config) if scan.regions.any())


def _candidates(config: TrainingConfig) -> Iterator[TuningScan]:
    for path, arrays in stored_scans(config, "abdomen-mr"):
        volume, case = read_volume(path), path.name.split("-")[1]
        yield TuningScan("mr-regions", case, volume, regions_of(arrays, volume, MR, 1))
    for number, (path, arrays) in enumerate(stored_scans(config, "abdomen-ct")):
        volume, case = read_volume(path), path.name.split("-")[1]
        every = max(1, round(_THICK_MM / volume.spacing[0]))
        regions = regions_of(arrays, volume, CT, every)
        image = arrays["image"][::every].astype(np.float32) / 255
        affine = volume.ijk_to_ras.copy()
        affine[:3, 2] *= every
        for group, flat in (("ct-thick", False), ("ct-like-mr", True)):
            remade = as_other_scanner(image, flat, np.random.default_rng([5, number]))
            yield TuningScan(group, case, Volume(remade, affine, case), regions)


def regions_of(arrays: dict[str, np.ndarray], volume: Volume, wanted: Wanted, every: int) -> np.ndarray:
    """Every `every`-th slice of the regions that weigh most at each scale, without those that are nearly the same."""
    chosen = np.zeros(arrays["image"][::every].shape, np.uint8)
    for scale in range(len(SCALES)):
        for mask in _heaviest(arrays, scale, volume, wanted, every):
            if _like_none(mask, chosen):
                chosen[mask] = chosen.max() + 1
    return chosen


def _heaviest(
    arrays: dict[str, np.ndarray], scale: int, volume: Volume, wanted: Wanted, every: int
) -> Iterator[np.ndarray]:
    regions, step = arrays[f"regions{scale}"], int(arrays["step"])
    weights = arrays[f"weights{scale}"].copy()
    sizes = np.bincount(regions.ravel(), minlength=len(weights))
    image = arrays["image"][:, ::step, ::step]
    means = np.bincount(regions.ravel(), image.ravel(), minlength=len(weights)) / np.maximum(sizes, 1) / 255
    volumes = sizes * volume.voxel_millilitres * step**2
    weights[~(_within(volumes, wanted.millilitres) & _within(means, wanted.greys))] = 0
    for number in np.argsort(-weights)[: min(_MOST_OF_A_SCALE, int((weights > 0).sum()))]:
        mask = _full_size(regions == number, step, volume.shape)[::every]
        mask = smoothed(torch.from_numpy(mask.astype(np.float32))).numpy() > 0.5
        if mask.any((1, 2)).sum() >= _LEAST_SLICES:
            yield mask


def _within(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (values >= limits[0]) & (values <= limits[1])


def _full_size(mask: np.ndarray, step: int, shape: tuple[int, int, int]) -> np.ndarray:
    wide = mask.repeat(step, 1).repeat(step, 2)[:, : shape[1], : shape[2]]
    missing = [(0, whole - size) for whole, size in zip(shape, wide.shape, strict=True)]
    return np.pad(wide, missing, mode="edge")


def _like_none(mask: np.ndarray, chosen: np.ndarray) -> bool:
    """Whether no region chosen before overlaps it by half, as Dice."""
    shared, sizes = np.bincount(chosen[mask], minlength=int(chosen.max()) + 1), np.bincount(chosen.ravel())
    return not np.any(2 * shared[1:] / (sizes[1:] + mask.sum()) > _MOST_ALIKE)


def as_other_scanner(image: np.ndarray, flat: bool, generator: np.random.Generator) -> np.ndarray:
    """A CT [z, y, x] in 0..1 with other grey values, noise and uneven brightness, in 0..1200; `flat` leaves little
    contrast between soft tissues."""
    dark = generator.random() < _DARK_SHARE
    heights = (_FLAT_DARK if dark else _FLAT) if flat else _PLAIN
    corners = generator.uniform(1 - _UNEVEN, 1 + _UNEVEN, (2, 4, 4))
    uneven = ndimage.zoom(corners, np.array(image.shape) / corners.shape, order=1)
    noise = generator.normal(0, _NOISE, image.shape) * (image > 0.05)
    return (np.clip(np.interp(image, _GREYS, heights) * uneven + noise, 0, 1.2) * 1000).astype(np.float32)
