"""The bundled CT, crops of it and segments on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume

SAMPLES = Path(__file__).parents[2] / "Resources" / "SampleData"
KIDNEY_BOX = (slice(60, 100), slice(30, 80), slice(20, 110))


@pytest.fixture(scope="session")
def ct() -> Volume:
    return read_volume(SAMPLES / "example_ct.nii.gz")


@pytest.fixture(scope="session")
def organs() -> Segmentation:
    return read_segmentation(SAMPLES / "example_ct-labels.nii.gz")


@pytest.fixture(scope="session")
def crop(ct: Volume) -> Volume:
    """40 x 50 x 90 voxels around the kidneys, int16, on a grid that is not symmetric in any way."""
    grid = np.eye(4)
    grid[:3, :3] = Rotation.from_euler("xyz", (100, -20, 35), degrees=True).as_matrix() * (0.9, -1.2, 3.0)
    grid[:3, 3] = (-30.0, 40.5, 7.25)
    return Volume(ct.array[KIDNEY_BOX].astype(np.int16), grid, "crop")


@pytest.fixture
def overlapping(crop: Volume) -> Segmentation:
    """Soft tissue, the brighter part of it, and nothing, as a user might have named them in Slicer."""
    tissue = crop.array > 0
    tags = {
        "Segmentation.Status": "inprogress",
        "TerminologyEntry": "Segmentation category and type~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~Body~^^~^^",
    }
    segments = (
        Segment("soft tissue", tissue, 1, (0.25, 0.5, 0.75), tags),
        Segment("Läsion | 5 mm\nzweite \\ Zeile", tissue & (crop.array > 100), 1, (1.0, 0.0, 0.0)),
        Segment("nothing yet", np.zeros_like(tissue), 3, (0.0, 1.0, 0.0)),
    )
    return Segmentation(segments, crop.ijk_to_ras, "painted")
