"""What a large cross-section does not take in because the painted slice showed nothing like it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.greys import GreyRange, grey_range


@pytest.fixture
def organ() -> Tensor:
    """A mask of 40 x 40 pixels."""
    mask = torch.zeros(96, 96)
    mask[20:60, 20:60] = 1
    return mask


@pytest.fixture
def image(organ: Tensor) -> Tensor:
    """The organ at a grey of 0.5 with noise, nearly black around it."""
    torch.manual_seed(0)
    return 0.05 + 0.45 * organ + torch.randn(96, 96) * 0.02


@pytest.fixture
def greys(organ: Tensor, image: Tensor) -> GreyRange:
    """The range of that organ, painted."""
    return grey_range(image, organ)


def test_a_bright_pouch_inside_is_left_out(organ: Tensor, image: Tensor, greys: GreyRange) -> None:
    image[34:46, 34:46] = 0.95
    kept = greys.within(organ, organ, image)
    assert not kept[37:43, 37:43].any()
    assert bool((kept[20:30] == organ[20:30]).all())


def test_a_vessel_stays_inside(organ: Tensor, image: Tensor, greys: GreyRange) -> None:
    image[39:41, 20:60] = 0.95
    assert float(greys.within(organ, organ, image)[39:41, 20:60].mean()) > 0.9


def test_a_darker_neighbour_is_left_out(organ: Tensor, image: Tensor, greys: GreyRange) -> None:
    wide = organ.clone()
    wide[20:60, 60:80] = 1
    image[20:60, 60:80] = 0.3
    kept = greys.within(wide, organ, image)
    assert not kept[24:56, 68:76].any()
    assert float(kept[24:56, 24:52].mean()) == 1


def test_what_is_as_bright_as_the_painted_slice_stays(organ: Tensor, image: Tensor, greys: GreyRange) -> None:
    assert torch.equal(greys.within(organ * 0.9, organ, image * 1.05), organ * 0.9)


def test_small_cross_sections_are_left_alone(image: Tensor, greys: GreyRange) -> None:
    small = torch.zeros(96, 96)
    small[20:40, 20:40] = 1
    assert torch.equal(greys.within(small, small, torch.full((96, 96), 0.95)), small)


def test_a_structure_of_many_greys_takes_in_all_of_them(organ: Tensor, greys: GreyRange) -> None:
    mixed = torch.linspace(0, 1, 96).expand(96, 96)
    wide = grey_range(mixed, organ)
    assert wide.low < 0.25 and wide.high > 0.55
    assert torch.equal(wide.within(organ, organ, mixed), organ)


def test_an_empty_mask_bars_nothing(organ: Tensor, image: Tensor) -> None:
    assert torch.equal(grey_range(image, torch.zeros(96, 96)).within(organ, organ, image), organ)
