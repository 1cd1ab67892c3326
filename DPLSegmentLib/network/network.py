"""The whole network: encoder, the three parts of DPL, affinity and decoder, with the switches of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from DPLSegmentLib.network.affinity import LocalAffinity
from DPLSegmentLib.network.condition import Condition
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.decoder import Decoder
from DPLSegmentLib.network.diffusion import PrototypeDiffusion
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.fusion import ConservativeFusion, FusionMode
from DPLSegmentLib.network.prototypes import PrototypeExtractor, Prototypes
from DPLSegmentLib.network.recogniser import Recogniser

_AIR = 0.03
_LEAST_BODY = 0.05
CHANNEL_EPSILON = 1e-6


@dataclass(frozen=True)
class Enhancement:
    """Switches of DPL: `diffusion` off leaves the plain prototypes; `variants` is K; the seed is fixed."""

    diffusion: bool = True
    condition: Condition = field(default_factory=Condition)
    fusion: ConservativeFusion = field(default_factory=ConservativeFusion)
    variants: int = 4
    seed: int = 0

    @property
    def varies(self) -> bool:
        """Whether variants are made and used."""
        return self.diffusion and self.fusion.mode is not FusionMode.NONE


class SegmentationNetwork(nn.Module):
    """All learned parts. The same `enhance` runs in training and at inference."""

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        channels = self.config.channels
        self.encoder = Encoder(self.config.encoder, channels)
        self.diffusion = PrototypeDiffusion(channels, self.config.timesteps, self.config.ddim_steps)
        self.affinity = LocalAffinity(channels, self.config.affinity_channels, self.config.affinity_radius)
        self.decoder = Decoder(channels, self.config.decoder_width)
        self.extract = PrototypeExtractor()
        told = len(self.config.known) + len(self.config.found)
        self.recogniser = Recogniser(channels, told) if told else None
        self.magnetic = Recogniser(channels, told) if told and self.config.magnetic else None

    @property
    def taught_recogniser(self) -> Recogniser | None:
        """The one that a training of it changes: that of MR, where MR has its own."""
        return self.magnetic or self.recogniser

    def recogniser_of(self, kind: str) -> Recogniser | None:
        """Of scans of CT or MR; both tell the same structures."""
        return self.magnetic if self.magnetic and kind == "MR" else self.recogniser

    def enhance(self, prototypes: Prototypes, enhancement: Enhancement) -> Prototypes:
        """Condition, diffuse and fuse the foreground prototypes; the background stays as it is."""
        if not enhancement.varies:
            return prototypes
        fused = enhancement.fusion(prototypes.foreground, self._variants(prototypes, enhancement))
        return replace(prototypes, foreground=fused)

    def varied(self, prototypes: Prototypes, enhancement: Enhancement) -> list[Prototypes]:
        """K sets, each with one variant of every foreground prototype in its place; the plain ones without variants."""
        if not enhancement.varies:
            return [prototypes]
        variants = self._variants(prototypes, enhancement).unbind(1)
        return [replace(prototypes, foreground=each) for each in variants]

    def _variants(self, prototypes: Prototypes, enhancement: Enhancement) -> Tensor:
        condition = enhancement.condition(prototypes.foreground, prototypes.geometry)
        return self.diffusion.variants(prototypes.foreground, condition, enhancement.variants, enhancement.seed)


def neighbours(slices: Tensor) -> Tensor:
    """[n, H, W] to [n, 3, H, W]: each slice between the one before and the one after; the ends repeat themselves."""
    before = torch.cat([slices[:1], slices[:-1]])
    after = torch.cat([slices[1:], slices[-1:]])
    return torch.stack([before, slices, after], 1)


def body_weight(slices: Tensor, size: tuple[int, int]) -> Tensor:
    """[n, H, W] in 0..1 to weights [n, 1, h, w]: how much of each embedding pixel is not air."""
    weight = functional.adaptive_avg_pool2d((slices > _AIR).to(torch.float32)[:, None], size)
    return weight if float(weight.mean()) > _LEAST_BODY else torch.ones_like(weight)


def channel_statistics(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation [1, C, 1, 1] of features [n, C, h, w] over the scan."""
    features = features.to(torch.float32)
    total = weight.sum()
    mean = (features * weight).sum((0, 2, 3), keepdim=True) / total
    variance = ((features - mean).square() * weight).sum((0, 2, 3), keepdim=True) / total
    return mean, (variance + CHANNEL_EPSILON).sqrt()


def standardise(features: Tensor, weight: Tensor) -> Tensor:
    """Zero mean and unit variance of each channel over the scan's body."""
    mean, deviation = channel_statistics(features, weight)
    return (features - mean) / deviation
