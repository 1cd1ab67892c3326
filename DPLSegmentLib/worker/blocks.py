"""Arrays in shared memory, made by one process and taken by another.

Python's own `SharedMemory` starts a tracker process, of an interpreter that is Slicer inside Slicer, and that tracker
unlinks blocks which other processes use. Here a block has a name only until it is taken: from then on the system frees
it when the last process lets go of it or is killed.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from DPLSegmentLib.worker.protocol import ArrayRef

PREFIX = "dpls-"
_FOLDER = Path("/dev/shm")
_WINDOWS = sys.platform == "win32"

if _WINDOWS:
    import _winapi
else:
    import _posixshmem


class SharedArray:
    """An array in shared memory. Arrays that were got from it stay valid after `close` and `unlink`."""

    def __init__(self, ref: ArrayRef, memory: mmap.mmap, descriptor: int | None) -> None:
        self.ref = ref
        self.array = np.frombuffer(memory, ref.dtype, int(np.prod(ref.shape))).reshape(ref.shape)
        self._descriptor = descriptor
        self._named = True

    @classmethod
    def create(cls, shape: tuple[int, ...], dtype: np.dtype | type) -> SharedArray:
        """A new block of zeros, at once whatever its size; raises OSError when the system has no room for it."""
        name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
        ref = ArrayRef(name, tuple(int(side) for side in shape), np.dtype(dtype).str)
        return cls(ref, *_mapped(ref, new=True))

    @classmethod
    def attach(cls, ref: ArrayRef) -> SharedArray:
        """The block that another process made; raises OSError when it is gone."""
        return cls(ref, *_mapped(ref, new=False))

    @classmethod
    def take(cls, ref: ArrayRef) -> SharedArray:
        """Attach, make sure that there is memory for all of it, and remove its name; raises OSError."""
        taken = cls.attach(ref)
        taken.unlink()
        try:
            taken.reserve(0, taken.array.nbytes)
        finally:
            taken.close()
        return taken

    def reserve(self, start: int, length: int) -> None:
        """Raise OSError when there is no memory for these bytes. On Linux a write would end the process instead."""
        if self._descriptor is not None and length and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, start, length)

    def close(self) -> None:
        """Let go of what only a growing block needs; the memory is freed with the last array on it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def unlink(self) -> None:
        """Remove the name; on Windows a block has none of its own. Does nothing the second time."""
        if self._named and not _WINDOWS:
            with suppress(FileNotFoundError):
                _posixshmem.shm_unlink(f"/{self.ref.name}")
        self._named = False


def remove_stale_blocks(folder: Path = _FOLDER) -> None:
    """Delete blocks of clients that no longer live, where the system shows them as files."""
    for block in folder.glob(f"{PREFIX}*-*"):
        owner = block.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _lives(int(owner)):
            with suppress(OSError):
                block.unlink()


def _mapped(ref: ArrayRef, new: bool) -> tuple[mmap.mmap, int | None]:
    size = max(1, int(np.prod(ref.shape)) * np.dtype(ref.dtype).itemsize)
    return _mapped_on_windows(ref.name, size, new) if _WINDOWS else _mapped_on_posix(ref.name, size, new)


def _mapped_on_posix(name: str, size: int, new: bool) -> tuple[mmap.mmap, int]:
    flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0)
    descriptor = _posixshmem.shm_open(f"/{name}", flags, mode=0o600)
    try:
        if new:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size), descriptor
    except (OSError, ValueError) as error:
        os.close(descriptor)
        if new:
            _posixshmem.shm_unlink(f"/{name}")
        raise OSError(f"The block {name} cannot be mapped: {error}") from error


def _mapped_on_windows(name: str, size: int, new: bool) -> tuple[mmap.mmap, None]:
    if not new:  # mapping a name that is gone would make a new block of zeros
        _winapi.CloseHandle(_winapi.OpenFileMapping(_winapi.FILE_MAP_READ, False, name))
    return mmap.mmap(-1, size, tagname=name), None


def _lives(pid: int) -> bool:
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        return state not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
