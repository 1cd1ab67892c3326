"""The bundled CT and small crops of it, for all tests."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # In workers too: sums of floats depend on how many threads share them.

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume
from DPLSegmentLib.resources import resource

settings.register_profile("project", deadline=None, print_blob=True)
settings.load_profile("project")

KIDNEY_BOX = (slice(74, 104), slice(24, 74), slice(66, 118))


@pytest.fixture(scope="session")
def ct() -> Volume:
    """The whole bundled CT, 112 slices of 3 mm."""
    return read_volume(resource("SampleData/example_ct.nii.gz"))


@pytest.fixture(scope="session")
def truth() -> Segmentation:
    """Its 13 structures."""
    return read_segmentation(resource("SampleData/example_ct-labels.nii.gz"))


@pytest.fixture(scope="session")
def kidney_ct(ct: Volume) -> Volume:
    """30 slices around the right kidney, with the lower edge of the liver."""
    return Volume(ct.array[KIDNEY_BOX].copy(), cut_matrix(ct.ijk_to_ras), "kidney")


@pytest.fixture(scope="session")
def kidney_truth(truth: Segmentation) -> Segmentation:
    """Right kidney and liver on that crop."""
    wanted = [segment for segment in truth.segments if segment.name in ("right kidney", "liver")]
    segments = tuple(segment.with_mask(segment.mask[KIDNEY_BOX].copy()) for segment in wanted)
    return Segmentation(segments, cut_matrix(truth.ijk_to_ras), "kidney")


@pytest.fixture(scope="session")
def painted_kidney(kidney_truth: Segmentation) -> Segmentation:
    """The same with one painted slice each."""
    return Segmentation(
        tuple(segment.with_mask(largest_slice_of(segment.mask)) for segment in kidney_truth.segments),
        kidney_truth.ijk_to_ras,
        "painted",
    )


@pytest.fixture
def kidney_file(kidney_ct: Volume, tmp_path: Path) -> Path:
    """The crop as a NIfTI file in an empty folder."""
    path = tmp_path / "kidney.nii.gz"
    write_volume(kidney_ct, path)
    return path


@pytest.fixture
def painted_file(painted_kidney: Segmentation, tmp_path: Path) -> Path:
    """What was painted on it, as a .seg.nrrd file beside it."""
    path = tmp_path / "painted.seg.nrrd"
    write_segmentation(painted_kidney, path)
    return path


def cut_matrix(ijk_to_ras: np.ndarray) -> np.ndarray:
    """The matrix of the crop."""
    moved = ijk_to_ras.copy()
    first = np.array([part.start for part in KIDNEY_BOX][::-1])
    moved[:3, 3] += ijk_to_ras[:3, :3] @ first
    return moved


def largest_slice_of(mask: np.ndarray) -> np.ndarray:
    """A mask [z, y, x] with only its largest axial slice."""
    painted = np.zeros_like(mask)
    index = int(mask.sum(axis=(1, 2)).argmax())
    painted[index] = mask[index]
    return painted
