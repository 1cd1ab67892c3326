"""`dpl-segment propagate`: one painted slice to whole scans."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.commands.failure import CommandError, sentence
from DPLSegmentLib.commands.inputs import read_support, refuse_missing, series_of
from DPLSegmentLib.commands.model import add_model_arguments, load_model, timed
from DPLSegmentLib.commands.outputs import (
    FORMATS,
    OutputNames,
    output_names,
    refuse_overwriting,
    require_writable,
    to_json,
    write_result,
)
from DPLSegmentLib.commands.progress import ProgressBar
from DPLSegmentLib.images.dicom_seg import check_dicom_seg
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    _add_painted(parser.add_argument_group("what was painted"))
    _add_scans(parser.add_argument_group("what is segmented"))
    _add_output(parser.add_argument_group("what comes out"))
    add_model_arguments(parser.add_argument_group("how"))


def run(arguments: argparse.Namespace) -> None:
    """Segment every query; one that fails does not keep the others from being segmented."""
    _check_usage(arguments)
    jobs = _jobs(arguments)
    session = _Session(arguments)
    if arguments.save_prototypes:
        session.save_prototypes(arguments.save_prototypes)
    done, failed = _segment_all(session, jobs)
    _tell(done, failed, arguments)
    if failed:
        said = " ".join(f"{Path(scan).name}: {why}" for scan, why in failed.items())
        raise CommandError(f"{len(failed)} of {len(jobs)} scans failed. {said}")


@dataclass(frozen=True)
class _Job:
    scan: Path
    names: OutputNames


class _Session:
    """The engine, and what it is to look for: painted scans or saved prototypes."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._supports = [_support(arguments)] if arguments.painted else []
        self.engine, self.load_seconds = load_model(arguments)
        self.source = self._supports or self._load_prototypes()

    def save_prototypes(self, path: Path) -> None:
        """Write the prototypes of the painted scan."""
        from DPLSegmentLib.propagation.prototype_file import save_prototypes

        path.parent.mkdir(parents=True, exist_ok=True)
        save_prototypes(self.engine.prototypes(self._supports), path)

    def segment(self, job: _Job, bar: ProgressBar) -> dict[str, Any]:
        """Segment one scan and write its files; returns what its JSON file says."""
        if self._arguments.format == "dcm":
            check_dicom_seg(job.scan)
        series = series_of(job.scan, self._arguments.series)
        volume, read_seconds = timed(lambda: self._read(job.scan, series))
        result = self.engine.propagate(
            self.source, volume, slice_range=_range(self._arguments), on_progress=bar.on_progress
        )
        facts = {"query": str(job.scan), **({"series": series} if series else {}), "source": self._describe_source()}
        seconds = {"load": self.load_seconds, "read": read_seconds}
        return write_result(result, self._arguments.output, job.names, facts, seconds)

    def _read(self, scan: Path, series: str | None) -> Volume:
        if not self._arguments.query:
            return self._supports[0].volume
        return read_volume(scan, self._arguments.frame, series)

    def _load_prototypes(self) -> Any:
        from DPLSegmentLib.propagation.prototype_file import load_prototypes

        return load_prototypes(self._arguments.prototypes, self.engine.model_id)

    def _describe_source(self) -> dict[str, str]:
        if self._arguments.prototypes:
            return {"prototypes": str(self._arguments.prototypes)}
        return {"support": str(self._arguments.support), "painted": str(self._arguments.painted)}


def _add_painted(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--support", type=Path, metavar="IMAGE", help="the scan that was painted on")
    group.add_argument("--painted", type=Path, metavar="LABELS", help="its painted slices; each value is a structure")
    group.add_argument("--prototypes", type=Path, metavar="FILE", help="saved prototypes instead of a painted scan")
    names = 'names of the label values, {"1": "liver"}; else the labels.json beside LABELS is taken'
    group.add_argument("--name-from-labels", type=Path, metavar="JSON", help=names)


def _add_scans(group: argparse._ArgumentGroup) -> None:
    more = "scans to segment (files or DICOM folders); without it the painted scan itself"
    group.add_argument("--query", type=Path, nargs="+", action="extend", default=[], metavar="IMAGE", help=more)
    group.add_argument("--frame", type=int, metavar="N", help="which frame of images that have several, from 0")
    uids = "series instance UID to take from a DICOM folder that holds several; else the one with most slices"
    group.add_argument("--series", nargs="+", action="extend", default=[], metavar="UID", help=uids)
    group.add_argument("--range", type=int, nargs=2, metavar=("LO", "HI"), help="only these slices, both included")


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the results go")
    group.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0], help="of the segmentation (%(default)s); dcm: DICOM SEG"
    )
    group.add_argument("--save-prototypes", type=Path, metavar="FILE", help="keep the prototypes for other scans")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout instead of text")


def _check_usage(arguments: argparse.Namespace) -> None:
    painted = (arguments.support, arguments.painted)
    if arguments.prototypes and any((*painted, arguments.save_prototypes, arguments.name_from_labels)):
        arguments.usage_error("--prototypes takes the place of --support, --painted and what goes with them")
    if arguments.prototypes and not arguments.query:
        arguments.usage_error("--prototypes needs --query IMAGE")
    if not arguments.prototypes and not all(painted):
        arguments.usage_error("--support IMAGE and --painted LABELS are needed (or --prototypes FILE)")
    if arguments.range and not 0 <= arguments.range[0] <= arguments.range[1]:
        arguments.usage_error("--range LO HI needs 0 <= LO <= HI")
    if arguments.frame is not None and arguments.frame < 0:
        arguments.usage_error("--frame counts from 0")


def _jobs(arguments: argparse.Namespace) -> list[_Job]:
    """Scans with the names of their files; raises CommandError for a missing input or one that would be overwritten."""
    scans = arguments.query or [arguments.support]
    names = output_names(scans, arguments.format)
    given = (arguments.support, arguments.painted, arguments.prototypes, arguments.name_from_labels)
    inputs = [path for path in (*given, *scans) if path]
    refuse_missing(inputs)
    refuse_overwriting(inputs, arguments.output, names)
    require_writable(arguments.output)
    return [_Job(scan, triple) for scan, triple in zip(scans, names, strict=True)]


def _support(arguments: argparse.Namespace) -> Support:
    series = series_of(arguments.support, arguments.series)
    return read_support(arguments.support, arguments.painted, arguments.frame, arguments.name_from_labels, series)


def _segment_all(session: _Session, jobs: list[_Job]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Reports of the segmented scans, and a sentence for each failed one; a scan that is the only one raises."""
    done: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    with ProgressBar("Segmenting", parts=len(jobs)) as bar:
        for job in jobs:
            bar.title = f"Segmenting {job.scan.name}"
            try:
                done.append(session.segment(job, bar))
            except Exception as error:
                if len(jobs) == 1:
                    raise
                failed[str(job.scan)] = sentence(error)
            bar.next_part()
    return done, failed


def _range(arguments: argparse.Namespace) -> tuple[int, int] | None:
    return tuple(arguments.range) if arguments.range else None


def _tell(done: list[dict[str, Any]], failed: dict[str, str], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(to_json({"output": str(arguments.output), "results": done, "failed": failed}), end="")
        return
    for report in done:
        print(f"{arguments.output / report['segmentation']}")
        for structure in report["structures"]:
            print("  " + _describe(structure))


def _describe(structure: dict[str, Any]) -> str:
    name, millilitres = structure["name"], structure["millilitres"]
    next_slice = structure["next_slice"]
    advice = "" if next_slice is None else f", least certain in slice {next_slice}"
    return f"{name}: {millilitres:.1f} mL, confidence {100 * structure['confidence']:.0f} %{advice}"
