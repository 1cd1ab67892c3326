"""Episodes: fixed by their generator, in range, and with masks that fit their images."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import Tensor

from DPLSegmentLib.training.augment import as_painted, photometric
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.episodes import FAR, Episode, EpisodeSampler
from DPLSegmentLib.training.pack import TrainingVolume, region_map
from DPLSegmentLib.training.views import PlaneView, Window

COUNT = 25


@pytest.fixture(scope="module")
def episodes(volumes: list[TrainingVolume], config: TrainingConfig) -> list[Episode]:
    """A few episodes of all kinds."""
    sampler = EpisodeSampler(volumes, config)
    return [sampler.sample(np.random.default_rng([3, number])) for number in range(COUNT)]


@pytest.fixture
def telling(
    true_labels: dict[str, np.ndarray], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> EpisodeSampler:
    """Draws from two patients whose grey value is the number of the structure, times sixteen."""
    monkeypatch.setattr("DPLSegmentLib.training.episodes.photometric", lambda images, generator: images)
    monkeypatch.setattr("DPLSegmentLib.training.episodes.flattened_contrast", lambda images, grey, generator: images)
    patients = []
    for labels in true_labels.values():
        weights = (np.bincount(labels.ravel(), minlength=14) > 0).astype(float)
        weights[0] = 0
        regions = region_map(labels, 1, weights, True)
        image = torch.from_numpy(labels.astype(np.uint8) * 16)
        patients.append(TrainingVolume(image, (3.0, 3.0, 3.0), (regions,), "patients"))
    return EpisodeSampler(patients, config)


def same(one: Episode, other: Episode) -> bool:
    """Whether two episodes are equal to the bit."""
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Episode)]
    return all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in pairs)


def test_the_same_generator_draws_the_same_episode(sampler: EpisodeSampler) -> None:
    first, again, other = (sampler.sample(np.random.default_rng([1, seed])) for seed in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)


def test_shapes_are_those_of_the_configuration(episodes: list[Episode], config: TrainingConfig) -> None:
    side = (config.crop, config.crop)
    for episode in episodes:
        count = len(episode.painted)
        assert 1 <= count <= config.structures
        assert episode.chain.shape == (config.rollout + 1, 3, *side)
        assert episode.chain_masks.shape == (count, config.rollout + 1, *side)
        assert episode.far.shape == (FAR, 3, *side)
        assert episode.far_masks.shape == (count, FAR, *side)
        assert episode.painted.shape == (count, *side)


def test_images_lie_in_zero_to_one_and_masks_are_binary(episodes: list[Episode]) -> None:
    for episode in episodes:
        for images in (episode.chain, episode.far):
            assert float(images.min()) >= 0 and float(images.max()) <= 1
        for masks in (episode.chain_masks, episode.far_masks, episode.painted):
            assert set(masks.unique().tolist()) <= {0.0, 1.0}


def test_each_slice_of_the_chain_is_seen_between_its_neighbours(episodes: list[Episode]) -> None:
    for episode in episodes:
        assert torch.equal(episode.chain[1:, 0], episode.chain[:-1, 1])
        assert torch.equal(episode.chain[:-1, 2], episode.chain[1:, 1])


def test_every_structure_is_painted_and_the_paint_is_about_its_mask(episodes: list[Episode]) -> None:
    for episode in episodes:
        for painted, mask in zip(episode.painted, episode.chain_masks[:, 0], strict=True):
            overlap = 2 * (painted * mask).sum() / (painted.sum() + mask.sum())
            assert float(mask.sum()) >= 20 and float(overlap) > 0.5


def test_structures_of_one_episode_overlap_by_their_smoothed_borders_at_most(episodes: list[Episode]) -> None:
    for episode in episodes:
        covered = episode.chain_masks.sum(0)
        assert float((covered > 1).sum()) <= 0.1 * float((covered > 0).sum())


def test_a_cut_structure_is_part_of_what_looks_the_same(episodes: list[Episode]) -> None:
    for episode in episodes:
        outside = (episode.chain_masks > episode.chain_alike).sum()
        assert float(outside) <= 0.1 * float(episode.chain_masks.sum())
    assert any(bool((episode.chain_alike > episode.chain_masks).any()) for episode in episodes)


def test_episodes_hold_what_is_rare_too(episodes: list[Episode]) -> None:
    assert any(float(episode.chain_masks[0, -1].sum()) == 0 for episode in episodes)
    assert any(float(episode.far_masks[0].sum()) > 0 for episode in episodes)
    assert {episode.same_view for episode in episodes} == {True, False}
    assert all(episode.gap > 0 for episode in episodes)


def test_masks_lie_on_their_structures_in_the_chain_and_far_away(telling: EpisodeSampler) -> None:
    looked = {"chain": 0, "far": 0}
    for number in range(COUNT):
        episode = telling.sample(np.random.default_rng([9, number]))
        for structure, chain_masks in enumerate(episode.chain_masks):
            inside = inner_values(episode.chain[:, 1], chain_masks)
            elsewhere = inner_values(episode.far[:, 1], episode.far_masks[structure])
            assert len(torch.cat([inside, elsewhere]).unique()) <= 1
            looked["chain"] += len(inside) > 0
            looked["far"] += len(elsewhere) > 0
    assert min(looked.values()) > 5


def inner_values(images: Tensor, masks: Tensor) -> Tensor:
    """The values of images [n, H, W] inside masks, away from their border and the window's; one step a structure."""
    outside = torch.nn.functional.pad(1 - masks[:, None], [5] * 4, value=1.0)
    inner = 1 - torch.nn.functional.max_pool2d(outside, 11, 1)[:, 0]
    return (images[inner > 0] * 255 / 16).round(decimals=2)


def test_scans_without_a_structure_of_a_usable_size_are_said(
    volumes: list[TrainingVolume], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("DPLSegmentLib.training.episodes._LEAST_PIXELS", 10**6)
    with pytest.raises(TrainingError, match="No usable structure"):
        EpisodeSampler(volumes, config).sample(np.random.default_rng(0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_straight_window_shows_the_scan_and_its_regions_as_they_are(volumes: list[TrainingVolume], axis: int) -> None:
    view = PlaneView(volumes[0], axis)
    height, width = view.image.shape[1:]
    window = Window((height / 2 - 0.5, width / 2 - 0.5), view.gap, 0.0, False, min(height, width))
    top, left = (height - window.size) // 2, (width - window.size) // 2
    shown = view.image[4:6, top : top + window.size, left : left + window.size].float() / 255
    torch.testing.assert_close(view.slices([4, 5], window), shown, atol=1e-3, rtol=0)
    regions = volumes[0].maps[-1]
    moved = regions.regions.movedim(axis, 0)[4:6, top : top + window.size, left : left + window.size]
    assert torch.equal(view.regions(regions, [4, 5], window), moved)


def test_a_mirrored_window_is_the_mirror_image(volumes: list[TrainingVolume]) -> None:
    view = PlaneView(volumes[0], 0)
    straight, mirrored = (Window((31.5, 31.5), 3.0, 0.1, mirror, 48) for mirror in (False, True))
    turned = Window((31.5, 31.5), 3.0, 0.0, True, 48)
    plain = Window((31.5, 31.5), 3.0, 0.0, False, 48)
    torch.testing.assert_close(view.slices([4], turned), view.slices([4], plain).flip(2), atol=1e-4, rtol=0)
    assert not torch.equal(view.slices([4], straight), view.slices([4], mirrored))


def test_beyond_the_ends_images_repeat_and_regions_are_empty(volumes: list[TrainingVolume]) -> None:
    view, window = PlaneView(volumes[0], 0), Window((31.5, 31.5), 3.0, 0.0, False, 48)
    assert torch.equal(view.slices([-3, 40], window), view.slices([0, 31], window))
    regions = view.regions(volumes[0].maps[0], [-1, 5, 32], window)
    assert not regions[0].any() and regions[1].any() and not regions[2].any()


@pytest.mark.parametrize("seed", range(5))
def test_other_scanners_show_the_same_in_other_grey_values(episodes: list[Episode], seed: int) -> None:
    images = episodes[0].chain[:, 1]
    first, again = (photometric(images, np.random.default_rng(seed)) for _ in range(2))
    assert torch.equal(first, again) and first.shape == images.shape
    assert float(first.min()) >= 0 and float(first.max()) <= 1


@pytest.mark.parametrize("seed", range(8))
def test_paint_is_imperfect_but_never_far_from_the_structure(seed: int) -> None:
    mask = torch.zeros(64, 64)
    mask[20:44, 16:40] = 1
    painted = as_painted(mask, np.random.default_rng(seed))
    assert set(painted.unique().tolist()) == {0.0, 1.0}
    assert bool(painted[24:40, 20:36].all()) and not painted[:14].any() and not painted[:, 46:].any()


def test_a_speck_is_never_painted_away() -> None:
    mask = torch.zeros(64, 64)
    mask[30, 30] = 1
    assert all(bool(as_painted(mask, np.random.default_rng(seed)).any()) for seed in range(10))
