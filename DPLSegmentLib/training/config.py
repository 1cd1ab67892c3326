"""What a training run is made of; read from a TOML file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import Field, dataclass, fields
from pathlib import Path

from DPLSegmentLib.network.config import ENCODER_STRIDE
from DPLSegmentLib.network.fusion import FusionMode
from DPLSegmentLib.propagation.options import EngineOptions

_PAIRS = r"(\d+:\d+( |$))*"


class TrainingError(ValueError):
    """The training cannot start or go on; the message says why and what to do."""


@dataclass(frozen=True)
class TrainingConfig:
    """Paths are relative to the working directory.

    `data` is a folder laid out as abdomen-mr/train, abdomen-ct/train, headneck-ct/train, unlabelled; `steps` counts
    optimiser steps, of which each of the `processes` on a CPU draws its own `episodes`; `crop` is in working pixels;
    `labels` off trains on supervoxels and synthesis alone; with `known` the recogniser of drawn structures is trained
    and nothing else, on all scans but those whose names begin with one of `without`: on so many kept `views` of each,
    or with 0 on new ones only; with `found` it is also taught structures that nobody named, as the weights `teacher`
    see them where those know them; where `swept`, those of `pairs` are swept again. With `magnetic` the recogniser of
    MR is trained and nothing else: it begins as the mean of those in these weights (separated by spaces), and learns
    from MR and from CT that looks like it. `pairs` of numbers like "26:22 31:19" tell what was found on CT and is the
    same on MR. What is written keeps `start_share` of the recogniser in `start`, but for scans of MR (`blending`).
    `cut_share` of the unlabelled structures are cut in two; `small_share` of the episodes are longer sweeps through
    smaller windows where the structure fits into them, and `close_share` of the small structures are seen close up. The
    prepared scans are kept in `pack`, or beside `run` without it. From `diffusion` on these are the
    switches of DPL, and those of the engine by default; with `diffusion_weight` 0 the diffusion does not learn, with
    `cross_view_target` off the prototype is its own target.
    """

    data: str
    run: str
    steps: int = 10000
    seed: int = 0
    encoder: str = "lite0"
    imagenet: str = ""
    start: str = ""
    start_share: float = 0.0
    crop: int = 160
    rollout: int = 3
    structures: int = 3
    episodes: int = 1
    processes: int = 1
    rate: float = 1e-3
    encoder_rate: float = 2e-4
    warmup: int = 200
    average: float = 0.998
    checkpoint_minutes: float = 3.0
    labels: bool = True
    known: bool = False
    found: bool = False
    teacher: str = ""
    swept: bool = False
    magnetic: str = ""
    pairs: str = ""
    without: str = ""
    views: int = 0
    synthetic: int = 24
    label_share: float = 0.3
    synthetic_share: float = 0.12
    cut_share: float = 0.35
    small_share: float = 0.0
    close_share: float = 0.0
    pack: str = ""
    diffusion: bool = EngineOptions.diffusion
    diffusion_weight: float = 0.2
    cross_view_target: bool = True
    statistics: bool = EngineOptions.statistics
    geometry: bool = EngineOptions.geometry
    fusion: str = EngineOptions.fusion
    fusion_weight: float = EngineOptions.fusion_weight
    variants: int = EngineOptions.variants

    @property
    def paired(self) -> dict[int, int]:
        """The number on MR by the one on CT."""
        return {int(here): int(there) for here, there in (pair.split(":") for pair in self.pairs.split())}

    @property
    def switches(self) -> EngineOptions:
        """DPL in training, and at inference for the same DPL there; raises ValueError for an unknown `fusion`."""
        return EngineOptions(
            diffusion=self.diffusion,
            statistics=self.statistics,
            geometry=self.geometry,
            fusion=FusionMode(self.fusion),
            fusion_weight=self.fusion_weight,
            variants=self.variants,
            seed=self.seed,
        )


def read_config(path: Path) -> TrainingConfig:
    """Read a TOML file; raises TrainingError for a missing file, a wrong key or a missing one."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(f"The training configuration {path} cannot be read: {error}.") from error
    known = {field.name for field in fields(TrainingConfig)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise TrainingError(f"{path} has unknown keys: {', '.join(unknown)}. Known are: {', '.join(sorted(known))}.")
    wrong = [f"{f.name} must be {f.type}" for f in fields(TrainingConfig) if type(values.get(f.name)) not in _kinds(f)]
    if wrong:
        raise TrainingError(f"{path} has values of the wrong kind: {', '.join(wrong)}.")
    if not 0 <= values.get("start_share", 0) < 1 or (values.get("start_share") and not values.get("start")):
        raise TrainingError(f"{path} keeps a share of its start; name the start, and a share from 0 up to below 1.")
    if values.get("crop", 0) % ENCODER_STRIDE:
        raise TrainingError(f"{path} has a crop of {values['crop']}; it must be a multiple of {ENCODER_STRIDE}.")
    if not re.fullmatch(_PAIRS, values.get("pairs", "")):
        raise TrainingError(f'{path} has the pairs "{values["pairs"]}"; they must be like "26:22 31:19".')
    if values.get("fusion", FusionMode.NONE) not in list(FusionMode):
        raise TrainingError(f"{path} has the fusion {values['fusion']}; it must be one of {', '.join(FusionMode)}.")
    try:
        return TrainingConfig(**values)
    except TypeError as error:
        raise TrainingError(f"{path} is incomplete: `data` and `run` must be given.") from error


def _kinds(field: Field) -> tuple[type, ...]:
    """What a value of this field may be; None stands for one that is not given."""
    known = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}
    return (*known[str(field.type)], type(None))
