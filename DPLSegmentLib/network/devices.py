"""Which device does the work, and in which precision it is fast."""

from __future__ import annotations

import torch


class DeviceError(ValueError):
    """The device asked for is not there; the message says what to do."""


def choose_device(name: str) -> torch.device:
    """Names are "auto", "cuda", "mps" and "cpu"; raises DeviceError when it is asked for by name and absent."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if name == "cuda" and not cuda:
        raise DeviceError("No CUDA graphics card can be used by this PyTorch; choose --device cpu or auto.")
    if name == "mps" and not mps:
        raise DeviceError("Apple's MPS cannot be used by this PyTorch; choose --device cpu or auto.")
    if name not in ("cuda", "mps", "cpu"):
        raise DeviceError(f"There is no device {name!r}; choose auto, cuda, mps or cpu.")
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """For people: the name of the graphics card, or "CPU"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple MPS" if device.type == "mps" else "CPU"


def fast_half(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware and not emulated."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return device.type == "cpu" and bool(probe())
