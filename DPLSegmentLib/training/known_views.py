"""Embedded views of the scans with drawn structures, for the recogniser to learn from; made once a run (ours).

The encoder no longer changes then, so that its embeddings can be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.intensity import Kind, detect_kind, intensity_window, normalise
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.recogniser import places_of, slice_step
from DPLSegmentLib.propagation.body import body_box
from DPLSegmentLib.propagation.embedding import Embedder, Embedding
from DPLSegmentLib.training.pack import BENCHMARK, drawn_scans, label_values, permitted_labels

_VIEWS = 5
_REVERSED, _MIRRORED = 3, 4
_TURN, _SHIFT, _ZOOM = 0.2, 0.05, (0.85, 1.2)
_WIDER_HU = (0.0, 200.0, 700.0, 1200.0)
_FULL = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class KnownView:
    """`features` [n, C, h, w] of slices about 5 mm apart; `shares` [n, k, h, w]: how much (0..1) of each embedding
    pixel is of each known structure; both half precision and read when looked at. `places` [2, h, w]."""

    features: np.ndarray
    shares: np.ndarray
    places: np.ndarray


def known_structures(data: Path) -> tuple[str, ...]:
    """Names of all drawn structures that are no benchmark organs, in the order of the sets."""
    names = [name for path, _ in drawn_scans(data) for name in label_values(path) if name not in BENCHMARK]
    return tuple(dict.fromkeys(names))


def make_views(data: Path, names: Sequence[str], folder: Path, embedder: Embedder) -> None:
    """Write what `load_views` reads of the `known_structures`, for the views for which that has not been done yet."""
    for number, (path, group) in enumerate(drawn_scans(data)):
        for copy in range(_VIEWS):
            kept = folder / f"{group}-{path.name.removesuffix('-image.nii.gz')}-{copy}"
            if not kept.is_dir():
                _keep(kept, _view(path, names, embedder, np.random.default_rng([number, copy]), copy))


def load_views(folder: Path) -> list[KnownView]:
    """All views of a run in sorted order."""
    return [KnownView(*_read(kept)) for kept in sorted(folder.iterdir()) if kept.suffix != ".partial"]


def _read(kept: Path) -> Iterator[np.ndarray]:
    for name in ("features", "shares", "places"):
        yield np.load(kept / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _keep(kept: Path, view: KnownView) -> None:
    partial = kept.with_suffix(".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for name in ("features", "shares", "places"):
        np.save(partial / f"{name}.npy", getattr(view, name))
    partial.rename(kept)


def _view(path: Path, names: Sequence[str], embedder: Embedder, generator: np.random.Generator, copy: int) -> KnownView:
    """As the scan is, or turned, zoomed and in other grey values; the last two copies front to back as well, as one of
    the sets is stored the other way round than its headers say, and with right and left changed, as many scans are."""
    volume, labels = read_volume(path), permitted_labels(path)
    assert labels is not None
    if copy == 0:
        return _seen(embedder.embed(volume, 0), labels, _numbers(path, names), 0, False)
    scan = torch.from_numpy(normalise(volume, window=_window(volume.array, generator)))
    mirrored = copy == _MIRRORED
    turn = _turn(generator, copy == _REVERSED or (mirrored and generator.random() < 0.5), mirrored)
    drawn = _turned(torch.from_numpy(labels.astype(np.float32)), turn, "nearest").numpy().astype(np.uint8)
    grey = _greyed(_turned(scan, turn, "bilinear"), generator)
    embedding = embedder.embed(volume.with_array(grey.numpy()), 0, _FULL)
    first = int(generator.integers(slice_step(embedding.stack.gap_mm)))
    return _seen(embedding, drawn, _numbers(path, names), first, mirrored)


def _seen(embedding: Embedding, labels: np.ndarray, numbers: Sequence[int], first: int, mirrored: bool) -> KnownView:
    stack = embedding.stack
    chosen = range(first, embedding.count, slice_step(stack.gap_mm))
    features = torch.stack([embedding.standardised(index).cpu().half() for index in chosen])
    shares = np.zeros((len(chosen), len(numbers), *features.shape[-2:]), np.float16)
    for row, index in enumerate(chosen):
        for number in set(np.unique(labels[index]).tolist()) & set(numbers) - {0}:
            shares[row, numbers.index(number)] = _shrunk(stack.slice_to_working(labels[index] == number))
    places = places_of(body_box(embedding.images), features.shape[-2:], STRIDE, mirrored)
    return KnownView(features.numpy(), shares, places.numpy())


def _shrunk(mask: np.ndarray) -> np.ndarray:
    return functional.avg_pool2d(torch.from_numpy(mask)[None], STRIDE)[0].half().numpy()


def _window(array: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """As wide as it becomes where bone is painted, half of the times; a scan that was windowed before stays so."""
    low, high = intensity_window(array)
    wider = float(generator.choice(_WIDER_HU)) if generator.random() < 0.5 else 0.0
    return low, high + (0.0 if detect_kind(array) is Kind.WINDOWED_8BIT else wider)


def _turn(generator: np.random.Generator, reversed_rows: bool, mirrored: bool) -> Tensor:
    """[2, 3]: turned, zoomed and shifted in plane."""
    angle, zoom = generator.uniform(-_TURN, _TURN), generator.uniform(*_ZOOM)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    down, right = generator.uniform(-_SHIFT, _SHIFT, 2)
    turn = torch.tensor([[cos, -sin, right], [sin, cos, down]], dtype=torch.float32)
    return turn * torch.tensor([[-1.0 if mirrored else 1.0], [-1.0 if reversed_rows else 1.0]])


def _turned(slices: Tensor, turn: Tensor, mode: str) -> Tensor:
    """[n, h, w] in plane; zero beyond the border."""
    grid = functional.affine_grid(turn[None], [1, 1, *slices.shape[-2:]], align_corners=False)
    return functional.grid_sample(slices[None], grid, mode=mode, padding_mode="zeros", align_corners=False)[0]


def _greyed(slices: Tensor, generator: np.random.Generator) -> Tensor:
    """Other brightness, contrast and noise, as another CT has; no more than that."""
    bent = slices.clamp(0, 1) ** float(np.exp(generator.normal(0, 0.15))) * float(np.exp(generator.normal(0, 0.1)))
    noise = torch.from_numpy(generator.standard_normal(slices.shape, np.float32)) * generator.uniform(0, 0.04)
    return (bent + noise).clamp(0, 1)


def _numbers(path: Path, names: Sequence[str]) -> list[int]:
    """The label value of each name in this set; 0 for what is not drawn in it."""
    values = label_values(path)
    return [values.get(name, 0) for name in names]
