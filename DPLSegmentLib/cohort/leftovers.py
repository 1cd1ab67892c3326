"""What killed processes leave behind: temporary folders and files, which never had a result's name."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

_FOLDER = re.compile(r"\.dpl-segment-\w+")
_OLD_SECONDS = 3600.0


def remove_leftovers(output: Path, older_than: float = _OLD_SECONDS) -> None:
    """Remove temporary folders that nothing was written to for so many seconds: those of a living worker stay."""
    for path in output.iterdir():
        if _FOLDER.fullmatch(path.name) and path.is_dir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > older_than:
                    shutil.rmtree(path)
