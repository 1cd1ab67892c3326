"""`dpl-segment train`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.pack import pack_folder


@pytest.fixture
def stages(config: TrainingConfig, tmp_path: Path) -> list[Path]:
    """Two configurations of one step each; the second goes on from the weights of the first."""
    scans = f'data = "{config.data}"\npack = "{pack_folder(config)}"\n'
    common = f"{scans}steps = 1\ncrop = 64\nrollout = 1\nsynthetic = 0\n"
    starts = {"first": "", "second": f'start = "{tmp_path}/first/dpl-segment.pt"\n'}
    for name, start in starts.items():
        (tmp_path / f"{name}.toml").write_text(f'run = "{tmp_path}/{name}"\n{start}{common}')
    return [tmp_path / f"{name}.toml" for name in starts]


def test_several_configurations_are_trained_in_their_order(stages: list[Path]) -> None:
    assert main(["train", "--config", *map(str, stages)]) == 0
    assert all((path.with_suffix("") / "dpl-segment.pt").is_file() for path in stages)


def test_a_configuration_that_is_done_is_passed_over_without_its_scans(
    stages: list[Path], config: TrainingConfig
) -> None:
    assert main(["train", "--config", *map(str, stages)]) == 0
    weights = [path.with_suffix("") / "dpl-segment.pt" for path in stages]
    finished = [path.stat().st_mtime_ns for path in weights]
    shutil.rmtree(pack_folder(config))
    assert main(["train", "--config", *map(str, stages)]) == 0
    assert [path.stat().st_mtime_ns for path in weights] == finished


def test_a_damaged_checkpoint_of_a_configuration_that_was_done_is_refused(
    stages: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--config", *map(str, stages)]) == 0
    (stages[0].with_suffix("") / "checkpoint.pt").write_bytes(b"cut off")
    assert main(["train", "--config", *map(str, stages)]) == 1
    assert "move it away to start anew" in capsys.readouterr().err


def test_a_later_configuration_that_is_wrong_is_refused_before_anything_is_trained(
    stages: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    stages[1].write_text("steps = 1\n")
    assert main(["train", "--config", *map(str, stages)]) != 0
    assert "second.toml" in capsys.readouterr().err
    assert not stages[0].with_suffix("").exists()


@pytest.fixture
def team_of_two(stages: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first configuration, for two processes."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    stages[0].write_text(stages[0].read_text() + "processes = 2\n")
    return stages[0]


def test_a_configuration_for_two_processes_starts_them_itself(team_of_two: Path, stages: list[Path]) -> None:
    assert main(["train", "--config", str(team_of_two), str(stages[1])]) == 0
    assert (stages[1].with_suffix("") / "dpl-segment.pt").is_file()


def test_two_processes_learn_from_two_episodes_in_a_step(team_of_two: Path, tmp_path: Path) -> None:
    weights = tmp_path / "first" / "dpl-segment.pt"
    main(["train", "--config", str(team_of_two)])
    of_two = weights.read_bytes()
    shutil.rmtree(weights.parent)
    team_of_two.write_text(team_of_two.read_text().replace("processes = 2", "processes = 1"))
    main(["train", "--config", str(team_of_two)])
    assert weights.read_bytes() != of_two


def test_what_one_of_two_processes_fails_by_is_said(team_of_two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    team_of_two.write_text(team_of_two.read_text() + 'start = "nowhere.pt"\n')
    assert main(["train", "--config", str(team_of_two)]) == 1
    told = capsys.readouterr().err
    assert "A process of the training failed" in told and "nowhere.pt" in told
