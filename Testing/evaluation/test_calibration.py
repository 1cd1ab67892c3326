"""Whether a confidence means what it says: numbers by hand, voxels of a real result, table and picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.evaluation.calibration import (
    ALL,
    calibration,
    calibration_table,
    calibrations,
    reliability,
)
from DPLSegmentLib.evaluation.calibration_picture import draw_calibration
from DPLSegmentLib.evaluation.dataset import Dataset
from DPLSegmentLib.evaluation.painting import largest_slice
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.voxels import VoxelReader, Voxels
from DPLSegmentLib.propagation.engine import Engine


@pytest.fixture
def honest() -> Voxels:
    """Right as often as the confidence says; the margin is always sure."""
    generator = np.random.default_rng(0)
    confidence = generator.random(50_000).astype(np.float32)
    right = generator.random(50_000) < confidence
    return Voxels(right, confidence, np.ones(50_000, np.float32))


@pytest.fixture(scope="module")
def one_kidney(dataset: Dataset) -> Plan:
    """The right kidney of one patient."""
    return Plan(dataset, ("right kidney",), queries=1)


@pytest.fixture(scope="module")
def kidney_voxels(engine: Engine, one_kidney: Plan) -> Voxels:
    """What is found of it."""
    return VoxelReader(engine).read(one_kidney)["right kidney"]


def test_four_voxels_fall_into_their_bins() -> None:
    found = reliability(np.array([0.05, 0.55, 0.59, 1.0]), np.array([False, True, False, True]))
    assert found.share.tolist() == [0.25, 0, 0, 0, 0, 0.5, 0, 0, 0, 0.25]
    assert found.predicted[[0, 5, 9]] == pytest.approx([0.05, 0.57, 1.0])
    assert found.observed[[0, 5, 9]] == pytest.approx([0.0, 0.5, 1.0])
    assert np.isnan(found.observed[1])
    assert found.error == pytest.approx(0.25 * 0.05 + 0.5 * 0.07)


def test_an_honest_confidence_has_hardly_any_calibration_error(honest: Voxels) -> None:
    found = calibration(honest)
    assert found.voxels == 50_000 and found.wrong == pytest.approx(0.5, abs=0.02)
    assert found.ece_confidence < 0.02
    assert found.ece_margin == found.ece_probability == pytest.approx(0.5, abs=0.02)


def test_a_confidence_that_knows_the_errors_retains_fewer_than_one_that_does_not(honest: Voxels) -> None:
    found = calibration(honest)
    assert found.area_confidence < found.area_margin == pytest.approx(0.25, abs=0.01)
    assert found.gain_confidence > 0.5 and found.gain_margin == pytest.approx(0, abs=0.05)


def test_a_result_without_any_voxel_has_numbers_all_the_same() -> None:
    nothing = Voxels(np.zeros(0, bool), np.zeros(0, np.float32), np.zeros(0, np.float32))
    found = calibration(nothing)
    assert found.voxels == 0 and found.ece_confidence == found.area_margin == 0


def test_the_table_has_a_line_a_structure_and_one_for_all_voxels(honest: Voxels) -> None:
    found = calibrations({"liver": honest, "spleen": honest})
    assert list(found) == ["liver", "spleen", ALL] and found[ALL].voxels == 100_000
    title, head, *lines = calibration_table(found, "S").splitlines()
    assert title == "S" and "area % margin" in head and len(lines) == 3
    assert lines[0].startswith("liver") and "100000" in lines[2]


def test_voxels_of_painted_slices_are_left_out(kidney_voxels: Voxels, one_kidney: Plan) -> None:
    truth = one_kidney.dataset.cases[0].truth("right kidney")
    found = int(kidney_voxels.right.sum())
    assert 0 < found <= truth.sum() - truth[largest_slice(truth)].sum()


def test_our_confidence_of_a_real_result_knows_most_of_its_errors(kidney_voxels: Voxels) -> None:
    assert kidney_voxels.confidence.shape == kidney_voxels.margin.shape == kidney_voxels.right.shape
    assert float(kidney_voxels.confidence.min()) > 0 and float(kidney_voxels.confidence.max()) < 1
    assert bool((kidney_voxels.probability >= 0.5).all())
    assert calibration(kidney_voxels).gain_confidence > 0.5


def test_both_diagrams_are_drawn(honest: Voxels, tmp_path: Path) -> None:
    draw_calibration(honest, "honest", tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_leaves_a_table_numbers_and_a_picture(
    patients: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calibrate", "--data", str(patients), "--cases", "1", "--device", "cpu", "--output", str(tmp_path)]
    assert main(words) == 0
    assert "lower is better" in capsys.readouterr().out
    (numbers,), (_picture,) = tmp_path.glob("*-calibration.json"), tmp_path.glob("*-calibration.png")
    content = json.loads(numbers.read_text())
    assert set(content["rows"]) == {"liver", "right kidney", ALL}
    assert len(content["bins"]["confidence"]["observed"]) == 10


def test_a_missing_folder_fails_with_a_sentence(
    patients: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calibrate", "--data", str(patients / "nowhere"), "--output", str(tmp_path)]
    assert main(words) == 1
    assert "There is no folder" in capsys.readouterr().err
