"""How much a grey value speaks for the structure."""

from __future__ import annotations

import torch
from torch import Tensor

from DPLSegmentLib.network.likelihood import grey_table, looked_up


def test_the_ratio_tells_the_kidney_from_what_lies_around_it(slices: Tensor, masks: Tensor) -> None:
    ratio = looked_up(grey_table(slices[0], masks[:1]), slices[1])
    assert ratio.shape == masks[:1].shape
    assert float(ratio.min()) >= -1 and float(ratio.max()) <= 1
    near = torch.nn.functional.max_pool2d(masks[1:2], 25, 1, 12)[0] > 0
    inside = masks[1] > 0.9
    assert float(ratio[0][inside].mean()) > 0.2 > -0.1 > float(ratio[0][near & (masks[1] == 0)].mean())


def test_what_is_brighter_inside_is_likely_and_what_is_darker_is_not() -> None:
    image, mask = torch.full((64, 64), 0.2), torch.zeros(1, 64, 64)
    image[20:40, 20:40], mask[:, 20:40, 20:40] = 0.8, 1
    ratio = looked_up(grey_table(image, mask), torch.tensor([[0.8, 0.2]]).repeat_interleave(8, 1).expand(8, 16))
    assert bool((ratio[0, :, :6] > 0.9).all()) and bool((ratio[0, :, 10:] < -0.5).all())


def test_a_grey_value_seen_nowhere_says_nothing() -> None:
    image, mask = torch.full((64, 64), 0.2), torch.zeros(1, 64, 64)
    mask[:, 20:40, 20:40] = 1
    assert float(looked_up(grey_table(image, mask), torch.ones(16, 16)).abs().max()) < 1e-5


def test_empty_and_full_masks_give_finite_ratios(slices: Tensor) -> None:
    masks = torch.stack([torch.zeros_like(slices[0]), torch.ones_like(slices[0])])
    assert bool(looked_up(grey_table(slices[0], masks), slices[1]).isfinite().all())
