"""A folder of scans with their label maps: case-*-image.nii.gz, case-*-labels.nii.gz and labels.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.resample import same_grid
from DPLSegmentLib.images.volume import Volume

BENCHMARK = ("liver", "right kidney", "left kidney", "spleen")
IMAGE = "-image.nii.gz"
LABELS = "-labels.nii.gz"


@dataclass(frozen=True, eq=False)
class Case:
    """One scan and the truth about it; files are read when first asked for and then kept."""

    name: str
    image_path: Path
    labels_path: Path
    values: Mapping[str, int]

    @cached_property
    def volume(self) -> Volume:
        """The scan."""
        return read_volume(self.image_path)

    @cached_property
    def labels(self) -> np.ndarray:
        """Label values [z, y, x] on the scan's grid. Raises EvaluationError when the grids differ."""
        labels = read_volume(self.labels_path)
        if not same_grid(labels, self.volume):
            raise EvaluationError(f"{self.labels_path} does not lie on the grid of its image; resample it to that.")
        return labels.array

    def truth(self, structure: str) -> np.ndarray:
        """The bool mask [z, y, x] of one structure; empty when the scan does not hold it."""
        return self.labels == self.values[structure]

    def has(self, structure: str) -> bool:
        """Whether at least one voxel is of this structure."""
        return bool(self.truth(structure).any())


@dataclass(frozen=True, eq=False)
class Dataset:
    """The cases of one folder in sorted order, and the names of their structures in the order of their values."""

    directory: Path
    cases: tuple[Case, ...]
    structures: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last two parts of its path, as in abdomen-mr/val."""
        return "/".join(self.directory.resolve().parts[-2:])

    @property
    def stem(self) -> str:
        """The name as the beginning of a file's name, as in abdomen-mr-val."""
        return self.name.replace("/", "-")

    def benchmark(self) -> tuple[str, ...]:
        """The four benchmark organs where the folder names them, else every structure."""
        return tuple(name for name in BENCHMARK if name in self.structures) or self.structures

    def besides_benchmark(self) -> tuple[str, ...]:
        """Every structure that is no benchmark organ."""
        return tuple(name for name in self.structures if name not in BENCHMARK)

    def others(self, case: Case, structure: str) -> tuple[Case, ...]:
        """The other cases that hold the structure, from the next one on in sorted order, round and round."""
        position = self.cases.index(case)
        turned = self.cases[position + 1 :] + self.cases[:position]
        return tuple(other for other in turned if other.has(structure))


def open_dataset(directory: Path) -> Dataset:
    """List the cases of a folder; `labels.json` lies in it or one level above.

    Raises EvaluationError when the folder, the list of labels or any half of a case is missing.
    """
    if not directory.is_dir():
        raise EvaluationError(f"There is no folder {directory}; give --data a folder with case-*{IMAGE} files.")
    values = _read_values(directory)
    images = sorted(directory.glob(f"case-*{IMAGE}"))
    if not images:
        raise EvaluationError(f"{directory} holds no case-*{IMAGE}; give --data a folder that does.")
    return Dataset(directory, tuple(_case(image, values) for image in images), tuple(values))


def _case(image: Path, values: Mapping[str, int]) -> Case:
    name = image.name.removesuffix(IMAGE)
    labels = image.with_name(name + LABELS)
    if not labels.is_file():
        raise EvaluationError(f"{image} has no label map beside it; {labels.name} is missing.")
    return Case(name, image, labels, values)


def _read_values(directory: Path) -> dict[str, int]:
    for path in (directory / "labels.json", directory.parent / "labels.json"):
        if path.is_file():
            return _parse_values(path)
    raise EvaluationError(
        f'{directory} has no labels.json, nor has the folder above; it names the label values, as in {{"1": "liver"}}.'
    )


def _parse_values(path: Path) -> dict[str, int]:
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): int(value) for value, name in sorted(named.items(), key=lambda item: int(item[0]))}
    except (ValueError, AttributeError) as error:
        raise EvaluationError(f'{path} must map label values to names, as in {{"1": "liver"}}: {error}') from error
