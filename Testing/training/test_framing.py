"""Where episodes look: small structures on longer sweeps, through smaller windows, and close up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DPLSegmentLib.training.framing import Framer, Framing
from DPLSegmentLib.training.pack import TrainingVolume, region_map
from DPLSegmentLib.training.views import PlaneView
from Testing.training.conftest import Configure

TUBE, BLOCK = 1, 2


@pytest.fixture
def view() -> PlaneView:
    """A scan of 60 slices with a thin tube that drifts and a block that fills half of the plane."""
    labels = np.zeros((60, 120, 120), np.uint8)
    labels[20:40, 10:110, 10:70] = BLOCK
    for index in range(5, 55):
        labels[index, 90 + index // 6 : 98 + index // 6, 100:108] = TUBE
    regions = region_map(labels, 1, np.array([0.0, 1.0, 1.0]), True)
    return PlaneView(TrainingVolume(torch.from_numpy(labels * 90), (3.0, 1.5, 1.5), (regions,), "tubes"), 0)


def framings(view: PlaneView, label: int, configure: Configure, **changes: float) -> list[Framing]:
    """Sixty of one structure, with windows of 160 pixels and sweeps of five slices where nothing else fits."""
    framer = Framer(configure(crop=160, rollout=5, **changes))
    regions = view.volume.maps[0]
    return [framer.frame(view, regions, label, np.random.default_rng([2, number])) for number in range(60)]


def test_without_shares_every_window_and_sweep_is_as_configured(view: PlaneView, configure: Configure) -> None:
    drawn = framings(view, TUBE, configure)
    assert {(framing.length, framing.window.size) for framing in drawn} == {(5, 160)}


def test_small_structures_get_longer_sweeps_through_smaller_windows(view: PlaneView, configure: Configure) -> None:
    drawn = framings(view, TUBE, configure, small_share=1.0)
    assert {framing.window.size for framing in drawn} <= {96, 128, 160}
    assert max(framing.length for framing in drawn) == 12
    assert np.mean([framing.window.size == 96 for framing in drawn]) > 0.5


def test_large_structures_keep_the_configured_window(view: PlaneView, configure: Configure) -> None:
    drawn = framings(view, BLOCK, configure, small_share=1.0)
    assert np.mean([framing.window.size == 160 for framing in drawn]) > 0.8


def test_a_long_sweep_ends_two_slices_beyond_its_structure_at_most(view: PlaneView, configure: Configure) -> None:
    for framing in framings(view, TUBE, configure, small_share=1.0):
        if framing.window.size < 160:
            end = framing.start + framing.step * framing.length
            assert 5 - 2 * abs(framing.step) <= end <= 54 + 2 * abs(framing.step)
            assert 5 <= framing.start < 55 and framing.length >= 2


def test_a_small_window_holds_the_structure_on_the_whole_sweep(view: PlaneView, configure: Configure) -> None:
    regions = view.volume.maps[0]
    for framing in framings(view, TUBE, configure, small_share=1.0):
        if framing.window.size < 160 and framing.window.angle == 0:
            indices = [framing.start + framing.step * number for number in range(framing.length + 1)]
            whole = sum(int((regions.regions[index] == TUBE).sum()) for index in indices if 0 <= index < 60)
            seen = float((view.regions(regions, indices, framing.window) == TUBE).sum())
            assert seen * (framing.window.pixel / 1.5) ** 2 > 0.7 * whole


def test_small_structures_are_seen_close_up_and_large_ones_are_not(view: PlaneView, configure: Configure) -> None:
    def pixels(label: int, share: float) -> np.ndarray:
        return np.array([each.window.pixel for each in framings(view, label, configure, close_share=share)])

    ratio = pixels(TUBE, 1.0) / pixels(TUBE, 0.0)
    assert ratio.max() <= 1 + 1e-9 and 1 / 2.5 - 1e-9 <= ratio.min() < 0.6
    np.testing.assert_allclose(pixels(BLOCK, 1.0), pixels(BLOCK, 0.0))
