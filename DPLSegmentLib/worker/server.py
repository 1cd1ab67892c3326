"""The worker's side: does what it is asked, one job after the other, and says what becomes of it."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.prototype_file import load_prototypes, save_prototypes
from DPLSegmentLib.propagation.prototype_set import PrototypeSet
from DPLSegmentLib.propagation.types import Cancelled, Progress, Propagation, PropagationError, SliceResult, Support
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.blocks import SharedArray
from DPLSegmentLib.worker.inbox import Inbox
from DPLSegmentLib.worker.sentences import is_ours, sentence
from DPLSegmentLib.worker.speaker import Speaker
from DPLSegmentLib.worker.store import ScanStore


class Server:
    """Takes requests from the inbox until the client is gone."""

    def __init__(self, engine: Engine, inbox: Inbox, say: Speaker) -> None:
        self._engine = engine
        self._inbox = inbox
        self._say = say
        self._scans = ScanStore()

    def serve(self) -> None:
        """Until the end of the inbox."""
        for message in self._inbox:
            if isinstance(message, protocol.Scan):
                self._scans.put(message)
            elif isinstance(message, protocol.Drop):
                self._scans.drop(message.key)
            elif isinstance(message, protocol.Request):
                self._say(self._done(message))

    def _done(self, request: protocol.Request) -> protocol.FromWorker:
        """Do it; the message that ends the job."""
        job = request.job
        try:
            _Run(self._engine, self._scans, self._inbox, self._say, job).do(request)
            return protocol.Done(job)
        except Cancelled:
            return protocol.Stopped(job)
        except Exception as error:
            if not is_ours(error):
                traceback.print_exception(error, file=sys.stderr)
            return protocol.Failed(job, sentence(error))


@dataclass(frozen=True)
class _Run:
    """One job."""

    engine: Engine
    scans: ScanStore
    inbox: Inbox
    say: Speaker
    job: int

    def cancelled(self) -> bool:
        """Asked by the engine before every slice."""
        return self.inbox.cancelled(self.job)

    def do(self, request: protocol.Request) -> None:
        """Raises Cancelled, and whatever goes wrong."""
        if isinstance(request, protocol.Embed):
            self.engine.embed(self.scans.get(request.scan), 0, self._on_progress, self)
        elif isinstance(request, protocol.SavePrototypes):
            self._save(self._prototypes(request.supports), Path(request.path))
        else:
            self._propagate(request)

    def _prototypes(self, supports: tuple[protocol.Painted, ...]) -> PrototypeSet:
        return self.engine.prototypes([self.scans.support(each) for each in supports], self._on_progress, self)

    def _save(self, found: PrototypeSet, path: Path) -> None:
        try:
            save_prototypes(found, path)
        except RuntimeError as error:  # PyTorch opens the file and has no other word for a folder that it cannot use
            raise PropagationError(
                f"{path.name} could not be written to {path.parent}: choose a folder that exists and is not read-only."
            ) from error

    def _propagate(self, request: protocol.Propagate) -> None:
        result = self.engine.propagate(
            self._source(request),
            self.scans.get(request.query),
            slice_range=request.slice_range,
            on_progress=self._on_progress,
            on_slice=self._on_slice,
            cancel=self,
        )
        self.say(finished(self.job, result))
        room = self.inbox.room(self.job)
        masks = SharedArray.take(room.masks).array
        for place, segment in zip(masks, result.segmentation.segments, strict=True):
            place[...] = segment.mask
        SharedArray.take(room.confidence).array[...] = result.confidence.array

    def _source(self, request: protocol.Propagate) -> list[Support] | PrototypeSet:
        if request.prototypes is not None and not request.supports:
            return load_prototypes(Path(request.prototypes), self.engine.model_id)
        return [self.scans.support(each) for each in request.supports]

    def _on_progress(self, progress: Progress) -> None:
        self.say(protocol.Progress(self.job, progress.stage, progress.fraction, progress.slice_index))

    def _on_slice(self, result: SliceResult) -> None:
        height, width = result.mask.shape
        mask = protocol.packed_bits(np.packbits(result.mask).tobytes())
        place = (result.structure, result.axis, int(result.index), float(result.confidence))
        self.say(protocol.Slice(self.job, *place, (height, width), mask))


def hello(engine: Engine) -> protocol.Hello:
    """Who this worker is."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    devices = tuple(name for name, usable in there.items() if usable)
    about = (engine.model_id, engine.device_name, devices, torch.__version__, os.getpid())
    return protocol.Hello(protocol.VERSION, *about)


def finished(job: int, result: Propagation) -> protocol.Finished:
    """A result without its arrays."""
    pairs = zip(result.segmentation.segments, result.structures, strict=True)
    structures = tuple(
        protocol.Report(
            protocol.Structure(segment.name, segment.value, segment.color, dict(segment.tags)),
            report.millilitres, report.confidence, report.next_slice,
        )
        for segment, report in pairs
    )  # fmt: skip
    return protocol.Finished(
        job, structures, result.axis, result.next_slice, dict(result.seconds), result.device, result.model_id
    )
