"""The encoder in ONNX Runtime, to see whether PyTorch leaves speed on the table on this CPU."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from DPLSegmentLib.evaluation.speed import seconds_of
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.inference import fast_encoder

BATCH = (4, 3, 256, 256)


def encoder_milliseconds(encoder: Encoder, runs: int = 15) -> tuple[float, float] | None:
    """Milliseconds a slice in PyTorch as shipped and in ONNX Runtime, with as many threads; CPU, float32.

    The two take turns, so that whatever else the machine does hits both. None when onnx or onnxruntime is missing.
    """
    images = torch.rand(BATCH, generator=torch.Generator().manual_seed(0))
    ours = fast_encoder(encoder.cpu(), torch.device("cpu"))
    theirs = _onnx_encoder(encoder, images)
    if theirs is None:
        return None
    with torch.inference_mode():
        for _ in range(3):
            ours(images), theirs()
        pairs = [(seconds_of(lambda: ours(images)), seconds_of(theirs)) for _ in range(runs)]
    torch_seconds, onnx_seconds = (median(column) for column in zip(*pairs, strict=True))
    return 1000 * torch_seconds / BATCH[0], 1000 * onnx_seconds / BATCH[0]


def _onnx_encoder(encoder: Encoder, images: torch.Tensor) -> Callable[[], object] | None:
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(_exported(encoder, images), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images.numpy()}
    return lambda: session.run(None, feed)


def _exported(encoder: Encoder, images: torch.Tensor) -> bytes:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "encoder.onnx")
        torch.onnx.export(encoder, (images,), str(path), dynamo=False)
        return path.read_bytes()
