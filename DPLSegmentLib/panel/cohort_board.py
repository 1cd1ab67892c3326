"""How it stands with every scan of a batch, in the order of the table."""

from __future__ import annotations

from collections import Counter

from DPLSegmentLib.cohort.scans import Record, State

_OPEN = (State.WAITING, State.RUNNING)


class Board:
    """Keeps the newest record of each scan and remembers which lines are to be shown again."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._rows: dict[str, int] = {}
        self._changed: dict[int, None] = {}
        self._at: tuple[str, int] | None = None

    @property
    def counts(self) -> Counter[State]:
        """How many scans are in each state."""
        return Counter(record.state for record in self._records)

    @property
    def open(self) -> int:
        """How many scans are waiting or running."""
        return sum(record.state in _OPEN for record in self._records)

    def at(self, row: int) -> Record | None:
        """The scan of a line."""
        return self._records[row] if 0 <= row < len(self._records) else None

    def state(self, scan: str) -> State | None:
        """The state of a scan by its id."""
        return self._records[self._rows[scan]].state if scan in self._rows else None

    def take(self, record: Record) -> None:
        """A scan has got a new state."""
        row = self._rows.setdefault(record.id, len(self._records))
        self._records[row : row + 1] = [record]
        self._changed[row] = None

    def progress(self, scan: str, fraction: float) -> None:
        """How far (0..1) the scan is that was begun last."""
        at = (scan, int(100 * fraction))
        if at != self._at and scan in self._rows:
            self._at = at
            self._changed[self._rows[scan]] = None

    def percent(self, record: Record) -> int | None:
        """How far a running scan is, where that is known."""
        return self._at[1] if self._at and self._at[0] == record.id and record.state is State.RUNNING else None

    def give_up(self, *states: State) -> None:
        """Scans in these states are not reached any more."""
        for record in list(self._records):
            if record.state in states:
                self.take(Record(record.id, State.NOT_REACHED))

    def changed(self, most: int) -> list[tuple[int, Record]]:
        """Lines to show again, at most so many at a time."""
        rows = list(self._changed)[:most]
        for row in rows:
            del self._changed[row]
        return [(row, self._records[row]) for row in rows]
