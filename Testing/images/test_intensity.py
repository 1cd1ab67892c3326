"""Grey values are told apart by what they are, and brought to one scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from DPLSegmentLib.images.intensity import Kind, detect_kind, intensity_window, normalise
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume


@pytest.fixture(scope="module")
def shifted(ct: Volume) -> Volume:
    return ct.with_array(np.clip(ct.array + 1024, 0, 4095).astype(np.uint16))


@pytest.fixture(scope="module")
def windowed(ct: Volume) -> Volume:
    return ct.with_array((np.clip((ct.array + 125) / 400, 0, 1) * 255).astype(np.uint8))


@pytest.fixture(scope="module")
def mr(ct: Volume) -> Volume:
    """The bundled CT in the grey values of an MR: no air, bright fat, dark bone, noise all over."""
    tissue = np.interp(ct.array, [-1000, -500, -100, 40, 150, 600], [0, 10, 900, 350, 450, 60])
    noise = np.abs(np.random.default_rng(0).normal(0, 15, ct.shape))
    return ct.with_array((gaussian_filter(tissue, 0.5) + noise).astype(np.int16))


@pytest.mark.parametrize("stored", [np.int16, np.int32, np.float32, np.float64])
def test_hounsfield_units_are_recognised_in_any_type(ct: Volume, stored: type) -> None:
    assert detect_kind(ct.array.astype(stored)) is Kind.HU


@pytest.mark.parametrize("stored", [np.uint16, np.int16, np.float32])
def test_shifted_hounsfield_units_are_recognised_in_any_type(shifted: Volume, stored: type) -> None:
    assert detect_kind(shifted.array.astype(stored)) is Kind.HU_SHIFTED


@pytest.mark.parametrize("stored", [np.uint8, np.int16, np.float32])
def test_an_already_windowed_ct_is_recognised_in_any_type(windowed: Volume, stored: type) -> None:
    assert detect_kind(windowed.array.astype(stored)) is Kind.WINDOWED_8BIT


@pytest.mark.parametrize("scale", [0.001, 0.2, 1.0, 2.5, 30.0])
def test_an_mr_is_no_ct_at_any_scale(mr: Volume, scale: float) -> None:
    assert detect_kind(mr.array.astype(np.float32) * np.float32(scale)) is Kind.PERCENTILE


def test_a_dark_8_bit_scan_is_stretched() -> None:
    scan = np.random.default_rng(0).integers(3, 90, (4, 30, 30)).astype(np.uint8)
    assert detect_kind(scan) is Kind.PERCENTILE
    assert normalise(Volume(scan, np.eye(4))).max() == 1.0


def test_ct_is_shown_in_the_soft_tissue_window(ct: Volume) -> None:
    assert intensity_window(ct.array) == (-125.0, 275.0)
    scaled = normalise(ct)
    assert scaled.dtype == np.float32 and scaled.shape == ct.shape
    np.testing.assert_allclose(scaled, np.clip((ct.array + 125) / 400, 0, 1), atol=1e-5)


def test_all_ways_to_store_a_ct_give_the_same_picture(ct: Volume, shifted: Volume, windowed: Volume) -> None:
    np.testing.assert_allclose(normalise(shifted), normalise(ct), atol=1e-5)
    np.testing.assert_allclose(normalise(windowed), normalise(ct), atol=1 / 255)


def test_painting_an_organ_inside_the_window_changes_nothing(ct: Volume, organs: Segmentation) -> None:
    assert intensity_window(ct.array, organs.segments[0].mask) == (-125.0, 275.0)


def test_painting_lung_opens_the_window_downwards(ct: Volume, shifted: Volume) -> None:
    lung = (ct.array > -900) & (ct.array < -700)
    low, high = intensity_window(ct.array, lung)
    assert -1000 <= low < -900 and high == 275.0
    assert intensity_window(shifted.array, lung) == (low + 1024, high + 1024)


def test_painting_bone_opens_the_window_upwards(ct: Volume) -> None:
    low, high = intensity_window(ct.array, (ct.array > 300) & (ct.array < 700))
    assert low == -125.0 and 650 < high <= 750


def test_slightly_different_paint_gives_the_same_window(ct: Volume) -> None:
    lung = (ct.array > -900) & (ct.array < -700)
    smaller = lung & (np.random.default_rng(0).random(lung.shape) < 0.7)
    assert intensity_window(ct.array, lung) == intensity_window(ct.array, smaller)


def test_an_mr_uses_the_whole_scale_without_its_outliers(mr: Volume) -> None:
    spiked = mr.array.copy()
    spiked[0, 0, :5] = 30000
    scaled = normalise(mr.with_array(spiked))
    assert scaled.min() >= 0 and scaled.max() == 1.0
    assert np.abs(scaled - normalise(mr))[spiked < 20000].max() < 0.01


def test_the_scan_itself_is_left_as_it_was(ct: Volume) -> None:
    before = ct.array.copy()
    normalise(ct)
    np.testing.assert_array_equal(ct.array, before)
