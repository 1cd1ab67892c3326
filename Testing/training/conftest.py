"""A tiny data folder cut out of the bundled CT, and a configuration that trains on it in seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from DPLSegmentLib.network.checkpoint import save_model
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.resources import resource
from DPLSegmentLib.training import synthesis
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.episodes import EpisodeSampler
from DPLSegmentLib.training.found_regions import prepare_found
from DPLSegmentLib.training.known_scans import prepare_known_scans
from DPLSegmentLib.training.pack import TrainingVolume, load_volumes
from Testing.training.crops import write_case

BOXES = {
    "case-01": (slice(80, 112), slice(25, 89), slice(30, 94)),
    "case-02": (slice(74, 106), slice(20, 84), slice(40, 104)),
}
Configure = Callable[..., TrainingConfig]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """abdomen-ct/train with two crops, and a val folder that cannot be read."""
    root = tmp_path_factory.mktemp("data")
    for name, box in BOXES.items():
        write_case(root / "abdomen-ct" / "train", name, box)
    names = json.loads(resource("SampleData/labels.json").read_text())
    (root / "abdomen-ct" / "labels.json").write_text(json.dumps(names))
    (root / "abdomen-ct" / "val").mkdir()
    (root / "abdomen-ct" / "val" / "case-03-image.nii.gz").write_text("never read")
    return root


@pytest.fixture(scope="session")
def label_names(data: Path) -> dict[int, str]:
    """The name of each label value."""
    return {int(value): name for value, name in json.loads((data / "abdomen-ct" / "labels.json").read_text()).items()}


@pytest.fixture(scope="session")
def config(data: Path) -> TrainingConfig:
    """Four steps on small windows."""
    run = str(data / "runs" / "first")
    return TrainingConfig(str(data), run, steps=4, crop=64, rollout=2, synthetic=1, warmup=2, seed=7)


@pytest.fixture(scope="session")
def known_config(config: TrainingConfig) -> TrainingConfig:
    """Of the recogniser, its scans prepared."""
    known = replace(config, known=True, pack=str(Path(config.data) / "runs" / "pack-known"))
    prepare_known_scans(known)
    return known


@pytest.fixture(scope="session")
def found_config(config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    """What two overlapping crops of one scan have in common, to weights that have learned nothing."""
    folder = tmp_path_factory.mktemp("found")
    torch.manual_seed(3)
    save_model(SegmentationNetwork(), folder / "start.pt")
    found = replace(config, run=str(folder / "run"), start=str(folder / "start.pt"), known=True, found=True, steps=2)
    prepare_known_scans(found)
    prepare_found(found)
    return found


@pytest.fixture
def configure(config: TrainingConfig) -> Configure:
    """Makes variations of the configuration."""

    def varied(**changes: object) -> TrainingConfig:
        return replace(config, **changes)

    return varied


@pytest.fixture(scope="session")
def volumes(config: TrainingConfig) -> list[TrainingVolume]:
    """Two real volumes, and one that never was and has an eighth of the usual size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthesis, "_SHAPE", (32, 64, 64))
        return load_volumes(config)


@pytest.fixture
def sampler(volumes: list[TrainingVolume], config: TrainingConfig) -> EpisodeSampler:
    """Draws episodes from them."""
    return EpisodeSampler(volumes, config)


@pytest.fixture(scope="session")
def true_labels(data: Path) -> dict[str, np.ndarray]:
    """All labels of the two real crops, benchmark organs too."""
    folder = data / "abdomen-ct" / "train"
    return {name: sitk.GetArrayFromImage(sitk.ReadImage(folder / f"{name}-labels.nii.gz")) for name in BOXES}
