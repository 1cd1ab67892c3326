"""The parts of the section for many scans: table, plan, reasons, time left, packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.panel.cohort_board import Board
from DPLSegmentLib.panel.cohort_controls import CohortSituation, cohort_reasons
from DPLSegmentLib.panel.cohort_pace import Pace
from DPLSegmentLib.panel.cohort_plan import batch_request, choices, readable_by_others, why_no_batch
from DPLSegmentLib.panel.cohort_words import scan_row
from DPLSegmentLib.panel.packages import ClusterPackages
from DPLSegmentLib.propagation.types import Progress, StructureReport
from Testing.panel.stand import State as Chosen


@pytest.fixture
def board() -> Board:
    """Three scans that wait."""
    board = Board()
    for scan in "abc":
        board.take(Record(scan, State.WAITING))
    board.changed(9)
    return board


@pytest.fixture
def chosen() -> Chosen:
    """A folder, on this computer."""
    return Chosen(folders=["study"])


@pytest.fixture
def pems(tmp_path: Path) -> Path:
    """A folder with certificates."""
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").touch()
    return tmp_path


def test_a_scan_keeps_its_line_and_only_changed_lines_are_shown_again(board: Board) -> None:
    board.take(Record("b", State.RUNNING))
    board.take(Record("b", State.DONE))
    assert board.changed(9) == [(1, Record("b", State.DONE))] and board.changed(9) == []


def test_thousands_of_lines_are_shown_in_portions() -> None:
    board = Board()
    for number in range(120):
        board.take(Record(str(number), State.WAITING))
    assert [len(board.changed(50)) for _ in range(4)] == [50, 50, 20, 0]


def test_a_running_scan_is_shown_again_for_each_percent_and_a_finished_one_has_none(board: Board) -> None:
    board.take(Record("a", State.RUNNING))
    board.changed(9)
    board.progress("a", 0.401)
    board.progress("a", 0.404)
    (((_, record)),) = board.changed(9)
    assert board.percent(record) == 40
    board.take(Record("a", State.DONE))
    assert board.percent(board.changed(9)[0][1]) is None


def test_what_was_not_begun_is_given_up(board: Board) -> None:
    board.take(Record("a", State.RUNNING))
    board.give_up(State.WAITING)
    assert board.counts == {State.RUNNING: 1, State.NOT_REACHED: 2} and board.open == 1


def test_a_line_says_what_was_found_or_why_a_scan_failed() -> None:
    report = StructureReport("liver", 1432.04, 0.937, None)
    assert scan_row(Record("a", State.DONE, structures=(report,)), None, str).found == "liver 1432.0 mL (94 %)"
    assert scan_row(Record("a", State.FAILED, why="It is damaged."), None, str).found == "It is damaged."
    assert scan_row(Record("a", State.RUNNING), 40, str).state == "running, 40 %"


def test_time_left_counts_from_the_first_scan_that_is_begun(board: Board) -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], str)
    pace.update(board, None)
    assert pace.fraction == 0 and "starting PyTorch" in pace.text
    board.take(Record("a", State.FINISHED_BEFORE))
    board.take(Record("b", State.RUNNING))
    pace.update(board, None)
    now[0] = 30.0
    board.take(Record("b", State.DONE))
    pace.update(board, ("b", Progress("polish", 1.0)))
    assert pace.fraction == 0.5 and pace.text == "1 of 2 scans, 30 s left"


def test_results_go_into_a_folder_beside_the_scans_unless_another_is_chosen(chosen: Chosen) -> None:
    assert choices(chosen).output == str(Path("study", "DPLSegment"))
    chosen.output = "results"
    assert batch_request(chosen, Path("p")).output == Path("results")


def test_device_and_model_go_with_a_batch_on_this_computer(chosen: Chosen) -> None:
    chosen.device, chosen.model_path, chosen.replace_results = "cuda", "w.pt", True
    request = batch_request(chosen, Path("p"), ["a"])
    assert (request.device, request.weights, request.overwrite) == ("cuda", Path("w.pt"), True)
    assert (request.scheduler, request.tls, request.only) == (None, None, ("a",))


def test_a_cluster_gets_its_address_and_certificates(chosen: Chosen, pems: Path) -> None:
    chosen.on_cluster, chosen.scheduler, chosen.certificates = True, "tls://host:8786", str(pems)
    request = batch_request(chosen, Path("p"))
    assert request.scheduler == "tls://host:8786" and request.device == "auto"
    assert request.tls == (pems / "ca.pem", pems / "cert.pem", pems / "key.pem")
    (pems / "key.pem").unlink()
    with pytest.raises(CohortError, match=r"no key\.pem"):
        batch_request(chosen, Path("p"))


@pytest.mark.parametrize("address", ["", "host:8786", "http://host:8786", "tcp://host", "tcp://host:x"])
def test_an_address_that_is_none_is_refused(chosen: Chosen, address: str) -> None:
    chosen.on_cluster, chosen.scheduler = True, address
    assert "tls://host:8786" in why_no_batch(choices(chosen))


@pytest.mark.parametrize(
    ("address", "readable"), [("tcp://lab:1", True), ("tcp://127.0.0.1:1", False), ("tls://lab:1", False)]
)
def test_only_an_unencrypted_address_elsewhere_can_be_read_by_others(
    chosen: Chosen, address: str, readable: bool
) -> None:
    chosen.on_cluster, chosen.scheduler = True, address
    assert readable_by_others(choices(chosen)) is readable


def test_each_control_says_why_it_is_off() -> None:
    nothing = cohort_reasons(CohortSituation(why_not="There is no folder."))
    assert nothing["cohortStartButton"] == nothing["cohortRetryButton"] == "There is no folder."
    running = cohort_reasons(CohortSituation(running=True, done=1))
    assert running["cohortStartButton"] == running["cohortOpenButton"] == "" and running["cohortAddFolderButton"]
    ready = cohort_reasons(CohortSituation(folders=True, failed=1, report=True, on_cluster=True, encrypted=True))
    assert [control for control, why in ready.items() if why] == ["cohortOpenButton"]


def test_dask_is_installed_after_a_question_and_its_absence_is_said() -> None:
    there, wanted = [False], []

    def installer(requirements: Sequence[str], ask: Callable[[str], bool], question: str) -> None:
        wanted.extend(requirements)
        there[0] = ask(question)

    packages = ClusterPackages(find=lambda _name: there[0], installer=installer)
    with pytest.raises(CohortError, match="not installed"):
        packages.ensure(lambda _question: False)
    packages.ensure(lambda _question: True)
    assert any(name.startswith("dask[distributed]") for name in wanted)
    with pytest.raises(CohortError, match="not installed"):
        ClusterPackages(testing=True, find=lambda _name: False, installer=installer).ensure(lambda _question: True)
