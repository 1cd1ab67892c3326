"""Training and inference show the decoder the same, given the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from DPLSegmentLib.images.intensity import intensity_window
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.checkpoint import load_model
from DPLSegmentLib.network.decoder import Evidence
from DPLSegmentLib.network.evidence import location_prior, shrink
from DPLSegmentLib.network.network import Enhancement, SegmentationNetwork, neighbours
from DPLSegmentLib.propagation.embedding import Embedder, Embedding
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.steps import DecoderStep
from DPLSegmentLib.resources import resource
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.episodes import Episode, EpisodeSampler
from DPLSegmentLib.training.rollout import Rollout, RolloutOptions, default_options

FIELDS = ("images", "features", "cues")


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    """The bundled network."""
    return load_model(resource("Models/dpl-segment.pt")).network


@pytest.fixture
def seen(network: SegmentationNetwork) -> Iterator[list[Evidence]]:
    """What the decoder is shown."""
    shown: list[Evidence] = []
    hook = network.decoder.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[0]))
    yield shown
    hook.remove()


@pytest.fixture(scope="module")
def embedding(network: SegmentationNetwork, kidney_ct: Volume) -> Embedding:
    """Two slices of 50 x 50 voxels, 128 x 128 working pixels, with the plain encoder."""
    volume = kidney_ct.with_array(kidney_ct.array[13:15, :, :50].copy())
    embedder = Embedder(network.encoder, torch.device("cpu"))
    return embedder.embed(volume, 0, intensity_window(kidney_ct.array), whole=True)


@pytest.fixture
def painted(embedding: Embedding) -> Tensor:
    """A structure [H, W] as wide as half the slice."""
    mask = np.zeros(embedding.stack.native, bool)
    mask[10:35, 12:30] = True
    return torch.from_numpy(embedding.stack.slice_to_working(mask))


@pytest.fixture
def episode(embedding: Embedding, painted: Tensor) -> Episode:
    """The same two slices as an episode: the first is painted; far away are the same slices again."""
    triples = neighbours(embedding.images.float())
    masks = painted.expand(1, 2, -1, -1)
    return Episode(triples, masks, masks, triples, masks, painted[None], embedding.gap, False)


@pytest.fixture
def step(network: SegmentationNetwork, embedding: Embedding, painted: Tensor) -> DecoderStep:
    """The step of a sweep at inference."""
    plain = network.extract(embedding.standardised(0), shrink(painted[None])[0])
    return DecoderStep(network, network.enhance(plain, Enhancement()))


def alike(one: Evidence, other: Evidence) -> None:
    """Assert that two pieces of evidence agree as far as the half precision of embeddings goes."""
    for name in FIELDS:
        torch.testing.assert_close(getattr(one, name), getattr(other, name), atol=0.03, rtol=0.01)


@pytest.mark.parametrize("training", [True, False])
def test_the_decoder_is_shown_the_same_in_training_and_at_inference(
    network: SegmentationNetwork,
    seen: list[Evidence],
    embedding: Embedding,
    episode: Episode,
    step: DecoderStep,
    painted: Tensor,
    training: bool,
) -> None:
    assert embedding.images.shape[1:] == (128, 128)
    network.train(training)
    Rollout(network, RolloutOptions(Enhancement(), leaks=0.0, aged=0.0)).losses(episode)
    network.eval()
    following, searching, _ = seen
    step.step(embedding, 1, 0, painted, step.begin(embedding, 0, painted))
    step.find(embedding, 0, location_prior(shrink(painted[None]))[0])
    alike(following, seen[3])
    alike(searching, seen[4])


def test_a_rollout_goes_on_from_its_own_masks(
    network: SegmentationNetwork, seen: list[Evidence], sampler: EpisodeSampler, config: TrainingConfig
) -> None:
    episode = sampler.sample(np.random.default_rng(2))
    Rollout(network, RolloutOptions(Enhancement(), leaks=0.0, aged=0.0)).losses(episode)
    first, second = seen[0], seen[1]
    assert torch.equal(first.images[:, 2], episode.painted)
    logits, _ = network.decoder(first)
    torch.testing.assert_close(second.images[:, 2], logits.sigmoid().float(), atol=0.02, rtol=0)
    assert len(seen) == config.rollout + 2 + 1


def test_losses_are_finite_and_named(network: SegmentationNetwork, sampler: EpisodeSampler) -> None:
    for number in range(4):
        losses = Rollout(network, default_options()).losses(sampler.sample(np.random.default_rng(number)))
        assert set(losses) == {
            "mask", "presence", "score", "carry", "trace", "far mask", "far presence", "far score", "diffusion",
        }  # fmt: skip
        assert all(float(loss) >= 0 and np.isfinite(float(loss)) for loss in losses.values())


def test_an_episode_with_nothing_far_away_has_finite_losses(network: SegmentationNetwork, episode: Episode) -> None:
    nothing = replace(episode, far_masks=torch.zeros_like(episode.far_masks), far=torch.zeros_like(episode.far))
    losses = Rollout(network, default_options()).losses(nothing)
    assert all(bool(loss.isfinite()) for loss in losses.values())
    assert float(losses["diffusion"]) == 0


def test_the_switches_of_the_recipe_switch(network: SegmentationNetwork, episode: Episode) -> None:
    changed = replace(episode, far_masks=torch.roll(episode.far_masks, 8, 3))
    losses = []
    for diffusion, cross_view in ((True, True), (False, True), (True, False)):
        torch.manual_seed(0)
        losses.append(Rollout(network, default_options(EngineOptions(diffusion=diffusion), cross_view)).losses(changed))
    both, plain, own = losses
    assert float(both["score"]) != float(plain["score"]) and float(both["diffusion"]) == float(plain["diffusion"])
    assert float(both["score"]) == float(own["score"]) and float(both["diffusion"]) != float(own["diffusion"])


def test_without_its_weight_the_diffusion_does_not_learn(network: SegmentationNetwork, episode: Episode) -> None:
    changed = replace(episode, far_masks=torch.roll(episode.far_masks, 8, 3))
    assert float(Rollout(network, default_options()).losses(changed)["diffusion"]) > 0
    assert float(Rollout(network, default_options(diffusion_weight=0.0)).losses(changed)["diffusion"]) == 0


def test_every_part_of_the_network_learns(sampler: EpisodeSampler) -> None:
    torch.manual_seed(0)
    network = SegmentationNetwork()
    for number in range(3):
        losses = Rollout(network, default_options()).losses(sampler.sample(np.random.default_rng(number)))
        torch.stack(list(losses.values())).sum().backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []
    assert all(bool(parameter.grad.isfinite().all()) for parameter in network.parameters())
