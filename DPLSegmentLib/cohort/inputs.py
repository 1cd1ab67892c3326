"""Which scans a batch is about: files, folders, DICOM folders and CSV lists become scans with an id each."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.journal import LOG
from DPLSegmentLib.cohort.scans import CohortScan
from DPLSegmentLib.images.reading import stem

_SCANS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr")
_SEGMENTATION = ".seg.nrrd"
_ID = re.compile(r"\w[\w.+@=() -]*")

SeriesOf = Callable[[Path], Iterable[str]]
"""The series instance UIDs of the DICOM files that lie in a folder, not below it."""


@dataclass(frozen=True)
class Found:
    """A scan and the name it goes by until names are made unique; `series` is one of a DICOM folder."""

    name: str
    path: Path
    series: str | None = None


def find_scans(inputs: Sequence[Path], series_of: SeriesOf, left_out: Collection[Path] = ()) -> list[Found]:
    """The scans behind files, folders (searched all the way down) and CSV lists, in their order.

    `left_out` are files, and folders with all that is in them, that are not taken out of a folder, and so are folders
    with the results of an earlier batch. A file that is named itself is always taken. Raises CohortError for a list
    that cannot be read, or when there is no scan at all.
    """
    ignored = {path.resolve() for path in left_out}
    found = [scan for path in inputs for scan in _behind(path, series_of, ignored)]
    if not found:
        raise CohortError(f"There is no scan in {', '.join(map(str, inputs))}: choose other files or folders.")
    return found


def with_ids(found: Sequence[Found], unique: Callable[[Sequence[Path]], Sequence[str]]) -> list[CohortScan]:
    """Scans with ids that differ; `unique` makes names differ, given as paths so that endings are left away."""
    names = unique([Path(f"{scan.name}.nrrd") for scan in found])
    return [CohortScan(name, scan.path, scan.series) for name, scan in zip(names, found, strict=True)]


def _behind(path: Path, series_of: SeriesOf, ignored: Collection[Path]) -> Iterator[Found]:
    if path.is_dir():
        yield from _in_folder(path, series_of, ignored)
    elif path.suffix.lower() == ".csv":
        yield from _in_list(path)
    else:
        yield Found(stem(path), path)


def _in_folder(top: Path, series_of: SeriesOf, ignored: Collection[Path]) -> Iterator[Found]:
    for parent, folders, files in os.walk(top):
        folder = Path(parent)
        if LOG in files and folder != top:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name[0] != "." and (folder / name).resolve() not in ignored)
        kept = [folder / name for name in sorted(files) if name[0] != "." and (folder / name).resolve() not in ignored]
        yield from (Found(_name_below(top, path), path) for path in kept if _is_scan(path))
        if any(_may_be_dicom(path) for path in kept):
            yield from (Found(_name_of_series(uid), folder, uid) for uid in series_of(folder))


def _is_scan(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(_SCANS) and not name.endswith(_SEGMENTATION)


def _may_be_dicom(path: Path) -> bool:
    """By its name: .dcm, .ima, no ending, or one that is a number."""
    return path.suffix.lower() in (".dcm", ".ima", "") or path.suffix[1:].isdigit()


def _name_below(top: Path, path: Path) -> str:
    """The folders on the way to a file are part of its name: many a study calls every scan `ct.nii.gz`."""
    return "_".join([*path.relative_to(top).parts[:-1], stem(path)])


def _name_of_series(uid: str) -> str:
    """DICOM folders are often called like their patients; this name is not."""
    return f"series-{hashlib.sha256(uid.encode()).hexdigest()[:10]}"


def _in_list(path: Path) -> list[Found]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CohortError(f"{path} is not text in UTF-8: save the list again as CSV in UTF-8.") from error
    first_line = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in first_line else ",", strict=True)
    try:
        found = [_in_row(row, path, rows.line_num) for row in rows]
    except csv.Error as error:
        raise CohortError(
            f"{path} cannot be read as CSV (line {rows.line_num}: {error}): save the list again."
        ) from None
    _refuse_twins(found, path)
    return found


def _in_row(row: Mapping[str, str | None], path: Path, line: int) -> Found:
    cells = {(key or "").strip().lower(): (value or "").strip() for key, value in row.items() if key is not None}
    if not cells.get("path"):
        raise CohortError(
            f'{path} names no scan in line {line}: its first line should be "path,id" and each other a scan.'
        )
    scan = path.parent / cells["path"]
    name = cells.get("id") or stem(scan)
    if not _ID.fullmatch(name):
        raise CohortError(
            f"{path} has an id in line {line} that is no file name: use letters, digits, '.', '-' and '_'."
        )
    return Found(name, scan)


def _refuse_twins(found: Sequence[Found], path: Path) -> None:
    seen: set[str] = set()
    for scan in found:
        if scan.name.casefold() in seen:
            raise CohortError(f"{path} has the id {scan.name} twice: give every scan an id of its own.")
        seen.add(scan.name.casefold())
