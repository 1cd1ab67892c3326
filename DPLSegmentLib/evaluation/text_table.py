"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import stdev


def text_table(title: str, lines: Sequence[Sequence[str]]) -> str:
    """The title, and the lines in columns below it."""
    return f"{title}\n{columns(lines)}"


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of equally many cells one below the other: the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def percent(share: float | None, deviation: float | None = None) -> str:
    """0..1 as per cent with one digit, and with its spread where there is one; a dash for None."""
    if share is None:
        return "-"
    return f"{100 * share:.1f}" + ("" if deviation is None else f" ±{100 * deviation:.1f}")


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation (n - 1), None of fewer than two values."""
    return stdev(values) if len(values) > 1 else None


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip()
