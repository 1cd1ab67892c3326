"""A batch in a process of its own, for programs that may not wait and do not load PyTorch: the panel's table of scans.

`BatchProcess(starter(python), request)` starts `python -m DPLSegmentLib batch`; `poll` tells each new state of a scan.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from DPLSegmentLib.cohort.scans import Record
from DPLSegmentLib.propagation.types import Progress
from DPLSegmentLib.worker.launch import worker_environment
from DPLSegmentLib.worker.pipes import Lines
from DPLSegmentLib.worker.transport import PipeTransport, Transport

_SAYS = "dpl-segment: "
_KEPT_ERRORS = 1 << 16
_SECONDS = 0.01


@dataclass(frozen=True)
class BatchRequest:
    """What `dpl-segment batch` is asked. `painted` is (scan, labels) and takes the place of `prototypes`; `only` are
    the ids of the scans to begin, all when empty; `tls` is (authority, certificate, key)."""

    inputs: tuple[Path, ...]
    output: Path
    prototypes: Path | None = None
    painted: tuple[Path, Path] | None = None
    workers: int = 1
    scheduler: str | None = None
    tls: tuple[Path, Path, Path] | None = None
    device: str = "auto"
    weights: Path | None = None
    overwrite: bool = False
    only: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The command's words, without the program's name."""
        given = {
            "--prototypes": self.prototypes,
            **dict(zip(("--support", "--painted"), self.painted or (), strict=False)),
            "--workers": None if self.scheduler else self.workers,
            "--scheduler": self.scheduler,
            **dict(zip(("--tls-ca", "--tls-cert", "--tls-key"), self.tls or (), strict=False)),
            "--device": self.device,
            "--weights": self.weights,
            "--output": self.output,
        }
        options = [str(part) for option, value in given.items() if value is not None for part in (option, value)]
        only = [part for scan in self.only for part in ("--only", scan)]
        flags = ["--overwrite"] if self.overwrite else []
        return ["batch", "--events", *options, *only, *flags, "--", *map(str, self.inputs)]


class BatchProcess:
    """Every method returns at once. Stop, and begin again with the same request: finished scans are not done twice."""

    def __init__(self, start: Callable[[Sequence[str]], Transport], request: BatchRequest) -> None:
        """Starts the process; raises OSError when it cannot be started."""
        self._transport = start(request.words())
        self._lines = Lines()
        self._errors = b""
        self._progress: tuple[str, Progress] | None = None

    @property
    def progress(self) -> tuple[str, Progress] | None:
        """The id of the scan begun last and how far it is; None when that is not known, as on a cluster."""
        return self._progress

    @property
    def running(self) -> bool:
        """False once the process has ended; `poll` until nothing comes any more for its last words."""
        return self._transport.exit_code is None

    def poll(self) -> list[Record]:
        """New states of scans since the last call, in their order; takes about 10 ms at most."""
        self._errors = (self._errors + self._transport.receive_errors())[-_KEPT_ERRORS:]
        until = time.monotonic() + _SECONDS
        records: list[Record] = []
        while time.monotonic() < until and (piece := self._transport.receive()):
            for line in self._lines.add(piece):
                records += self._heard(line)
        return records

    def stop(self) -> None:
        """No further scan is begun; the running one ends, written or not at all, and then the process."""
        self._transport.close_input()

    def kill(self) -> None:
        """End it at once; nothing is half-written under a result's name even so."""
        self._transport.kill()
        self._transport.close()

    def _heard(self, line: bytes) -> list[Record]:
        with suppress(ValueError, KeyError, TypeError):
            document = json.loads(line)
            if "state" in document:
                return [Record.from_document(document)]
            self._progress = document["id"], Progress(document["stage"], float(document["fraction"]))
        return []

    def message(self) -> str:
        """The sentence that the process ended with; "" when all went well."""
        said = [line for line in self._errors.decode("utf-8", "replace").splitlines() if line.startswith(_SAYS)]
        return said[-1].removeprefix(_SAYS) if said else ""


def starter(python: str = sys.executable, base: Mapping[str, str] = os.environ) -> Callable[[Sequence[str]], Transport]:
    """What `BatchProcess` needs to start this interpreter; inside Slicer that is `PythonSlicer`."""
    return lambda words: PipeTransport([python, "-m", "DPLSegmentLib", *words], worker_environment(base))
