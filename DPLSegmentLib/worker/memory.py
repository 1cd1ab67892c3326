"""How the memory limit is shared out."""

from __future__ import annotations

_MIB = 1 << 20
_DEFAULT_MIB = 2048
_SCANS = 0.25


def scan_bytes(limit_mib: int | None) -> int:
    """Bytes for the voxels of scans."""
    return int(_total(limit_mib) * _SCANS)


def embedding_bytes(limit_mib: int | None) -> int:
    """Bytes for embeddings, which need about three times as much."""
    return int(_total(limit_mib) * (1 - _SCANS))


def _total(limit_mib: int | None) -> int:
    return (_DEFAULT_MIB if limit_mib is None else max(0, limit_mib)) * _MIB
