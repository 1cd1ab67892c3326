"""What a step of the training learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from torch import Tensor

from DPLSegmentLib.network.inference import fast_encoder
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import Team
from DPLSegmentLib.training.episodes import EpisodeSampler
from DPLSegmentLib.training.found_scans import load_found_scans
from DPLSegmentLib.training.fresh_views import FreshViews, KeptViews, Views
from DPLSegmentLib.training.known_scans import KnownScan, load_known_scans
from DPLSegmentLib.training.known_views import Viewer
from DPLSegmentLib.training.magnetic_views import MagneticViews
from DPLSegmentLib.training.pack import TrainingVolume, to_device
from DPLSegmentLib.training.recognition import PART, WHOLE, RecognitionLesson
from DPLSegmentLib.training.rollout import Rollout, default_options

_VESSELS = ("aorta", "inferior vena cava", "portal and splenic veins")


class Lesson(Protocol):
    """Losses by name, whose sum is to be minimised; everything random is drawn from the generator, or by torch."""

    def losses(self, generator: np.random.Generator) -> Mapping[str, Tensor]: ...


class SweepLesson:
    """Episodes of the volumes through the network."""

    def __init__(self, sampler: EpisodeSampler, rollout: Rollout) -> None:
        self.sampler = sampler
        self.rollout = rollout

    def losses(self, generator: np.random.Generator) -> Mapping[str, Tensor]:
        """Those of one episode."""
        return self.rollout.losses(self.sampler.sample(generator))


def lesson_for(
    config: TrainingConfig, network: SegmentationNetwork, volumes: list[TrainingVolume], team: Team
) -> Lesson:
    """Sweeps, or the recogniser's lesson where the network has one."""
    recogniser = network.taught_recogniser
    if recogniser is None:
        sampler = EpisodeSampler([to_device(volume, team.device) for volume in volumes], config)
        options = default_options(config.switches, config.cross_view_target, config.diffusion_weight)
        return SweepLesson(sampler, Rollout(network, options))
    return _recognition(config, recogniser, network, team)


def _recognition(
    config: TrainingConfig, recogniser: Recogniser, network: SegmentationNetwork, team: Team
) -> RecognitionLesson:
    names = network.config.known
    scans = (load_found_scans if config.found else load_known_scans)(config, team.device)
    vessels = tuple(number for number, name in enumerate(names) if name in _VESSELS)
    viewer = Viewer(fast_encoder(network.encoder, team.device), vessels)
    most = PART if team.device.type == "cpu" else WHOLE
    if not config.magnetic:
        return RecognitionLesson(recogniser, _views(config, viewer, scans, most[0], team), most)
    views = MagneticViews(viewer, scans, config.paired, len(names), most[0])
    if not views.magnetic:
        raise TrainingError(f"Nothing was found on MR in {config.data}; its recogniser has nothing to learn from.")
    return RecognitionLesson(recogniser, views, most)


def _views(config: TrainingConfig, viewer: Viewer, scans: list[KnownScan], slices: int, team: Team) -> Views:
    if config.views:
        return KeptViews(viewer, scans, slices, config.views, [config.seed, team.rank])
    return FreshViews(viewer, scans, slices)
