"""From what is chosen in the panel to what a batch is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.process import BatchRequest
from DPLSegmentLib.panel.cohort_view import Choices
from DPLSegmentLib.panel.state import PanelState

_OUTPUT = "DPLSegment"
_PAINTED = "painted.prototypes"
_ADDRESS = re.compile(r"(tcp|tls)://(?P<host>[^\s/]+):\d+")
_CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
_HERE = ("localhost", "127.0.0.1", "[::1]")


def choices(state: PanelState) -> Choices:
    """What was chosen, with the output folder that holds where none was."""
    folders = tuple(state.folders or ())
    output = state.output or (str(Path(folders[0], _OUTPUT)) if folders else "")
    return Choices(folders, output, state.on_cluster, state.scheduler, state.certificates, bool(state.replace_results))


def why_no_batch(chosen: Choices) -> str:
    """Why no batch can be started, as a sentence that says what to do; empty when one can."""
    if not chosen.folders:
        return "There is no folder: press Add folder\N{HORIZONTAL ELLIPSIS} and choose one with scans."
    if not chosen.on_cluster:
        return ""
    if not _ADDRESS.fullmatch(chosen.scheduler):
        return "There is no address of a cluster: type that of its Dask scheduler, as in tls://host:8786."
    if encrypted(chosen) and not chosen.certificates:
        return "A tls:// address needs certificates: choose the folder with ca.pem, cert.pem and key.pem."
    return ""


def encrypted(chosen: Choices) -> bool:
    """Whether the address asks for certificates."""
    return chosen.on_cluster and chosen.scheduler.startswith("tls://")


def readable_by_others(chosen: Choices) -> bool:
    """Whether scans would travel over a network as they are."""
    found = _ADDRESS.fullmatch(chosen.scheduler) if chosen.on_cluster else None
    return bool(found) and not encrypted(chosen) and found["host"] not in _HERE


def painted_file(chosen: Choices) -> Path:
    """Where the prototypes of the painted slices are kept: beside the results that are made with them."""
    return Path(chosen.output, _PAINTED)


def batch_request(state: PanelState, prototypes: Path, only: Sequence[str] = ()) -> BatchRequest:
    """What the batch is asked; `only` are ids of scans, all when empty. Raises CohortError with a sentence."""
    chosen = choices(state)
    if why := why_no_batch(chosen):
        raise CohortError(why)
    return BatchRequest(
        inputs=tuple(map(Path, chosen.folders)),
        output=Path(chosen.output),
        prototypes=prototypes,
        scheduler=chosen.scheduler if chosen.on_cluster else None,
        tls=_certificates(Path(chosen.certificates)) if encrypted(chosen) else None,
        device="auto" if chosen.on_cluster else state.device,
        weights=Path(state.model_path) if state.model_path else None,
        overwrite=chosen.replace_results,
        only=tuple(only),
    )


def make_output(chosen: Choices) -> None:
    """Make the output folder; raises CohortError when that cannot be done."""
    try:
        Path(chosen.output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CohortError(
            f"The folder {chosen.output} cannot be made ({error.strerror}): choose another one for the results."
        ) from error


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    authority, certificate, key = (folder / name for name in _CERTIFICATES)
    for path in (authority, certificate, key):
        if not path.is_file():
            raise CohortError(f"There is no {path.name} in {folder}: choose the folder that holds the certificates.")
    return authority, certificate, key
