"""Reading pipes without waiting for them, on every system."""

from __future__ import annotations

import os
import sys

_MOST = 1 << 16

if sys.platform == "win32":
    import _winapi
    import msvcrt

    def never_wait(descriptor: int) -> None:
        """Nothing to prepare: Windows says how much there is to read."""

    def read_now(descriptor: int) -> bytes | None:
        """What has come, at most 64 KiB; b"" when nothing has, None when the other end is closed."""
        try:
            there = _winapi.PeekNamedPipe(msvcrt.get_osfhandle(descriptor), 0)[0]
            return os.read(descriptor, min(there, _MOST)) if there else b""
        except OSError:
            return None

else:

    def never_wait(descriptor: int) -> None:
        """From now on reading from or writing to this end of a pipe returns at once."""
        os.set_blocking(descriptor, False)

    def read_now(descriptor: int) -> bytes | None:
        """What has come, at most 64 KiB; b"" when nothing has, None when the other end is closed."""
        try:
            return os.read(descriptor, _MOST) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


class Lines:
    """Puts the pieces that a pipe gives together to whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, piece: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return whole
