"""Scans with structures that nobody named beside those that are drawn, for the recogniser to learn from (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from DPLSegmentLib.network.identity import digest_of
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.known_scans import KnownScan, known_folder, load_prepared_scans


def found_kinds(config: TrainingConfig) -> tuple[str, ...]:
    """The kind of scan, "CT" or "MR", of each structure that was found; after `prepare_found`."""
    return tuple("MR" if group.endswith("-mr") else "CT" for group in found_groups(config))


def found_groups(config: TrainingConfig) -> tuple[str, ...]:
    """The set of each."""
    return tuple((known_folder(config) / "found.txt").read_text().splitlines())


def group_of(scan: KnownScan) -> str:
    """The set of a scan."""
    return scan.name.rsplit("-case-", 1)[0]


def taught_folder(config: TrainingConfig) -> Path:
    """Where that is kept which `config.teacher` makes of what was found, and of the pairs that are swept again."""
    swept = config.pairs.replace(":", "-").split() if config.swept else []
    return known_folder(config) / "-".join(["taught", digest_of(Path(config.teacher))[:12], *swept])


def stored_labels(path: Path) -> np.ndarray:
    """uint8 [z, y, x] as `write_arrays` wrote them."""
    with np.load(path, allow_pickle=False) as arrays:
        labels: np.ndarray = arrays["labels"]
        return labels


def load_found_scans(config: TrainingConfig, device: torch.device) -> list[KnownScan]:
    """All scans on which anything is drawn or found, and those of other kinds that tell what does not look like it."""
    groups, folder = found_groups(config), taught_folder(config) if config.teacher else known_folder(config)
    scans = (_with_found(scan, folder, groups) for scan in load_prepared_scans(config, device))
    return [scan for scan in scans if not bool(scan.maybe.all())]


def _with_found(scan: KnownScan, folder: Path, groups: Sequence[str]) -> KnownScan:
    """What is found takes the place of nothing, never of what is drawn."""
    known, group = len(scan.maybe), group_of(scan)
    kept = folder / f"{scan.name}-found.npz"
    if not kept.is_file():
        maybe = [not (scan.kind == "MR" and of.endswith("-mr")) for of in groups]
        return replace(scan, maybe=torch.cat([scan.maybe, scan.maybe.new_tensor(maybe)]))
    found = torch.from_numpy(stored_labels(kept)).to(scan.labels.device)
    there = set(found.unique().tolist())
    maybe = [of != group or number not in there for number, of in enumerate(groups, 1)]
    labels = torch.where((scan.labels == 0) & (found > 0), found + known, scan.labels)
    return replace(scan, labels=labels, maybe=torch.cat([scan.maybe, scan.maybe.new_tensor(maybe)]))
