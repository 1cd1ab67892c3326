"""Views for the recogniser: of drawn structures that are no benchmark organs, whole, turned and kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.propagation.embedding import Embedder
from DPLSegmentLib.training.known_views import KnownView, known_structures, load_views, make_views
from DPLSegmentLib.training.pack import BENCHMARK

AREA = 16


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """With an encoder that has learned nothing."""
    torch.manual_seed(1)
    return Embedder(Encoder().eval(), torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(data: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The views of the two crops."""
    folder = tmp_path_factory.mktemp("views")
    make_views(data, known_structures(data), folder, embedder)
    return folder


@pytest.fixture
def views(folder: Path) -> list[KnownView]:
    """Read back."""
    return load_views(folder)


def test_known_are_the_drawn_structures_but_for_the_benchmark_organs(data: Path, label_names: dict[int, str]) -> None:
    assert known_structures(data) == tuple(name for name in label_names.values() if name not in BENCHMARK)


def test_every_scan_is_seen_as_it_is_and_in_four_other_ways(views: list[KnownView]) -> None:
    assert len(views) == 10
    plain, turned = views[0], views[1]
    assert not np.allclose(plain.shares.sum((2, 3)), turned.shares.sum((2, 3)), rtol=0.02)


def test_shares_add_up_to_the_area_that_is_drawn(
    views: list[KnownView], data: Path, true_labels: dict[str, np.ndarray], label_names: dict[int, str]
) -> None:
    names, labels = known_structures(data), true_labels["case-01"]
    values = {name: value for value, name in label_names.items()}
    seen = views[0].shares.astype(np.float64).sum((0, 2, 3))
    drawn = np.array([(labels[::2] == values[name]).sum() for name in names])
    there = drawn > 100
    ratio = seen[there] * AREA / drawn[there]
    assert there.sum() >= 3 and ratio.std() / ratio.mean() < 0.05


def test_right_stays_right_where_a_scan_is_seen_mirrored(views: list[KnownView]) -> None:
    plain, mirrored = views[0], views[4]
    assert plain.places[1, 0, 0] < plain.places[1, 0, -1] and mirrored.places[1, 0, 0] > mirrored.places[1, 0, -1]
    for number in np.flatnonzero(plain.shares.sum((0, 2, 3)) > 20):
        one, other = (_middle(view, number) for view in (plain, mirrored))
        assert abs(one - other) < 0.35


def test_views_that_are_there_are_not_made_again(folder: Path, data: Path, embedder: Embedder) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    make_views(data, known_structures(data), folder, embedder)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}


def test_a_view_that_was_interrupted_is_made_again(
    folder: Path, data: Path, embedder: Embedder, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "views")
    interrupted = tmp_path / "views" / "abdomen-ct-case-01-0"
    interrupted.rename(interrupted.with_suffix(".partial"))
    (interrupted.with_suffix(".partial") / "places.npy").unlink()
    assert len(load_views(tmp_path / "views")) == 9
    make_views(data, known_structures(data), tmp_path / "views", embedder)
    assert len(load_views(tmp_path / "views")) == 10 and not list((tmp_path / "views").glob("*.partial"))


def _middle(view: KnownView, number: int) -> float:
    """The mean place of a structure from right to left."""
    share = view.shares[:, number].astype(np.float64)
    return float((share * view.places[1]).sum() / share.sum())
