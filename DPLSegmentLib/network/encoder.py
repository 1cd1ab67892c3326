"""EfficientNet-Lite with a feature pyramid: three neighbouring slices in, one embedding at stride 4 out.

The backbone is EfficientNet-Lite (Tan & Le 2019, lite variants by the TensorFlow authors) with every batch norm folded
into its convolution and without the last stage; the pyramid and its width are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

_EXPANSION = (1, 6, 6, 6, 6, 6)
_STRIDE = (1, 2, 2, 2, 1, 2)
_KERNEL = (3, 3, 5, 3, 5, 5)
_CHANNELS = {"lite0": (16, 24, 40, 80, 112, 192), "lite2": (16, 24, 48, 88, 120, 208)}
_REPEATS = {"lite0": (1, 2, 2, 3, 3, 4), "lite2": (1, 3, 3, 4, 4, 5)}
_STEM = 32
_BATCH_NORM_EPSILON = 1e-3
_PIXEL_MEAN, _PIXEL_STD = 0.45, 0.225


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to its input where the shapes allow."""

    def __init__(self, inside: int, outside: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        middle = inside * expansion
        self.expand = nn.Conv2d(inside, middle, 1) if expansion > 1 else None
        self.depthwise = nn.Conv2d(middle, middle, kernel, stride, kernel // 2, groups=middle)
        self.project = nn.Conv2d(middle, outside, 1)
        self.residual = stride == 1 and inside == outside

    def forward(self, image: Tensor) -> Tensor:
        hidden = image if self.expand is None else functional.relu6(self.expand(image))
        hidden = self.project(functional.relu6(self.depthwise(hidden)))
        return image + hidden if self.residual else hidden


class Encoder(nn.Module):
    """[n, 3, H, W] in 0..1 (slices z-1, z, z+1; H and W multiples of 32) to an embedding [n, channels, H/4, W/4]."""

    def __init__(self, name: str = "lite0", channels: int = 96) -> None:
        super().__init__()
        self.name, self.channels = name, channels
        widths = _CHANNELS[name]
        self.stem = nn.Conv2d(3, _STEM, 3, 2, 1)
        self.stages = nn.ModuleList(_stages(name))
        self.lateral = nn.ModuleList(nn.Conv2d(widths[stage], channels, 1) for stage in (1, 2, 4, 5))
        self.smooth = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        image = image.contiguous(memory_format=torch.channels_last)
        hidden = functional.relu6(self.stem((image - _PIXEL_MEAN) / _PIXEL_STD))
        levels = []
        for number, stage in enumerate(self.stages):
            hidden = stage(hidden)
            if number in (1, 2, 4, 5):
                levels.append(hidden)
        return self._pyramid(levels)

    def _pyramid(self, levels: list[Tensor]) -> Tensor:
        merged = self.lateral[-1](levels[-1])
        for lateral, level in zip(reversed(self.lateral[:-1]), reversed(levels[:-1]), strict=True):
            merged = _plus_doubled(lateral(level), merged)
        return self.out(functional.relu(self.smooth(merged)) + merged)

    @classmethod
    def like(cls, other: Encoder) -> Encoder:
        """A copy with weights of its own."""
        copied = cls(other.name, other.channels)
        copied.load_state_dict(other.state_dict())
        return copied

    def load_imagenet(self, state: Mapping[str, Tensor]) -> None:
        """Start from the published EfficientNet-Lite state dict, its batch norms folded.

        Raises KeyError when it is of another variant; nothing is changed then.
        """
        published = list(self._published())
        for convolution, name, _ in published:
            if state[f"{name}.weight"].shape != convolution.weight.shape:
                raise KeyError(f"{name} has another shape")
        for convolution, name, norm in published:
            _fold(convolution, state, name, norm)

    def _published(self) -> Iterator[tuple[nn.Conv2d, str, str]]:
        """Each convolution of the backbone with its name, and that of its batch norm, in the published state dict."""
        yield self.stem, "_conv_stem", "_bn0"
        for number, block in enumerate(block for stage in self.stages for block in stage):
            prefix = f"_blocks.{number}."
            if block.expand is not None:
                yield block.expand, prefix + "_expand_conv", prefix + "_bn0"
            yield block.depthwise, prefix + "_depthwise_conv", prefix + "_bn1"
            yield block.project, prefix + "_project_conv", prefix + "_bn2"


def _plus_doubled(fine: Tensor, coarse: Tensor) -> Tensor:
    """[n, C, 2h, 2w] and every pixel of [n, C, h, w] four times; oneDNN's tensors take long to interpolate."""
    n, channels, height, width = coarse.shape
    blocks = fine.reshape(n, channels, height, 2, width, 2) + coarse[:, :, :, None, :, None]
    return blocks.reshape(n, channels, 2 * height, 2 * width)


def _stages(name: str) -> list[nn.Sequential]:
    stages, inside = [], _STEM
    for expansion, stride, kernel, outside, repeats in zip(
        _EXPANSION, _STRIDE, _KERNEL, _CHANNELS[name], _REPEATS[name], strict=True
    ):
        blocks = []
        for number in range(repeats):
            blocks.append(InvertedResidual(inside, outside, expansion, kernel, stride if number == 0 else 1))
            inside = outside
        stages.append(nn.Sequential(*blocks))
    return stages


@torch.no_grad()
def _fold(convolution: nn.Conv2d, state: Mapping[str, Tensor], name: str, norm: str) -> None:
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
    convolution.weight.copy_(state[f"{name}.weight"] * scale[:, None, None, None])
    assert convolution.bias is not None
    convolution.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
