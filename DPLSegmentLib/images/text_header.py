"""What the text headers of NRRD and MetaImage say about where their voxels are, before ITK follows them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from DPLSegmentLib.images.errors import ImageError

_HEADER_BYTES = 1 << 20
_CHUNK = 1 << 16
_DATA_FILE = re.compile(r"^\s*(?:data ?file:|ElementDataFile\s*[=:])(.*)$", re.IGNORECASE | re.MULTILINE)
_GZIP = re.compile(r"^encoding: *gz(?:ip)?\s*$", re.IGNORECASE | re.MULTILINE)
_SKIP = re.compile(r"^(?:line|byte) ?skip:", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(r"\n\r?\n")
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
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
    """True when the compressed voxels after a header fail their checksum, which ITK does not look at."""
    start = _compressed_start(_header_text(path))
    if start is None:
        return False
    with path.open("rb") as file:
        file.seek(start)
        return not _inflates(iter(lambda: file.read(_CHUNK), b""))


def _compressed_start(header: str) -> int | None:
    """Where gzip or zlib begins in the file; None when there is none in it or it does not follow its header at once."""
    data_file = _DATA_FILE.search(header)
    if header.startswith("NRRD"):
        return len(header) if _GZIP.search(header) and not (data_file or _SKIP.search(header)) else None
    if data_file is None or not _COMPRESSED.search(header, 0, data_file.start()):
        return None
    return data_file.end() + 1 if data_file[1].strip().upper() == "LOCAL" else None


def _inflates(chunks: Iterable[bytes]) -> bool:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
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
        blank = _BLANK_LINE.search(text)
        return _ended(text[: blank.end()] if blank else text, path, bool(blank) or len(start) < _HEADER_BYTES)
    if path.suffix.lower() in (".mha", ".mhd"):
        return _ended(text, path, _DATA_FILE.search(text) is not None)
    return ""


def _ended(header: str, path: Path, ended: bool) -> str:
    if not ended:
        raise ImageError(f"{path.name} is not an image that can be read: its header has no end, export it again.")
    return header
