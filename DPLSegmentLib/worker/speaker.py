"""The worker's voice: the standard output, which no library may write to."""

from __future__ import annotations

import os

from DPLSegmentLib.worker import protocol


class Speaker:
    """Says messages on a pipe; falls silent when the client is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, message: protocol.FromWorker) -> None:
        """Say it, waiting until all of it is in the pipe."""
        line = protocol.encoded(message)
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            return


def own_pipes() -> tuple[int, int]:
    """Descriptors for what comes in and what goes out.

    From now on what prints to standard output prints to standard error, and standard input is empty.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return incoming, outgoing
