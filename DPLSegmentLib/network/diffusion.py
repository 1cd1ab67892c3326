"""Prototype diffusion: one prototype becomes a set of variants by forward and reverse diffusion in feature space.

From the paper (arXiv 2510.12159): forward and reverse diffusion of prototypes, conditioned on the prototype, its loss a
regulariser of the whole. Ours: the cosine schedule limited to t <= T/2, the residual denoiser that starts as the
identity, and the target, which is the prototype of the same structure in another slice or view.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from DPLSegmentLib.network.condition import CONDITION
from DPLSegmentLib.network.prototypes import unit

_TIME = 16
_HIDDEN = 192
_OFFSET = 0.008
_LOWEST_COSINE = 0.5
_REACH = 0.8
_TINY = 1e-8


class PrototypeDiffusion(nn.Module):
    """Turns prototypes [n, C] into variants [n, K, C]; off (`enabled=False`) each variant is the prototype itself."""

    signal: Tensor

    def __init__(self, channels: int, timesteps: int = 64, steps: int = 3, enabled: bool = True) -> None:
        super().__init__()
        self.enabled = enabled
        self.latest = timesteps // 2
        self.steps = steps
        self.register_buffer("signal", cosine_schedule(timesteps), persistent=False)
        self.denoise = nn.Sequential(
            nn.Linear(2 * channels + _TIME + CONDITION, _HIDDEN), nn.SiLU(),
            nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU(),
            nn.Linear(_HIDDEN, channels),
        )  # fmt: skip
        nn.init.zeros_(self.denoise[-1].weight)
        nn.init.zeros_(self.denoise[-1].bias)

    def predict(self, noisy: Tensor, time: Tensor, prototypes: Tensor, condition: Tensor) -> Tensor:
        """The clean vector behind `noisy` [n, C] at `time` [n]: the prototype plus a learned residual, unit RMS.

        The residual is never longer than 0.8 of the prototype, so that the cosine between the two is at least 0.6.
        """
        residual = self.denoise(torch.cat([noisy, prototypes, time_encoding(time), condition], 1))
        length = (residual.square().mean(1, keepdim=True) + _TINY).sqrt()
        return unit(prototypes + residual * (_REACH / length.clamp(min=_REACH)))

    def add_noise(self, clean: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """Forward diffusion q(x_t | x_0) of [n, C] at `time` [n]."""
        signal = self.signal[time].to(clean)[:, None]
        return signal.sqrt() * clean + (1 - signal).sqrt() * noise

    def variants(self, prototypes: Tensor, condition: Tensor, count: int, seed: int = 0) -> Tensor:
        """[n, C] to [n, count, C] by DDIM from t = T/2. The same seed gives the same variants on a device."""
        if not self.enabled:
            return prototypes[:, None].expand(-1, count, -1)
        start = prototypes.repeat_interleave(count, 0)
        condition = condition.repeat_interleave(count, 0)
        generated = self._reverse(start, condition, _noise(start, seed))
        return generated.view(len(prototypes), count, -1)

    def _reverse(self, prototypes: Tensor, condition: Tensor, noise: Tensor) -> Tensor:
        times = torch.linspace(self.latest, 1, self.steps).round().long().tolist()
        noisy = self.add_noise(prototypes, _full(times[0], prototypes), noise)
        clean = prototypes
        for time, following in zip(times, [*times[1:], 0], strict=True):
            clean = self.predict(noisy, _full(time, prototypes), prototypes, condition)
            if following:
                signal = self.signal[time].to(clean)
                noise = (noisy - signal.sqrt() * clean) / (1 - signal).sqrt()
                noisy = self.add_noise(clean, _full(following, clean), noise)
        return clean

    def loss(self, prototypes: Tensor, targets: Tensor, condition: Tensor) -> Tensor:
        """Mean squared error of the predicted clean vector against `targets` [n, C].

        Half of the noisy inputs come from the target (as in training any diffusion), half from the prototype (as at
        inference, where the target is unknown). Pairs that hardly agree (cosine below 0.5) are left out.
        """
        agree = functional.cosine_similarity(prototypes, targets) > _LOWEST_COSINE
        if not self.enabled or not bool(agree.any()):
            return prototypes.sum() * 0
        prototypes, targets, condition = prototypes[agree], targets[agree], condition[agree]
        time = torch.randint(1, self.latest + 1, (len(targets),), device=targets.device)
        known = torch.rand(len(targets), 1, device=targets.device) < 0.5
        noisy = self.add_noise(torch.where(known, targets, prototypes), time, torch.randn_like(targets))
        return functional.mse_loss(self.predict(noisy, time, prototypes, condition), targets)


def cosine_schedule(timesteps: int) -> Tensor:
    """[T + 1] share of signal left at each t (Nichol & Dhariwal 2021, eq. 17)."""
    time = torch.arange(timesteps + 1) / timesteps
    signal = torch.cos((time + _OFFSET) / (1 + _OFFSET) * math.pi / 2).square()
    return (signal / signal[0]).clamp(1e-4, 1)


def time_encoding(time: Tensor) -> Tensor:
    """[n] whole steps to [n, 16] sines and cosines."""
    frequencies = torch.exp(torch.linspace(0, -4, _TIME // 2, device=time.device))
    angles = time[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


def _noise(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator).to(like)


def _full(time: int, like: Tensor) -> Tensor:
    return torch.full((len(like),), time, device=like.device)
