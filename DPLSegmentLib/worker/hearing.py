"""What the messages of the worker mean to those who asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from DPLSegmentLib.propagation.types import Progress, SliceResult
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.job import Job
from DPLSegmentLib.worker.reasons import Reason
from DPLSegmentLib.worker.requests import Failure, Listener, WorkerInfo

OfJob = protocol.Progress | protocol.Slice | protocol.Finished | protocol.Done | protocol.Failed | protocol.Stopped
_OTHER_VERSION = "The worker is of another version of DPLSegment than this panel: install DPLSegment anew."


def answer_of(message: protocol.Hello | protocol.Refused) -> WorkerInfo | Failure:
    """What the first message of a process says of it."""
    if message.version != protocol.VERSION:
        return Failure(Reason.VERSION, _OTHER_VERSION)
    if isinstance(message, protocol.Refused):
        known = message.reason in set(Reason)
        return Failure(Reason(message.reason) if known else Reason.OTHER, message.sentence)
    return WorkerInfo(message.model_id, message.device, message.devices, message.torch, message.pid)


def pass_on(listener: Listener, message: protocol.Progress | protocol.Slice) -> None:
    """Tell what happens in mid-run."""
    if isinstance(message, protocol.Progress):
        listener.on_progress(Progress(message.stage, message.fraction, message.slice_index))
    else:
        listener.on_slice(slice_result(message))


def slice_result(message: protocol.Slice) -> SliceResult:
    """The slice of a message; raises ProtocolError."""
    bits = np.frombuffer(protocol.unpacked_bits(message.mask), np.uint8)
    mask = np.unpackbits(bits, count=message.shape[0] * message.shape[1]).astype(bool).reshape(message.shape)
    return SliceResult(message.structure, message.axis, message.index, mask, message.confidence)


def ending(job: Job, message: protocol.Done | protocol.Failed | protocol.Stopped) -> Callable[[Job], None]:
    """How a job ends; one that the user cancelled is cancelled, whatever it was about to say."""
    if job.cancelling or isinstance(message, protocol.Stopped):
        return cancelled
    return done if isinstance(message, protocol.Done) else failing(message.sentence)


def done(job: Job) -> None:
    """End it with its result."""
    job.listener.on_done(job.result())


def cancelled(job: Job) -> None:
    """End it without."""
    job.listener.on_cancelled()


def failing(sentence: str) -> Callable[[Job], None]:
    """End it with a sentence."""
    return lambda job: job.listener.on_failed(sentence)
