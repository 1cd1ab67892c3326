"""Which controls for many scans can be used, and for the others the reason that their tooltip gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CohortSituation:
    """What the controls depend on. `why_not` says why no batch can be started, `busy` that the panel is running;
    `failed` and `done` count selected scans; `encrypted`: the address asks for certificates."""

    running: bool = False
    busy: bool = False
    opening: bool = False
    why_not: str = ""
    folders: bool = False
    on_cluster: bool = False
    encrypted: bool = False
    failed: int = 0
    done: int = 0
    report: bool = False


_RUNNING = "Wait until the batch is finished, or stop it."
_BUSY = "Wait until the run is finished, or cancel it."
_NO_REPORT = "There is none yet: it is written when a batch ends."


def cohort_reasons(now: CohortSituation) -> Mapping[str, str]:
    """Object name of each control and why it cannot be used; empty when it can."""
    running = _RUNNING if now.running else ""
    report = "" if now.report else _NO_REPORT
    return {
        "cohortAddFolderButton": running,
        "cohortClearButton": running or ("" if now.folders else "There is no folder to remove."),
        "cohortOutputButton": running,
        "computeComboBox": running,
        "schedulerLineEdit": running or _why_no_address(now),
        "certificatesButton": running or _why_no_certificates(now),
        "replaceCheckBox": running,
        "cohortStartButton": "" if now.running else _why_no_start(now),
        "cohortRetryButton": running or _why_no_start(now) or _why_no_retry(now),
        "cohortOpenButton": _why_not_open(now),
        "cohortReportButton": report,
        "cohortSummaryButton": report,
    }


def _why_no_start(now: CohortSituation) -> str:
    return now.why_not or (_BUSY if now.busy else "")


def _why_no_retry(now: CohortSituation) -> str:
    return "" if now.failed else "Select scans of the table that failed or were not reached."


def _why_not_open(now: CohortSituation) -> str:
    if now.opening:
        return "Wait until the result is loaded."
    return "" if now.done else "Select a scan of the table that is done."


def _why_no_address(now: CohortSituation) -> str:
    return "" if now.on_cluster else "The work is done on this computer: choose a cluster first."


def _why_no_certificates(now: CohortSituation) -> str:
    return _why_no_address(now) or ("" if now.encrypted else "Only an address that begins with tls:// needs them.")
