"""Scans made ready for training: supervoxels, permitted labels, synthetic anatomy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from DPLSegmentLib.training import synthesis
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.pack import (
    BENCHMARK,
    RegionMap,
    TrainingVolume,
    load_volumes,
    pack_folder,
    region_map,
)
from DPLSegmentLib.training.supervoxels import SCALES, useful_regions, watershed_maps
from DPLSegmentLib.training.synthesis import faded_contrast, random_contrast, random_labels, shifted_contrast

Configure = Callable[..., TrainingConfig]


@pytest.fixture
def scans(volumes: list[TrainingVolume]) -> list[TrainingVolume]:
    """The real volumes."""
    return [volume for volume in volumes if not volume.synthetic]


@pytest.fixture
def image(scans: list[TrainingVolume]) -> np.ndarray:
    """The first scan in 0..1."""
    return scans[0].image.numpy().astype(np.float32) / 255


def drawn(volume: TrainingVolume) -> RegionMap:
    """The map of drawn structures."""
    (labelled,) = (regions for regions in volume.maps if regions.labelled)
    return labelled


def test_a_scan_keeps_its_voxels_spacing_and_group(scans: list[TrainingVolume]) -> None:
    assert len(scans) == 2
    for volume in scans:
        assert volume.image.shape == (32, 64, 64) and volume.image.dtype == torch.uint8
        assert volume.spacing == pytest.approx((3, 3, 3))
        assert volume.group == "abdomen-ct"


def test_no_benchmark_label_is_ever_in_a_packed_volume(
    scans: list[TrainingVolume], true_labels: dict[str, np.ndarray], label_names: dict[int, str]
) -> None:
    hidden = [value for value, name in label_names.items() if name in BENCHMARK]
    assert len(hidden) == 4
    for volume, labels in zip(scans, true_labels.values(), strict=True):
        assert np.isin(labels, hidden).any()
        regions = drawn(volume)
        assert not set(regions.regions.unique().tolist()) & set(hidden)
        assert not regions.weights[[value for value in hidden if value < len(regions.weights)]].any()


def test_no_benchmark_label_is_ever_in_the_cache(
    config: TrainingConfig, scans: list[TrainingVolume], label_names: dict[int, str]
) -> None:
    files = sorted((Path(config.run).parent / "pack5").glob("*.npz"))
    assert [path.name for path in files] == ["abdomen-ct-case-01.npz", "abdomen-ct-case-02.npz"]
    for path in files:
        names = {label_names.get(int(value)) for value in np.unique(np.load(path)["labels"])}
        assert not names & BENCHMARK and "aorta" in names


def test_prepared_scans_lie_beside_the_run_or_where_the_configuration_says(configure: Configure) -> None:
    assert pack_folder(configure(run="runs/a")) == Path("runs/pack5")
    assert pack_folder(configure(run="runs/a", pack="kept")) == Path("kept")


def test_other_labels_stay_voxel_for_voxel(
    scans: list[TrainingVolume], true_labels: dict[str, np.ndarray], label_names: dict[int, str]
) -> None:
    for volume, labels in zip(scans, true_labels.values(), strict=True):
        regions = drawn(volume)
        for value in set(np.unique(labels)) - {0}:
            if label_names[int(value)] not in BENCHMARK:
                assert np.array_equal(regions.regions.numpy() == value, labels == value)
                assert regions.weights[value] > 0


def test_without_labels_only_supervoxels_are_learnt_from(configure: Configure) -> None:
    found = load_volumes(configure(labels=False, synthetic=0))
    assert found and not any(regions.labelled for volume in found for regions in volume.maps)


def test_a_scan_in_which_nothing_is_found_is_left_out(data: Path, tmp_path: Path, configure: Configure) -> None:
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    shutil.copy(data / "abdomen-ct" / "train" / "case-01-image.nii.gz", folder / "case-01-image.nii.gz")
    air = sitk.GetImageFromArray(np.full((20, 40, 40), -1000, np.int16) + np.arange(40, dtype=np.int16) % 2)
    sitk.WriteImage(air, folder / "case-02-image.nii.gz")
    found = load_volumes(configure(data=str(tmp_path), run=str(tmp_path / "runs" / "x"), synthetic=0))
    assert [volume.group for volume in found] == ["unlabelled"]


def test_a_folder_without_scans_is_said(tmp_path: Path, configure: Configure) -> None:
    with pytest.raises(TrainingError, match="No training scans were found in .* it must hold abdomen-mr/train"):
        load_volumes(configure(data=str(tmp_path)))


def test_supervoxels_are_finer_at_smaller_depths(image: np.ndarray) -> None:
    maps = watershed_maps(image, (3.0, 3.0, 3.0))
    counts = [int(regions.max()) for regions in maps]
    assert len(maps) == len(SCALES) and counts[0] > counts[1] > 1 and counts[2] > counts[3] > 1
    assert all(regions.shape == image.shape and (regions > 0).mean() > 0.8 for regions in maps)


def test_supervoxels_follow_what_is_of_one_grey_value(image: np.ndarray) -> None:
    regions = watershed_maps(image, (3.0, 3.0, 3.0))[0]
    sizes = np.bincount(regions.ravel())
    means = np.bincount(regions.ravel(), image.ravel()) / np.maximum(sizes, 1)
    assert float(np.var(image - means[regions])) < 0.3 * float(np.var(image))


def test_only_useful_regions_are_kept(image: np.ndarray) -> None:
    regions, weights = useful_regions(image, watershed_maps(image, (3.0, 3.0, 3.0))[0])
    sizes = np.bincount(regions.ravel())
    assert len(sizes) == len(weights) > 1 and weights[0] == 0 and bool((weights[1:] > 0).all())
    assert sizes[1:].min() >= 300 and sizes[1:].max() <= 0.12 * regions.size
    assert all(image[regions == number].mean() > 0.04 for number in range(1, len(weights)))


def test_a_ragged_region_is_dropped_and_a_large_smooth_one_weighs_most() -> None:
    image, regions = np.full((10, 60, 60), 0.5), np.ones((10, 60, 60), np.int32)
    regions[:, :10, :10], regions[:, 20:36, 20:36], regions[:, 40:60:2, 40:60] = 2, 3, 4
    numbers, weights = useful_regions(image, regions)
    assert len(weights) == 3 and weights[1] > weights[2]
    assert bool((numbers[regions == 3] == 1).all()) and not numbers[regions == 4].any()


def test_extents_hold_each_region_in_voxels_of_the_scan() -> None:
    regions = np.zeros((6, 8, 8), np.uint16)
    regions[2:5, 1:3, 4:8] = 2
    extents = region_map(regions, 2, np.ones(3), False).extents
    assert extents[2].tolist() == [[2, 5], [2, 6], [8, 16]]
    assert not extents[1].any()


def test_synthetic_anatomy_is_made_of_many_smooth_labels(volumes: list[TrainingVolume]) -> None:
    (synthetic,) = (volume for volume in volumes if volume.synthetic)
    assert synthetic.image.shape == (32, 64, 64) and synthetic.image.dtype == torch.uint8
    labels = synthetic.image.numpy()
    assert labels.min() >= 1 and len(np.unique(labels)) > 10
    assert float((labels[1:] == labels[:-1]).mean()) > 0.6
    assert torch.equal(synthetic.maps[0].regions, synthetic.image.int())


def test_synthetic_anatomy_is_drawn_from_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "_SHAPE", (8, 16, 16))
    first, again, other = (random_labels(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.shape == (8, 16, 16)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_contrasts_are_pictures_in_zero_to_one(volumes: list[TrainingVolume]) -> None:
    labels = volumes[-1].image[20:24].int()
    picture = random_contrast(labels, np.random.default_rng(0))
    assert picture.shape == labels.shape and picture.dtype == torch.float32
    assert 0 <= float(picture.min()) < float(picture.max()) <= 1
    shifted = shifted_contrast(picture, labels, 0.3, np.random.default_rng(1))
    assert shifted.shape == picture.shape and not torch.equal(shifted, picture)
    assert 0 <= float(shifted.min()) < float(shifted.max()) <= 1


def test_neighbours_fade_into_the_region_that_is_looked_at() -> None:
    labels = torch.ones(2, 32, 32, dtype=torch.int32)
    labels[:, :16], labels[:, :, 24:] = 2, 0
    picture = torch.where(labels == 2, 0.8, torch.where(labels == 1, 0.3, 0.1))
    faded = faded_contrast(picture, labels, 2, 1.0)
    inside = faded[:, 20:28, 8:16]
    assert torch.allclose(inside, torch.full_like(inside, 0.8), atol=0.02)
    assert torch.allclose(faded[:, 20:28, 28:], picture[:, 20:28, 28:], atol=0.02)


def test_a_region_out_of_sight_fades_nothing() -> None:
    picture = torch.rand(2, 16, 16)
    assert torch.equal(faded_contrast(picture, torch.ones(2, 16, 16, dtype=torch.int32), 7, 1.0), picture)
