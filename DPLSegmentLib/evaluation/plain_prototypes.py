"""Baseline without diffusion and propagation: every slice by itself against the painted slice's plain prototypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.evaluation.alpnet_head import foreground_probability
from DPLSegmentLib.evaluation.painting import occupied
from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.images.stack import SliceStack
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Support


@dataclass(frozen=True, eq=False)
class Features:
    """A scan's axial slices as features [n, C, h, w], standardised over the scan; `stride` in working pixels."""

    features: Tensor
    stack: SliceStack
    stride: int


def plain_prototypes(engine: Engine) -> PlainPrototypes:
    """ALPNet's head on the features of the trained encoder."""
    return PlainPrototypes("plain prototypes", lru_cache(maxsize=2)(lambda volume: _embed(engine, volume)))


class PlainPrototypes:
    """A `Segmenter` on any features. With parts, each part sees its own painted slice and no other, as published."""

    def __init__(self, name: str, embed: Callable[[Volume], Features]) -> None:
        self.name = name
        self._embed = embed

    @torch.inference_mode()
    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Score each slice; without parts the most probable of several painted slices counts."""
        target = self._embed(query)
        masks: dict[str, np.ndarray] = {}
        for support in supports:
            source = self._embed(support.volume)
            for segment in support.painted.segments:
                found = _find(source, segment.mask, target, slice_range or (0, query.shape[0] - 1), parts)
                masks[segment.name] = masks.get(segment.name, np.zeros(query.shape, bool)) | found
        return Answer(masks)


def _embed(engine: Engine, volume: Volume) -> Features:
    embedding = engine.embed(volume)
    standardised = (embedding.features.float() - embedding.mean) / embedding.deviation
    return Features(standardised.half(), embedding.stack, STRIDE)


def _find(
    source: Features, painted: np.ndarray, target: Features, slice_range: tuple[int, int], parts: Sequence[Part]
) -> np.ndarray:
    found = np.zeros((target.stack.count, *target.stack.native), bool)
    for part in parts or [Part(*slice_range, int(index)) for index in occupied(painted)]:
        found[part.first : part.last + 1] |= _compare(source, painted[part.painted], target, part)
    return found


def _compare(source: Features, painted: np.ndarray, target: Features, part: Part) -> np.ndarray:
    working = torch.from_numpy(source.stack.slice_to_working(painted)).to(source.features.device)
    mask = functional.avg_pool2d(working[None, None], source.stride)[0, 0]
    query = target.features[part.first : part.last + 1]
    probability = foreground_probability(source.features[part.painted].float(), mask, query, source.stride)
    full = functional.interpolate(probability[:, None], size=target.stack.shape, mode="bilinear", align_corners=False)
    return target.stack.to_native(full[:, 0].cpu().numpy()) > 0.5
