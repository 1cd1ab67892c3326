"""Batches on a scheduler that others started: real processes, encrypted, and lost in the middle."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import highdicom
import pytest
from distributed.security import Security

from DPLSegmentLib.cli import main
from DPLSegmentLib.cohort.orders import Tools, make_orders
from DPLSegmentLib.cohort.source import PrototypeSource
from DPLSegmentLib.images.volume import Volume
from Testing.images.dicom_files import Scan

from .conftest import end, finish, next_event, states, triple, triples, words_for

Child = Callable[..., subprocess.Popen[str]]

LOCAL = "127.0.0.1"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cert.pem`, which is its own authority, and `key.pem`."""
    folder = tmp_path_factory.mktemp("certificates")
    made = Security.temporary()
    (folder / "cert.pem").write_text(made.tls_client_cert)
    (folder / "key.pem").write_text(made.tls_client_key)
    return folder


class Site:
    """A scheduler and a worker, each in a process of its own, on a port that stays the same."""

    def __init__(self, certificates: Path) -> None:
        self.port = free_port()
        self.tls = ["--tls-ca-file", str(certificates / "cert.pem")]
        self.tls += ["--tls-cert", str(certificates / "cert.pem"), "--tls-key", str(certificates / "key.pem")]
        self.address = f"tls://{LOCAL}:{self.port}"
        self.running: list[subprocess.Popen[str]] = []

    def start_scheduler(self) -> subprocess.Popen[str]:
        """Start or restart it."""
        return self._start("scheduler", "--protocol", "tls", "--host", LOCAL, "--port", str(self.port))

    def start_worker(self) -> subprocess.Popen[str]:
        """Add a worker with one thread; it waits for the scheduler."""
        return self._start("worker", self.address, "--protocol", "tls", "--host", LOCAL, "--nthreads", "1")

    def stop(self) -> None:
        """End all of it."""
        for process in self.running:
            end(process)

    def _start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:], "--no-dashboard", *self.tls]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.running.append(
            subprocess.Popen(
                command,
                env=environment,
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        )
        return self.running[-1]


@pytest.fixture
def site(certificates: Path) -> Iterator[Site]:
    """Scheduler and worker, starting."""
    started = Site(certificates)
    started.start_scheduler()
    started.start_worker()
    wait_for(started.port)
    yield started
    started.stop()


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((LOCAL, port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens at port {port}")


def on(site: Site, certificates: Path) -> Sequence[str]:
    """The words that choose the scheduler."""
    files = [
        "--tls-ca",
        certificates / "cert.pem",
        "--tls-cert",
        certificates / "cert.pem",
        "--tls-key",
        certificates / "key.pem",
    ]
    return ["--scheduler", site.address, *map(str, files)]


def test_a_restarted_scheduler_loses_no_scan(
    site: Site, certificates: Path, cohort: Path, results: Path, tmp_path: Path, child: Child
) -> None:
    scheduler = site.running[0]
    batch = child(words_for(cohort, cohort / "scans", tmp_path, "--events", *on(site, certificates)))
    next_event(batch, "done")
    end(scheduler)
    site.start_scheduler()
    site.start_worker()
    said = finish(batch)
    assert batch.returncode == 0, said
    assert set(states(tmp_path).values()) == {"done"}
    assert triples(tmp_path) == triple("scan0") | triple("scan1") | triple("scan2")
    assert (tmp_path / "scan2-confidence.nii.gz").read_bytes() == (results / "scan2-confidence.nii.gz").read_bytes()
    assert "The scheduler is back." in (tmp_path / "batch.log").read_text()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="there is no folder that every process sees as another")
def test_scans_are_sent_to_workers_that_do_not_see_the_folders(
    site: Site, certificates: Path, cohort: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cohort)
    here = Path("/proc/self/cwd")
    words = words_for(here, here / "scans", here / "sent", *on(site, certificates))
    assert main(words) == 0
    assert "scans are sent to them" in (cohort / "sent" / "batch.log").read_text()
    assert triples(cohort / "sent") == triples(results)
    for name in ("scan0-segmentation.seg.nrrd", "scan1-confidence.nii.gz"):
        assert (cohort / "sent" / name).read_bytes() == (results / name).read_bytes()
    assert (cohort / "sent" / "thumbnails" / "scan2.png").is_file()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="there is no folder that every process sees as another")
def test_of_a_series_that_is_sent_the_dicom_segmentation_is_written_here(
    site: Site, certificates: Path, cohort: Path, small_ct: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scan(small_ct.array, (3.0, 3.0, 3.0), series="1.2.826.0.1.1").write(cohort / "series" / "one")
    monkeypatch.chdir(cohort)
    here = Path("/proc/self/cwd")
    words = words_for(here, here / "series", here / "sent dicom", "--format", "dcm", *on(site, certificates))
    assert main(words) == 0
    assert "scans are sent to them" in (cohort / "sent dicom" / "batch.log").read_text()
    (written,) = (cohort / "sent dicom").glob("*.dcm")
    assert highdicom.seg.segread(written).number_of_segments == 1


def test_a_scheduler_that_does_not_answer_is_said(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("DPLSegmentLib.cohort.connection._FEW_SECONDS", 1.0)
    assert main(words_for(cohort, cohort / "scans", tmp_path, "--scheduler", f"tcp://{LOCAL}:{free_port()}")) == 1
    assert "No Dask scheduler answers" in capsys.readouterr().err


def test_a_worker_with_other_weights_refuses(tmp_path: Path) -> None:
    from DPLSegmentLib.cohort.errors import CohortError
    from DPLSegmentLib.cohort.segmenter import load_segmenter
    from DPLSegmentLib.commands.failure import sentence
    from DPLSegmentLib.commands.outputs import write_result

    orders = make_orders(PrototypeSource(b"", {}), tmp_path, Tools(write_result, sentence), device="cpu")
    object.__setattr__(orders, "model_id", "0" * 12)
    with pytest.raises(CohortError, match="same version"):
        load_segmenter(orders)
