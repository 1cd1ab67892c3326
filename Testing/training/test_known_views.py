"""Views for the recogniser: as the engine sees a scan, or turned, bent and in other greys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.propagation.embedding import Embedder
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.fresh_views import FreshViews, KeptViews
from DPLSegmentLib.training.known_scans import KnownScan, known_structures, load_known_scans
from DPLSegmentLib.training.known_views import KnownView, Viewer, shares_of


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """That has learned nothing."""
    torch.manual_seed(1)
    return Encoder().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def scan(known_config: TrainingConfig) -> KnownScan:
    """The first crop."""
    return load_known_scans(known_config, torch.device("cpu"))[0]


@pytest.fixture(scope="module")
def viewer(encoder: Encoder) -> Viewer:
    """The first structure takes up the contrast agent."""
    return Viewer(encoder, (0,))


@pytest.fixture(scope="module")
def views(viewer: Viewer, scan: KnownScan) -> list[KnownView]:
    """As it is, and four times otherwise."""
    return [viewer.as_it_is(scan), *(viewer.look(scan, np.random.default_rng(seed), 12) for seed in range(4))]


def test_the_first_view_is_what_the_engine_sees(views: list[KnownView], encoder: Encoder, data: Path) -> None:
    volume = read_volume(data / "abdomen-ct" / "train" / "case-01-image.nii.gz")
    seen = Embedder(encoder, torch.device("cpu")).embed(volume, 0)
    step = round(5 / volume.spacing[0])
    features = np.stack([seen.standardised(index) for index in range(0, seen.count, step)])
    assert views[0].features.shape == features.shape
    assert np.corrcoef(views[0].features.flatten(), features.ravel())[0, 1] > 0.97
    assert (views[0].slices - seen.images[::step]).abs().mean() < 0.02


def test_other_views_show_it_otherwise(views: list[KnownView]) -> None:
    areas = [np.bincount(view.labels.flatten(), minlength=16)[1:] / len(view.labels) for view in views]
    assert all(not np.allclose(areas[0], other, rtol=0.02) for other in areas[1:])
    assert all(view.slices.min() >= 0 and view.slices.max() <= 1 for view in views)


def test_shares_add_up_to_one_and_to_what_is_drawn(views: list[KnownView]) -> None:
    labels = views[0].labels
    shares = shares_of(labels, range(int(labels.max())))
    assert torch.allclose(shares.sum(1), torch.ones(()))
    assert float(shares[:, 1].sum()) * 4 == float((labels == 1).sum())


def test_labels_have_the_areas_that_are_drawn(
    views: list[KnownView],
    known_config: TrainingConfig,
    true_labels: dict[str, np.ndarray],
    label_names: dict[int, str],
) -> None:
    names, labels = known_structures(known_config), true_labels["case-01"]
    values = {name: value for value, name in label_names.items()}
    seen = shares_of(views[0].labels, range(len(names)))[:, 1:].double().sum((0, 2, 3)).numpy()
    drawn = np.array([(labels[::2] == values[name]).sum() for name in names])
    there = drawn > 100
    ratio = seen[there] / drawn[there]
    assert there.sum() >= 3 and ratio.std() / ratio.mean() < 0.05


def test_right_stays_right_where_a_scan_is_seen_mirrored(views: list[KnownView]) -> None:
    rising = [bool(view.places[1, 0, 0] < view.places[1, 0, -1]) for view in views]
    mirrored = [view for view, rises in zip(views, rising, strict=True) if not rises]
    assert rising[0] and mirrored
    for number in np.flatnonzero(np.bincount(views[0].labels.flatten())[1:] > 400) + 1:
        one, other = (_middle(view, number) for view in (views[0], mirrored[0]))
        assert abs(one - other) < 0.35


def test_a_part_has_the_features_that_the_whole_has(viewer: Viewer, scan: KnownScan) -> None:
    generators = (np.random.default_rng(3) for _ in range(2))
    part, whole = (viewer.look(scan, generator, count) for generator, count in zip(generators, (4, 16), strict=True))
    assert abs(float(part.features.float().mean() - whole.features.float().mean())) < 0.2
    assert torch.allclose(part.places, whole.places, atol=0.1)


def test_fresh_views_are_new_each_time_and_of_one_size(viewer: Viewer, scan: KnownScan) -> None:
    fresh = FreshViews(viewer, [scan], 48)
    (_, one), (_, other) = (fresh.draw(np.random.default_rng(seed)) for seed in (1, 2))
    assert one.features.shape == other.features.shape and len(one.labels) == 48
    assert not torch.equal(one.labels, other.labels)


def test_a_kept_view_is_the_same_whenever_it_is_made(viewer: Viewer, scan: KnownScan) -> None:
    generators = [np.random.default_rng(seed) for seed in range(6)]
    drawn = [KeptViews(viewer, [scan], 3, 2, (5, 0)).draw(generator)[1] for generator in generators]
    different = {view.labels.numpy().tobytes(): view for view in drawn}
    assert len(different) == 2
    for view in drawn:
        assert torch.equal(view.features, different[view.labels.numpy().tobytes()].features)


def test_kept_views_are_made_once_and_leave_other_chance_alone(viewer: Viewer, scan: KnownScan) -> None:
    kept, before = KeptViews(viewer, [scan], 3, 1, (5, 0)), torch.random.get_rng_state()
    (_, once), (_, again) = (kept.draw(np.random.default_rng(seed)) for seed in (1, 2))
    (_, other) = KeptViews(viewer, [scan], 3, 1, (5, 1)).draw(np.random.default_rng(1))
    assert once is again and not torch.equal(once.labels, other.labels)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_same_generators_give_the_same_view(viewer: Viewer, scan: KnownScan) -> None:
    once, again = (_drawn(viewer, scan) for _ in range(2))
    assert torch.equal(once.features, again.features) and torch.equal(once.labels, again.labels)


def _drawn(viewer: Viewer, scan: KnownScan) -> KnownView:
    torch.manual_seed(4)
    return viewer.look(scan, np.random.default_rng(4), 3)


def _middle(view: KnownView, number: int) -> float:
    """The mean place of a structure from right to left."""
    share = (view.labels[:, 2::4, 2::4] == number).double()
    return float((share * view.places[1]).sum() / share.sum())
