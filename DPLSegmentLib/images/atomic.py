"""Files that are either complete or absent under their final name."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from DPLSegmentLib.images.errors import ImageError

_ADVICE = {
    errno.ENOSPC: "free some space there or choose another folder",
    errno.EDQUOT: "free some space there or choose another folder",
    errno.EFBIG: "the disk does not take a file of this size, choose another folder",
    errno.ENOENT: "make that folder first or choose another one",
    errno.EISDIR: "a folder has that name already, choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path` with the same suffix; it takes that name when the block ends well.

    Whatever goes wrong in the block, Ctrl-C included, the temporary file is removed and `path` stays as it was.
    Raises ImageError when the disk or the folder does not let the file be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid.uuid4().hex}{''.join(target.suffixes[-2:])}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        raise ImageError(_sentence(target, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sentence(target: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0, "choose a folder that you may write to")
    return f"{target.name} could not be written to {target.parent.absolute()} ({reason}): {advice}."
