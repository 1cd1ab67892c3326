"""What the caller sees while the engine runs: progress, finished slices, and that it stops when told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import pytest

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Cancelled, Progress, PropagationError, SliceResult, Support

Paint = Callable[..., Support]
PAINTED = 14


class Switch(Protocol):
    """The cancel token of the tests."""

    on: bool
    asked: int

    def cancelled(self) -> bool:
        """Whether it is set."""
        ...


@pytest.fixture(scope="module")
def support(kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint) -> Support:
    """The kidney, painted on slice 14."""
    return paint(kidney_ct, kidney_mask, slices=[PAINTED])


@pytest.fixture(scope="module")
def streamed(engine: Engine, support: Support) -> list[SliceResult]:
    """The slices of a propagation as they come."""
    slices: list[SliceResult] = []
    engine.propagate([support], support.volume, on_slice=slices.append)
    return slices


def filled_slices(engine: Engine, support: Support, slice_range: tuple[int, int] | None) -> list[int]:
    """The slices that hold something."""
    (segment,) = engine.propagate([support], support.volume, slice_range=slice_range).segmentation.segments
    return np.flatnonzero(segment.mask.any((1, 2))).tolist()


def test_slices_come_outward_from_the_painted_one(streamed: list[SliceResult]) -> None:
    distances = [abs(each.index - PAINTED) for each in streamed]
    above = [each.index for each in streamed if each.index > PAINTED]
    below = [each.index for each in streamed if each.index < PAINTED]
    assert distances[:2] == [1, 1] and distances[2:4] == [2, 2]
    assert above == list(range(PAINTED + 1, PAINTED + 1 + len(above)))
    assert below == list(range(PAINTED - 1, PAINTED - 1 - len(below), -1))


def test_painted_slices_are_never_streamed(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint
) -> None:
    slices: list[SliceResult] = []
    engine.propagate([paint(kidney_ct, kidney_mask, slices=[8, 14, 19])], kidney_ct, on_slice=slices.append)
    assert slices and not {8, 14, 19} & {each.index for each in slices}


def test_a_streamed_slice_says_whose_it_is_and_where(streamed: list[SliceResult], kidney_ct: Volume) -> None:
    for each in streamed:
        assert (each.structure, each.axis) == ("structure", 0)
        assert each.mask.shape == kidney_ct.shape[1:] and each.mask.dtype == bool
        assert 0 <= each.confidence <= 1
    assert streamed[0].mask.any()


def test_progress_only_grows_within_each_stage_and_its_parts_come_in_order(
    cold_engine: Engine, kidney_support: Support
) -> None:
    told: list[Progress] = []
    cold_engine.propagate([kidney_support], kidney_support.volume, on_progress=told.append)
    stages = list(dict.fromkeys(each.stage for each in told))
    assert stages == ["embed", "sweep", "polish"]
    assert [each.stage for each in told] == sorted((each.stage for each in told), key=stages.index)
    for stage in stages:
        done = [each.fraction for each in told if each.stage == stage]
        assert done[0] >= 0 and done[-1] <= 1
        assert all(before <= after for before, after in pairwise(done))
    assert [each.fraction for each in told if each.stage in ("embed", "polish")][-2:] == [1.0, 1.0]


def test_cancel_while_embedding_takes_effect_before_the_next_batch(
    cold_engine: Engine, support: Support, switch: Switch
) -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        switch.on = True

    with pytest.raises(Cancelled):
        cold_engine.embed(support.volume, on_progress=stop, cancel=switch)
    assert len(told) == 1
    assert cold_engine.cache.nbytes == 0


@pytest.mark.parametrize("count", [1, 5])
def test_cancel_takes_effect_within_one_slice(engine: Engine, support: Support, switch: Switch, count: int) -> None:
    slices: list[SliceResult] = []

    def stop(result: SliceResult) -> None:
        slices.append(result)
        switch.on = len(slices) == count

    with pytest.raises(Cancelled):
        engine.propagate([support], support.volume, on_slice=stop, cancel=switch)
    assert len(slices) == count


def test_cancel_takes_effect_while_the_structure_is_looked_for(
    engine: Engine, support: Support, other_ct: Volume, switch: Switch
) -> None:
    searching = engine.with_options(replace(engine.options, recognise=False))
    prototypes, looked = searching.prototypes([support]), []

    def stop(progress: Progress) -> None:
        if progress.stage == "score":
            looked.append(progress)
            switch.on = len(looked) == 3

    with pytest.raises(Cancelled):
        searching.propagate(prototypes, other_ct, on_progress=stop, cancel=switch)
    assert len(looked) == 3


def test_a_token_that_is_never_set_changes_nothing(engine: Engine, support: Support, switch: Switch) -> None:
    found = engine.propagate([support], support.volume, cancel=switch)
    plain = engine.propagate([support], support.volume)
    assert switch.asked > 3
    assert np.array_equal(found.segmentation.segments[0].mask, plain.segmentation.segments[0].mask)


@pytest.mark.parametrize("slice_range", [(10, 18), (18, 10), (14, 14), (0, 29)])
def test_nothing_lies_outside_the_slice_range(engine: Engine, support: Support, slice_range: tuple[int, int]) -> None:
    filled = filled_slices(engine, support, slice_range)
    assert min(slice_range) <= filled[0] and filled[-1] <= max(slice_range)
    assert PAINTED in filled


@pytest.mark.parametrize("slice_range", [(16, 20), (4, 9)])
def test_a_painted_slice_outside_the_slice_range_is_kept_and_nothing_else_outside(
    engine: Engine, support: Support, slice_range: tuple[int, int]
) -> None:
    filled = filled_slices(engine, support, slice_range)
    assert PAINTED in filled
    assert set(filled) - {PAINTED} <= set(range(slice_range[0], slice_range[1] + 1))


@pytest.mark.parametrize("slice_range", [(-1, 5), (3, 30), (40, 50)])
def test_a_slice_range_outside_the_scan_is_refused(
    engine: Engine, support: Support, slice_range: tuple[int, int]
) -> None:
    with pytest.raises(PropagationError, match="lies outside the scan; it has slices 0 to 29"):
        engine.propagate([support], support.volume, slice_range=slice_range)
