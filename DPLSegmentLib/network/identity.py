"""Which weights a file holds, without loading them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_LENGTH = 12


def digest_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal; raises OSError when there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_id_of(digest: str) -> str:
    """The model's id: the first characters of the SHA-256 of its weights."""
    return digest[:_LENGTH]
