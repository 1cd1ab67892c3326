"""What the client says, heard while a job runs."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

from DPLSegmentLib.propagation.types import Cancelled
from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.pipes import Lines, read_now

_WINDOWS = sys.platform == "win32"
_GRACE = 0.5


class Inbox:
    """A thread reads the messages: Cancel takes effect at once, the others wait for their turn.

    At the end of the input the client is gone: a running job is cancelled, and after 0.5 s at most `leave` is called.
    """

    def __init__(self, descriptor: int, leave: Callable[[int], None] = os._exit) -> None:
        self._descriptor = descriptor
        self._leave = leave
        self._messages: queue.Queue[protocol.FromClient | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._over = False
        self._busy = threading.Lock()

    def listen(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, daemon=True).start()

    def __iter__(self) -> Iterator[protocol.FromClient]:
        """Messages in their order, until the client is gone."""
        while (message := self._messages.get()) is not None:
            with self._busy:
                yield message

    def cancelled(self, job: int) -> bool:
        """Whether a job shall stop."""
        return self._over or job in self._cancelled

    def room(self, job: int) -> protocol.Room:
        """Wait for the place that the client makes for a result; raises Cancelled."""
        while not self.cancelled(job):
            message = self._messages.get()
            if isinstance(message, protocol.Room) and message.job == job:
                return message
        raise Cancelled

    def _read(self) -> None:
        lines = Lines()
        while (piece := self._next()) is not None:
            for line in lines.add(piece):
                self._hear(line)
        self._over = True
        self._messages.put(None)
        self._busy.acquire(timeout=_GRACE)
        self._leave(0)

    def _next(self) -> bytes | None:
        """What comes next; None at the end. A read that waits would block other users of a pipe on Windows."""
        if not _WINDOWS:
            return read_now(self._descriptor)
        while (piece := read_now(self._descriptor)) == b"":
            time.sleep(0.02)
        return piece

    def _hear(self, line: bytes) -> None:
        try:
            message = protocol.decoded(line)
        except protocol.ProtocolError as error:
            print(f"The client said something that is {error}", file=sys.stderr)
            return
        if isinstance(message, protocol.Cancel):
            self._cancelled.add(message.job)
        self._messages.put(message)
