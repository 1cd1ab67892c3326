"""Everything a run needs to go on exactly where it stopped."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.config import TrainingConfig, TrainingError


@dataclass(eq=False)
class TrainingState:
    """The network, its running average, the optimiser and the number of steps done."""

    network: SegmentationNetwork
    average: SegmentationNetwork
    optimiser: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        """Write everything to `path`; never leaves a half-written file there."""
        partial = path.with_suffix(".partial")
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        torch.save(content, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from `path`; raises TrainingError when the file is not a checkpoint of this network."""
        try:
            content = _checkpoint(path)
            self.network.load_state_dict(content["network"])
            self.average.load_state_dict(content["average"])
            self.optimiser.load_state_dict(content["optimiser"])
            self.step = int(content["step"])
        except Exception as error:
            raise _refused(path, error) from error

    @torch.no_grad()
    def update_average(self, keep: float) -> None:
        """Exponential moving average of the weights; early steps are forgotten faster."""
        keep = min(keep, (1 + self.step) / (10 + self.step))
        for mean, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(current, 1 - keep)


def steps_done(path: Path) -> int:
    """Of the run whose checkpoint is at `path`; 0 where there is none. Raises TrainingError when it is damaged."""
    try:
        return int(_checkpoint(path)["step"]) if path.is_file() else 0
    except Exception as error:
        raise _refused(path, error) from error


def _checkpoint(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _refused(path: Path, error: Exception) -> TrainingError:
    return TrainingError(f"{path} is no checkpoint of this run; move it away to start anew. ({error})")


def new_state(config: TrainingConfig, network: SegmentationNetwork) -> TrainingState:
    """A fresh run: ImageNet or earlier weights where the configuration names them."""
    if config.imagenet:
        load_imagenet(network.encoder, Path(config.imagenet))
    if config.start:
        load_start(network, Path(config.start))
    if network.magnetic:
        load_magnetic(network.magnetic, [Path(path) for path in config.magnetic.split()])
    if network.taught_recogniser:
        network.requires_grad_(False)
        network.taught_recogniser.requires_grad_(True)
    encoder = list(network.encoder.stem.parameters()) + list(network.encoder.stages.parameters())
    known = {id(parameter) for parameter in encoder}
    others = [parameter for parameter in network.parameters() if id(parameter) not in known]
    groups = [{"params": encoder, "lr": config.encoder_rate}, {"params": others, "lr": config.rate}]
    for group in groups:
        group["base"] = group["lr"]
    return TrainingState(network, copy.deepcopy(network), torch.optim.AdamW(groups, weight_decay=0.01))


def load_start(network: SegmentationNetwork, path: Path) -> None:
    """Take over every part of an earlier run's running average, or of exported weights, that has the same name and
    shape here. A layer that has more inputs or outputs now keeps what it knew of the first ones; of new inputs it takes
    nothing at first, new outputs begin as they would in a new network.

    Raises TrainingError when nothing fits.
    """
    weights, own = earlier_weights(path), network.state_dict()
    taken = {name: _fitted(value, own[name]) for name, value in weights.items() if name in own}
    fitting = {name: value for name, value in taken.items() if value is not None}
    if not fitting:
        raise TrainingError(
            f"{path} holds no weights of an earlier run of this network; choose its checkpoint.pt or dpl-segment.pt."
        )
    network.load_state_dict(fitting, strict=False)


def load_magnetic(recogniser: Recogniser, paths: Sequence[Path]) -> None:
    """Begin as the mean of what earlier runs recognise MR with.

    Raises TrainingError when one of them knows other structures.
    """
    parts = [_recognising(earlier_weights(path)) for path in paths]
    try:
        means = {name: torch.stack([part[name].float() for part in parts]).mean(0) for name in recogniser.state_dict()}
        recogniser.load_state_dict(means)
    except (KeyError, RuntimeError) as error:
        raise TrainingError(
            f"{' or '.join(map(str, paths))} recognises other structures; choose weights that know those of this run."
        ) from error


def _recognising(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part that recognises MR: one of its own, or the one for all."""
    own = "magnetic." if any(name.startswith("magnetic.") for name in weights) else "recogniser."
    return {name.removeprefix(own): value for name, value in weights.items() if name.startswith(own)}


def earlier_weights(path: Path) -> dict[str, Tensor]:
    """Of an earlier run's running average, or exported ones; nothing where there are none."""
    content = _read(path)
    known = content.get("average", content.get("weights")) if isinstance(content, dict) else None
    return known if isinstance(known, dict) else {}


def _fitted(value: Tensor, like: Tensor) -> Tensor | None:
    """A weight [out, in, ...] with zeros for inputs gained at the end, and its own for outputs; None where it is of
    another kind."""
    if value.shape == like.shape:
        return value
    if value.ndim != like.ndim or value.shape[2:] != like.shape[2:]:
        return None
    if any(old > new for old, new in zip(value.shape[:2], like.shape[:2], strict=True)):
        return None
    whole = like.clone()
    whole[: len(value)] = 0
    whole[tuple(slice(side) for side in value.shape)] = value
    return whole


def load_imagenet(encoder: Encoder, path: Path) -> None:
    """Start from published EfficientNet-Lite weights; raises TrainingError when the file is another."""
    try:
        encoder.load_imagenet(_read(path))
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{path} does not hold the EfficientNet-Lite weights that this encoder needs.") from error


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(f"The weights {path} cannot be read: {error}.") from error


def set_rates(optimiser: torch.optim.Optimizer, share: float) -> None:
    """Scale every group's learning rate to `share` of its own start."""
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * share


def clip(network: nn.Module, most: float = 1.0) -> None:
    """Limit the gradient's norm."""
    nn.utils.clip_grad_norm_(network.parameters(), most)
