"""Headers that keep their voxels in another file."""

from __future__ import annotations

import re
from pathlib import Path

from DPLSegmentLib.images.errors import ImageError

_HEADER_BYTES = 65536
_DATA_FILE = re.compile(r"^(?:data ?file: ?|ElementDataFile *= *)(.*)$", re.IGNORECASE | re.MULTILINE)


def is_detached(path: Path) -> bool:
    """True when the voxels lie in another file than the header."""
    return bool(_data_files(path)) or path.suffix.lower() in (".hdr", ".img")


def check_data_files(path: Path) -> None:
    """Raise ImageError when a header points to voxels outside its own folder."""
    folder = path.parent.resolve()
    for name in _data_files(path):
        if not (folder / name).resolve().is_relative_to(folder):
            raise ImageError(
                f"{path.name} takes its voxels from {name}, outside its folder: put both files in one folder."
            )


def _data_files(path: Path) -> list[str]:
    header = _header_text(path)
    found = _DATA_FILE.search(header)
    if found is None or found[1].strip().upper() == "LOCAL":
        return []
    if found[1].strip().upper().startswith("LIST"):
        return header[found.end() :].split("\n\n")[0].split()
    return [found[1].strip().split(" ")[0] if "%" in found[1] else found[1].strip()]


def _header_text(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    is_text = start.startswith(b"NRRD") or b"ElementDataFile" in start
    return start.decode("latin-1").replace("\r\n", "\n") if is_text else ""
