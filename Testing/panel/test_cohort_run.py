"""Many scans from files: a real panel, a real batch in a process of its own, small real scans."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_volume
from DPLSegmentLib.scene.adding import add_scan, add_segmentation
from DPLSegmentLib.scene.oriented import oriented
from Testing.panel.cohort_stand import ManyScans, open_many_scans
from Testing.panel.scans import masks
from Testing.panel.stand import Panel

SLICES = slice(88, 98)


@pytest.fixture
def small(ct: Volume) -> Volume:
    """Ten slices through the spleen."""
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * SLICES.start
    return Volume(ct.array[SLICES].copy(), matrix, "small")


@pytest.fixture
def painted(panel: Panel, small: Volume, truth: Segmentation) -> Panel:
    """A panel in which the spleen is painted on the slice in the middle."""
    spleen = next(segment for segment in truth.segments if segment.name == "spleen").mask[SLICES].copy()
    spleen[np.arange(len(spleen)) != len(spleen) // 2] = False
    state = panel.state
    state.scan = add_scan(panel.scene, small)
    state.segmentation = add_segmentation(panel.scene, state.scan, "painted")
    state.segmentation.GetSegmentation().AddEmptySegment("spleen", "spleen")
    labelmap = oriented(spleen, small.ijk_to_ras)
    panel.stage.logics.segmentations.SetBinaryLabelmapToSegment(labelmap, state.segmentation, "spleen")
    panel.presenter.scan_changed()
    panel.presenter.segmentation_changed()
    return panel


@pytest.fixture
def study(small: Volume, tmp_path: Path) -> Path:
    """A folder with two small scans in folders of their own, and a damaged one."""
    for number in range(2):
        folder = tmp_path / "study" / f"P{number}"
        folder.mkdir(parents=True)
        noise = np.random.default_rng(number).normal(0, 5, small.shape)
        write_volume(small.with_array((small.array + noise).astype(np.int16)), folder / "ct.nii.gz")
    content = (folder / "ct.nii.gz").read_bytes()
    (tmp_path / "study" / "P2").mkdir()
    (tmp_path / "study" / "P2" / "ct.nii.gz").write_bytes(content[: len(content) // 2])
    return tmp_path / "study"


@pytest.fixture
def many(painted: Panel, study: Path) -> Iterator[ManyScans]:
    """The spleen is painted, and the folder is chosen."""
    made = open_many_scans(painted)
    made.presenter.add_folder(study)
    yield made
    made.presenter.cleanup()


def pid_of(many: ManyScans) -> int:
    """The process of the batch."""
    return many.presenter.batches._batch._transport.pid


def said(many: ManyScans) -> str:
    """The sentences of the section and of the panel, and what its worker wrote."""
    return f"{many.view.status} | {many.panel.view.status} | {many.panel.presenter.log()}"


def alive(pid: int) -> bool:
    """Whether a process does anything any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_scan_ends_done_or_failed_and_the_failed_one_is_retried_and_a_result_opened(
    many: ManyScans, study: Path
) -> None:
    view, output = many.view, study / "DPLSegment"
    many.run()
    assert view.states() == {"P0_ct": "done", "P1_ct": "done", "P2_ct": "\N{WARNING SIGN} failed"}, said(many)
    assert {("P0_ct", "waiting"), ("P0_ct", "running"), ("P1_ct", "waiting")} <= view.seen
    assert "spleen" in view.rows[0].found and view.rows[2].found.endswith(".") and view.error
    assert any("of 3 scans" in text for text in view.progress) and view.fraction is None
    assert (output / "summary.csv").is_file() and (output / "painted.prototypes").is_file()
    many.presenter.open_report()
    assert view.opened == [output / "report.html"]

    (study / "P2" / "ct.nii.gz").write_bytes((study / "P1" / "ct.nii.gz").read_bytes())
    many.select("P1_ct", "P2_ct")
    many.presenter.retry()
    many.finish()
    assert view.states()["P2_ct"] == "done" and not view.error

    many.select("P0_ct")
    many.presenter.open_result()
    many.poll_until(lambda: not many.presenter.opening.busy)
    found = many.panel.scene.GetFirstNodeByName("ct segmentation")
    scan = many.panel.scene.GetFirstNodeByName("ct")
    written = read_segmentation(output / "P0_ct-segmentation.seg.nrrd")
    assert np.array_equal(masks(found, scan)["spleen"], written.segments[0].mask)
    assert many.panel.stage.views()._composites[0].GetBackgroundVolumeID() == scan.GetID()

    many.run()
    assert set(view.states().values()) == {"skipped"}, view.status
    assert quantiles(many.beats, n=100)[98] < 0.05


def test_stop_answers_at_once_and_start_goes_on(many: ManyScans) -> None:
    many.presenter.start_clicked()
    many.poll_until(lambda: "running" in {state for _, state in many.view.seen})
    pid = pid_of(many)
    many.presenter.start_clicked()
    assert not many.view.running and "Stopped" in many.view.status
    assert many.poll_until(lambda: not alive(pid)) < 8
    many.finish()
    assert set(many.view.states().values()) <= {"not reached", "done", "\N{WARNING SIGN} failed"}
    assert "waiting" not in many.view.states().values()
    many.run()
    assert [many.view.states()[scan] in ("done", "skipped") for scan in ("P0_ct", "P1_ct")] == [True, True]


def test_closing_the_scene_leaves_no_process_and_no_table(many: ManyScans) -> None:
    many.presenter.start_clicked()
    many.poll_until(lambda: many.presenter.batches.running)
    pid = pid_of(many)
    many.presenter.scene_closing()
    assert not many.presenter.running and many.view.rows == {}
    assert many.poll_until(lambda: not alive(pid)) < 1


def test_a_process_that_is_killed_is_said_and_start_goes_on(many: ManyScans) -> None:
    many.presenter.start_clicked()
    many.poll_until(lambda: bool(many.view.rows))
    os.kill(pid_of(many), signal.SIGKILL)
    many.finish()
    assert "ended unexpectedly" in many.view.status and many.view.error
    assert "not reached" in many.view.states().values() and many.view.reasons["cohortStartButton"] == ""


def test_a_batch_that_cannot_begin_says_why(many: ManyScans, study: Path) -> None:
    many.panel.state.prototypes_path = str(study / "gone.prototypes")
    many.run()
    assert "gone.prototypes" in many.view.status and many.view.error and not many.view.running


def test_nothing_painted_is_said_and_nothing_is_begun(panel: Panel, study: Path) -> None:
    many = open_many_scans(panel)
    many.presenter.add_folder(study)
    many.presenter.start_clicked()
    many.presenter.poll()
    assert not many.presenter.running and panel.view.warnings and panel.view.error
    assert not many.view.running


def test_an_output_folder_that_cannot_be_made_is_said(many: ManyScans, study: Path) -> None:
    many.presenter.choose_output(study / "P0" / "ct.nii.gz" / "out")
    many.presenter.start_clicked()
    assert "cannot be made" in many.view.status and many.view.warnings == [many.view.status]


def test_scans_go_unencrypted_to_a_cluster_only_when_the_user_agrees(many: ManyScans) -> None:
    many.presenter.choose_compute(True)
    assert "There is no address" in many.view.reasons["cohortStartButton"]
    many.presenter.choose_scheduler("tcp://lab:8786")
    many.view.answer = False
    many.presenter.start_clicked()
    assert many.view.questions and "without encryption" in many.view.questions[-1]
    assert not many.presenter.running and many.presenter.batches.ended


def test_a_result_that_has_gone_is_said(many: ManyScans, tmp_path: Path) -> None:
    many.presenter.opening.begin(tmp_path, "P7")
    many.poll_until(lambda: not many.presenter.opening.busy)
    assert "P7" in many.view.status and many.view.error


def test_clear_empties_folders_and_table(many: ManyScans, scene: Any) -> None:
    assert many.view.choices.output.endswith("DPLSegment")
    many.presenter.clear()
    assert many.view.choices.folders == () and many.view.choices.output == ""
    assert "There is no folder" in many.view.reasons["cohortStartButton"]
