"""Embeddings of scans, and the cache that holds them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.network import body_weight, channel_statistics
from DPLSegmentLib.propagation.cache import EmbeddingCache, fingerprint
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_slice_along_the_axis_is_embedded(engine: Engine, kidney_ct: Volume, axis: int) -> None:
    embedding = engine.embed(kidney_ct, axis)
    height, width = embedding.images.shape[1:]
    channels = engine.network.config.channels
    assert embedding.count == len(embedding.features) == kidney_ct.shape[axis]
    assert embedding.features.shape[1:] == (channels, height // STRIDE, width // STRIDE)
    assert embedding.gap == pytest.approx(kidney_ct.spacing[axis] / embedding.stack.pixel_mm)


def test_images_lie_between_zero_and_one(kidney_embedding: Embedding) -> None:
    assert float(kidney_embedding.images.min()) == 0 and float(kidney_embedding.images.max()) == 1
    assert kidney_embedding.image(3).dtype == torch.float32


def test_features_are_standardised_over_the_body_of_the_scan(kidney_embedding: Embedding) -> None:
    standardised = torch.stack([kidney_embedding.standardised(index) for index in range(kidney_embedding.count)])
    assert standardised.dtype == torch.float32 and bool(standardised.isfinite().all())
    weight = body_weight(kidney_embedding.images.float(), standardised.shape[-2:])
    mean, deviation = channel_statistics(standardised, weight)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=0.02, rtol=0)
    torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=0.02, rtol=0)


def test_a_scan_is_embedded_once(cold_engine: Engine, kidney_ct: Volume) -> None:
    first = cold_engine.embed(kidney_ct)
    assert cold_engine.embed(kidney_ct) is first
    assert cold_engine.embed(kidney_ct.with_array(kidney_ct.array.copy())) is first
    assert cold_engine.embed(kidney_ct, window=(0.0, 100.0)) is not first


def test_embedding_does_not_change_the_scan(cold_engine: Engine, kidney_ct: Volume) -> None:
    before = kidney_ct.array.copy()
    cold_engine.embed(kidney_ct)
    assert np.array_equal(kidney_ct.array, before)


def test_the_cache_counts_all_that_an_embedding_holds(kidney_embedding: Embedding) -> None:
    held = kidney_embedding.images.nbytes + kidney_embedding.features.nbytes + kidney_embedding.stack.planes.nbytes
    assert kidney_embedding.nbytes == held


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_the_memory_bound_holds_and_the_latest_are_kept(kidney_embedding: Embedding, kept: int) -> None:
    cache = EmbeddingCache(limit=kept * kidney_embedding.nbytes)
    keys = [(str(number), 0, (0.0, 1.0), False) for number in range(5)]
    for key in keys:
        cache.put(key, replace(kidney_embedding))
        assert cache.nbytes <= cache.limit
    assert [key for key in keys if cache.get(key)] == keys[-kept:]


def test_the_newest_is_kept_even_when_it_is_too_large(kidney_embedding: Embedding) -> None:
    cache = EmbeddingCache(limit=10)
    for number in range(2):
        cache.put((str(number), 0, (0.0, 1.0), False), kidney_embedding)
    assert cache.get(("1", 0, (0.0, 1.0), False)) is kidney_embedding
    assert cache.nbytes == kidney_embedding.nbytes


def test_what_was_asked_for_lately_outlives_what_was_not(kidney_embedding: Embedding) -> None:
    cache = EmbeddingCache(limit=2 * kidney_embedding.nbytes)
    first, second, third = ((name, 0, (0.0, 1.0), False) for name in "abc")
    cache.put(first, kidney_embedding)
    cache.put(second, kidney_embedding)
    cache.get(first)
    cache.put(third, kidney_embedding)
    assert cache.get(first) and cache.get(third) and not cache.get(second)


def test_a_fingerprint_tells_geometry_voxels_type_and_shape_apart(kidney_ct: Volume) -> None:
    moved, changed = kidney_ct.ijk_to_ras.copy(), kidney_ct.array.copy()
    moved[0, 3] += 1
    changed[3, 4, 5] += 1
    others = [
        Volume(kidney_ct.array, moved),
        kidney_ct.with_array(changed),
        kidney_ct.with_array(kidney_ct.array.astype(np.int64)),
        kidney_ct.with_array(kidney_ct.array.reshape(30, 52, 50)),
        kidney_ct.with_array(kidney_ct.array[::-1]),
    ]
    marks = [fingerprint(volume) for volume in (kidney_ct, *others)]
    assert len(set(marks)) == len(marks)


def test_a_fingerprint_depends_on_voxels_and_not_on_their_order_in_memory(kidney_ct: Volume) -> None:
    cube = kidney_ct.with_array(kidney_ct.array[:30, :30, :30].copy())
    assert fingerprint(cube) == fingerprint(cube.with_array(np.asfortranarray(cube.array)))
    assert fingerprint(cube) != fingerprint(cube.with_array(cube.array.T))


def test_a_fingerprint_takes_any_byte_order(kidney_ct: Volume) -> None:
    assert fingerprint(kidney_ct.with_array(kidney_ct.array.astype(">i2")))
