"""How many graphics cards the workers of this computer can share."""

from __future__ import annotations


def graphics_cards(device: str) -> int:
    """CUDA cards that `device` ("auto", "cuda", "mps" or "cpu") may use; 0 leaves everything to the CPU."""
    if device not in ("auto", "cuda"):
        return 0
    import torch

    return torch.cuda.device_count()
