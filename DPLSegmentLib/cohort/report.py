"""report.html: all results on one page that needs no other file, the least certain first."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.cohort.thumbnail import thumbnail_path

REPORT = "report.html"
_UNSURE = 0.7

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>DPLSegment batch</title>"""
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; background: #14171c; color: #e8eaee; margin: 2em auto; max-width: 70em; padding: 0 1em }
h1 { font-size: 1.4em } p { color: #a9b0bc } table { border-collapse: collapse; width: 100% }
th { text-align: left; color: #a9b0bc; font-weight: normal } th, td { padding: .5em .8em .5em 0; vertical-align: top }
tr { border-top: 1px solid #2b313b } img { display: block; border-radius: 4px; max-width: 100% } td { overflow-wrap: anywhere }
.failed { color: #ff9d8a } .unsure { color: #ffd84d } ul { margin: 0; padding: 0; list-style: none } .faint { color: #a9b0bc }
@media print { body { background: white; color: black } }
"""  # fmt: skip # noqa: E501


def report(records: Sequence[Record], output: Path, made_with: str) -> Iterator[str]:
    """The page in pieces, so that no more than one picture is in memory; `made_with` is a line for its head."""
    yield f"{_HEAD}<style>{_STYLE}</style></head>\n<body><h1>DPLSegment: {len(records)} scans</h1>"
    yield f"<p>{escape(counted(records))}. {escape(made_with)} Failed scans come first, then the least certain.</p>\n"
    yield "<table><thead><tr><th>Scan<th>Slice to check, largest slice<th>Structures<th>Check<th>Time</thead><tbody>\n"
    for record in sorted(records, key=lambda each: (each.confidence, each.id)):
        yield _row(record, output)
    yield "</tbody></table></body></html>\n"


def counted(records: Iterable[Record]) -> str:
    """How many are done, failed and so on: "57 done, 2 failed"."""
    counts = Counter(record.state for record in records)
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])


def _row(record: Record, output: Path) -> str:
    style = ' class="failed"' if record.state is State.FAILED else ""
    check = "" if record.next_slice is None else f"slice {record.next_slice}"
    seconds = "" if record.seconds is None else f"{record.seconds:.1f} s"
    found = escape(record.why) or _structures(record)
    return (
        f"<tr><td{style}>{escape(record.id)}<br><span class=faint>{record.state.value}</span>"
        f"<td>{_picture(record, output)}<td{style}>{found}<td>{check}<td>{seconds}\n"
    )


def _structures(record: Record) -> str:
    lines = (
        f"<li{' class=unsure' if each.confidence < _UNSURE else ''}>{escape(each.name)}: {each.millilitres:.1f} mL, "
        f"confidence {100 * each.confidence:.0f} %"
        for each in record.structures
    )
    return f"<ul>{''.join(lines)}</ul>"


def _picture(record: Record, output: Path) -> str:
    if not record.structures:
        return ""
    try:
        content = thumbnail_path(output, record.id).read_bytes()
    except OSError:
        return ""
    return f'<img alt="slices of {escape(record.id)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
