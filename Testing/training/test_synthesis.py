"""Contrasts that no scanner gave."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DPLSegmentLib.training.synthesis import _outlines, flattened_contrast


@pytest.mark.parametrize("seed", range(6))
def test_grey_values_near_the_structure_move_together_and_their_order_stays(seed: int) -> None:
    ramp = torch.linspace(0, 1, 101).repeat(2, 400, 1)
    flat = flattened_contrast(ramp, 0.5, np.random.default_rng(seed)).mean((0, 1))
    assert float(flat[54] - flat[46]) < 0.75 * 0.08
    assert float(flat.diff().min()) > -0.02
    assert float(flat[0]) == 0 and float(flat.max()) <= 1


@pytest.mark.parametrize("grey", [0.0, 0.02, 0.97, 1.0])
def test_structures_as_dark_or_bright_as_can_be_are_no_exception(grey: float) -> None:
    image = torch.rand(3, 32, 32)
    flat = flattened_contrast(image, grey, np.random.default_rng(1))
    assert bool(flat.isfinite().all()) and float(flat.min()) >= 0 and float(flat.max()) <= 1


def test_lines_run_where_labels_meet_and_nowhere_else() -> None:
    labels = torch.zeros(2, 16, 16, dtype=torch.int32)
    labels[:, 4:9, 6:12] = 3
    lines = _outlines(labels)
    assert set(lines.unique().tolist()) == {0.0, 1.0}
    assert float(lines[:, 3, 6:12].min()) == 1 and float(lines[:, 8, 6:12].min()) == 1
    assert float(lines[:, 4:8, 5].min()) == 1 and float(lines[:, 5:8, 6:11].max()) == 0
