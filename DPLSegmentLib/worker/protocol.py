"""What client and worker say to each other: a JSON object a line, which begins with the name of the message.

The client says: Scan, Drop, then one of Embed, Propagate, SavePrototypes, and Room or Cancel while that is under way.
The worker says: Hello or Refused, then for each request Progress and Slice, Finished, and at the end one of Done,
Failed, Stopped. Scans, paintings and results go through shared memory: the client makes every block and names it, the
worker takes it. Single slices are small enough to lie in the message itself.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

VERSION = 1
_SHOWN = 120


class ProtocolError(ValueError):
    """A line that is no message of this protocol; the text of the error quotes its beginning."""


@dataclass(frozen=True)
class ArrayRef:
    """A block of shared memory, the shape of the array in it, and numpy's name for the type of its elements."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Structure:
    """What a segment carries beside its mask."""

    name: str
    value: int
    color: tuple[float, float, float]
    tags: dict[str, str]


@dataclass(frozen=True)
class PaintedStructure:
    """A structure and its mask: bool, on the grid of the painted scan."""

    structure: Structure
    mask: ArrayRef


@dataclass(frozen=True)
class Painted:
    """A scan, by its key, and what is painted on it."""

    scan: str
    structures: tuple[PaintedStructure, ...]


@dataclass(frozen=True)
class Scan:
    """The voxels [z, y, x] and the 4x4 IJK-to-RAS matrix of a scan, to be kept under a key."""

    key: str
    name: str
    voxels: ArrayRef
    ijk_to_ras: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Drop:
    """The scan of this key is needed no longer."""

    key: str


@dataclass(frozen=True)
class Embed:
    """Embed a scan along its first axis."""

    job: int
    scan: str


@dataclass(frozen=True)
class Propagate:
    """Segment the query from painted scans or, where these are none, from a file of prototypes."""

    job: int
    supports: tuple[Painted, ...]
    query: str
    slice_range: tuple[int, int] | None
    prototypes: str | None


@dataclass(frozen=True)
class SavePrototypes:
    """Write the prototypes of painted scans to a file."""

    job: int
    supports: tuple[Painted, ...]
    path: str


@dataclass(frozen=True)
class Room:
    """Where the finished masks (bool [n, z, y, x]) and the confidence (float32 [z, y, x]) shall be put."""

    job: int
    masks: ArrayRef
    confidence: ArrayRef


@dataclass(frozen=True)
class Cancel:
    """Stop a job; the answer is Stopped, or the end of the job when that was nearer."""

    job: int


@dataclass(frozen=True)
class Hello:
    """The model is loaded; the first message of a worker that can work."""

    version: int
    model_id: str
    device: str
    devices: tuple[str, ...]
    torch: str
    pid: int


@dataclass(frozen=True)
class Refused:
    """The only message of a worker that cannot work: a `Reason` and what the user is told."""

    version: int
    reason: str
    sentence: str


@dataclass(frozen=True)
class Progress:
    """As `propagation.types.Progress`."""

    job: int
    stage: str
    fraction: float
    slice_index: int | None


@dataclass(frozen=True)
class Slice:
    """A finished slice of one structure: its mask (h, w) as `packed_bits`."""

    job: int
    structure: str
    axis: int
    index: int
    confidence: float
    shape: tuple[int, int]
    mask: str


@dataclass(frozen=True)
class Report:
    """A structure of the result and its `propagation.types.StructureReport`."""

    structure: Structure
    millilitres: float
    confidence: float
    next_slice: int | None


@dataclass(frozen=True)
class Finished:
    """A propagation is ready to be put into the room that the client makes for it."""

    job: int
    structures: tuple[Report, ...]
    axis: int
    next_slice: int | None
    seconds: dict[str, float]
    device: str
    model_id: str


@dataclass(frozen=True)
class Done:
    """The job is done; the room is filled."""

    job: int


@dataclass(frozen=True)
class Failed:
    """The job cannot be done; what the user is told."""

    job: int
    sentence: str


@dataclass(frozen=True)
class Stopped:
    """The job was cancelled."""

    job: int


Request = Embed | Propagate | SavePrototypes
FromClient = Scan | Drop | Request | Room | Cancel
FromWorker = Hello | Refused | Progress | Slice | Finished | Done | Failed | Stopped
Message = FromClient | FromWorker

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Message)}


def encoded(message: Message) -> bytes:
    """One line with its end, ASCII only."""
    return json.dumps([type(message).__name__, asdict(message)]).encode("ascii") + b"\n"


def decoded(line: bytes) -> Message:
    """The message of a line; raises ProtocolError."""
    try:
        name, fields = json.loads(line)
        return _built(_KINDS[name], fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"not a message: {line[:_SHOWN]!r}") from error


def packed_bits(bits: bytes) -> str:
    """Packed bits as text; a mask shrinks to some hundred characters."""
    return base64.b64encode(zlib.compress(bits, 1)).decode("ascii")


def unpacked_bits(text: str) -> bytes:
    """The inverse of `packed_bits`; raises ProtocolError."""
    try:
        return zlib.decompress(base64.b64decode(text))
    except (ValueError, zlib.error) as error:
        raise ProtocolError("not the mask of a slice") from error


def _built(hint: Any, value: Any) -> Any:
    """`value` from JSON as what the annotation says; raises TypeError, ValueError, KeyError, AttributeError."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{name: _built(hints[name], part) for name, part in value.items()})
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_built(kind, part) for kind, part in zip(kinds, value, strict=True))
    if origin is dict:
        return {name: _built(inner[1], part) for name, part in value.items()}
    if origin is UnionType:
        return None if value is None else _built(next(kind for kind in inner if kind is not NoneType), value)
    return _plain(hint, value)


def _plain(hint: type, value: Any) -> Any:
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is no {hint.__name__}")
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
