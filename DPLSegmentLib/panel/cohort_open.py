"""Loads a scan of a batch and its result into the scene: files are read in a thread, nodes made in short steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.stored import adding_result


def read_result(output: Path, scan: str) -> tuple[Volume, Segmentation]:
    """The scan with this id and what was found in it. Raises ImageError when a file is missing or damaged."""
    try:
        report = json.loads((output / f"{scan}.json").read_text(encoding="utf-8"))
        path, series, result = Path(report["query"]), report.get("series"), output / str(report["segmentation"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(f"The result of {scan} is not in {output} any more: retry it.") from error
    return read_volume(path, None, series), read_segmentation(result)


class Opening:
    """One result at a time; `say` takes a sentence and whether it is an error."""

    def __init__(self, stage: Stage, say: Callable[[str, bool], None]) -> None:
        self._stage = stage
        self._say = say
        self._ = stage.translate
        self._scan = ""
        self._pool: ThreadPoolExecutor | None = None
        self._reading: Future[tuple[Volume, Segmentation]] | None = None
        self._steps: Iterator[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a result is being loaded."""
        return self._reading is not None or self._steps is not None

    def begin(self, output: Path, scan: str) -> None:
        """Load the result of the scan with this id."""
        self.forget()
        self._scan = scan
        self._pool = self._pool or ThreadPoolExecutor(1, "open result")
        self._reading = self._pool.submit(read_result, output, scan)
        self._say(self._("{scan} is being loaded.").format(scan=scan), False)

    def tick(self) -> None:
        """Go on a little."""
        try:
            if self._reading is not None and self._reading.done():
                reading, self._reading = self._reading, None
                self._steps = adding_result(self._stage.scene, self._stage.logics, *reading.result())
            elif self._steps is not None:
                self._step(self._steps)
        except (ImageError, SceneError, OSError, MemoryError) as error:
            self.forget()
            self._say(str(error) or self._("{scan} does not fit into memory.").format(scan=self._scan), True)

    def _step(self, steps: Iterator[Any]) -> None:
        scan_node = next(steps, None)
        if scan_node is not None:
            self._stage.views().show(scan_node)
            return
        self._steps = None
        self._say(self._("{scan} and its segmentation are loaded.").format(scan=self._scan), False)

    def forget(self) -> None:
        """What is being loaded is not wanted any more."""
        self._reading, self._steps = None, None

    def close(self) -> None:
        """Nothing will be loaded any more."""
        self.forget()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
