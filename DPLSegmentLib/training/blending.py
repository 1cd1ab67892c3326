"""Weights between those before and after a training (after Wortsman et al., CVPR 2022, "Robust fine-tuning"; ours)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.training.config import TrainingError


@torch.no_grad()
def blended(network: SegmentationNetwork, before: Mapping[str, Tensor], share: float) -> SegmentationNetwork:
    """A copy of a network with one recogniser, which keeps `share` (0..1) of the weights that were there before; what
    is told since then stays as it is. Scans of MR have the recogniser as it came to be, as one of their own.

    Raises TrainingError for a network without a recogniser, or with two.
    """
    if network.recogniser is None or network.magnetic is not None:
        raise TrainingError("`start_share` is for a training of one recogniser; leave it out of this configuration.")
    both = SegmentationNetwork(replace(network.config, magnetic=True))
    both.load_state_dict(network.state_dict(), strict=False)
    if both.magnetic:
        both.magnetic.load_state_dict(network.recogniser.state_dict())
    for name, parameter in both.named_parameters():
        if name.startswith("recogniser.") and name in before:
            earlier = before[name].to(parameter)
            parameter[: len(earlier)].lerp_(earlier, share)
    return both
