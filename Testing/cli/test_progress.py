"""The progress bar."""

from __future__ import annotations

import pytest

from DPLSegmentLib.commands import progress
from DPLSegmentLib.commands.progress import PlainBar, ProgressBar
from DPLSegmentLib.propagation.types import Progress


class Recorder:
    """A bar that remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[float] = []

    def show(self, percent: float, label: str) -> None:
        """Remember it."""
        self.shown.append(percent)

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What the bar shows."""
    recorder = Recorder()
    monkeypatch.setattr(progress, "_best_bar", lambda: recorder)
    return recorder


def test_the_bar_never_goes_back_and_ends_full(recorder: Recorder) -> None:
    with ProgressBar("Segmenting", parts=2) as bar:
        for _ in range(2):
            for stage in ("embed", "score", "sweep", "polish", "something new"):
                for fraction in (0.0, 0.5, 1.0):
                    bar.on_progress(Progress(stage, fraction))
            bar.next_part()
    assert recorder.shown == sorted(recorder.shown)
    assert recorder.shown[-1] == 100.0
    assert 49.0 < recorder.shown[14] <= 50.0


def test_the_bar_does_not_claim_to_be_done_when_the_work_failed(recorder: Recorder) -> None:
    with pytest.raises(RuntimeError), ProgressBar("Segmenting") as bar:
        bar.update(0.3)
        raise RuntimeError
    assert recorder.shown == [30.0]


def test_in_a_log_a_line_a_tenth_says_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    bar = PlainBar()
    for percent in (0, 1, 5, 50, 51, 52, 100):
        bar.show(float(percent), "Segmenting")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "left" in said[1]
