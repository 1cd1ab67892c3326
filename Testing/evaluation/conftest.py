"""Two patients cut out of the bundled CT, and stand-ins for a segmenter."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.evaluation.dataset import Dataset, open_dataset
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine, load_engine
from DPLSegmentLib.propagation.types import Support
from DPLSegmentLib.resources import resource

KIDNEY_BOX = (slice(58, 110), slice(20, 75), slice(64, 118))
LARGER_BOX = (slice(60, 108), slice(12, 80), slice(58, 122))
NAMES = {"3": "right kidney", "1": "liver", "10": "urinary bladder"}


class Oracle:
    """Knows the truth."""

    name = "oracle"

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.asked: list[tuple[Sequence[Support], tuple[int, int] | None, Sequence[Part]]] = []

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """The truth about the painted structures."""
        self.asked.append((supports, slice_range, parts))
        (case,) = (case for case in self._dataset.cases if case.volume is query)
        names = [segment.name for support in supports for segment in support.painted.segments]
        return Answer({name: case.truth(name) for name in names}, dict.fromkeys(names, 0))


class Copier:
    """Copies the union of the painted slices into every slice, or every slice of the range."""

    name = "copier"

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """The same mask in all slices; asks for nothing."""
        first, last = slice_range or (0, query.shape[0] - 1)
        masks = {}
        for segment in supports[0].painted.segments:
            masks[segment.name] = np.zeros(query.shape, bool)
            masks[segment.name][first : last + 1] = segment.mask.any(axis=0)
        return Answer(masks)


def write_case(directory: Path, name: str, image: sitk.Image, labels: np.ndarray) -> None:
    """One case as its two files."""
    label_image = sitk.GetImageFromArray(labels.astype(np.uint8))
    label_image.CopyInformation(image)
    sitk.WriteImage(image, directory / f"{name}-image.nii.gz")
    sitk.WriteImage(label_image, directory / f"{name}-labels.nii.gz")


def crop(image: sitk.Image, box: tuple[slice, slice, slice]) -> sitk.Image:
    """A part of an image given by its array axes (z, y, x)."""
    z, y, x = box
    return image[x, y, z]


@pytest.fixture(scope="session")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two overlapping real crops around the right kidney."""
    directory = tmp_path_factory.mktemp("patients")
    image = sitk.ReadImage(resource("SampleData/example_ct.nii.gz"))
    labels = sitk.ReadImage(resource("SampleData/example_ct-labels.nii.gz"))
    for name, box in (("case-01", KIDNEY_BOX), ("case-02", LARGER_BOX)):
        write_case(directory, name, crop(image, box), sitk.GetArrayFromImage(crop(labels, box)))
    (directory / "labels.json").write_text(json.dumps(NAMES))
    return directory


@pytest.fixture(scope="session")
def dataset(patients: Path) -> Dataset:
    """The two patients."""
    return open_dataset(patients)


@pytest.fixture
def kidneys(dataset: Dataset) -> Plan:
    """The right kidney of both patients."""
    return Plan(dataset, ("right kidney",))


@pytest.fixture
def oracle(dataset: Dataset) -> Oracle:
    """A segmenter that is always right."""
    return Oracle(dataset)


@pytest.fixture
def copier() -> Copier:
    """A segmenter that knows nothing about z."""
    return Copier()


@pytest.fixture
def blocks(tmp_path: Path) -> Callable[[Sequence[range]], Plan]:
    """Makes a plan over patients whose structure is the same square in the given slices of ten."""

    def make(occupied: Sequence[range]) -> Plan:
        for number, slices in enumerate(occupied):
            labels = np.zeros((10, 12, 12), np.uint8)
            labels[slices.start : slices.stop, 3:8, 3:8] = 1
            image = sitk.GetImageFromArray(labels.astype(np.int16) * 100)
            write_case(tmp_path, f"case-{number:02d}", image, labels)
        (tmp_path / "labels.json").write_text('{"1": "block"}')
        return Plan(open_dataset(tmp_path), ("block",))

    return make


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The bundled model on the processor."""
    return load_engine("cpu")
