"""Every slice of a scan through the encoder once; everything later works on the result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.stack import Box, SliceStack, occupied_box, stack_along
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.inference import Encode
from DPLSegmentLib.network.network import CHANNEL_EPSILON, body_weight, neighbours
from DPLSegmentLib.propagation.body import body_box
from DPLSegmentLib.propagation.course import Course, course_of
from DPLSegmentLib.propagation.fields import fields_of
from DPLSegmentLib.propagation.region import Region
from DPLSegmentLib.propagation.types import Cancelled, CancelToken, OnProgress, Progress

BATCH = {"cpu": 4, "mps": 8, "cuda": 32}
WORKING_SIZE = 256
_AIR = 0.05
_CHUNK = 16


@dataclass(frozen=True, eq=False)
class Embedding:
    """The slices of a scan along one axis: `images` [n, H, W] in 0..1 and `features` [n, C, H/4, W/4], both in half
    precision on the device, and the scan's channel statistics [1, C, 1, 1]."""

    stack: SliceStack
    images: Tensor
    features: Tensor
    mean: Tensor
    deviation: Tensor

    @property
    def count(self) -> int:
        """Number of slices."""
        return len(self.images)

    @property
    def gap(self) -> float:
        """Slice distance in working pixels."""
        return self.stack.gap_mm / self.stack.pixel_mm

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        tensors = sum(tensor.numel() * tensor.element_size() for tensor in (self.images, self.features))
        return tensors + self.stack.planes.nbytes

    @cached_property
    def body(self) -> tuple[int, int, int, int]:
        """Where the patient is; see `body_box`."""
        return body_box(self.images)

    @cached_property
    def course(self) -> Course:
        """How the scan goes from one end to the other."""
        return course_of(self.fields)

    @cached_property
    def fields(self) -> Tensor:
        """What it shows every 5 mm; see `fields_of`."""
        return fields_of(self)

    def shows(self, mask: np.ndarray) -> bool:
        """Whether all of a mask [z, y, x] on the scan's grid lies in the part that was embedded."""
        top, left, bottom, right = self.stack.box
        plane = mask.any(self.stack.axis)
        return int(plane.sum()) == int(plane[top:bottom, left:right].sum())

    def image(self, index: int) -> Tensor:
        """float32 [H, W]."""
        return self.images[index].float()

    def standardised(self, index: int, region: Region | None = None) -> Tensor:
        """float32 [C, h, w], or its part in `region`; each channel of zero mean and unit variance over the scan."""
        features = self.features[index] if region is None else region.cut(self.features[index])
        return ((features.float() - self.mean) / self.deviation)[0]


class Embedder:
    """Runs the encoder in batches; asks for cancellation before each."""

    def __init__(self, encode: Encode, device: torch.device) -> None:
        self.encode = encode
        self.device = device
        self.batch = BATCH[device.type]

    def embed(
        self,
        volume: Volume,
        axis: int,
        window: tuple[float, float] | None = None,
        whole: bool = False,
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Embedding:
        """Embed all slices along an array axis; raises Cancelled.

        `window` are the stored values shown as 0 and 1; `whole` keeps the air around the patient.
        """
        scan = normalise(volume, window=window)
        box = None if whole else occupied_box(np.moveaxis(scan, axis, 0), _AIR)
        return self._embedded(stack_along(scan, volume.spacing, axis, WORKING_SIZE, box), on_progress, cancel)

    def embed_closely(
        self,
        seen: Embedding,
        pixel_mm: float,
        box: Box,
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Embedding:
        """A part of what is embedded already, through smaller working pixels; raises Cancelled."""
        return self._embedded(seen.stack.through(pixel_mm, box), on_progress, cancel)

    def _embedded(self, stack: SliceStack, on_progress: OnProgress | None, cancel: CancelToken | None) -> Embedding:
        images = torch.from_numpy(stack.slices(0, stack.count)).to(self.device)
        features = self._features(images, on_progress, cancel)
        mean, deviation = _statistics(features, body_weight(images, features.shape[-2:]))
        return Embedding(stack, images.half(), features, mean, deviation)

    def _features(self, images: Tensor, on_progress: OnProgress | None, cancel: CancelToken | None) -> Tensor:
        triples, features, start = neighbours(images), [], 0
        while start < len(images):
            if cancel and cancel.cancelled():
                raise Cancelled
            features.append(self._encoded(triples[start : start + self.batch]))
            start += len(features[-1])
            if on_progress:
                on_progress(Progress("embed", start / len(images), start - 1))
        return torch.cat(features)

    @torch.inference_mode()
    def _encoded(self, triples: Tensor) -> Tensor:
        """As many of the slices [n, 3, H, W] as the memory of the device allows, at least one."""
        try:
            return self.encode(self._filled(triples))[: len(triples)].half()
        except torch.cuda.OutOfMemoryError:
            if self.batch == 1:
                raise
        self.batch //= 2
        torch.cuda.empty_cache()
        return self._encoded(triples[: self.batch])

    def _filled(self, triples: Tensor) -> Tensor:
        """On a graphics card always a whole batch: it gets ready for each new shape, which takes it longer than the
        work itself."""
        missing = self.batch - len(triples) if self.device.type == "cuda" else 0
        return torch.cat([triples, triples[-1:].expand(missing, -1, -1, -1)]) if missing > 0 else triples


def _statistics(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """As `channel_statistics`, a few slices at a time: the memory stays small."""
    parts = list(zip(features.split(_CHUNK), weight.split(_CHUNK), strict=True))
    total = weight.sum()
    mean = torch.stack([(part.float() * share).sum((0, 2, 3)) for part, share in parts]).sum(0) / total
    mean = mean[None, :, None, None]
    squares = [((part.float() - mean).square() * share).sum((0, 2, 3)) for part, share in parts]
    variance = torch.stack(squares).sum(0)[None, :, None, None] / total
    return mean, (variance + CHANNEL_EPSILON).sqrt()
