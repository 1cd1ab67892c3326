"""A worker that dies or cannot start is said to, in a sentence, and the next request starts another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import venv
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from DPLSegmentLib.worker.client import PropagateRequest, Reason, Worker, WorkerOptions
from DPLSegmentLib.worker.launch import PACKAGE_ROOT, starter, worker_environment
from DPLSegmentLib.worker.protocol import Hello, encoded
from DPLSegmentLib.worker.transport import PipeTransport

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and links")


@pytest.fixture
def torchless(tmp_path: Path) -> str:
    """A Python that has all packages but PyTorch."""
    folder = tmp_path / "python without torch"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/*/site-packages")
    for name in ("numpy", "scipy", "SimpleITK"):
        source = Path(find_spec(name).origin).parent
        for package in (source, source.with_name(f"{name}.libs")):
            if package.exists():
                (site / package.name).symlink_to(package)
    return str(folder / "bin" / "python")


@pytest.fixture
def saying() -> Iterator[Callable[[str], Worker]]:
    """Workers whose process is some Python code; all are stopped at the end."""
    made: list[Worker] = []

    def make(code: str) -> Worker:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        made.append(Worker(lambda options: PipeTransport(command, worker_environment(os.environ))))
        return made[-1]

    yield make
    for worker in made:
        worker.stop()


@pytest.mark.parametrize("when", ["progress", "slices"])
def test_a_worker_killed_in_mid_run_is_said_to_be_and_the_next_request_works(
    new_worker: Worker, drive: Any, told: Any, other_told: Any, request_for_kidney: PropagateRequest, when: str,
    blocks: Callable,
) -> None:  # fmt: skip
    new_worker.propagate(request_for_kidney, told)
    new_worker.propagate(request_for_kidney, other_told)
    drive(new_worker, lambda: getattr(told, when))
    pid = new_worker.info.pid
    os.kill(pid, signal.SIGKILL)
    drive(new_worker, lambda: told.ends)
    assert told.ends == other_told.ends == ["failed"]
    assert told.sentence.startswith("The worker was ended from outside") and "try again" in told.sentence
    assert new_worker.failure.reason is Reason.ENDED and not new_worker.running and new_worker.idle
    assert new_worker.state == told.sentence and blocks() == []
    told.ends.clear()
    new_worker.propagate(request_for_kidney, told)
    drive(new_worker, lambda: told.ends)
    assert told.ends == ["done"] and new_worker.info.pid != pid and new_worker.failure is None


def test_a_worker_killed_before_it_said_hello_is_said_to_be(
    new_worker: Worker, drive: Any, told: Any, request_for_kidney: PropagateRequest, blocks: Callable
) -> None:
    new_worker.propagate(request_for_kidney, told)
    new_worker.poll()
    new_worker._link.transport.kill()
    drive(new_worker, lambda: told.ends)
    assert told.ends == ["failed"] and "while it was starting" in told.sentence and blocks() == []


@POSIX
def test_a_missing_torch_is_told_apart_so_that_it_can_be_installed(
    drive: Any, told: Any, torchless: str, request_for_kidney: PropagateRequest
) -> None:
    worker = Worker(starter(torchless))
    worker.propagate(request_for_kidney, told)
    drive(worker, lambda: told.ends)
    assert told.ends == ["failed"] and worker.missing_torch
    assert told.sentence == "PyTorch is not installed: press Install or check PyTorch under Advanced."
    worker.stop()


@pytest.mark.parametrize(
    ("options", "reason", "said"),
    [
        (WorkerOptions("cpu", Path("no such folder") / "ä.pt"), Reason.MODEL, "The model"),
        (WorkerOptions("abacus"), Reason.DEVICE, "The device chosen"),
    ],
)
def test_options_that_cannot_be_met_are_said_to_be(
    new_worker: Worker, drive: Any, told: Any, request_for_kidney: PropagateRequest, options: WorkerOptions,
    reason: Reason, said: str,
) -> None:  # fmt: skip
    new_worker.restart(options)
    drive(new_worker, lambda: new_worker.failure)
    assert new_worker.failure.reason is reason and not new_worker.missing_torch
    new_worker.propagate(request_for_kidney, told)
    drive(new_worker, lambda: told.ends)
    assert told.ends == ["failed"] and told.sentence.startswith(said)


def test_an_interpreter_that_is_not_there_is_said_to_be(
    drive: Any, told: Any, request_for_kidney: PropagateRequest
) -> None:
    worker = Worker(starter("/no such/PythonSlicer"))
    worker.start()
    worker.propagate(request_for_kidney, told)
    worker.poll()
    assert told.ends == ["failed"] and worker.failure.reason is Reason.PYTHON
    assert told.sentence.startswith("The worker could not be started")


def test_lines_that_are_no_messages_are_logged_and_do_no_harm(
    saying: Callable[[str], Worker], drive: Any, told: Any, request_for_kidney: PropagateRequest
) -> None:
    worker = saying(
        """
        import sys
        print("a library says hello", flush=True)
        print("Zahl \\u00e4 " * 3, file=sys.stderr, flush=True)
        from DPLSegmentLib.worker.__main__ import main
        main(["--device", "cpu"])
        """
    )
    worker.propagate(request_for_kidney, told)
    drive(worker, lambda: told.ends)
    assert told.ends == ["done"]
    assert "a library says hello" in worker.log() and "Zahl ä" in worker.log()


def test_what_the_server_prints_goes_to_the_log(saying: Callable[[str], Worker], drive: Any) -> None:
    worker = saying(
        """
        from DPLSegmentLib.worker import __main__ as it
        load = it._engine
        def noisy(arguments):
            import os
            print("from Python")
            os.write(1, b"from C\\n")
            return load(arguments)
        it._engine = noisy
        it.main([])
        """
    )
    worker.start()
    drive(worker, lambda: worker.info)
    drive(worker, lambda: "from C" in worker.log() and "from Python" in worker.log())


def test_a_worker_of_another_version_is_refused(saying: Callable[[str], Worker], drive: Any, told: Any) -> None:
    line = encoded(Hello(99, "abc", "CPU", ("cpu",), "2", 1))
    worker = saying(f"import sys, time; sys.stdout.buffer.write({line!r}); sys.stdout.flush(); time.sleep(60)")
    worker.start()
    drive(worker, lambda: worker.failure)
    assert worker.failure.reason is Reason.VERSION and not worker.running


def test_a_worker_that_ends_at_once_is_started_again_for_the_next_request_only(
    saying: Callable[[str], Worker], drive: Any, told: Any, request_for_kidney: PropagateRequest
) -> None:
    worker = saying("import sys; sys.exit('what went wrong')")
    worker.start()
    drive(worker, lambda: worker.failure)
    for _ in range(20):
        worker.poll()
    assert not worker.running and "exit code 1" in worker.failure.sentence
    assert "what went wrong" in worker.log()


@POSIX
def test_the_worker_ends_when_its_client_is_killed(lives: Callable[[int], bool], tmp_path: Path) -> None:
    code = """
        import os, time, signal
        import numpy as np
        from DPLSegmentLib.images.volume import Volume
        from DPLSegmentLib.worker.client import Scan, Worker
        from DPLSegmentLib.worker.launch import starter
        class Listener:
            def on_progress(self, progress):
                print(worker.info.pid, os.getpid(), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            def on_failed(self, sentence):
                print(sentence)
        worker = Worker(starter())
        voxels = np.random.default_rng(0).normal(size=(80, 120, 120))
        worker.embed(Scan("a", Volume(voxels, np.eye(4))), Listener())
        while not worker.idle:
            worker.poll()
            time.sleep(0.01)
    """
    environment = worker_environment(os.environ, PACKAGE_ROOT)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=environment, timeout=90
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, client = map(int, done.stdout.split()[:2])
    end = time.monotonic() + 3
    while lives(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not lives(pid)
    assert list(Path("/dev/shm").glob(f"dpls-{client}-*")) == []
