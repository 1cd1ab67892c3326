"""Scans made ready for training once, kept as .npz in the run's cache folder.

Only `train/` and `unlabelled/` are read, and of the abdominal sets only labels that are not benchmark organs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import ALONE, Team
from DPLSegmentLib.training.supervoxels import SCALES, stabilities, useful_regions, watershed_maps
from DPLSegmentLib.training.synthesis import random_labels

BENCHMARK = frozenset({"liver", "right kidney", "left kidney", "spleen"})
_SETS = ("abdomen-mr/train", "abdomen-ct/train", "headneck-ct/train", "unlabelled")
_GROUPS = tuple(name.split("/")[0] for name in _SETS)
_LARGE = 200 * 200
_FORMAT = 5
_STABLE = 4


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Regions [z, y, x], taken from every `step`-th voxel in plane; `weights` [n + 1] and `extents` [n + 1, 3, 2] of
    each region in voxels of the scan. `labelled` tells drawn structures from supervoxels."""

    regions: Tensor
    step: int
    weights: np.ndarray
    extents: np.ndarray
    labelled: bool


@dataclass(frozen=True, eq=False)
class TrainingVolume:
    """A scan as uint8 (0..255 for 0..1), spacing in mm (z, y, x), and its region maps; `group` names its set."""

    image: Tensor
    spacing: tuple[float, float, float]
    maps: tuple[RegionMap, ...]
    group: str
    synthetic: bool = False


def region_map(regions: np.ndarray, step: int, weights: np.ndarray, labelled: bool) -> RegionMap:
    """Add each region's extent along the three axes."""
    extents = np.zeros((len(weights), 3, 2), np.int32)
    for number, box in enumerate(ndimage.find_objects(regions, len(weights) - 1), 1):
        if box is not None:
            extents[number] = [(s.start * f, s.stop * f) for s, f in zip(box, (1, step, step), strict=True)]
    kept = torch.from_numpy(np.ascontiguousarray(regions.astype(np.int32)))
    return RegionMap(kept, step, weights, extents, labelled)


def to_device(volume: TrainingVolume, device: torch.device) -> TrainingVolume:
    """The same with its voxels on a device, so that sampling and augmentation run there."""
    maps = tuple(replace(each, regions=each.regions.to(device)) for each in volume.maps)
    return replace(volume, image=volume.image.to(device), maps=maps)


def pack_folder(config: TrainingConfig, usual: str = f"pack{_FORMAT}") -> Path:
    """Where the prepared scans are kept; in `usual` beside the run where the configuration does not say."""
    return Path(config.pack) if config.pack else Path(config.run).parent / usual


def prepare_volumes(config: TrainingConfig, team: Team = ALONE, groups: Collection[str] = _GROUPS) -> None:
    """Write what `load_volumes` reads, for the scans of these sets for which that has not been done yet; each process
    its share."""
    scans = [(path, group) for path, group in training_scans(Path(config.data)) if group in groups]
    for path, group in team.share(scans):
        _kept(path, group, config)
    team.wait()


def load_volumes(config: TrainingConfig) -> list[TrainingVolume]:
    """All training scans in which there is anything to learn from, then the synthetic ones.

    Raises TrainingError when the folder has none.
    """
    cached = (_cached(path, group, config) for path, group in training_scans(Path(config.data)))
    volumes = [volume for volume in cached if volume.maps]
    if not volumes:
        raise TrainingError(f"No training scans were found in {config.data}; it must hold {', '.join(_SETS)}.")
    return volumes + synthetic_volumes(config)


def stored_scans(config: TrainingConfig, group: str) -> Iterator[tuple[Path, dict[str, np.ndarray]]]:
    """The scans of one set in sorted order, each with the arrays that are kept of it (see `_prepare`)."""
    for path in scan_paths(config, group):
        yield path, _arrays(path, group, config)


def region_weights(arrays: Mapping[str, np.ndarray], scale: int) -> np.ndarray:
    """Sampling weights [n + 1] of the regions of a scale: what other scales agree on counts most."""
    return arrays[f"weights{scale}"] * arrays[f"stable{scale}"] ** _STABLE


def scan_paths(config: TrainingConfig, group: str) -> list[Path]:
    """The training scans of one set in sorted order."""
    return [path for path, of in training_scans(Path(config.data)) if of == group]


def training_scans(root: Path) -> Iterator[tuple[Path, str]]:
    """All training scans with their sets, in the order of the sets."""
    for name, group in zip(_SETS, _GROUPS, strict=True):
        for path in sorted((root / name).glob("*-image.nii.gz")):
            yield path, group


def scan_name(path: Path, group: str) -> str:
    """What a scan of a set is called where it is kept."""
    return f"{group}-{path.name.removesuffix('-image.nii.gz')}"


def drawn_scans(root: Path) -> list[tuple[Path, str]]:
    """The training scans on which more than benchmark organs is drawn, with their sets, in the order of the sets."""
    return [(path, group) for path, group in training_scans(root) if permitted_labels(path) is not None]


def synthetic_volumes(config: TrainingConfig) -> list[TrainingVolume]:
    """Label volumes without an image of their own; contrasts are drawn when they are sampled."""
    return [_synthetic(np.random.default_rng([config.seed, number])) for number in range(config.synthetic)]


def _synthetic(generator: np.random.Generator) -> TrainingVolume:
    labels = random_labels(generator)
    weights = np.concatenate([[0.0], np.ones(int(labels.max()))])
    spacing = (float(generator.uniform(1, 4)), 1.5, 1.5)
    maps = (region_map(labels, 1, weights, False),)
    return TrainingVolume(torch.from_numpy(labels), spacing, maps, "synthetic", True)


def _kept(path: Path, group: str, config: TrainingConfig) -> Path:
    kept = pack_folder(config) / f"{scan_name(path, group)}.npz"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial.npz")
        np.savez_compressed(partial, **_prepare(path))
        partial.replace(kept)
    return kept


def _cached(path: Path, group: str, config: TrainingConfig) -> TrainingVolume:
    return _unpack(_arrays(path, group, config), group, config.labels)


def _arrays(path: Path, group: str, config: TrainingConfig) -> dict[str, np.ndarray]:
    with np.load(_kept(path, group, config), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _prepare(path: Path) -> dict[str, np.ndarray]:
    volume = read_volume(path)
    image = normalise(volume).astype(np.float32)
    step = 2 if image.shape[1] * image.shape[2] > _LARGE and volume.spacing[0] < 4 else 1
    coarse = np.ascontiguousarray(image[:, ::step, ::step])
    z, y, x = volume.spacing
    arrays = {
        "image": (image * 255).round().astype(np.uint8),
        "spacing": np.array(volume.spacing),
        "step": np.array(step),
    }
    found = [useful_regions(coarse, regions) for regions in watershed_maps(coarse, (z, y * step, x * step))]
    stable = stabilities([regions for regions, _ in found])
    for scale, ((regions, weights), again) in enumerate(zip(found, stable, strict=True)):
        arrays |= {f"regions{scale}": regions, f"weights{scale}": weights, f"stable{scale}": again}
    labels = permitted_labels(path)
    return arrays if labels is None else {**arrays, "labels": labels}


def permitted_labels(path: Path) -> np.ndarray | None:
    """Label values [z, y, x] of what is drawn on a scan, without benchmark organs; None where nothing else is."""
    drawn = path.with_name(path.name.replace("-image", "-labels"))
    if not drawn.is_file():
        return None
    labels = read_segmentation(drawn).labelmap().astype(np.uint8)
    hidden = [value for name, value in label_values(path).items() if name in BENCHMARK]
    labels[np.isin(labels, hidden)] = 0
    return labels if labels.any() else None


def label_values(path: Path) -> dict[str, int]:
    """The label value of each name in the set of a scan."""
    named = json.loads((path.parent.parent / "labels.json").read_text())
    return {str(name): int(value) for value, name in named.items()}


def _unpack(arrays: dict[str, np.ndarray], group: str, use_labels: bool) -> TrainingVolume:
    step = int(arrays["step"])
    found = [scale for scale in range(len(SCALES)) if len(arrays[f"weights{scale}"]) > 1]
    weights = {scale: region_weights(arrays, scale) for scale in found}
    maps = [region_map(arrays[f"regions{scale}"], step, weights[scale], False) for scale in found]
    if use_labels and "labels" in arrays:
        labels = arrays["labels"]
        present = np.bincount(labels.ravel()) > 0
        present[0] = False
        maps.append(region_map(labels, 1, present.astype(float), True))
    z, y, x = (float(size) for size in arrays["spacing"])
    return TrainingVolume(torch.from_numpy(arrays["image"]), (z, y, x), tuple(maps), group)
