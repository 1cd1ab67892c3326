"""What is kept of scans with drawn structures: small, but with all that is drawn, and no benchmark organ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.known_scans import (
    GREYS,
    KnownScan,
    known_structures,
    load_known_scans,
    prepare_known_scans,
)
from DPLSegmentLib.training.pack import BENCHMARK

CPU = torch.device("cpu")


@pytest.fixture
def scans(known_config: TrainingConfig) -> list[KnownScan]:
    """Both crops."""
    return load_known_scans(known_config, CPU)


def test_known_are_the_drawn_structures_but_for_the_benchmark_organs(
    known_config: TrainingConfig, label_names: dict[int, str]
) -> None:
    assert known_structures(known_config) == tuple(name for name in label_names.values() if name not in BENCHMARK)


def test_grey_values_are_kept_to_half_a_step(scans: list[KnownScan], data: Path) -> None:
    volume = read_volume(data / "abdomen-ct" / "train" / "case-01-image.nii.gz")
    kept = (scans[0].greys.numpy() / GREYS["CT"]).clip(0, 1)
    assert np.abs(kept - normalise(volume)).max() <= 0.5 / GREYS["CT"] + 1e-6
    assert scans[0].spacing == volume.spacing


def test_labels_are_what_was_drawn_of_each_structure(
    scans: list[KnownScan],
    known_config: TrainingConfig,
    true_labels: dict[str, np.ndarray],
    label_names: dict[int, str],
) -> None:
    values = {name: value for value, name in label_names.items()}
    for number, name in enumerate(known_structures(known_config)):
        assert np.array_equal(scans[0].labels.numpy() == 1 + number, true_labels["case-01"] == values[name])


def test_scans_can_be_left_out(known_config: TrainingConfig) -> None:
    (left,) = load_known_scans(replace(known_config, without="abdomen-ct-case-01"), CPU)
    assert left.name == "abdomen-ct-case-02"


def test_scans_that_are_there_are_not_prepared_again(known_config: TrainingConfig) -> None:
    folder = Path(known_config.pack)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    prepare_known_scans(known_config)
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_preparation_that_was_interrupted_is_finished(
    known_config: TrainingConfig, tmp_path: Path, configure: Callable[..., TrainingConfig]
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "abdomen-ct-case-01.partial").write_bytes(b"half of it")
    config = configure(known=True, pack=str(pack))
    prepare_known_scans(config)
    assert len(load_known_scans(config, CPU)) == 2 and not list(pack.glob("*.partial"))


def test_a_folder_without_drawn_scans_is_named(configure: Callable[..., TrainingConfig], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="drawn"):
        prepare_known_scans(configure(known=True, data=str(tmp_path), pack=str(tmp_path / "pack")))
