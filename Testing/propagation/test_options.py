"""Every switch of the engine really switches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.fusion import FusionMode
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.types import Propagation, Support

Paint = Callable[..., Support]


@pytest.fixture(scope="module")
def support(kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint) -> Support:
    """The kidney, painted once, on a few slices around it."""
    volume = kidney_ct.with_array(kidney_ct.array[8:20].copy())
    return paint(volume, kidney_mask[8:20], slices=[5])


def confidence(engine: Engine, support: Support, **switches: object) -> np.ndarray:
    """What comes out under some switches; the confidence shows the least change."""
    found: Propagation = engine.with_options(EngineOptions(**switches)).propagate([support], support.volume)
    drawn = support.painted.segments[0].mask
    assert not (drawn & ~found.segmentation.segments[0].mask).any()
    return found.confidence.array


@pytest.mark.parametrize(
    "switches",
    [
        {"use_dpl": False},
        {"use_propagation": False},
        {"diffusion": False},
        {"statistics": False},
        {"geometry": False},
        {"fusion": FusionMode.NONE},
        {"fusion": FusionMode.VARIANTS},
        {"fusion_weight": 0.1},
        {"variants": 2},
        {"seed": 5},
    ],
)
def test_every_switch_changes_the_result(engine: Engine, support: Support, switches: dict[str, object]) -> None:
    assert not np.array_equal(confidence(engine, support, **switches), confidence(engine, support))


def test_without_diffusion_its_own_switches_do_nothing(engine: Engine, support: Support) -> None:
    plain = confidence(engine, support, diffusion=False)
    assert np.array_equal(plain, confidence(engine, support, diffusion=False, seed=5, variants=2, statistics=False))
    assert np.array_equal(plain, confidence(engine, support, fusion=FusionMode.NONE))


def test_engines_with_other_options_share_model_and_cache(engine: Engine) -> None:
    other = engine.with_options(EngineOptions(use_dpl=False))
    assert other.model is engine.model and other.cache is engine.cache
    assert engine.options.use_dpl and not other.options.use_dpl
