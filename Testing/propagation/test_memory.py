"""When the memory of a device does not suffice."""

from __future__ import annotations

import torch
from torch import Tensor

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.propagation.embedding import Embedder


class CrampedEncoder:
    """A real encoder on a device with room for a few slices at a time."""

    def __init__(self, encoder: Encoder, room: int) -> None:
        self.encoder, self.room, self.seen = encoder, room, []

    def __call__(self, images: Tensor) -> Tensor:
        if len(images) > self.room:
            raise torch.cuda.OutOfMemoryError("no room")
        self.seen.append(len(images))
        return self.encoder(images)


def test_a_device_with_little_memory_embeds_fewer_slices_at_a_time(kidney_ct: Volume) -> None:
    encoder = Encoder().eval()
    cramped = CrampedEncoder(encoder, room=1)
    embedding = Embedder(cramped, torch.device("cpu")).embed(kidney_ct, 0)
    roomy = Embedder(encoder, torch.device("cpu")).embed(kidney_ct, 0)
    assert set(cramped.seen) == {1} and embedding.count == kidney_ct.shape[0]
    torch.testing.assert_close(embedding.features, roomy.features, atol=2e-2, rtol=2e-2)
