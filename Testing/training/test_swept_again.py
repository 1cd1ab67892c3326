"""What is seen of a structure, swept again: leaks go, and what sweeps disagree on is left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.checkpoint import load_model
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.resources import WEIGHTS, resource
from DPLSegmentLib.training.swept_again import swept_again


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundled model without its recogniser."""
    return Engine(load_model(resource(WEIGHTS)), torch.device("cpu"), EngineOptions(recognise=False))


@pytest.fixture(scope="module")
def ct() -> Volume:
    """The bundled one."""
    return read_volume(resource("SampleData/example_ct.nii.gz"))


@pytest.fixture(scope="module")
def spleen() -> np.ndarray:
    """As it was drawn."""
    drawn = read_segmentation(resource("SampleData/example_ct-labels.nii.gz"))
    return next(segment.mask for segment in drawn.segments if segment.name == "spleen")


def test_what_leaks_on_some_slices_leaks_no_more(engine: Engine, ct: Volume, spleen: np.ndarray) -> None:
    labels = spleen.astype(np.uint8) * 3
    there = np.flatnonzero(spleen.any((1, 2)))
    leaking = there[: len(there) // 4]
    for index in leaking:
        rows, columns = (np.flatnonzero(spleen[index].any(axis)) for axis in (1, 0))
        labels[index, rows[0] - 5 : rows[-1] + 5, columns[0] - 5 : columns[-1] + 5] = 3
    assert dice(labels == 3, spleen) < 0.9
    swept_again(engine, ct, labels, 3)
    assert dice(labels == 3, spleen) > 0.93


def test_what_is_something_else_on_each_slice_is_left_out(engine: Engine, ct: Volume, spleen: np.ndarray) -> None:
    labels = np.zeros(ct.shape, np.uint8)
    z = int(np.flatnonzero(spleen.any((1, 2))).mean())
    for step, index in enumerate(range(z - 12, z + 12, 6)):
        labels[index, 10 + 18 * step : 20 + 18 * step, 20 + 18 * step : 34 + 18 * step] = 2
    swept_again(engine, ct, labels, 2)
    assert not labels.any()


def test_other_structures_stay_what_they_are(engine: Engine, ct: Volume, spleen: np.ndarray) -> None:
    labels = spleen.astype(np.uint8)
    lower = slice(int(np.flatnonzero(spleen.any((1, 2))).mean()))
    labels[lower] *= 2
    before = labels == 2
    assert before.any() and (labels == 1).any()
    swept_again(engine, ct, labels, 1)
    assert (labels[before] == 2).all()


def test_next_to_nothing_is_left_out(engine: Engine, ct: Volume) -> None:
    labels = np.zeros(ct.shape, np.uint8)
    labels[5, 5:9, 5:9] = 1
    swept_again(engine, ct, labels, 1)
    assert not labels.any()
