"""What is said of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.panel.cohort_view import ScanRow

Say = Callable[[str], str]

_STATES = {
    State.WAITING: "waiting",
    State.RUNNING: "running",
    State.DONE: "done",
    State.FINISHED_BEFORE: "skipped",
    State.FAILED: "\N{WARNING SIGN} failed",
    State.NOT_REACHED: "not reached",
}


def scan_row(record: Record, percent: int | None, say: Say) -> ScanRow:
    """The line of a scan."""
    state = say(_STATES[record.state])
    return ScanRow(record.id, state if percent is None else f"{state}, {percent} %", record.why or _found(record, say))


def _found(record: Record, say: Say) -> str:
    found = (f"{each.name} {each.millilitres:.1f} mL ({100 * each.confidence:.0f} %)" for each in record.structures)
    before = say("finished before: ") if record.state is State.FINISHED_BEFORE else ""
    return before + ", ".join(found)


def ended(counts: Counter[State], say: Say) -> str:
    """What came of a batch that has ended."""
    told = say("{done} scans done, {before} finished before, {failed} failed.").format(
        done=counts[State.DONE], before=counts[State.FINISHED_BEFORE], failed=counts[State.FAILED]
    )
    retry = say("Select those that failed to read why, and to retry them.")
    return f"{told} {retry}" if counts[State.FAILED] else told


def stopped(counts: Counter[State], say: Say) -> str:
    """What is said when the user has stopped a batch."""
    if not counts:
        return say("Stopped: nothing was begun.")
    done = counts[State.DONE] + counts[State.FINISHED_BEFORE]
    told = say("Stopped: {done} of {all} scans are finished. Start goes on with the others.")
    return told.format(done=done, all=sum(counts.values()))


def died(say: Say) -> str:
    """What is said when the process has gone without a word."""
    return say("The batch ended unexpectedly, perhaps for want of memory: press Start to go on with what is left.")
