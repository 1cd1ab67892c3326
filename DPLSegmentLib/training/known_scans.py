"""The scans with drawn structures for the recogniser to learn from, kept small enough to be sent to a graphics card.

Grey values are kept in steps of 12.5 HU, which is less than the noise of a CT: 60 MB for 40 scans.
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
from DPLSegmentLib.training.pack import BENCHMARK, drawn_scans, label_values, pack_folder, permitted_labels

GREYS = 32
"""How many steps the usual CT window is divided into."""

_WIDE = 4.0
_AIR = 0.05
_MAYBE = {"abdomen-ct": ("spinal cord",), "headneck-ct": ("aorta",)}
"""What scans of a set show in part although nobody drew it there."""


@dataclass(frozen=True, eq=False)
class KnownScan:
    """`name` tells its set and case; `greys` uint8 [z, y, x], `GREYS` of them for the usual CT window and `wide` times
    as many in all; `labels` uint8 [z, y, x]: 1 + the number of the known structure; `spacing` in mm (z, y, x); `box`
    what is looked at in plane; `maybe` bool [k]: what may be there without being drawn."""

    name: str
    greys: Tensor
    labels: Tensor
    spacing: tuple[float, float, float]
    box: Box
    wide: float
    maybe: Tensor

    def mm(self, side: int) -> float:
        """Height (0) or width (1) of the slices."""
        return self.greys.shape[1 + side] * self.spacing[1 + side]


def prepare_known_scans(config: TrainingConfig) -> None:
    """Write what `load_known_scans` reads, for the scans for which that has not been done yet."""
    folder = _folder(config)
    if (folder / "names.txt").is_file():
        return
    scans = drawn_scans(Path(config.data))
    names = tuple(dict.fromkeys(name for path, _ in scans for name in label_values(path) if name not in BENCHMARK))
    if not names:
        raise TrainingError(f"No scans with drawn structures were found in {config.data}.")
    for path, group in scans:
        kept = folder / f"{group}-{path.name.removesuffix('-image.nii.gz')}.npz"
        if not kept.is_file():
            _write(kept, _arrays(path, group, names))
    _write_names(folder, names)


def known_structures(config: TrainingConfig) -> tuple[str, ...]:
    """Names of all drawn structures that are no benchmark organs, in the order of the sets; after
    `prepare_known_scans`."""
    return tuple((_folder(config) / "names.txt").read_text().splitlines())


def load_known_scans(config: TrainingConfig, device: torch.device) -> list[KnownScan]:
    """All prepared scans but those that `config.without` names, in sorted order."""
    kept = sorted(_folder(config).glob("*[0-9].npz"))
    return [_read(path, device) for path in kept if path.stem not in config.without.split()]


def _folder(config: TrainingConfig) -> Path:
    return pack_folder(config, "pack-known")


def _write_names(folder: Path, names: Sequence[str]) -> None:
    partial = folder / "names.partial"
    partial.write_text("\n".join(names))
    partial.rename(folder / "names.txt")


def _arrays(path: Path, group: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    volume, drawn = read_volume(path), permitted_labels(path)
    assert drawn is not None
    low, high = intensity_window(volume.array)
    wide = 1.0 if detect_kind(volume.array) is Kind.WINDOWED_8BIT else _WIDE
    scan = normalise(volume, window=(low, low + wide * (high - low)))
    labels = np.zeros_like(drawn)
    for name, value in label_values(path).items():
        if name in names:
            labels[drawn == value] = 1 + names.index(name)
    return {
        "greys": (scan * (wide * GREYS)).round().astype(np.uint8),
        "labels": labels,
        "spacing": np.array(volume.spacing),
        "box": np.array(occupied_box(np.minimum(scan * wide, 1), _AIR)),
        "wide": np.array(wide),
        "maybe": np.array([name in _MAYBE.get(group, ()) for name in names]),
    }


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """As numpy's own .npz, but smaller."""
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
        return KnownScan(path.stem, greys, labels, (z, y, x), (top, left, bottom, right), arrays["wide"].item(), maybe)
