"""summary.csv: a line for each scan."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from DPLSegmentLib.cohort.scans import Record

SUMMARY = "summary.csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def summary(records: Sequence[Record]) -> str:
    """CSV with status, seconds, the slice to check, mL and confidence (0..1) of each structure, and why one failed."""
    names = structure_names(records)
    heads = [head for name in names for head in (f"{name} mL", f"{name} confidence")]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(map(_text, ["id", "status", "seconds", "slice to check", *heads, "message"]))
    rows.writerows(_row(record, names) for record in records)
    return text.getvalue()


def structure_names(records: Sequence[Record]) -> list[str]:
    """Of all structures, in the order of their appearance."""
    return list(dict.fromkeys(structure.name for record in records for structure in record.structures))


def _row(record: Record, names: Sequence[str]) -> list[Any]:
    known = {structure.name: structure for structure in record.structures}
    found = [
        cell
        for name in names
        for cell in ((f"{known[name].millilitres:.2f}", f"{known[name].confidence:.3f}") if name in known else ("", ""))
    ]
    seconds = "" if record.seconds is None else f"{record.seconds:.2f}"
    next_slice = "" if record.next_slice is None else record.next_slice
    return [_text(record.id), record.state.value, seconds, next_slice, *found, _text(record.why)]


def _text(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
