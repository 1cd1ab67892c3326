"""The rows of the table: what each changes in the training configuration, and so at inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from DPLSegmentLib.network.fusion import FusionMode
from DPLSegmentLib.training.config import TrainingConfig

SHIPPED = "shipped recipe"
ROWS: Mapping[str, Mapping[str, Any]] = {
    SHIPPED: {},
    "no diffusion": {"diffusion": False, "diffusion_weight": 0.0},
    "diffusion loss only": {"diffusion": False},
    "self-target": {"cross_view_target": False},
    "no statistics": {"statistics": False},
    "no geometry": {"geometry": False},
    "no condition": {"statistics": False, "geometry": False},
    "variants averaged": {"fusion": FusionMode.MEAN},
    "variants kept": {"fusion": FusionMode.VARIANTS},
    "K = 1": {"variants": 1},
    "K = 4": {"variants": 4},
    "K = 8": {"variants": 8},
    "weight 0": {"fusion": FusionMode.MEAN, "fusion_weight": 0.0},
    "weight 0.1": {"fusion": FusionMode.MEAN, "fusion_weight": 0.1},
    "weight 0.3": {"fusion": FusionMode.MEAN, "fusion_weight": 0.3},
    "weight 1": {"fusion": FusionMode.MEAN, "fusion_weight": 1.0},
}


def changed(config: TrainingConfig, row: str) -> TrainingConfig:
    """The configuration of a row, one of `ROWS`."""
    return replace(config, **ROWS[row])


def same_as(config: TrainingConfig, row: str) -> str:
    """The first row that is trained in the same way: itself, or the one that it need not be trained beside."""
    return next(name for name in ROWS if changed(config, name) == changed(config, row))
