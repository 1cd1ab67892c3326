"""Structures that nobody named: found in the scans themselves, kept beside what is drawn, seen better by a teacher."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from DPLSegmentLib.cli import main
from DPLSegmentLib.network.checkpoint import save_model
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.identity import digest_of
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import ALONE
from DPLSegmentLib.training.found_regions import prepare_found
from DPLSegmentLib.training.found_scans import found_groups, found_kinds, load_found_scans, taught_folder
from DPLSegmentLib.training.known_scans import KnownScan, known_folder, known_structures, load_known_scans
from DPLSegmentLib.training.teacher import prepare_taught
from DPLSegmentLib.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def found_scans(found_config: TrainingConfig) -> list[KnownScan]:
    """Both crops with what was found."""
    return load_found_scans(found_config, CPU)


@pytest.fixture(scope="session")
def taught_config(found_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    """Taught by weights that see the first structure that was found everywhere, and no other."""
    names, kinds = known_structures(found_config), found_kinds(found_config)
    network = SegmentationNetwork(replace(NetworkConfig(), known=names, found=kinds))
    torch.nn.init.zeros_(network.recogniser.leave.weight)
    network.recogniser.leave.bias.data = torch.eye(1 + len(names) + len(kinds))[1 + len(names)].repeat_interleave(4) * 9
    teacher = tmp_path_factory.mktemp("teacher") / "teacher.pt"
    save_model(network, teacher)
    return replace(found_config, teacher=str(teacher))


def test_something_is_the_same_in_both_crops(found_config: TrainingConfig, found_scans: list[KnownScan]) -> None:
    known, groups = len(known_structures(found_config)), found_groups(found_config)
    assert groups and set(groups) == {"abdomen-ct"} and set(found_kinds(found_config)) == {"CT"}
    shared = (slice(0, 26), slice(0, 59), slice(10, 64)), (slice(6, 32), slice(5, 64), slice(0, 54))
    one, other = (scan.labels.numpy()[part] for scan, part in zip(found_scans, shared, strict=True))
    agreeing = [
        2 * ((one == number) & (other == number)).sum() / ((one == number).sum() + (other == number).sum())
        for number in range(1 + known, 1 + known + len(groups))
        if (one == number).any() and (other == number).any()
    ]
    assert max(agreeing) > 0.9


def test_what_is_drawn_stays_what_it_is(found_config: TrainingConfig, found_scans: list[KnownScan]) -> None:
    for scan, drawn in zip(found_scans, load_known_scans(found_config, CPU), strict=True):
        assert torch.equal(scan.labels[drawn.labels > 0], drawn.labels[drawn.labels > 0])


def test_what_was_found_elsewhere_may_be_there_all_the_same(
    found_config: TrainingConfig, found_scans: list[KnownScan]
) -> None:
    known = len(known_structures(found_config))
    for scan in found_scans:
        assert len(scan.maybe) == known + len(found_groups(found_config))
        for number, maybe in enumerate(scan.maybe.tolist()[known:], 1 + known):
            assert maybe != bool((scan.labels == number).any())


def test_what_was_found_is_not_looked_for_again(found_config: TrainingConfig) -> None:
    folder = Path(found_config.run).parent / "pack-known2"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    prepare_found(found_config)
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_the_recogniser_learns_what_was_found(found_config: TrainingConfig) -> None:
    trainer = Trainer(found_config, [], ALONE)
    before = trainer.state.network.recogniser.leave.weight.clone()
    trainer.train()
    told = trainer.state.network.recogniser.leave.weight
    assert len(told) == 4 * (1 + len(known_structures(found_config)) + len(found_groups(found_config)))
    assert all(not torch.equal(one, other) for one, other in zip(before.split(4), told.split(4), strict=True))


def test_what_a_teacher_sees_takes_the_place_of_the_regions(
    taught_config: TrainingConfig, found_scans: list[KnownScan]
) -> None:
    prepare_taught(taught_config)
    first = 1 + len(known_structures(taught_config))
    for before, after in zip(found_scans, load_found_scans(taught_config, CPU), strict=True):
        others = (before.labels > 0) & (before.labels != first)
        assert torch.equal(after.labels[others], before.labels[others])
        assert float((after.labels[~others] == first).float().mean()) > 0.9


def test_pairs_that_a_teacher_sees_are_swept_again(taught_config: TrainingConfig) -> None:
    first = len(known_structures(taught_config))
    prepare_taught(taught_config)
    taught = replace(taught_config, swept=True, pairs=f"{first}:{first + 1}")
    prepare_taught(taught)
    for scan in load_found_scans(taught, CPU):
        share = float((scan.labels[scan.labels != 0] == 1 + first).float().mean())
        assert share < 0.9


def test_two_processes_that_share_the_scans_prepare_what_one_does(
    taught_config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    prepare_taught(taught_config)
    both = replace(taught_config, run=str(tmp_path / "run"), processes=2, steps=1)
    written = [f"{name} = {json.dumps(value)}\n" for name, value in asdict(both).items()]
    (tmp_path / "both.toml").write_text("".join(written))
    assert main(["train", "--config", str(tmp_path / "both.toml")]) == 0
    alone, shared = (_contents(known_folder(config)) for config in (taught_config, both))
    assert shared.items() <= alone.items()
    assert len([path for path in shared if path.parent.name == taught_folder(both).name]) == 2


def _contents(folder: Path) -> dict[Path, str]:
    return {path.relative_to(folder): digest_of(path) for path in folder.rglob("*") if path.is_file()}
