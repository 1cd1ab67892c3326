"""How fast a warm engine and the baselines are on one scan: medians of several runs, seconds if not said otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import SliceResult, Support


class _Arrived(Exception):
    """The slice that was waited for is there."""


def embedded_slices_a_second(engine: Engine, volume: Volume, runs: int = 5) -> float:
    """Axial slices through intensity, resizing and encoder, without the cache; the first run only warms up."""
    embed = engine.embedder.embed
    embed(volume, 0)
    return volume.shape[0] / median(seconds_of(lambda: embed(volume, 0)) for _ in range(runs))


def first_neighbour(engine: Engine, paintings: Sequence[Support]) -> float:
    """From a paint on a scan that is embedded to its first neighbouring slice; one run for each painting."""
    _warm_up(engine, paintings)
    return median(seconds_of(lambda painting=painting: _until_first(engine, painting)) for painting in paintings)


def propagation(engine: Engine, paintings: Sequence[Support]) -> float:
    """All structures of a painting through the whole embedded scan; one run for each painting."""
    _warm_up(engine, paintings)
    return median(
        seconds_of(lambda painting=painting: engine.propagate([painting], painting.volume)) for painting in paintings
    )


def segmentation(segmenter: Segmenter, paintings: Sequence[Support]) -> float:
    """The same for a method that keeps nothing between runs."""
    return median(
        seconds_of(lambda painting=painting: segmenter.segment([painting], painting.volume)) for painting in paintings
    )


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _warm_up(engine: Engine, paintings: Sequence[Support]) -> None:
    """Paint once before, so that every embedding these paintings need is kept."""
    for painting in paintings:
        engine.prototypes([painting])
    engine.propagate([paintings[0]], paintings[0].volume)


def _until_first(engine: Engine, painting: Support) -> None:
    def arrived(_result: SliceResult) -> None:
        raise _Arrived

    try:
        engine.propagate([painting], painting.volume, on_slice=arrived)
    except _Arrived:
        return
    raise AssertionError("The sweep ended before its first slice.")
