"""`dpl-segment batch`: one painted slice to as many scans as there are."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DPLSegmentLib.cohort.batch import Batch, Watcher
from DPLSegmentLib.cohort.in_process import InProcess
from DPLSegmentLib.cohort.inputs import find_scans, with_ids
from DPLSegmentLib.cohort.orders import Orders, Tools, make_orders
from DPLSegmentLib.cohort.report import REPORT, counted
from DPLSegmentLib.cohort.runner import Runner, Stop
from DPLSegmentLib.cohort.scans import Job, Record, State
from DPLSegmentLib.cohort.source import PaintedSource, PrototypeSource, Source
from DPLSegmentLib.cohort.summary import SUMMARY
from DPLSegmentLib.cohort.work import ScanWork
from DPLSegmentLib.commands.failure import CommandError, sentence
from DPLSegmentLib.commands.inputs import read_support, refuse_missing, series_of
from DPLSegmentLib.commands.model import add_model_arguments
from DPLSegmentLib.commands.outputs import (
    FORMATS,
    output_names,
    refuse_overwriting,
    require_writable,
    unique_stems,
    write_result,
)
from DPLSegmentLib.commands.progress import ProgressBar
from DPLSegmentLib.images.dicom_folder import series_in
from DPLSegmentLib.propagation.types import Progress

if TYPE_CHECKING:
    from DPLSegmentLib.cohort.connection import Connection

_FINAL = (State.DONE, State.FAILED, State.FINISHED_BEFORE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    _add_painted(parser.add_argument_group("what was painted"))
    _add_scans(parser.add_argument_group("what is segmented"))
    _add_workers(parser.add_argument_group("where it is done"))
    add_model_arguments(parser.add_argument_group("how"))


def run(arguments: argparse.Namespace) -> None:
    """Segment every scan that is not finished; one that fails does not keep the others from being segmented."""
    _check_usage(arguments)
    stop = Stop()
    if arguments.events:
        _stop_with_stdin(stop)
    jobs = _jobs(arguments)
    orders = make_orders(
        _source(arguments), arguments.output.absolute(), Tools(write_result, sentence),
        device=arguments.device, weights=arguments.weights and arguments.weights.absolute(), frame=arguments.frame,
    )  # fmt: skip
    batch = Batch(jobs, orders, _runner(arguments, orders), arguments.overwrite, frozenset(arguments.only))
    with _watching(jobs, arguments) as watcher:
        records = batch.run(watcher, stop)
    _tell(records, arguments)


def _add_painted(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--prototypes", type=Path, metavar="FILE", help="made with propagate --save-prototypes")
    group.add_argument("--support", type=Path, metavar="IMAGE", help="or the scan that was painted on")
    group.add_argument("--painted", type=Path, metavar="LABELS", help="and its painted slices")
    series = "which series of a DICOM folder was painted; else the one with most slices"
    group.add_argument("--series", action="append", default=[], metavar="UID", help=series)
    names = 'names of the label values, {"1": "liver"}; else the labels.json beside LABELS is taken'
    group.add_argument("--name-from-labels", type=Path, metavar="JSON", help=names)


def _add_scans(group: argparse._ArgumentGroup) -> None:
    more = "files, folders with all that is in them, DICOM folders, or a CSV with the columns path and id"
    group.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help=more)
    group.add_argument("--frame", type=int, metavar="N", help="which frame of images that have several, from 0")
    group.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the results go")
    form = "of the segmentations (%(default)s); dcm: DICOM SEG"
    group.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=form)
    other = "replace results that were made with other prototypes or another model"
    group.add_argument("--overwrite", action="store_true", help=other)
    group.add_argument("--only", action="append", default=[], metavar="ID", help="begin this scan; may be repeated")
    events = "a JSON line on stdout for each change of a scan's state, and stop at the end of stdin: for programs"
    group.add_argument("--events", action="store_true", help=events)


def _add_workers(group: argparse._ArgumentGroup) -> None:
    workers = "processes on this computer (%(default)s); more than one need the extra `cluster`"
    group.add_argument("--workers", type=int, default=1, metavar="N", help=workers)
    group.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tls://host:8786, instead")
    group.add_argument("--tls-ca", type=Path, metavar="PEM", help="certificate of the authority, for tls://")
    group.add_argument("--tls-cert", type=Path, metavar="PEM", help="certificate of this client")
    group.add_argument("--tls-key", type=Path, metavar="PEM", help="its key")


def _check_usage(arguments: argparse.Namespace) -> None:
    painted = (arguments.support, arguments.painted)
    if arguments.prototypes and any((*painted, arguments.name_from_labels)):
        arguments.usage_error("--prototypes takes the place of --support, --painted and what goes with them")
    if not arguments.prototypes and not all(painted):
        arguments.usage_error("--prototypes FILE is needed, or --support IMAGE and --painted LABELS")
    if arguments.workers < 1:
        arguments.usage_error("--workers must be at least 1")
    if arguments.scheduler and arguments.workers > 1:
        arguments.usage_error("--scheduler brings workers of its own: leave --workers away")
    if arguments.frame is not None and arguments.frame < 0:
        arguments.usage_error("--frame counts from 0")
    _check_tls(arguments)


def _check_tls(arguments: argparse.Namespace) -> None:
    files = _tls_files(arguments)
    encrypted = bool(arguments.scheduler) and arguments.scheduler.startswith("tls://")
    if encrypted and not all(files):
        arguments.usage_error("tls:// needs --tls-ca, --tls-cert and --tls-key")
    if any(files) and not encrypted:
        arguments.usage_error("--tls-ca, --tls-cert and --tls-key belong to --scheduler tls://HOST:PORT")


def _tls_files(arguments: argparse.Namespace) -> tuple[Path | None, ...]:
    return arguments.tls_ca, arguments.tls_cert, arguments.tls_key


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    """The scans with the names of their files. Raises CommandError or CohortError for inputs that make no sense."""
    painted = [path for path in (arguments.painted, arguments.prototypes, arguments.name_from_labels) if path]
    supports = [arguments.support] if arguments.support else []
    certificates = [path for path in _tls_files(arguments) if path]
    refuse_missing([*painted, *supports, *arguments.inputs, *certificates])
    inputs = [path.absolute() for path in arguments.inputs]
    scans = with_ids(find_scans(inputs, series_in, [*painted, arguments.output]), unique_stems)
    names = output_names([Path(f"{scan.id}.nrrd") for scan in scans], arguments.format)
    refuse_overwriting([*painted, *supports, *(scan.path for scan in scans)], arguments.output, names)
    require_writable(arguments.output)
    _refuse_unknown(arguments.only, {scan.id for scan in scans})
    return [Job(scan, triple) for scan, triple in zip(scans, names, strict=True)]


def _refuse_unknown(only: list[str], known: set[str]) -> None:
    if strange := sorted(set(only) - known):
        raise CommandError(f"There is no scan {strange[0]}: --only takes ids as they are in {SUMMARY}.")


def _source(arguments: argparse.Namespace) -> Source:
    if arguments.prototypes:
        return PrototypeSource.read(arguments.prototypes)
    given = (arguments.support, arguments.painted, arguments.frame, arguments.name_from_labels)
    support = read_support(*given, series_of(arguments.support, arguments.series))
    return PaintedSource(support, {"support": str(arguments.support), "painted": str(arguments.painted)})


def _runner(arguments: argparse.Namespace, orders: Orders) -> Runner:
    """In this process without Dask, or on Dask."""
    if arguments.workers == 1 and not arguments.scheduler:
        return InProcess(partial(_work, orders))
    from DPLSegmentLib.cohort.on_cluster import OnCluster

    return OnCluster(orders, partial(_connect, arguments))


def _work(orders: Orders) -> ScanWork:
    from DPLSegmentLib.cohort.segmenter import load_segmenter

    return ScanWork(orders, load_segmenter)


def _connect(arguments: argparse.Namespace) -> AbstractContextManager[Connection]:
    from DPLSegmentLib.cohort.connection import Tls, local_workers, remote_workers
    from DPLSegmentLib.cohort.gpus import graphics_cards

    if not arguments.scheduler:
        return local_workers(arguments.workers, graphics_cards(arguments.device))
    authority, certificate, key = _tls_files(arguments)
    tls = Tls(authority, certificate, key) if authority and certificate and key else None
    return remote_workers(arguments.scheduler, tls)


def _watching(jobs: list[Job], arguments: argparse.Namespace) -> _Bar | _Events:
    if not arguments.events:
        return _Bar(ProgressBar("Segmenting", parts=len(jobs)))
    return _Events([job.scan.id for job in jobs if not arguments.only or job.scan.id in arguments.only])


class _Bar(Watcher):
    """A progress bar on stderr."""

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._bar.__exit__(kind, error, None)

    def on_state(self, record: Record) -> None:
        if record.state in _FINAL:
            self._bar.next_part()
            self._bar.update(0.0, record.id)

    def on_progress(self, progress: Progress) -> None:
        self._bar.on_progress(progress)


class _Events(Watcher):
    """Lines of JSON on stdout: records of scans, and how far the scan is that was begun last, in steps of a percent."""

    def __init__(self, waiting: list[str]) -> None:
        self._waiting = waiting
        self._begun = ""
        self._told: tuple[str, str, int] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> _Events:
        for scan in self._waiting:
            self.on_state(Record(scan, State.WAITING))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        sys.stdout.flush()

    def on_state(self, record: Record) -> None:
        if record.state is State.RUNNING:
            self._begun = record.id
        self._tell(record.document())

    def on_progress(self, progress: Progress) -> None:
        news = (self._begun, progress.stage, int(100 * progress.fraction))
        if news != self._told:
            self._told = news
            self._tell({"id": self._begun, "stage": progress.stage, "fraction": progress.fraction})

    def _tell(self, document: dict[str, Any]) -> None:
        """Records come from the thread that writes, too."""
        with self._lock:
            print(json.dumps(document), flush=True)


def _stop_with_stdin(stop: Stop) -> None:
    """Whoever started this has gone, or wants it to stop, when standard input ends."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1 << 12):
            pass
        stop.set()

    threading.Thread(target=wait, daemon=True).start()


def _tell(records: list[Record], arguments: argparse.Namespace) -> None:
    failed = [record for record in records if record.state is State.FAILED]
    if not arguments.events:
        print(f"{counted(records)}: {arguments.output / SUMMARY}, {arguments.output / REPORT}")
    if failed:
        said = " ".join(f"{record.id}: {record.why}" for record in failed)
        raise CommandError(f"{len(failed)} of {len(records)} scans failed. {said}")
