"""What the worker can be asked for, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Progress, Propagation, SliceResult
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.reasons import Reason


@dataclass(frozen=True)
class WorkerOptions:
    """`device` is "auto", "cuda", "mps" or "cpu"; `weights` None means the bundled model; `memory_limit_mib` bounds
    what is kept of scans that were worked on (2048 when None); the newest scan is always kept."""

    device: str = "auto"
    weights: Path | None = None
    memory_limit_mib: int | None = None


@dataclass(frozen=True)
class WorkerInfo:
    """`device` names the one in use ("CPU", "NVIDIA RTX 4090"); `devices` are those that `WorkerOptions.device` can
    name on this machine, the fastest first; `torch` is the version of PyTorch."""

    model_id: str
    device: str
    devices: tuple[str, ...]
    torch: str
    pid: int


@dataclass(frozen=True)
class Failure:
    """Why there is no worker, for the program and for the user."""

    reason: Reason
    sentence: str


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan under a key that changes when its voxels or its geometry do; it is sent once for each key."""

    key: str
    volume: Volume


@dataclass(frozen=True, eq=False)
class PaintedScan:
    """A scan and bool masks [z, y, x] of what is painted on it, on its own grid."""

    scan: Scan
    painted: Segmentation


@dataclass(frozen=True, eq=False)
class PropagateRequest:
    """Segment `query` from painted scans, or from a file of prototypes when `supports` is empty.

    `slice_range` (first, last, both included) are slices of the query along the painted plane.
    """

    supports: tuple[PaintedScan, ...]
    query: Scan
    slice_range: tuple[int, int] | None = None
    prototypes: Path | None = None


class Listener(Protocol):
    """Told what becomes of a request, from within `Worker.poll` and `Worker.stop`; exactly one of the last three comes,
    and nothing after it."""

    def on_progress(self, progress: Progress) -> None:
        """A step further."""
        ...

    def on_slice(self, result: SliceResult) -> None:
        """A slice to preview."""
        ...

    def on_done(self, result: Propagation | None) -> None:
        """The result of a propagation; None for what has none."""
        ...

    def on_failed(self, sentence: str) -> None:
        """What happened and what to do."""
        ...

    def on_cancelled(self) -> None:
        """It was cancelled, or the worker was stopped."""
        ...


class Task(Protocol):
    """Something the worker does: the scans it needs, what is painted on them, and how it is asked for."""

    @property
    def scans(self) -> tuple[Scan, ...]:
        """All scans that must have been sent."""
        ...

    @property
    def supports(self) -> tuple[PaintedScan, ...]:
        """Those with a painting that must be sent."""
        ...

    def request(self, job: int, painted: tuple[protocol.Painted, ...]) -> protocol.Request:
        """The message; `painted` is what was made of `supports`."""
        ...


@dataclass(frozen=True, eq=False)
class EmbedTask:
    """A scan is embedded ahead of time; gives way to what the user asks for."""

    scan: Scan
    supports: tuple[PaintedScan, ...] = ()

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The one."""
        return (self.scan,)

    def request(self, job: int, painted: tuple[protocol.Painted, ...]) -> protocol.Request:
        """See `Task`."""
        return protocol.Embed(job, self.scan.key)


@dataclass(frozen=True, eq=False)
class PropagateTask:
    """A propagation to one scan."""

    wanted: PropagateRequest

    @property
    def supports(self) -> tuple[PaintedScan, ...]:
        """The painted scans."""
        return self.wanted.supports

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The painted scans and the query."""
        return (*(support.scan for support in self.supports), self.wanted.query)

    def request(self, job: int, painted: tuple[protocol.Painted, ...]) -> protocol.Request:
        """See `Task`."""
        ends = self.wanted.slice_range
        reach = (int(ends[0]), int(ends[1])) if ends else None
        file = self.wanted.prototypes
        return protocol.Propagate(job, painted, self.wanted.query.key, reach, str(file.absolute()) if file else None)


@dataclass(frozen=True, eq=False)
class SaveTask:
    """The prototypes of painted scans are written to a file."""

    supports: Sequence[PaintedScan]
    path: Path

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The painted scans."""
        return tuple(support.scan for support in self.supports)

    def request(self, job: int, painted: tuple[protocol.Painted, ...]) -> protocol.Request:
        """See `Task`."""
        return protocol.SavePrototypes(job, painted, str(self.path.absolute()))
