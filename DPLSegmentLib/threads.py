"""How the threads of PyTorch wait for each other; to be set before it is loaded."""

from __future__ import annotations

WAITING = {"GOMP_SPINCOUNT": "1000"}
"""They soon sleep. Beside another busy process those that spin take the core that the others need: the demo then took
more than 300 s instead of 17, and alone as long with this as without (6.4 s)."""
