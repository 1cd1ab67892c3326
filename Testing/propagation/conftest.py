"""The bundled model's engine, supports painted on real crops, and tokens that cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.cache import EmbeddingCache
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine, load_engine
from DPLSegmentLib.propagation.types import Support

LIVER_BOX = (slice(66, 112), slice(20, 90), slice(30, 108))
Paint = Callable[..., Support]


class CancelSwitch:
    """A token that cancels once it is set, and counts how often it was asked."""

    def __init__(self) -> None:
        self.on = False
        self.asked = 0

    def cancelled(self) -> bool:
        """True once it is set."""
        self.asked += 1
        return self.on


@pytest.fixture
def switch() -> CancelSwitch:
    """A cancel token that is not set yet."""
    return CancelSwitch()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The bundled model on the processor; its cache is shared between tests."""
    return load_engine("cpu")


@pytest.fixture
def cold_engine(engine: Engine) -> Engine:
    """The same model with nothing embedded yet."""
    cold = engine.with_options(engine.options)
    cold.cache = EmbeddingCache()
    return cold


@pytest.fixture(scope="session")
def liver_ct(ct: Volume) -> Volume:
    """46 slices with the whole liver, both kidneys and the spleen."""
    moved = ct.ijk_to_ras.copy()
    moved[:3, 3] += ct.ijk_to_ras[:3, :3] @ np.array([part.start for part in LIVER_BOX][::-1])
    return Volume(ct.array[LIVER_BOX].copy(), moved, "liver")


@pytest.fixture(scope="session")
def liver_truth(truth: Segmentation, liver_ct: Volume) -> Segmentation:
    """Liver, both kidneys and spleen on that crop."""
    names = ("liver", "spleen", "right kidney", "left kidney")
    organs = [segment for segment in truth.segments if segment.name in names]
    segments = tuple(organ.with_mask(organ.mask[LIVER_BOX].copy()) for organ in organs)
    return Segmentation(segments, liver_ct.ijk_to_ras)


@pytest.fixture(scope="session")
def kidney_support(kidney_ct: Volume, painted_kidney: Segmentation) -> Support:
    """The small crop with one painted slice each of right kidney and liver."""
    return Support(kidney_ct, painted_kidney)


@pytest.fixture(scope="session")
def kidney_embedding(engine: Engine, kidney_ct: Volume) -> Embedding:
    """The small crop, embedded along z."""
    return engine.embed(kidney_ct)


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Paints some slices of a true mask on a scan: `paint(volume, mask, axis=0, slices=None)`; the largest if None."""

    def painted(volume: Volume, mask: np.ndarray, axis: int = 0, slices: Sequence[int] | None = None) -> Support:
        moved, drawn = np.moveaxis(mask, axis, 0), np.zeros(mask.shape, bool)
        chosen = list(slices) if slices is not None else [int(moved.sum((1, 2)).argmax())]
        np.moveaxis(drawn, axis, 0)[chosen] = moved[chosen]
        return Support(volume, Segmentation((Segment("structure", drawn),), volume.ijk_to_ras))

    return painted


@pytest.fixture(scope="session")
def kidney_mask(kidney_truth: Segmentation) -> np.ndarray:
    """The true right kidney on the small crop."""
    return next(segment.mask for segment in kidney_truth.segments if segment.name == "right kidney")


@pytest.fixture(scope="session")
def other_ct(ct: Volume) -> Volume:
    """Another piece of the CT around the right kidney, as it were another scan."""
    box = (slice(70, 108), slice(20, 76), slice(60, 122))
    moved = ct.ijk_to_ras.copy()
    moved[:3, 3] += ct.ijk_to_ras[:3, :3] @ np.array([part.start for part in box][::-1])
    return replace(Volume(ct.array[box].copy(), moved), name="other")
