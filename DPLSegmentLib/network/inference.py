"""The encoder at its fastest on the device at hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from DPLSegmentLib.network.devices import fast_half
from DPLSegmentLib.network.encoder import Encoder

Encode = Callable[[Tensor], Tensor]
_EXAMPLE = (4, 3, 256, 256)


def fast_encoder(encoder: Encoder, device: torch.device) -> Encode:
    """A function from slices [n, 3, H, W] in 0..1 to embeddings; bfloat16 where the hardware computes it."""
    if fast_half(device):
        return _HalfEncoder(encoder, device)
    return _fused(encoder) if device.type == "cpu" else encoder


class _HalfEncoder:
    def __init__(self, encoder: Encoder, device: torch.device) -> None:
        copied = Encoder.like(encoder)
        self.encoder = copied.to(device, torch.bfloat16, memory_format=torch.channels_last).eval()

    def __call__(self, images: Tensor) -> Tensor:
        return self.encoder(images.to(torch.bfloat16))


def _fused(encoder: Encoder) -> Encode:
    """Convolutions and activations fused by oneDNN; the plain encoder where this PyTorch cannot do it."""
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            traced = torch.jit.freeze(torch.jit.trace(encoder, torch.zeros(_EXAMPLE)))
            return torch.jit.optimize_for_inference(traced)
    except RuntimeError:
        return encoder
