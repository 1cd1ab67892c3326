"""`dpl-segment train`."""

from __future__ import annotations

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


def test_a_later_configuration_that_is_wrong_is_refused_before_anything_is_trained(
    stages: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    stages[1].write_text("steps = 1\n")
    assert main(["train", "--config", *map(str, stages)]) != 0
    assert "second.toml" in capsys.readouterr().err
    assert not stages[0].with_suffix("").exists()
