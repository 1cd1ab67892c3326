"""Configurations of training runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from DPLSegmentLib.network.fusion import FusionMode
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.training.config import TrainingConfig, TrainingError, read_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a configuration is written."""
    return tmp_path / "run.toml"


def refusal(path: Path) -> str:
    """The sentence with which a configuration is refused; it names the file."""
    with pytest.raises(TrainingError) as refused:
        read_config(path)
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_what_is_not_given_has_its_default(file: Path) -> None:
    file.write_text('data = "scans"\nrun = "runs/a"\nsteps = 12\nrate = 1\n')
    assert read_config(file) == replace(TrainingConfig("scans", "runs/a"), steps=12, rate=1)


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "configs").glob("*.toml")), ids=lambda p: p.name)
def test_the_configurations_of_the_repository_can_be_read(path: Path) -> None:
    assert read_config(path).steps > 0


def test_a_missing_configuration_is_said(file: Path) -> None:
    assert "cannot be read" in refusal(file)


@pytest.mark.parametrize("content", [b"data = ", b"\xff\xfe", b"data: scans"])
def test_what_is_no_toml_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "cannot be read" in refusal(file)


def test_unknown_keys_are_named_beside_the_known_ones(file: Path) -> None:
    file.write_text('data = "scans"\nrun = "a"\nspeed = 3\nsize = 1\n')
    sentence = refusal(file)
    assert "unknown keys: size, speed" in sentence and "synthetic_share" in sentence


@pytest.mark.parametrize("content", ["", 'data = "scans"', 'run = "a"'])
def test_what_must_be_given_is_asked_for(file: Path, content: str) -> None:
    file.write_text(content)
    assert "`data` and `run` must be given" in refusal(file)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('steps = "many"', "steps must be int"),
        ("steps = 1.5", "steps must be int"),
        ("steps = true", "steps must be int"),
        ('rate = "high"', "rate must be float"),
        ("labels = 1", "labels must be bool"),
        ("encoder = 2", "encoder must be str"),
    ],
)
def test_values_of_the_wrong_kind_are_named(file: Path, line: str, said: str) -> None:
    file.write_text(f'data = "scans"\nrun = "a"\n{line}\n')
    assert said in refusal(file)


def test_training_has_the_dpl_of_the_engine_where_nothing_else_is_said(file: Path) -> None:
    assert TrainingConfig("scans", "runs/a").switches == EngineOptions()
    file.write_text('data = "scans"\nrun = "a"\nfusion = "variants"\nvariants = 8\ngeometry = false\nseed = 2\n')
    assert read_config(file).switches == EngineOptions(fusion=FusionMode.VARIANTS, variants=8, geometry=False, seed=2)


def test_an_unknown_fusion_is_refused(file: Path) -> None:
    file.write_text('data = "scans"\nrun = "a"\nfusion = "cold"\n')
    assert "has the fusion cold; it must be one of none, mean, variants" in refusal(file)


def test_a_crop_that_the_encoder_cannot_halve_is_refused(file: Path) -> None:
    file.write_text('data = "scans"\nrun = "a"\ncrop = 100\n')
    assert "crop of 100; it must be a multiple of 32" in refusal(file)


def test_pairs_are_numbers_with_a_colon(file: Path) -> None:
    file.write_text('data = "scans"\nrun = "a"\npairs = "26:22 31:19"\n')
    assert read_config(file).paired == {26: 22, 31: 19}
    file.write_text('data = "scans"\nrun = "a"\npairs = "26-22"\n')
    assert '"26-22"' in refusal(file) and "26:22 31:19" in refusal(file)


@pytest.mark.parametrize("words", ["start_share = 0.5", 'start = "a.pt"\nstart_share = 1.0'])
def test_a_share_of_no_start_or_of_all_of_it_is_refused(file: Path, words: str) -> None:
    file.write_text(f'data = "scans"\nrun = "a"\n{words}\n')
    assert "keeps a share of its start" in refusal(file)
