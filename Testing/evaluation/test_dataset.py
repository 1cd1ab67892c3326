"""Reading a folder of labelled scans, and what is said when it is not one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.evaluation.dataset import Dataset, open_dataset
from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.plan import Plan


@pytest.fixture
def copied(patients: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(patients, tmp_path / "data"))


def test_cases_come_in_sorted_order_and_structures_in_the_order_of_their_values(dataset: Dataset) -> None:
    assert [case.name for case in dataset.cases] == ["case-01", "case-02"]
    assert dataset.structures == ("liver", "right kidney", "urinary bladder")


def test_benchmark_organs_are_those_of_the_four_that_are_named(dataset: Dataset) -> None:
    assert dataset.benchmark() == ("liver", "right kidney")


def test_the_others_are_what_is_no_benchmark_organ(dataset: Dataset) -> None:
    assert dataset.besides_benchmark() == ("urinary bladder",)


def test_a_plan_without_structures_is_refused(dataset: Dataset) -> None:
    with pytest.raises(EvaluationError, match="names no structure that was asked for"):
        Plan(dataset, ())


def test_without_a_benchmark_organ_every_structure_counts(copied: Path) -> None:
    (copied / "labels.json").write_text('{"1": "larynx", "3": "mandible"}')
    assert open_dataset(copied).benchmark() == ("larynx", "mandible")


def test_truth_lies_on_the_grid_of_the_image(dataset: Dataset) -> None:
    case = dataset.cases[0]
    assert case.truth("right kidney").shape == case.volume.shape
    assert case.truth("right kidney").sum() > 1000
    assert not case.has("urinary bladder")


def test_names_may_lie_one_level_above(copied: Path, patients: Path) -> None:
    (copied / "val").mkdir()
    for path in copied.glob("case-*"):
        path.rename(copied / "val" / path.name)
    assert open_dataset(copied / "val").structures == open_dataset(patients).structures


def test_other_cases_come_round_and_hold_the_structure(dataset: Dataset) -> None:
    first, second = dataset.cases
    assert dataset.others(second, "liver") == (first,)
    assert dataset.others(first, "urinary bladder") == ()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="There is no folder .*nowhere"):
        open_dataset(tmp_path / "nowhere")


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(EvaluationError, match="holds no case-"):
        open_dataset(tmp_path)


def test_a_folder_without_names_is_refused(copied: Path) -> None:
    (copied / "labels.json").unlink()
    with pytest.raises(EvaluationError, match=r"no labels\.json"):
        open_dataset(copied)


@pytest.mark.parametrize("content", ["[1, 2]", "{", '{"liver": 1}'])
def test_names_that_are_no_names_are_refused(copied: Path, content: str) -> None:
    (copied / "labels.json").write_text(content)
    with pytest.raises(EvaluationError, match="must map label values to names"):
        open_dataset(copied)


def test_an_image_without_a_label_map_is_refused(copied: Path) -> None:
    (copied / "case-02-labels.nii.gz").unlink()
    with pytest.raises(EvaluationError, match=r"case-02-labels\.nii\.gz is missing"):
        open_dataset(copied)


def test_a_label_map_on_another_grid_is_refused(copied: Path) -> None:
    other = np.eye(4, dtype=np.uint8)[None].repeat(3, 0)
    sitk.WriteImage(sitk.GetImageFromArray(other), copied / "case-01-labels.nii.gz")
    with pytest.raises(EvaluationError, match="grid of its image"):
        open_dataset(copied).cases[0].has("liver")
