"""What the text headers of NRRD and MetaImage say about where their voxels are, before ITK follows them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from DPLSegmentLib.images.errors import ImageError

_HEADER_BYTES = 1 << 20
_DATA_FILE = re.compile(r"^\s*(?:data ?file:|ElementDataFile\s*[=:])(.*)$", re.IGNORECASE | re.MULTILINE)
_COMPRESSED = re.compile(r"^\s*CompressedData\s*[=:]\s*T", re.IGNORECASE | re.MULTILINE)


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


def is_damaged(path: Path) -> bool:
    """True for a compressed MetaImage whose voxels fail their checksum, which ITK does not look at."""
    header = _header_text(path)
    found = _DATA_FILE.search(header)
    if path.suffix.lower() != ".mha" or found is None or not _COMPRESSED.search(header, 0, found.start()):
        return False
    with path.open("rb") as file:
        file.seek(found.end() + 1)
        return not _inflates(iter(lambda: file.read(_HEADER_BYTES), b""))


def _inflates(chunks: Iterable[bytes]) -> bool:
    stream = zlib.decompressobj()
    try:
        for chunk in chunks:
            stream.decompress(chunk)
    except zlib.error:
        return False
    return stream.eof


def _data_files(path: Path) -> list[str]:
    header = _header_text(path)
    found = _DATA_FILE.search(header)
    if found is None:
        return []
    value = found[1].strip()
    if value.upper().startswith("LIST"):
        return header[found.end() :].split()
    return [] if value.upper() == "LOCAL" else [value.split(" ")[0] if "%" in value else value]


def _header_text(path: Path) -> str:
    """The header, one character a byte; empty for other formats. Raises ImageError when it has no end."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    text = start.decode("latin-1")
    if start.startswith(b"NRRD"):
        header = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
        return _ended(header, path, len(header) < _HEADER_BYTES)
    if path.suffix.lower() in (".mha", ".mhd"):
        return _ended(text, path, _DATA_FILE.search(text) is not None)
    return ""


def _ended(header: str, path: Path, ended: bool) -> str:
    if not ended:
        raise ImageError(f"{path.name} is not an image that can be read: its header has no end, export it again.")
    return header
