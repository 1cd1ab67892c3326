"""The recogniser: what it is shown, what it gives, and that it travels with the weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from DPLSegmentLib.network.checkpoint import load_model, save_model
from DPLSegmentLib.network.config import STRIDE, NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import TOLD_STRIDE, Recogniser, places_of, slice_step

NAMES = ("aorta", "left adrenal gland")
SHAPE = (16, 24)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """For two structures, with its first, random weights."""
    torch.manual_seed(3)
    return Recogniser(96, len(NAMES)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def places() -> Tensor:
    """Of a body that fills the slice but for its borders."""
    return places_of((4, 8, 60, 90), SHAPE, STRIDE)


def embedded(count: int) -> Tensor:
    """Noise [count, 96, 16, 24]."""
    return torch.randn(count, 96, *SHAPE, generator=torch.Generator().manual_seed(count))


def shown(count: int) -> Tensor:
    """Noise [count, 64, 96]."""
    return torch.rand(count, *(side * STRIDE for side in SHAPE), generator=torch.Generator().manual_seed(count))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_slice_gets_a_logit_of_nothing_and_of_each_structure(
    recogniser: Recogniser, places: Tensor, count: int
) -> None:
    told = recogniser(embedded(count), places, shown(count))
    assert told.shape == (count, 1 + len(NAMES), *(side * STRIDE // TOLD_STRIDE for side in SHAPE))


def test_what_lies_on_the_neighbours_matters(recogniser: Recogniser, places: Tensor) -> None:
    stack = embedded(5)
    changed = stack.clone()
    changed[4] = 0
    one, other = (recogniser(features, places, shown(5)) for features in (stack, changed))
    differences = (one - other).abs().amax((1, 2, 3))
    assert differences[3] > 0.01 and differences[0] < differences[3]


def test_the_slices_themselves_matter(recogniser: Recogniser, places: Tensor) -> None:
    dark, bright = shown(2), shown(2)
    bright[0, 32:36, 40:44] = 1
    differences = (recogniser(embedded(2), places, dark) - recogniser(embedded(2), places, bright)).abs().amax(1)
    assert int(differences[0].argmax()) in {16 * 48 + 20, 16 * 48 + 21, 17 * 48 + 20, 17 * 48 + 21}


def test_places_run_from_minus_one_to_one_within_the_body(places: Tensor) -> None:
    rows, columns = places
    assert rows[0, 0] < rows[1, 0] and columns[0, 0] < columns[0, 1]
    inside = places[:, 1:15, 2:22]
    assert inside.amin((1, 2)) == pytest.approx([-1, -1], abs=0.2)
    assert inside.amax((1, 2)) == pytest.approx([1, 1], abs=0.2)


def test_places_of_mirrored_slices_count_from_the_other_side(places: Tensor) -> None:
    rows, columns = places_of((4, 8, 60, 90), SHAPE, STRIDE, mirrored=True)
    assert torch.equal(rows, places[0]) and torch.equal(columns, -places[1])


@given(st.floats(0.3, 20))
def test_the_slices_looked_at_are_about_five_millimetres_apart(gap_mm: float) -> None:
    assert slice_step(gap_mm) >= 1
    assert gap_mm > 3.3 or 3.3 < slice_step(gap_mm) * gap_mm < 7.5


def test_names_and_weights_travel_in_the_file(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = SegmentationNetwork(replace(NetworkConfig(), known=NAMES))
    save_model(network, tmp_path / "known.pt")
    read = load_model(tmp_path / "known.pt").network
    assert read.config.known == NAMES
    assert read.recogniser is not None and network.recogniser is not None
    assert torch.equal(read.recogniser.leave.weight, network.recogniser.leave.weight.half().float())


def test_mr_has_a_recogniser_of_its_own_where_the_weights_have_one(tmp_path: Path) -> None:
    torch.manual_seed(5)
    shape = NetworkConfig(known=NAMES, found=("MR",))
    shared, apart = SegmentationNetwork(shape), SegmentationNetwork(replace(shape, magnetic=True))
    assert shared.recogniser_of("MR") is shared.recogniser_of("CT") is shared.recogniser
    save_model(apart, tmp_path / "apart.pt")
    read = load_model(tmp_path / "apart.pt").network
    told = [read.recogniser_of(kind) for kind in ("CT", "MR")]
    assert told == [read.recogniser, read.magnetic] and told[0] is not told[1] and None not in told
    assert apart.magnetic and read.magnetic
    assert torch.equal(read.magnetic.leave.weight, apart.magnetic.leave.weight.half().float())


def test_weights_without_known_structures_have_no_recogniser(untrained: SegmentationNetwork) -> None:
    assert untrained.recogniser is None
