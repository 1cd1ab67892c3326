"""Summary, report and pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from DPLSegmentLib.cohort.leftovers import remove_leftovers
from DPLSegmentLib.cohort.png import png
from DPLSegmentLib.cohort.report import report
from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.cohort.summary import summary
from DPLSegmentLib.propagation.types import StructureReport


@pytest.fixture
def records() -> list[Record]:
    """A sure scan, an unsure one, and one that failed."""
    return [
        Record("sure", State.DONE, 1.0, (StructureReport("liver", 1500.0, 0.9, 3),), 3),
        Record("unsure", State.DONE, 2.0, (StructureReport("=HYPERLINK()", 20.0, 0.2, None),), None),
        Record("<b>bad</b>", State.FAILED, why="It is <damaged>."),
    ]


def test_failed_scans_come_first_then_the_least_certain(records: list[Record], tmp_path: Path) -> None:
    page = "".join(report(records, tmp_path, "Model 1."))
    assert page.index("&lt;b&gt;bad") < page.index("unsure<br>") < page.index("<td>sure<br>")


def test_nothing_in_a_report_is_taken_for_markup(records: list[Record], tmp_path: Path) -> None:
    page = "".join(report(records, tmp_path, "Model <1>."))
    assert "<b>" not in page and "<damaged>" not in page and "Model &lt;1&gt;." in page


def test_no_cell_of_the_summary_is_taken_for_a_formula(records: list[Record]) -> None:
    lines = summary(records).splitlines()
    assert "'=HYPERLINK() mL" in lines[0]
    assert lines[1].startswith("sure,done,1.00,3,1500.00,0.900,,")


def test_a_png_holds_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (7, 5, 3)).astype(np.uint8)
    assert np.array_equal((image.imread(io.BytesIO(png(picture))) * 255).round()[..., :3], picture)


def test_only_old_temporary_folders_are_removed(tmp_path: Path) -> None:
    for name in (".dpl-segment-abc", "thumbnails"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path, older_than=-1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["thumbnails"]


def test_records_survive_being_told_as_json(records: list[Record]) -> None:
    assert [Record.from_document(record.document()) for record in records] == records
