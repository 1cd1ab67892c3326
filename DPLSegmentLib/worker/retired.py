"""Processes that shall end, and are seen to."""

from __future__ import annotations

from time import monotonic, sleep

from DPLSegmentLib.worker.transport import Transport

_PATIENCE = 0.8
_AFTER_KILL = 2.0


class Retired:
    """Asks processes to end, kills those that do not, and collects them all."""

    def __init__(self) -> None:
        self._ending: dict[Transport, float] = {}

    def add(self, transport: Transport, kill: bool) -> None:
        """This process is needed no longer; returns at once."""
        if kill:
            transport.kill()
        transport.close_input()
        self._ending[transport] = monotonic() + _PATIENCE

    def collect(self) -> bool:
        """See to them; returns at once, with True when all have ended."""
        for transport, patience in list(self._ending.items()):
            while transport.receive() or transport.receive_errors():
                pass  # a process that waits for its output to be read cannot end
            if transport.exit_code is not None:
                transport.close()
                del self._ending[transport]
            elif monotonic() > patience:
                transport.kill()
        return not self._ending

    def wait(self) -> None:
        """Until all have ended; those that were asked have 0.8 s, then they are killed."""
        until = monotonic() + _PATIENCE + _AFTER_KILL
        while not self.collect() and monotonic() < until:
            sleep(0.005)
