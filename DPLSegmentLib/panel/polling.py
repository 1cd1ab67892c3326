"""Lets a job without a panel go on inside Slicer's event loop."""

from __future__ import annotations

from typing import Protocol, TypeVar

import qt

_PAUSE_MS = 20


class Pollable(Protocol):
    """A job that goes on whenever it is polled."""

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        ...

    def poll(self) -> None:
        """Go on a little."""


Polled = TypeVar("Polled", bound=Pollable)


def keep_polling(job: Polled) -> Polled:
    """Poll a job until it is done; returns it at once."""
    if not job.done:
        job.poll()
        qt.QTimer.singleShot(_PAUSE_MS, lambda: keep_polling(job))
    return job
