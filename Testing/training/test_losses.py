"""Losses, and the log of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from DPLSegmentLib.training.log import LossLog
from DPLSegmentLib.training.losses import mask_loss, presence_loss, probability_loss

SURE = 12.0


@pytest.fixture
def truth() -> torch.Tensor:
    """One mask with a structure and one without."""
    masks = torch.zeros(2, 32, 32)
    masks[0, 8:20, 5:25] = 1
    return masks


def test_a_perfect_prediction_costs_next_to_nothing(truth: torch.Tensor) -> None:
    assert float(mask_loss(SURE * (2 * truth - 1), truth)) < 1e-3
    assert float(probability_loss(truth, truth)) < 1e-3
    assert float(presence_loss(torch.tensor([SURE, -SURE]), truth)) < 1e-3


def test_the_opposite_costs_much_more_than_not_knowing(truth: torch.Tensor) -> None:
    unknown, opposite = mask_loss(torch.zeros_like(truth), truth), mask_loss(SURE * (1 - 2 * truth), truth)
    assert 0.1 < float(unknown) < float(opposite) / 2


def test_empty_masks_have_finite_losses_and_gradients() -> None:
    empty, logits = torch.zeros(3, 16, 16), torch.zeros(3, 16, 16, requires_grad=True)
    loss = mask_loss(logits, empty) + probability_loss(logits.sigmoid(), empty) + presence_loss(logits[:, 0, 0], empty)
    loss.backward()
    assert bool(loss.isfinite()) and bool(logits.grad.isfinite().all())
    assert bool((logits.grad > 0).any())


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_certain_probabilities_that_are_wrong_cost_a_finite_amount(value: float) -> None:
    assert 1 < float(probability_loss(torch.full((1, 4, 4), value), torch.full((1, 4, 4), 1 - value))) < 20


def test_overlap_counts_for_a_small_structure_as_for_a_large_one() -> None:
    small, large = torch.zeros(1, 64, 64), torch.ones(1, 64, 64)
    small[0, 30:34, 30:34] = 1
    for truth in (small, large):
        assert float(mask_loss(torch.full_like(truth, -SURE), truth)) > 0.9


def rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the log."""
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def logged(folder: Path, first: int, last: int) -> None:
    """Write steps first..last with their own number as loss."""
    log = LossLog(folder, first - 1, every=2)
    for step in range(first, last + 1):
        log.add(step, {"mask": float(step)})
    log.write()


def test_the_log_holds_means_over_several_steps(tmp_path: Path) -> None:
    logged(tmp_path, 1, 5)
    assert [(row["step"], float(row["mask"])) for row in rows(tmp_path)] == [("2", 1.5), ("4", 3.5)]


def test_a_resumed_log_drops_rows_past_the_resumed_step_and_goes_on(tmp_path: Path) -> None:
    logged(tmp_path, 1, 8)
    logged(tmp_path, 5, 6)
    assert [(row["step"], float(row["mask"])) for row in rows(tmp_path)] == [("2", 1.5), ("4", 3.5), ("6", 5.5)]


def test_a_log_of_other_losses_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text("step,mask,older\n2,0.5,0.1\n")
    log = LossLog(tmp_path, 2, every=2)
    log.add(4, {"mask": 0.4, "newer": 0.2})
    log.write()
    assert [row["newer"] for row in rows(tmp_path)] == ["0", "0.20000"]


def test_the_curve_is_drawn_beside_the_table(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    logged(tmp_path, 1, 6)
    assert (tmp_path / "losses.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["losses.csv", "losses.png"]


def test_nothing_is_written_before_there_is_a_row(tmp_path: Path) -> None:
    LossLog(tmp_path, 0).write()
    assert list(tmp_path.iterdir()) == []
