"""One number that is added to the log odds of probabilities."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.propagation.log_odds import fitted_shift, shifted

LIKELY = torch.linspace(0.02, 0.98, 2000)


@given(bias=st.floats(-1.5, 1.5))
def test_a_bias_of_the_log_odds_is_found(bias: float) -> None:
    fitted = fitted_shift([shifted(LIKELY, bias)], [LIKELY])
    assert fitted == pytest.approx(-bias, abs=0.25 * abs(bias) + 1e-3)


@given(bias=st.floats(-1.5, 1.5))
def test_a_shift_that_was_fitted_to_many_pixels_makes_the_sizes_equal(bias: float) -> None:
    found, many = shifted(LIKELY, bias), 20
    fitted = fitted_shift([found] * many, [LIKELY] * many)
    now = shifted(found, fitted).sum()
    assert abs(float(now - LIKELY.sum())) <= 0.2 * abs(float(found.sum() - LIKELY.sum())) + 0.5


def test_pixels_that_are_sure_say_nothing() -> None:
    sure = torch.tensor([0.0, 1.0, 0.999, 0.001])
    assert fitted_shift([sure], [1 - sure.round()]) == 0


@given(probability=st.floats(0, 1), shift=st.floats(-2, 2))
def test_shifted_probabilities_stay_probabilities_and_move_as_told(probability: float, shift: float) -> None:
    before = torch.tensor([probability])
    after = shifted(before, shift)
    assert 0 <= float(after) <= 1
    assert (float(after) - float(before)) * shift >= -0.002
