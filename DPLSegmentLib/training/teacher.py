"""What a first training makes of the structures that were found: what it sees takes the place of the regions (ours).

Regions of a watershed leak here and end early there, each in its own way; what was learnt from all of them does less.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.network.checkpoint import Model, load_model
from DPLSegmentLib.network.inference import fast_encoder
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import slice_step
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import ALONE, Team
from DPLSegmentLib.training.found_scans import found_groups, group_of, stored_labels, taught_folder
from DPLSegmentLib.training.known_scans import KnownScan, known_folder, load_prepared_scans, write_arrays
from DPLSegmentLib.training.known_views import Viewer, stack_of
from DPLSegmentLib.training.pack import scan_name, training_scans
from DPLSegmentLib.training.refitting import refitted, without_unusual
from DPLSegmentLib.training.swept_again import swept_again

_LEAST_PART = 0.25


def prepare_taught(config: TrainingConfig, team: Team = ALONE) -> None:
    """Write what `config.teacher` sees of what was found, unless that has been done; of MR fitted to the greys, or of
    pairs swept again, without what differs too much from other MR scans in size. What it sees in no scan of a set stays
    as it was found. Each process looks at its share of the scans, the first one does the rest."""
    folder = taught_folder(config)
    if folder.is_dir():
        return
    model, groups = load_model(Path(config.teacher)), found_groups(config)
    scans = load_prepared_scans(replace(config, without=""), torch.device("cpu"))
    scans = [scan for scan in scans if group_of(scan) in groups]
    _look(model.network, team.share(scans), groups, folder.with_suffix(".seen"))
    team.wait()
    if team.rank == 0:
        _write(config, model, scans)
    team.wait()


def _look(network: SegmentationNetwork, scans: Sequence[KnownScan], groups: Sequence[str], folder: Path) -> None:
    """Write what is seen in each scan where that has not been done."""
    viewer = Viewer(fast_encoder(network.encoder, torch.device("cpu")), ())
    for scan in scans:
        kept = folder / f"{scan.name}.npz"
        if not kept.is_file():
            write_arrays(kept, {"labels": _seen(network, viewer, scan, [of == group_of(scan) for of in groups])})


def _write(config: TrainingConfig, model: Model, scans: Sequence[KnownScan]) -> None:
    folder = taught_folder(config)
    partial, looked = folder.with_suffix(".partial"), folder.with_suffix(".seen")
    seen = {scan.name: stored_labels(looked / f"{scan.name}.npz") for scan in scans}
    _complete(seen, known_folder(config))
    magnetic = [scan for scan in scans if scan.kind == "MR"]
    if config.swept:
        _sweep_pairs(config, model, {scan.name: scan for scan in scans}, seen)
    else:
        seen |= {scan.name: refitted(scan, seen[scan.name]) for scan in magnetic}
    without_unusual([seen[scan.name] for scan in magnetic])
    for name, labels in seen.items():
        write_arrays(partial / f"{name}-found.npz", {"labels": labels})
    partial.rename(folder)
    shutil.rmtree(looked)


def _complete(seen: dict[str, np.ndarray], folder: Path) -> None:
    """With those structures as they were found that are seen in no scan."""
    taught = np.unique(np.concatenate([np.unique(labels) for labels in seen.values()]))
    for name, labels in seen.items():
        found = stored_labels(folder / f"{name}-found.npz")
        kept = np.where(np.isin(found, taught), 0, found)
        seen[name] = np.where(kept > 0, kept, labels)


def _seen(network: SegmentationNetwork, viewer: Viewer, scan: KnownScan, own: list[bool]) -> np.ndarray:
    """uint8 [z, y, x]: 1 + the number of the structure that is found, of those that are `own` to the set."""
    probability = _probability(network, viewer, scan, own)
    stack, numbers = stack_of(scan), np.flatnonzero([True, *own])
    labels = []
    for slices in probability:
        working = functional.interpolate(slices[None], stack.shape, mode="bilinear", align_corners=False)[0]
        labels.append(numbers[stack.to_native(working.numpy()).argmax(0)].astype(np.uint8))
    index = (np.arange(len(scan.greys)) / slice_step(scan.spacing[0])).round().astype(int)
    return _large_parts(np.stack(labels)[index.clip(max=len(labels) - 1)])


@torch.inference_mode()
def _probability(network: SegmentationNetwork, viewer: Viewer, scan: KnownScan, own: list[bool]) -> Tensor:
    """[n, 1 + k, h, w] of nothing and of what is its `own`; all else counts as nothing, as it does in the lesson."""
    recogniser = network.recogniser_of(scan.kind)
    assert recogniser is not None
    view = viewer.as_it_is(scan)
    told = recogniser(view.features.float(), view.places.float(), view.slices.float()).softmax(1)
    found = told[:, -len(own) :][:, own]
    return torch.cat([1 - found.sum(1, keepdim=True), found], 1)


def _sweep_pairs(
    config: TrainingConfig, model: Model, scans: Mapping[str, KnownScan], seen: Mapping[str, np.ndarray]
) -> None:
    """Labels 1 + the number of what was found; without the recogniser, which saw them."""
    engine = Engine(model, torch.device("cpu"), EngineOptions(recognise=False))
    first = len(model.network.config.known) - 1
    numbers = {"CT": config.paired.keys(), "MR": config.paired.values()}
    for path, group in training_scans(Path(config.data)):
        name = scan_name(path, group)
        if name in seen:
            volume = read_volume(path)
            for number in numbers[scans[name].kind]:
                swept_again(engine, volume, seen[name], number - first)


def _large_parts(labels: np.ndarray) -> np.ndarray:
    """Without parts of a structure that are much smaller than its largest one."""
    for number in np.unique(labels)[1:]:
        parts, count = ndimage.label(labels == number, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        small = np.flatnonzero(sizes < _LEAST_PART * sizes[1:].max())
        labels[np.isin(parts, small[small > 0])] = 0
    return labels
