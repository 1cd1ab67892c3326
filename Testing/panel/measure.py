"""How the panel feels: `python -m Testing.panel.measure [RUNS]`.

The bundled CT on a grid of 257x257x140 with four painted organs, a real scene, a real worker process, and the
presenter polled as its timer does.
"""

from __future__ import annotations

import os
import sys
import time
from statistics import median
from typing import Any

import numpy as np
import slicer

from DPLSegmentLib.evaluation.bench_scan import BenchScan, bench_scan
from DPLSegmentLib.evaluation.machine import describe, machine
from DPLSegmentLib.scene.adding import add_scan, add_segmentation
from DPLSegmentLib.scene.oriented import oriented
from DPLSegmentLib.worker.client import Worker, WorkerOptions
from DPLSegmentLib.worker.launch import starter
from Testing.panel.stand import Panel, State, make_logics, make_views, open_panel

_MIB = 2**20


def main(runs: int) -> None:
    """Print medians of some runs."""
    panel, worker = opened(bench_scan())
    settle(panel)
    figures = [measure(panel) for _ in range(runs)]
    print(f"{describe(machine())}; medians of {runs} runs")
    for name in figures[0]:
        print(f"{name:55} {median(each[name] for each in figures):8.3f}")
    print(f"{'idle worker, MiB':55} {resident(worker) / _MIB:8.0f}")
    worker.stop()


def opened(scan: BenchScan) -> tuple[Panel, Worker]:
    """A panel with the painted scan chosen."""
    scene = slicer.vtkMRMLScene()
    logics, state = make_logics(scene), State()
    worker = Worker(starter(sys.executable, os.environ), WorkerOptions(device="cpu"))
    panel = open_panel(scene, logics, worker, state, make_views(scene))
    state.scan = add_scan(scene, scan.volume)
    state.segmentation = add_segmentation(scene, state.scan)
    for segment in scan.support(4).painted.segments:
        segment_id = state.segmentation.GetSegmentation().AddEmptySegment("", segment.name)
        labelmap = oriented(segment.mask, scan.volume.ijk_to_ras)
        logics.segmentations.SetBinaryLabelmapToSegment(labelmap, state.segmentation, segment_id)
    panel.presenter.scan_changed()
    panel.presenter.segmentation_changed()
    return panel, worker


def settle(panel: Panel) -> None:
    """Wait until the scan is embedded."""
    panel.poll_until(lambda: panel.presenter.worker.info is not None and not panel.presenter.background.busy)


def measure(panel: Panel) -> dict[str, float]:
    """One run and one cancelled run, in seconds."""
    panel.beats.clear()
    start = time.monotonic()
    panel.presenter.propagate_clicked()
    figures = {"button pressed, main thread held": time.monotonic() - start}
    preview = panel.presenter.run.target.preview
    panel.poll_until(lambda: not panel.presenter.running or bool(np.any(preview._layers.labels)))
    figures["button to first previewed slice"] = time.monotonic() - start
    panel.finish()
    figures["button to result, four organs, embedding ready"] = time.monotonic() - start
    figures["longest poll"] = max(panel.beats)
    figures["polls above 50 ms, share"] = float(np.mean(np.array(panel.beats) > 0.05))
    return {**figures, **cancelled(panel)}


def cancelled(panel: Panel) -> dict[str, float]:
    """Seconds until a cancelled run is over, in the panel and in the worker."""
    panel.presenter.propagate_clicked()
    panel.poll_until(lambda: (panel.view.fraction or 0) > 0.6)
    start = time.monotonic()
    panel.presenter.propagate_clicked()
    shown = time.monotonic() - start
    panel.poll_until(lambda: panel.presenter.worker.idle)
    return {"cancel, panel": shown, "cancel, worker idle again": time.monotonic() - start}


def resident(worker: Any) -> int:
    """Bytes of memory that the worker process holds."""
    with open(f"/proc/{worker.info.pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
