"""A request on its way through the worker, with the blocks that it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from time import monotonic

import numpy as np

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Propagation, StructureReport
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.blocks import SharedArray
from DPLSegmentLib.worker.requests import Listener, PaintedScan, Scan, Task
from DPLSegmentLib.worker.upload import Upload


class Job:
    """Made by `Worker`; whoever asked keeps it to cancel it.

    `sent`: the worker process has it. `cancelling`: it shall end. `overdue`: when (monotonic) it should have ended.
    """

    def __init__(self, number: int, task: Task, listener: Listener) -> None:
        self.number = number
        self.task = task
        self.listener = listener
        self.sent = self.cancelling = self.ended = False
        self.overdue = float("inf")
        self._scans: dict[str, Upload] = {}
        self._masks: list[list[Upload]] | None = None
        self._receipt: Receipt | None = None

    def prepare(self, known: Collection[str], until: float) -> bool:
        """Copy what the process does not know yet, until that time (monotonic); True when all is there.

        Raises OSError when there is no shared memory for it.
        """
        for scan in self.task.scans:
            if scan.key not in known and scan.key not in self._scans:
                self._scans[scan.key] = Upload(scan.volume.array)
        if self._masks is None:
            self._masks = [_uploads(support) for support in self.task.supports]
        for upload in self._uploads():
            while not upload.finished:
                if monotonic() >= until:
                    return False
                upload.step()
        return True

    def messages(self, known: Collection[str]) -> list[protocol.FromClient]:
        """What the worker is told, once everything is prepared."""
        missing = {scan.key: scan for scan in self.task.scans if scan.key not in known}
        scans = [_told(scan, self._scans[key].block) for key, scan in missing.items()]
        pairs = zip(self.task.supports, self._masks or [], strict=True)
        painted = tuple(_painted(support, masks) for support, masks in pairs)
        return [*scans, self.task.request(self.number, painted)]

    def room(self, finished: protocol.Finished) -> protocol.Room:
        """Blocks for a result; raises OSError when there is no shared memory for it."""
        self._receipt = Receipt(finished, self.task.scans[-1].volume)
        return self._receipt.room

    def result(self) -> Propagation | None:
        """What was put into the room; None when none was asked for."""
        return self._receipt.result() if self._receipt else None

    def release(self) -> None:
        """The job is over: let go of all blocks."""
        self.ended = True
        for upload in self._uploads():
            upload.release()
        if self._receipt:
            self._receipt.release()
        self._scans, self._masks, self._receipt = {}, [], None

    def _uploads(self) -> Iterable[Upload]:
        return [*self._scans.values(), *(mask for masks in self._masks or [] for mask in masks)]


class Receipt:
    """Blocks that a finished propagation is put into; the result is made of them without a copy."""

    def __init__(self, finished: protocol.Finished, query: Volume) -> None:
        self._finished = finished
        self._query = query
        self._masks = SharedArray.create((len(finished.structures), *query.shape), bool)
        self._confidence = SharedArray.create(query.shape, np.float32)

    @property
    def room(self) -> protocol.Room:
        """What the worker is told."""
        return protocol.Room(self._finished.job, self._masks.ref, self._confidence.ref)

    def result(self) -> Propagation:
        """The result; its arrays are the blocks."""
        told, query = self._finished, self._query
        structures = [report.structure for report in told.structures]
        pairs = zip(structures, self._masks.array, strict=True)
        segments = tuple(Segment(each.name, mask, each.value, each.color, each.tags) for each, mask in pairs)
        reports = tuple(
            StructureReport(report.structure.name, report.millilitres, report.confidence, report.next_slice)
            for report in told.structures
        )
        return Propagation(
            Segmentation(segments, query.ijk_to_ras, query.name),
            query.with_array(self._confidence.array),
            reports, told.axis, told.next_slice, told.seconds, told.device, told.model_id,
        )  # fmt: skip

    def release(self) -> None:
        """The blocks need their names no longer."""
        for block in (self._masks, self._confidence):
            block.close()
            block.unlink()


def _uploads(support: PaintedScan) -> list[Upload]:
    return [Upload(segment.mask) for segment in support.painted.segments]


def _told(scan: Scan, block: SharedArray) -> protocol.Scan:
    matrix = tuple(tuple(float(number) for number in row) for row in scan.volume.ijk_to_ras)
    return protocol.Scan(scan.key, scan.volume.name, block.ref, matrix)


def _painted(support: PaintedScan, masks: list[Upload]) -> protocol.Painted:
    pairs = zip(support.painted.segments, masks, strict=True)
    structures = tuple(protocol.PaintedStructure(_structure(segment), mask.block.ref) for segment, mask in pairs)
    return protocol.Painted(support.scan.key, structures)


def _structure(segment: Segment) -> protocol.Structure:
    red, green, blue = (float(part) for part in segment.color)
    tags = {str(name): str(text) for name, text in segment.tags.items()}
    return protocol.Structure(segment.name, int(segment.value), (red, green, blue), tags)
