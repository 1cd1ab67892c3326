"""Baseline: label propagation from slice to slice by affinity alone, without prototypes and decoder.

On another patient's scan the first slice still has to be found; there the plain prototypes do it.
"""

from __future__ import annotations

from dataclasses import replace

from DPLSegmentLib.evaluation.engine_segmenter import EngineSegmenter
from DPLSegmentLib.propagation.engine import Engine


def propagation_only(engine: Engine) -> EngineSegmenter:
    """The engine's sweep without DPL."""
    return EngineSegmenter("propagation only", engine, replace(engine.options, use_dpl=False, diffusion=False))
