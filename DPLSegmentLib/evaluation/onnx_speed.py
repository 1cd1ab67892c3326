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

    One after the other: ONNX Runtime's threads go on spinning after a run and would slow PyTorch down. None when onnx
    or onnxruntime is missing.
    """
    images = torch.rand(BATCH, generator=torch.Generator().manual_seed(0))
    ours = fast_encoder(encoder.cpu(), torch.device("cpu"))
    with torch.inference_mode():
        torch_seconds = _median_seconds(lambda: ours(images), runs)
    theirs = _onnx_encoder(encoder, images)
    if theirs is None:
        return None
    return 1000 * torch_seconds / BATCH[0], 1000 * _median_seconds(theirs, runs) / BATCH[0]


def _median_seconds(work: Callable[[], object], runs: int) -> float:
    for _ in range(3):
        work()
    return median(seconds_of(work) for _ in range(runs))


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
