"""Which regions are found again in most scans of a set, kept beside the prepared scans (ours)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.checkpoint import load_model
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.inference import fast_encoder
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import ALONE, Team
from DPLSegmentLib.training.known_scans import KnownScan, known_folder, load_prepared_scans, write_arrays, write_lines
from DPLSegmentLib.training.known_views import KnownView, Viewer, maps_as_they_are
from DPLSegmentLib.training.pack import prepare_volumes, region_weights, scan_name, stored_scans
from DPLSegmentLib.training.recurring import Members, Region, recurring
from DPLSegmentLib.training.supervoxels import SCALES

_MOST = {"abdomen-mr": 10, "abdomen-ct": 20, "headneck-ct": 6}
_REGIONS = 60
_FEWEST_PIXELS, _FEWEST_SLICES = 12, 4
_LITTLE = 0.007
_MOSTLY = 0.3


def prepare_found(config: TrainingConfig, team: Team = ALONE) -> None:
    """Write which structures are found again in most scans of a set, and where, unless that has been done; each process
    cuts its share of the scans into regions, the first one looks for them."""
    if (known_folder(config) / "found.txt").is_file():
        return
    prepare_volumes(replace(config, pack=""), team, _MOST)
    if team.rank == 0:
        _find(config, known_folder(config))
    team.wait()


def _find(config: TrainingConfig, folder: Path) -> None:
    network = load_model(Path(config.start)).network
    viewer = Viewer(fast_encoder(network.encoder, torch.device("cpu")), ())
    scans = {scan.name: scan for scan in load_prepared_scans(replace(config, without=""), torch.device("cpu"))}
    found: list[str] = []
    for group, most in _MOST.items():
        stored = list(stored_scans(replace(config, pack=""), group))
        names = [scan_name(path, group) for path, _ in stored]
        described = [list(_described(scans[name], maps, viewer)) for name, (_, maps) in zip(names, stored, strict=True)]
        structures = recurring(described, most)
        for number, (name, (_, maps)) in enumerate(zip(names, stored, strict=True)):
            labels = _labels(structures, number, maps["regions0"].shape, len(found))
            write_arrays(folder / f"{name}-found.npz", {"labels": _enlarged(labels, scans[name].greys.shape)})
        found += [group] * len(structures)
    write_lines(folder / "found.txt", found)


def _labels(structures: Sequence[Members], scan: int, shape: tuple[int, ...], before: int) -> np.ndarray:
    """uint8 [z, y, x]: 1 + the number of the structure; of what overlaps, the one that is most alike."""
    labels = np.zeros(shape, np.uint8)
    for number, members in reversed(list(enumerate(structures, before + 1))):
        if scan in members:
            labels.ravel()[members[scan].voxels] = number
    return labels


def _enlarged(labels: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Of every `step`-th voxel in plane to all of them."""
    planes = torch.from_numpy(labels)[:, None].float()
    return functional.interpolate(planes, list(shape[1:]), mode="nearest")[:, 0].to(torch.uint8).numpy()


def _described(scan: KnownScan, arrays: dict[str, np.ndarray], viewer: Viewer) -> Iterator[Region]:
    """The heaviest regions of all scales, those that are seen well enough and are not what is drawn anyway."""
    view = viewer.as_it_is(scan)
    maps = np.stack([arrays[f"regions{scale}"].astype(np.int32) for scale in range(len(SCALES))], 1)
    seen = maps_as_they_are(scan, torch.from_numpy(maps))[:, :, STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].long()
    voxel = np.prod(scan.spacing) * int(arrays["step"]) ** 2 / 1000
    for scale in range(len(SCALES)):
        weights = region_weights(arrays, scale)
        heaviest = np.argsort(-weights)[: min(_REGIONS, int((weights > 0).sum()))]
        for number in heaviest:
            voxels = np.flatnonzero(maps[:, scale] == number)
            pixels = (seen[:, scale] == int(number)).nonzero().T
            drawn = (view.labels[:, STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE][tuple(pixels)] > 0).float().mean()
            if pixels.shape[1] >= _FEWEST_PIXELS and len(pixels[0].unique()) >= _FEWEST_SLICES and drawn < _MOSTLY:
                yield _region(voxels, pixels, view, scan, len(voxels) * voxel)


def _region(voxels: np.ndarray, pixels: Tensor, view: KnownView, scan: KnownScan, millilitres: float) -> Region:
    """`pixels` [3, n] are slice, row and column of the embedding."""
    index, row, column = pixels
    feature = view.features[index, :, row, column].double().mean(0).numpy()
    apart = scan.spacing[0] * (len(scan.greys) / len(view.features)) / 100
    where = torch.stack([index * apart, *view.places[:, row, column]]).double()
    spread = where.std(1).numpy() + _LITTLE
    along, down, right = where.mean(1).numpy()
    form = np.array([down, right, along, np.log(millilitres), *np.log(spread)])
    return Region(voxels, feature / np.linalg.norm(feature), form, millilitres)
