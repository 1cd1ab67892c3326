"""The scans for the recogniser to learn from, kept small enough to be sent to a graphics card.

Grey values are kept in steps of 12.5 HU of CT, which is less than its noise, or a hundredth of the range of MR.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from DPLSegmentLib.images.intensity import Kind, detect_kind, intensity_window, normalise
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.stack import Box, occupied_box
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import ALONE, Team
from DPLSegmentLib.training.pack import (
    BENCHMARK,
    drawn_scans,
    label_values,
    pack_folder,
    permitted_labels,
    scan_name,
    training_scans,
)

GREYS = {"CT": 32, "MR": 100}
"""How many steps the usual window is divided into."""

_FORMAT = 2
_WIDE = 4.0
_AIR = 0.05
_MAYBE = {"abdomen-ct": ("spinal cord",), "headneck-ct": ("aorta",)}
"""What scans of a set show in part although nobody drew it there."""


@dataclass(frozen=True, eq=False)
class KnownScan:
    """`name` tells its set and case; `kind` is "CT" or "MR"; `greys` uint8 [z, y, x], `GREYS` of them for the usual
    window and `wide` times as many in all; `labels` [z, y, x]: 1 + the number of the structure; `spacing` in mm
    (z, y, x); `box` what is looked at in plane; `maybe` bool [k]: what may be there without being drawn."""

    name: str
    kind: str
    greys: Tensor
    labels: Tensor
    spacing: tuple[float, float, float]
    box: Box
    wide: float
    maybe: Tensor

    def mm(self, side: int) -> float:
        """Height (0) or width (1) of the slices."""
        return self.greys.shape[1 + side] * self.spacing[1 + side]


def prepare_known_scans(config: TrainingConfig, team: Team = ALONE) -> None:
    """Write what `load_known_scans` reads, for the scans for which that has not been done yet; each process its
    share."""
    folder = known_folder(config)
    if (folder / "names.txt").is_file():
        return
    scans, root = drawn_scans(Path(config.data)), Path(config.data)
    names = tuple(dict.fromkeys(name for path, _ in scans for name in label_values(path) if name not in BENCHMARK))
    if not names:
        raise TrainingError(f"No scans with drawn structures were found in {config.data}.")
    for path, group in team.share(scans + [each for each in training_scans(root) if each not in scans]):
        kept = folder / f"{scan_name(path, group)}.npz"
        if not kept.is_file():
            write_arrays(kept, _arrays(path, group, names))
    team.wait()
    if team.rank == 0:
        write_lines(folder / "names.txt", names)
    team.wait()


def known_structures(config: TrainingConfig) -> tuple[str, ...]:
    """Names of all drawn structures that are no benchmark organs, in the order of the sets; after
    `prepare_known_scans`."""
    return tuple((known_folder(config) / "names.txt").read_text().splitlines())


def load_known_scans(config: TrainingConfig, device: torch.device) -> list[KnownScan]:
    """The prepared scans on which anything is drawn, in sorted order."""
    return [scan for scan in load_prepared_scans(config, device) if not bool(scan.maybe.all())]


def load_prepared_scans(config: TrainingConfig, device: torch.device) -> list[KnownScan]:
    """All prepared scans but those whose names begin with one of `config.without`, in sorted order."""
    kept = sorted(known_folder(config).glob("*[0-9].npz"))
    return [_read(path, device) for path in kept if not path.stem.startswith(tuple(config.without.split()))]


def known_folder(config: TrainingConfig) -> Path:
    """Where they are kept."""
    return pack_folder(config, f"pack-known{_FORMAT}")


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Whole, or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(lines))
    partial.rename(path)


def _arrays(path: Path, group: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    volume, drawn = read_volume(path), permitted_labels(path)
    low, high = intensity_window(volume.array)
    measure = detect_kind(volume.array)
    kind = "MR" if measure is Kind.PERCENTILE else "CT"
    wide = _WIDE if measure in (Kind.HU, Kind.HU_SHIFTED) else 1.0
    scan = normalise(volume, window=(low, low + wide * (high - low)))
    return {
        "kind": np.array(kind),
        "greys": (scan * (wide * GREYS[kind])).round().astype(np.uint8),
        "labels": np.zeros(volume.shape, np.uint8) if drawn is None else _numbered(drawn, path, names),
        "spacing": np.array(volume.spacing),
        "box": np.array(occupied_box(np.minimum(scan * wide, 1), _AIR)),
        "wide": np.array(wide),
        "maybe": np.array([drawn is None or name in _MAYBE.get(group, ()) for name in names]),
    }


def _numbered(drawn: np.ndarray, path: Path, names: Sequence[str]) -> np.ndarray:
    labels = np.zeros_like(drawn)
    for name, value in label_values(path).items():
        if name in names:
            labels[drawn == value] = 1 + names.index(name)
    return labels


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As numpy's own .npz, but smaller; whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    partial.rename(path)


def _read(path: Path, device: torch.device) -> KnownScan:
    with np.load(path, allow_pickle=False) as arrays:
        z, y, x = (float(size) for size in arrays["spacing"])
        top, left, bottom, right = (int(edge) for edge in arrays["box"])
        greys, labels, maybe = (torch.from_numpy(arrays[name]).to(device) for name in ("greys", "labels", "maybe"))
        box, wide = (top, left, bottom, right), arrays["wide"].item()
        return KnownScan(path.stem, arrays["kind"].item(), greys, labels, (z, y, x), box, wide, maybe)
