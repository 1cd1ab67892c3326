"""What the diffusion is told of a prototype."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.network.condition import CONDITION, GEOMETRY, STATISTICS, Condition, feature_statistics
from DPLSegmentLib.network.prototypes import Prototypes, region_geometry


@pytest.mark.parametrize(("statistics", "geometry"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_half_that_is_off_is_zero_and_the_other_half_stays(
    statistics: bool, geometry: bool, prototypes: Prototypes
) -> None:
    both = Condition()(prototypes.foreground, prototypes.geometry)
    chosen = Condition(statistics, geometry)(prototypes.foreground, prototypes.geometry)
    assert chosen.shape == both.shape == (len(prototypes.foreground), CONDITION)
    assert torch.equal(chosen[:, :STATISTICS], both[:, :STATISTICS] * statistics)
    assert torch.equal(chosen[:, STATISTICS:], both[:, STATISTICS:] * geometry)
    assert bool((both[:, :STATISTICS] != 0).any()) and bool((both[:, STATISTICS:] != 0).any())


def test_statistics_are_those_of_the_vector(prototypes: Prototypes) -> None:
    vector = prototypes.foreground[0].double()
    found = feature_statistics(prototypes.foreground)[0].double()
    centred = (vector - vector.mean()) / vector.std()
    tenth = vector.square().sort(descending=True).values[: len(vector) // 10].sum() / vector.square().sum()
    near_zero = (vector.abs() < 0.1).double().mean()
    skewness, kurtosis = centred.pow(3).mean(), centred.pow(4).mean() / 3
    wanted = [vector.mean(), vector.std(), skewness, kurtosis, vector.square().mean().sqrt(), near_zero, tenth]
    torch.testing.assert_close(found, torch.stack(wanted), atol=1e-4, rtol=1e-3)


def test_a_constant_vector_has_finite_statistics() -> None:
    assert bool(feature_statistics(torch.ones(1, 96)).isfinite().all())


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 12), st.integers(0, 12))
def test_the_geometry_of_any_rectangle_is_finite_and_its_size_is_right(
    height: int, width: int, top: int, left: int
) -> None:
    mask = torch.zeros(24, 24)
    mask[top : top + height, left : left + width] = 1
    geometry = region_geometry(mask)
    assert geometry.shape == (GEOMETRY,) and bool(geometry.isfinite().all())
    fraction = height * width / mask.numel()
    assert float(geometry[0]) == pytest.approx(math.log(fraction) / 5, abs=1e-4)
    assert float(geometry[1]) == pytest.approx((fraction / torch.pi) ** 0.5, abs=1e-4)
    assert 0 <= float(geometry[2]) <= 1 and 0 < float(geometry[3]) <= 1


def test_a_line_is_more_eccentric_than_a_square() -> None:
    line, square = torch.zeros(32, 32), torch.zeros(32, 32)
    line[15:17, 4:28], square[12:20, 12:20] = 1, 1
    assert float(region_geometry(line)[2]) > 0.9
    assert float(region_geometry(square)[2]) < 0.1
