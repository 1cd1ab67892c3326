"""Scans to choose rules by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.tuning import CT, TuningScan, as_other_scanner, count, regions_of, tuning_scans


@pytest.fixture(scope="module")
def scans(config: TrainingConfig) -> list[TuningScan]:
    """What is made of the two crops."""
    return list(tuning_scans(config))


@pytest.fixture
def ball() -> np.ndarray:
    """bool [40, 60, 60], 18 voxels in radius."""
    z, y, x = np.ogrid[-20:20, -30:30, -30:30]
    return z**2 + y**2 + x**2 < 18**2


@pytest.fixture
def arrays(ball: np.ndarray) -> dict[str, np.ndarray]:
    """What a pack keeps of a scan that shows the ball, found at every scale."""
    image = np.where(ball, 160, 20).astype(np.uint8)
    found = {f"regions{scale}": ball.astype(np.uint16) for scale in range(4)}
    weights = {f"weights{scale}": np.array([0.0, 1.0]) for scale in range(4)}
    return {"image": image, "step": np.array(1), **found, **weights}


@pytest.fixture
def volume(arrays: dict[str, np.ndarray]) -> Volume:
    """Its scan, with voxels of 2 mm."""
    return Volume(arrays["image"], np.diag([2.0, 2.0, 2.0, 1.0]), "ball")


def test_every_ct_scan_that_has_regions_comes_thick_and_flat(scans: list[TuningScan], config: TrainingConfig) -> None:
    assert count(config) == 4
    assert [(scan.group, scan.case) for scan in scans] == [("ct-thick", "01"), ("ct-like-mr", "01")]
    for scan in scans:
        assert scan.regions.any()
        assert scan.volume.shape == scan.regions.shape
        assert 6 <= scan.volume.spacing[0] <= 9


def test_they_are_the_same_at_every_call(scans: list[TuningScan], config: TrainingConfig) -> None:
    for one, other in zip(scans, tuning_scans(config), strict=True):
        assert np.array_equal(one.volume.array, other.volume.array)
        assert np.array_equal(one.regions, other.regions)


def test_a_region_that_every_scale_finds_is_taken_once(
    arrays: dict[str, np.ndarray], volume: Volume, ball: np.ndarray
) -> None:
    regions = regions_of(arrays, volume, CT, 2)
    assert regions.max() == 1
    agreed = (regions == 1) & ball[::2]
    assert 2 * agreed.sum() / ((regions == 1).sum() + ball[::2].sum()) > 0.95


def test_what_is_dark_or_small_is_no_region(arrays: dict[str, np.ndarray], volume: Volume) -> None:
    dark = {**arrays, "image": arrays["image"] // 4}
    assert not regions_of(dark, volume, CT, 2).any()
    fine = Volume(volume.array, np.diag([0.5, 0.5, 0.5, 1.0]), "small")
    assert not regions_of(arrays, fine, CT, 2).any()


def test_regions_found_on_every_second_voxel_cover_the_scan(
    arrays: dict[str, np.ndarray], volume: Volume, ball: np.ndarray
) -> None:
    coarse = {f"regions{scale}": ball[:, ::2, ::2].astype(np.uint16) for scale in range(4)}
    regions = regions_of({**arrays, **coarse, "step": np.array(2)}, volume, CT, 1)
    assert regions.shape == volume.shape
    assert 2 * ((regions == 1) & ball).sum() / ((regions == 1).sum() + ball.sum()) > 0.95


def test_a_flat_scan_has_less_contrast_between_soft_tissues() -> None:
    image = np.full((4, 64, 64), 0.5, np.float32)
    image[:, :, 32:] = 0.64

    def contrast(flat: bool) -> float:
        remade = as_other_scanner(image, flat, np.random.default_rng(0))
        return abs(float(remade[:, :, 32:].mean() - remade[:, :, :32].mean()))

    assert contrast(flat=True) < contrast(flat=False) / 2


def test_the_command_writes_folders_that_can_be_evaluated(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'data = "{data}"\nrun = "{data}/runs/first"\n')
    assert main(["tuning", "--config", str(recipe), "--output", str(tmp_path / "sets")]) == 0
    said = capsys.readouterr().out
    for group in ("ct-thick", "ct-like-mr"):
        folder = tmp_path / "sets" / group
        assert f"--data {folder} " in said
        assert len(list(folder.glob("case-*-image.nii.gz"))) == len(list(folder.glob("case-*-labels.nii.gz"))) == 1
        assert isinstance(json.loads((folder / "labels.json").read_text()), dict)


def test_a_folder_without_scans_is_an_error_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'data = "{tmp_path}/nowhere"\nrun = "{tmp_path}/run"\n')
    assert main(["tuning", "--config", str(recipe), "--output", str(tmp_path / "sets")]) == 1
    assert "has no scans" in capsys.readouterr().err
    assert not (tmp_path / "sets").exists()
