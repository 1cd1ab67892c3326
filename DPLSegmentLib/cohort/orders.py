"""Everything a worker must know to do any scan of a batch; it travels to workers once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from DPLSegmentLib.cohort.scans import Job, ResultNames
from DPLSegmentLib.cohort.source import Source
from DPLSegmentLib.network.identity import digest_of, model_id_of
from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.resources import WEIGHTS, resource

_FORMAT = 1


class WriteResult(Protocol):
    """Writes a result's three files, all or none, and returns the content of the JSON file."""

    def __call__(
        self,
        result: Propagation,
        folder: Path,
        names: ResultNames,
        facts: Mapping[str, Any],
        seconds: Mapping[str, float],
        /,
    ) -> dict[str, Any]:
        """Raises OSError or ImageError, and then nothing was written."""
        ...


@dataclass(frozen=True)
class Tools:
    """How results are written and failures are said; functions at the top level of a module, so that they travel."""

    write: WriteResult
    sentence: Callable[[BaseException], str]


@dataclass(frozen=True, eq=False)
class Orders:
    """`model_id` is that of the weights here: a worker with other weights refuses."""

    source: Source
    output: Path
    tools: Tools
    model_id: str
    fingerprint: str
    device: str = "auto"
    weights: Path | None = None
    frame: int | None = None

    def facts(self, job: Job) -> dict[str, Any]:
        """What the JSON file says besides the result; `batch` is what a later run goes by."""
        made_with = {"id": job.scan.id, "fingerprint": self.fingerprint, "input": stamp(job.scan.path)}
        series = {"series": job.scan.series} if job.scan.series else {}
        return {"query": str(job.scan.path), **series, "source": dict(self.source.facts), "batch": made_with}


def make_orders(source: Source, output: Path, tools: Tools, **options: Any) -> Orders:
    """Orders with the fingerprint of source, model and options; `options` as the last fields of `Orders`."""
    model = model_id(options.get("weights"))
    text = f"{_FORMAT} {model} {source.fingerprint()} {options.get('frame')}"
    return Orders(source, output, tools, model, hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), **options)


def model_id(weights: Path | None) -> str:
    """As the engine tells it, without loading anything: the first characters of the file's SHA-256.

    Raises OSError when there is no such file.
    """
    return model_id_of(digest_of(weights or resource(WEIGHTS)))


def stamp(path: Path) -> str:
    """Size and time of change of a scan's file, or of all files of its folder; "" when it cannot be looked at."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    except OSError:
        return ""
    return hashlib.blake2b(repr(found).encode(), digest_size=8).hexdigest()
