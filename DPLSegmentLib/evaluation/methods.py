"""The rows of a table: ours, the baselines, and every switch of DPL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from DPLSegmentLib.evaluation.dpl_only import DplOnly
from DPLSegmentLib.evaluation.engine_segmenter import EngineSegmenter
from DPLSegmentLib.evaluation.grow_from_seeds import GrowFromSeeds
from DPLSegmentLib.evaluation.imagenet import imagenet_prototypes
from DPLSegmentLib.evaluation.plain_prototypes import plain_prototypes
from DPLSegmentLib.evaluation.propagation_only import propagation_only
from DPLSegmentLib.evaluation.random_walker import RandomWalker
from DPLSegmentLib.evaluation.run import Method
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.network.fusion import FusionMode
from DPLSegmentLib.propagation.engine import Engine

OURS = "DPLSegment"
SWITCHES: dict[str, dict[str, Any]] = {
    "nothing known by name": {"recognise": False},
    "no diffusion": {"diffusion": False},
    "no condition": {"statistics": False, "geometry": False},
    "statistics only": {"geometry": False},
    "geometry only": {"statistics": False},
    "variants averaged": {"fusion": FusionMode.MEAN},
    "variants kept": {"fusion": FusionMode.VARIANTS},
    "K = 1": {"variants": 1},
    "K = 4": {"variants": 4},
    "K = 8": {"variants": 8},
    "weight 0": {"fusion_weight": 0.0},
    "weight 0.1": {"fusion_weight": 0.1},
    "weight 0.3": {"fusion_weight": 0.3},
    "weight 1": {"fusion_weight": 1.0},
}


def ours(engine: Engine) -> Method:
    """The engine as it is shipped."""
    return Method(OURS, lambda seed: EngineSegmenter(OURS, engine, engine.options, seed), noisy=True)


def baselines(engine: Engine) -> list[Method]:
    """All of them; raises EvaluationError at once when a package that one needs is missing."""
    fixed = (
        GrowFromSeeds(),
        RandomWalker(),
        plain_prototypes(engine),
        propagation_only(engine),
        imagenet_prototypes(engine.network.config.encoder),
    )
    return [*map(_fixed, fixed), _dpl_only(engine, "DPL only", {})]


def ablations(engine: Engine) -> list[Method]:
    """A row for each setting of DPL that differs from the shipped one, and DPL without its diffusion by itself."""
    changed = [_switched(engine, name, switches) for name, switches in SWITCHES.items() if _differs(engine, switches)]
    return [*changed, _dpl_only(engine, "DPL only, no diffusion", {"diffusion": False})]


def _fixed(segmenter: Segmenter) -> Method:
    return Method(segmenter.name, lambda _seed: segmenter)


def _differs(engine: Engine, switches: dict[str, Any]) -> bool:
    return replace(engine.options, **switches) != engine.options


def _switched(engine: Engine, name: str, switches: dict[str, Any]) -> Method:
    options = replace(engine.options, **switches)
    return Method(name, lambda seed: EngineSegmenter(name, engine, options, seed), noisy=options.diffusion)


def _dpl_only(engine: Engine, name: str, switches: dict[str, Any]) -> Method:
    options = replace(engine.options, **switches)
    return Method(name, lambda seed: DplOnly(name, engine, options, seed), noisy=options.diffusion)
