"""What a batch looks for: painted scans, or prototypes made of them earlier."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support

if TYPE_CHECKING:
    from DPLSegmentLib.propagation.engine import Engine
    from DPLSegmentLib.propagation.prototype_set import PrototypeSet


class Source(Protocol):
    """Travels to workers: arrays and bytes, no open files and nothing of torch."""

    facts: Mapping[str, str]

    def fingerprint(self) -> str:
        """Differs when anything differs that could change a result."""
        ...

    def prototypes(self, engine: Engine) -> PrototypeSet:
        """What the engine looks for in other scans; raises PropagationError."""
        ...

    def supports(self) -> tuple[Support, ...]:
        """The painted scans; when one of them is a scan of the batch, its own painting is kept."""
        ...


@dataclass(frozen=True, eq=False)
class PaintedSource:
    """A painted scan; `facts` say in the JSON files what it was."""

    support: Support
    facts: Mapping[str, str]

    def fingerprint(self) -> str:
        """Of voxels, geometry, painted voxels, names, values, colours and tags."""
        digest = hashlib.blake2b(digest_size=16)
        _add_volume(digest, self.support.volume)
        for segment in self.support.painted.segments:
            _add_segment(digest, segment)
        return digest.hexdigest()

    def prototypes(self, engine: Engine) -> PrototypeSet:
        """Made of the painted slices."""
        return engine.prototypes([self.support])

    def supports(self) -> tuple[Support, ...]:
        """This one."""
        return (self.support,)


@dataclass(frozen=True)
class PrototypeSource:
    """The content of a prototype file."""

    content: bytes
    facts: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> PrototypeSource:
        """Read a file; raises CohortError when there is none. It is looked into when the engine is there."""
        if not path.is_file():
            raise CohortError(f"There is no prototype file {path}; make one with propagate --save-prototypes.")
        return cls(path.read_bytes(), {"prototypes": str(path)})

    def fingerprint(self) -> str:
        """Of what is in the file: made again of the same painted slices it differs in the name of its archive alone."""
        return hashlib.blake2b(repr(_contents(self.content)).encode(), digest_size=16).hexdigest()

    def prototypes(self, engine: Engine) -> PrototypeSet:
        """Read as from the file itself; nothing is unpickled."""
        from DPLSegmentLib.propagation.prototype_file import load_prototypes

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, Path(self.facts["prototypes"]).name)
            path.write_bytes(self.content)
            return load_prototypes(path, engine.model_id)

    def supports(self) -> tuple[Support, ...]:
        """None: prototypes know no scan."""
        return ()


def _contents(content: bytes) -> list[tuple[str, bytes]]:
    """Names inside the archive and digests; a file that is no archive is refused later, when it is looked into."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(name.partition("/")[2], _digest(archive.read(name))) for name in archive.namelist()]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
        return [("", _digest(content))]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _add_volume(digest: hashlib.blake2b, volume: Volume) -> None:
    digest.update(repr((volume.array.shape, volume.array.dtype.str)).encode())
    digest.update(np.ravel(volume.array))
    digest.update(volume.ijk_to_ras.round(6).tobytes())


def _add_segment(digest: hashlib.blake2b, segment: Segment) -> None:
    digest.update(repr((segment.name, segment.value, segment.color, sorted(segment.tags.items()))).encode())
    digest.update(np.packbits(segment.mask))
