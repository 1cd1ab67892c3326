"""Work side by side in processes of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import TypeVar

from DPLSegmentLib.ablation.errors import AblationError

Item = TypeVar("Item")
OnUnits = Callable[[int], None]
Work = Callable[[Sequence[Item], OnUnits], None]


class _Member:
    """A process with its share of the work; what it says comes out of `told`."""

    def __init__(self, context: SpawnContext, work: Work[Item], share: Sequence[Item]) -> None:
        self.told, end = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(work, share, end), daemon=True)
        self._process.start()
        end.close()

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join()


def side_by_side(work: Work[Item], items: Sequence[Item], jobs: int, on_units: OnUnits) -> None:
    """Call `work` in `jobs` processes with every `jobs`-th item each; `on_units` hears in this process what they tell.

    One job works in this process. `work` and the items must be picklable. An exception of one process stops all and is
    raised here; AblationError when a process vanishes.
    """
    if jobs == 1:
        return work(items, on_units)
    context, members = multiprocessing.get_context("spawn"), []
    try:
        members += [_Member(context, work, items[number::jobs]) for number in range(min(jobs, len(items)))]
        _listen([member.told for member in members], on_units)
    finally:
        for member in members:
            member.stop()


def _listen(open_ends: list[Connection], on_units: OnUnits) -> None:
    while open_ends:
        for end in wait(open_ends):
            told = _received(end)
            if told is None:
                open_ends.remove(end)
            else:
                on_units(told)


def _received(end: Connection) -> int | None:
    """A number of units, or None when the work is done; raises what stopped the work."""
    try:
        told = end.recv()
    except EOFError:
        raise AblationError(
            "A process ended before its work was done, perhaps for lack of memory: run again with fewer --jobs."
        ) from None
    if isinstance(told, Exception):
        raise told
    return told


def _work(work: Work[Item], share: Sequence[Item], end: Connection) -> None:
    """The process: Ctrl-C is for the first process to act on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(share, end.send)
        end.send(None)
    except Exception as error:
        end.send(error)
