"""The files of a result: their names, and how they appear together or not at all."""

from __future__ import annotations

import itertools
import json
import math
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.commands.failure import CommandError
from DPLSegmentLib.images.dicom import find_scan
from DPLSegmentLib.images.dicom_seg import write_dicom_seg
from DPLSegmentLib.images.reading import stem
from DPLSegmentLib.images.writing import write_segmentation, write_volume
from DPLSegmentLib.propagation.types import Propagation

FORMATS = ("seg.nrrd", "nii.gz", "dcm")


@dataclass(frozen=True)
class OutputNames:
    """Names of one scan's three files inside the output folder."""

    segmentation: str
    confidence: str
    report: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.segmentation, self.confidence, self.report))


def output_names(scans: Sequence[Path], form: str) -> list[OutputNames]:
    """Names for each scan, `form` being one of FORMATS."""
    return [
        OutputNames(f"{name}-segmentation.{form}", f"{name}-confidence.nii.gz", f"{name}.json")
        for name in unique_stems(scans)
    ]


def unique_stems(paths: Iterable[Path]) -> list[str]:
    """File names without their endings; the second of two equal ones gets "-2". Case is not told apart."""
    names: list[str] = []
    for path in paths:
        names.append(_first_free(stem(path), {name.casefold() for name in names}))
    return names


def write_result(
    result: Propagation, folder: Path, names: OutputNames, facts: Mapping[str, Any], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """Write a result's three files, all or none; returns the content of the JSON file.

    `facts` and the `seconds` of what was done outside the engine go into the JSON file too. A segmentation whose name
    ends in .dcm becomes DICOM SEG and refers to the images of `facts["query"]`, of `facts["series"]` if there is that.
    Raises OSError or ImageError, and then nothing was written.
    """
    report = {**facts, **_report(result, names, seconds)}
    with together(folder, names) as staging:
        _write_segmentation(result, staging / names.segmentation, facts)
        write_volume(result.confidence, staging / names.confidence)
        (staging / names.report).write_text(to_json(report), encoding="utf-8")
    return report


@contextmanager
def together(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A temporary folder for the files `names`; they move to `folder` when the block ends well, else they vanish."""
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_folders(folder / name for name in names)
    with tempfile.TemporaryDirectory(prefix=".dpl-segment-", dir=folder) as temporary:
        yield Path(temporary)
        with _uninterrupted():
            for name in names:
                (Path(temporary) / name).replace(folder / name)


def require_writable(folder: Path) -> None:
    """Make the output folder and try it, before time is spent; raises OSError when nothing can be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def refuse_overwriting(inputs: Iterable[Path], folder: Path, names: Iterable[OutputNames]) -> None:
    """Raise CommandError when a result would take the place of an input file."""
    targets = {(folder / name).resolve() for triple in names for name in triple}
    for path in inputs:
        if path.resolve() in targets:
            raise CommandError(f"The result would overwrite the input {path}: choose another output folder.")


def to_json(document: Any) -> str:
    """Indented JSON text; numbers that JSON has not (NaN, infinity) become null."""
    return json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"


def _write_segmentation(result: Propagation, path: Path, facts: Mapping[str, Any]) -> None:
    if path.suffix == ".dcm":
        scan = find_scan(Path(facts["query"]), facts.get("series"))
        write_dicom_seg(result.segmentation, scan, path, result.model_id)
    else:
        write_segmentation(result.segmentation, path)


def _report(result: Propagation, names: OutputNames, seconds: Mapping[str, float]) -> dict[str, Any]:
    values = {segment.name: segment.value for segment in result.segmentation.segments}
    return {
        "segmentation": names.segmentation,
        "confidence": names.confidence,
        "structures": [asdict(report) | {"value": values.get(report.name)} for report in result.structures],
        "next_slice": result.next_slice,
        "axis": result.axis,
        "seconds": {stage: round(taken, 4) for stage, taken in {**seconds, **result.seconds}.items()},
        "device": result.device,
        "model_id": result.model_id,
    }


def _first_free(name: str, taken: set[str]) -> str:
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate.casefold() not in taken)


def _refuse_folders(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            raise CommandError(
                f"{path} is a folder where a result file should go: remove it or choose another output folder."
            )


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while files are moved; a held one takes effect afterwards."""
    held: list[int] = []
    before = _set_handlers(dict.fromkeys((signal.SIGINT, signal.SIGTERM), lambda number, _frame: held.append(number)))
    try:
        yield
    finally:
        _set_handlers(before)
    if held:
        raise KeyboardInterrupt


def _set_handlers(handlers: dict[signal.Signals, Any]) -> dict[signal.Signals, Any]:
    """Install handlers and return the former ones; only the main thread may, elsewhere nothing happens."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number, handler in handlers.items() if handler is not None}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item"):
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
