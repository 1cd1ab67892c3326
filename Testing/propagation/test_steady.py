"""When a small cross-section is followed longer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.network.evidence import LARGE
from DPLSegmentLib.propagation.steady import STEADY, USUAL, Steadiness, steadiness_from


@pytest.fixture
def tube() -> Steadiness:
    """After twenty cross-sections of about a hundred pixels."""
    steadiness = steadiness_from(100)
    for number in range(20):
        steadiness.follow(95 + number % 3 * 5)
    return steadiness


def test_a_tube_that_keeps_its_size_has_lower_limits(tube: Steadiness) -> None:
    assert tube.limits(90) == STEADY
    assert STEADY.presence < USUAL.presence and STEADY.confidence < USUAL.confidence


@pytest.mark.parametrize("area", [0, 59, 171])
def test_what_is_suddenly_much_smaller_or_larger_has_the_usual_ones(tube: Steadiness, area: float) -> None:
    assert tube.limits(area) == USUAL


def test_what_tapers_has_the_usual_ones() -> None:
    tapering = steadiness_from(400)
    for area in range(380, 100, -20):
        tapering.follow(area)
    assert tapering.limits(100) == USUAL


def test_what_was_large_long_ago_is_forgotten(tube: Steadiness) -> None:
    aneurysm = steadiness_from(500)
    assert aneurysm.limits(100) == USUAL
    for _ in range(15):
        aneurysm.follow(100)
    assert aneurysm.limits(100) == STEADY


@given(st.floats(LARGE, 1e5), st.floats(0, 1e5))
def test_a_large_cross_section_never_has_lower_limits(seed: float, area: float) -> None:
    assert steadiness_from(seed).limits(area) == USUAL
