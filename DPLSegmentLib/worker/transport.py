"""The worker process as its client sees it: bytes in, bytes out, none of it ever waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Protocol

from DPLSegmentLib.worker.pipes import never_wait, read_now

_WINDOWS = sys.platform == "win32"


class Transport(Protocol):
    """A running process that is talked to; every method returns at once."""

    @property
    def pid(self) -> int:
        """The process that was started; a launcher may have started another one."""
        ...

    @property
    def exit_code(self) -> int | None:
        """None while the process lives; negative where a signal ended it."""
        ...

    def send(self, data: bytes) -> None:
        """Hand over bytes; what does not fit into the pipe goes with the next calls of `send` or `receive`."""
        ...

    def receive(self) -> bytes:
        """What has come on standard output, b"" when nothing has."""
        ...

    def receive_errors(self) -> bytes:
        """What has come on standard error, b"" when nothing has."""
        ...

    def close_input(self) -> None:
        """Ask the process to end."""
        ...

    def kill(self) -> None:
        """End the process, and what it has started, from outside."""
        ...

    def close(self) -> None:
        """Close all pipes."""
        ...


class PipeTransport:
    """A process behind three pipes, in a group of its own: Ctrl-C in a terminal does not reach it.

    Raises OSError when the command cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        own_group = {"creationflags": _hidden()} if _WINDOWS else {"start_new_session": True}
        self._process = subprocess.Popen(
            command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environment), **own_group
        )
        self._unsent = b""
        for stream in self._streams():
            never_wait(stream.fileno())

    @property
    def pid(self) -> int:
        """As `Transport` says, and so the other methods."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def send(self, data: bytes) -> None:
        self._unsent += data
        self._flush()

    def receive(self) -> bytes:
        self._flush()
        return self._read(self._process.stdout)

    def receive_errors(self) -> bytes:
        return self._read(self._process.stderr)

    def close_input(self) -> None:
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def kill(self) -> None:
        """Does nothing once the end of the process is known: its number may be another's by then."""
        if self._process.poll() is not None:
            return
        with suppress(OSError):
            self._process.kill() if _WINDOWS else os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        for stream in self._streams():
            with suppress(OSError):
                stream.close()

    def _streams(self) -> list[IO[bytes]]:
        return [stream for stream in (self._process.stdin, self._process.stdout, self._process.stderr) if stream]

    def _flush(self) -> None:
        stream = self._process.stdin
        while self._unsent and stream and not stream.closed:
            try:
                self._unsent = self._unsent[os.write(stream.fileno(), self._unsent) :]
            except BlockingIOError:
                return
            except OSError:  # the process is gone; its exit code tells the rest
                self._unsent = b""

    def _read(self, stream: IO[bytes] | None) -> bytes:
        return (read_now(stream.fileno()) or b"") if stream and not stream.closed else b""


def _hidden() -> int:
    """No console window, and Ctrl-C goes elsewhere (Windows)."""
    return getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
