"""Work in several processes: everything is done once, and what goes wrong is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from DPLSegmentLib.ablation.errors import AblationError
from DPLSegmentLib.ablation.members import side_by_side
from DPLSegmentLib.training.config import TrainingError


def note(folder: Path, items: Sequence[int], on_units: Callable[[int], None]) -> None:
    """Write a file an item that names the process."""
    for item in items:
        (folder / str(item)).write_text(str(os.getpid()))
        on_units(item)


def refuse(_items: Sequence[int], _on_units: Callable[[int], None]) -> None:
    """What a training does that cannot start."""
    raise TrainingError("No scans.")


def vanish(_items: Sequence[int], _on_units: Callable[[int], None]) -> None:
    """What a system does that has no memory left."""
    os._exit(9)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_is_done_once_and_heard_of(jobs: int, tmp_path: Path) -> None:
    heard: list[int] = []
    side_by_side(partial(note, tmp_path), [1, 2, 3], jobs, heard.append)
    assert sorted(heard) == [1, 2, 3] == sorted(int(path.name) for path in tmp_path.iterdir())
    workers = {path.read_text() for path in tmp_path.iterdir()}
    assert len(workers) == jobs and (str(os.getpid()) in workers) == (jobs == 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_stops_one_process_is_raised(jobs: int) -> None:
    with pytest.raises(TrainingError, match="No scans"):
        side_by_side(refuse, [1, 2], jobs, print)


def test_a_process_that_vanishes_is_said() -> None:
    with pytest.raises(AblationError, match="ended before its work was done"):
        side_by_side(vanish, [1, 2], 2, print)
