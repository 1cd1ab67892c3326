"""A conversation with one process: its messages, its log, its end."""

from __future__ import annotations

from collections import deque

from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.pipes import Lines
from DPLSegmentLib.worker.transport import Transport

_PIECES = 4


class Link:
    """Lines that are no messages go to the log, as does what the process writes on standard error."""

    def __init__(self, transport: Transport, log: deque[str]) -> None:
        self.transport = transport
        self.over = False
        self._log = log
        self._waiting: deque[bytes] = deque()
        self._lines, self._errors = Lines(), Lines()

    def send(self, message: protocol.FromClient) -> None:
        """Say something; returns at once."""
        self.transport.send(protocol.encoded(message))

    def receive(self) -> protocol.FromWorker | None:
        """The next message; None when there is none now. Sets `over` once the process ended and all is read."""
        while self._waiting or self._read():
            try:
                return protocol.decoded(self._waiting.popleft())
            except protocol.ProtocolError as error:
                self._log.append(f"The worker said something that is {error}")
        return None

    def read_log(self) -> None:
        """Put what came on standard error into the log, a part of it when there is much."""
        for _ in range(_PIECES):
            piece = self.transport.receive_errors()
            self._log.extend(line.decode("utf-8", "replace").rstrip("\r") for line in self._errors.add(piece))

    def _read(self) -> bool:
        """Whether there is a line now."""
        ended = self.transport.exit_code is not None
        while not self._waiting:
            piece = self.transport.receive()
            if not piece:
                self.over = ended
                return False
            self._waiting.extend(self._lines.add(piece))
        return True
