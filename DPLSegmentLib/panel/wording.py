"""What the panel says of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from DPLSegmentLib.panel.run import Outcome, Run, RunState, ScanResult
from DPLSegmentLib.panel.view import ResultRow

Colour = tuple[float, float, float]
_GREY = (0.5, 0.5, 0.5)


def result_rows(results: Sequence[ScanResult], colours: Mapping[str, Colour]) -> list[ResultRow]:
    """A row for each structure of each scan; the scan is named when there are several."""
    many = len(results) > 1
    return [
        ResultRow(
            f"{result.target.name}: {report.name}" if many else report.name,
            colours.get(report.name, _GREY),
            f"{report.millilitres:.1f}",
            f"{100 * report.confidence:.0f} %",
        )
        for result in results
        for report in result.structures
    ]


def summary(run: Run, say: Callable[[str], str]) -> tuple[str, bool]:
    """What became of a run, and whether it is an error."""
    if run.state is RunState.CANCELLED:
        kept = len(run.outcome.results)
        done = say("Cancelled: the {kept} scans that were finished can be applied.").format(kept=kept)
        return (done if kept else say("Cancelled: nothing was changed.")), False
    failures = [f"{name}: {why}" for name, why in run.outcome.failures.items()]
    if not run.outcome.results:
        return " ".join(failures), True
    told = _found(run.outcome, say)
    return " ".join([told, *failures]), bool(failures)


def _found(outcome: Outcome, say: Callable[[str], str]) -> str:
    seconds = sum(result.seconds for result in outcome.results)
    device = outcome.results[-1].device
    check = say("Check the result, then Apply or Discard.")
    if len(outcome.results) == 1:
        return say("Done in {seconds:.1f} s on {device}.").format(seconds=seconds, device=device) + f" {check}"
    count = say("{count} scans done in {seconds:.0f} s on {device}.")
    return count.format(count=len(outcome.results), seconds=seconds, device=device) + f" {check}"
