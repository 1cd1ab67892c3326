"""A real crop as the network sees it, the bundled network, and one as it is before any training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.images.intensity import normalise
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.stack import SliceStack, stack_along
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.checkpoint import Model, load_model
from DPLSegmentLib.network.evidence import shrink
from DPLSegmentLib.network.network import SegmentationNetwork, body_weight, neighbours, standardise
from DPLSegmentLib.network.prototypes import PrototypeExtractor, Prototypes
from DPLSegmentLib.resources import resource

FIRST, LAST = 12, 16


@pytest.fixture(scope="session")
def weights_file() -> Path:
    """The bundled weights."""
    return resource("Models/dpl-segment.pt")


@pytest.fixture(scope="session")
def model(weights_file: Path) -> Model:
    """The bundled model."""
    return load_model(weights_file)


@pytest.fixture(scope="session")
def untrained() -> SegmentationNetwork:
    """A network with its first, random weights."""
    torch.manual_seed(0)
    return SegmentationNetwork().eval().requires_grad_(False)


@pytest.fixture(scope="session")
def stack(kidney_ct: Volume) -> SliceStack:
    """The crop as working slices."""
    return stack_along(normalise(kidney_ct), kidney_ct.spacing, 0)


@pytest.fixture(scope="session")
def slices(stack: SliceStack) -> Tensor:
    """Four slices [4, H, W] in 0..1 through the right kidney."""
    return torch.from_numpy(stack.slices(FIRST, LAST))


@pytest.fixture(scope="session")
def features(model: Model, slices: Tensor) -> Tensor:
    """Their standardised embeddings [4, C, h, w]."""
    embedded = model.network.encoder(neighbours(slices))
    return standardise(embedded, body_weight(slices, embedded.shape[-2:]))


@pytest.fixture(scope="session")
def masks(stack: SliceStack, kidney_truth: Segmentation) -> Tensor:
    """The kidney on the same slices, [4, H, W] in 0..1."""
    (kidney,) = (segment for segment in kidney_truth.segments if segment.name == "right kidney")
    covered = [stack.slice_to_working(kidney.mask[index]) for index in range(FIRST, LAST)]
    return torch.stack([torch.from_numpy(mask) for mask in covered])


@pytest.fixture(scope="session")
def small_masks(masks: Tensor) -> Tensor:
    """The same at the embedding's stride, [4, h, w]."""
    return shrink(masks)


@pytest.fixture(scope="session")
def prototypes(features: Tensor, small_masks: Tensor) -> Prototypes:
    """Plain prototypes of the kidney on the first slice."""
    return PrototypeExtractor()(features[0], small_masks[0])
