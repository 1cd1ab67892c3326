"""What the elements of a DICOM file say, and whether their lengths add up, before a reader trusts them."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

_SYNTAX, _SERIES, _PIXELS = 0x00020010, 0x0020000E, 0x7FE00010
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
_CLASS, _INSTANCE = 0x00080016, 0x00080018
_WANTED = {_SYNTAX, _SERIES, _SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS, _CLASS, _INSTANCE}
_NO_SCANS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.481.2")
_IMPLICIT, _DEFLATED, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_NATIVE = (_IMPLICIT, "1.2.840.10008.1.2.1", _BIG_ENDIAN)
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG_LENGTH = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_UID = re.compile(r"[0-9.]{1,64}")
_LONGEST_VALUE = 128
_DEEPEST = 24
_MOST = 2_000_000


@dataclass
class Elements:
    """The few elements [tag -> bytes] that are needed to sort files, and `wrong`: what is wrong with the file, if so.

    `pixels` is the length of the stored voxels in bytes, None where there are none, -1 where they are compressed.
    """

    values: dict[int, bytes] = field(default_factory=dict)
    pixels: int | None = None
    wrong: str = ""
    order: str = "<"

    @property
    def series(self) -> str:
        """Series instance UID; empty when the file ends before it or it is none."""
        uid = self._text(_SERIES)
        return uid if _UID.fullmatch(uid) else ""

    @property
    def instance(self) -> str:
        """SOP instance UID."""
        return self._text(_INSTANCE)

    @property
    def frames(self) -> int:
        """Number of frames; 1 for a single slice."""
        return int(text) if (text := self._text(_FRAMES)).isdecimal() else 1

    @property
    def is_scan(self) -> bool:
        """True for an image other than a segmentation or a dose, damaged or not."""
        return self._text(_CLASS) not in _NO_SCANS and (self.pixels is not None or _ROWS in self.values)

    @property
    def syntax(self) -> str:
        """UID of the transfer syntax."""
        return self._text(_SYNTAX)

    @property
    def needed(self) -> int:
        """Bytes that the voxels take when they are not compressed."""
        rows, columns, bits, samples = (self._number(tag) for tag in (_ROWS, _COLUMNS, _BITS, _SAMPLES))
        return self.frames * rows * columns * bits * max(samples, 1) // 8

    def _text(self, tag: int) -> str:
        return self.values.get(tag, b"").decode("latin-1").strip(" \0")

    def _number(self, tag: int) -> int:
        value = self.values.get(tag, b"")
        return struct.unpack(self.order + "H", value)[0] if len(value) == 2 else 0


def is_dicom(path: Path) -> bool:
    """True when a file begins as DICOM files do."""
    return _start(path) is not None


def read_elements(path: Path) -> Elements | None:
    """The elements up to the voxels; None when the file does not begin as DICOM files do.

    Sequences in an encoding of their own, which some scanners write, are harmless.
    """
    start = _start(path)
    if start is None:
        return None
    found = Elements()
    with path.open("rb") as file:
        try:
            _Walk(file, path.stat().st_size, found).file(start)
            found.wrong = found.wrong or _missing_voxels(found)
        except _Unreadable:
            found.wrong = "damaged"
    return found


def _start(path: Path) -> int | None:
    with path.open("rb") as file:
        head = file.read(132)
    if head[128:] == b"DICM":
        return 132
    return 0 if head[:1] in (b"\x02", b"\x08") and head[1:2] == b"\0" and head[3:4] == b"\0" else None


def _missing_voxels(found: Elements) -> str:
    """The stored voxels may be more than are needed (padding), never fewer."""
    if found.pixels is None:
        return "damaged" if _ROWS in found.values else ""
    native = not found.syntax or found.syntax in _NATIVE
    return "damaged" if native and 0 <= found.pixels < found.needed else ""


class _Unreadable(Exception):
    """The elements cannot be followed."""


class _Damaged(_Unreadable):
    """An element is longer than what it lies in."""


class _Unusual(_Unreadable):
    """The encoding is not the one that the file names."""


@dataclass
class _Encoding:
    explicit: bool = True
    order: str = "<"


class _Walk:
    """Goes from element to element by their lengths."""

    def __init__(self, file: BufferedReader, size: int, found: Elements) -> None:
        self._file = file
        self._size = size
        self._found = found
        self._encoding = _Encoding()
        self._seen = 0

    def file(self, start: int) -> None:
        """The file header, then the elements up to the voxels."""
        position = self._elements(start, self._size, depth=0, group=2) if self._group(start) == 2 else start
        syntax = self._found.syntax
        if syntax == _DEFLATED:
            self._found.wrong = "compressed as a whole (deflated)"
            return
        self._encoding = _encoding(syntax) if syntax else self._guessed(position)
        self._found.order = self._encoding.order
        self._elements(position, self._size, depth=0)

    def _guessed(self, position: int) -> _Encoding:
        letters = self._bytes(position, self._size, 6)[4:]
        return _Encoding(explicit=letters.isalpha() and letters.isupper())

    def _group(self, position: int) -> int:
        return struct.unpack("<H", self._bytes(position, self._size, 2))[0]

    def _elements(self, position: int, end: int, depth: int, group: int | None = None) -> int:
        """Walk over elements until `end`, the end of an item, the voxels, or another group; returns where that is."""
        while position < end:
            if group is not None and self._group(position) != group:
                return position
            tag, kind, length, value = self._head(position, end)
            if tag == _END_OF_ITEM:
                return value
            if tag == _PIXELS and depth == 0:
                self._found.pixels = -1 if length == _UNDEFINED else length
            position = self._value(tag, kind, length, value, end, depth)
            if tag == _PIXELS and depth == 0:
                return position
        return position

    def _value(self, tag: int, kind: bytes, length: int, value: int, end: int, depth: int) -> int:
        if length == _UNDEFINED:
            return self._undefined(tag, kind, value, end, depth)
        if value + length > end:
            raise _Damaged
        if kind == b"SQ" or (not kind and self._begins_item(value, value + length)):
            with suppress(_Unusual):
                self._items(value, value + length, depth)
        elif depth == 0 and tag in _WANTED and length <= _LONGEST_VALUE:
            self._found.values[tag] = self._bytes(value, end, length)
        return value + length

    def _undefined(self, tag: int, kind: bytes, value: int, end: int, depth: int) -> int:
        if kind in (b"OB", b"OW"):
            return self._fragments(value, end)
        if kind not in (b"SQ", b"UN", b""):
            raise _Unusual
        if kind == b"SQ":
            with suppress(_Unusual):
                return self._items(value, end, depth)
        return self._inside_unknown(value, end, depth)

    def _inside_unknown(self, value: int, end: int, depth: int) -> int:
        """A sequence that a program did not know is written without types, whatever surrounds it; some others too."""
        outer, self._encoding = self._encoding, _Encoding(False, self._encoding.order)
        try:
            return self._items(value, end, depth)
        finally:
            self._encoding = outer

    def _items(self, position: int, end: int, depth: int) -> int:
        if depth >= _DEEPEST:
            raise _Damaged
        while position < end:
            tag, length, value = self._item_head(position, end)
            if tag == _END_OF_SEQUENCE:
                return value
            if tag != _ITEM:
                raise _Unusual
            if length != _UNDEFINED and value + length > end:
                raise _Damaged
            last = end if length == _UNDEFINED else value + length
            position = self._elements(value, last, depth + 1)
        return position

    def _fragments(self, position: int, end: int) -> int:
        while True:
            tag, length, value = self._item_head(position, end)
            if tag == _END_OF_SEQUENCE:
                return value
            if tag != _ITEM or length > end - value:
                raise _Damaged
            position = value + length

    def _head(self, position: int, end: int) -> tuple[int, bytes, int, int]:
        """Tag, type (empty when it is not written), length and place of the value of an element."""
        tag, length, value = self._item_head(position, end)
        if tag in (_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE) or not self._encoding.explicit:
            return tag, b"", length, value
        kind = self._bytes(position + 4, end, 2)
        if not (kind.isalpha() and kind.isupper()):
            raise _Unusual
        if kind in _LONG_LENGTH:
            return tag, kind, self._number("I", value, end), value + 4
        return tag, kind, self._number("H", position + 6, end), value

    def _item_head(self, position: int, end: int) -> tuple[int, int, int]:
        self._seen += 1
        if self._seen > _MOST:
            raise _Damaged
        raw = self._bytes(position, end, 8)
        group, element, length = struct.unpack(self._encoding.order + "HHI", raw)
        return group << 16 | element, length, position + 8

    def _begins_item(self, value: int, end: int) -> bool:
        return end - value >= 8 and self._item_head(value, end)[0] == _ITEM

    def _number(self, form: str, position: int, end: int) -> int:
        raw = self._bytes(position, end, struct.calcsize(form))
        return struct.unpack(self._encoding.order + form, raw)[0]

    def _bytes(self, position: int, end: int, count: int) -> bytes:
        self._file.seek(position)
        read = self._file.read(count) if position + count <= end else b""
        if len(read) < count:
            raise _Damaged
        return read


def _encoding(syntax: str) -> _Encoding:
    return _Encoding(syntax != _IMPLICIT, ">" if syntax == _BIG_ENDIAN else "<")
