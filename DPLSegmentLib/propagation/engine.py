"""One painted slice to a whole volume: the one entrance to everything in this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from DPLSegmentLib.images.facing import facing
from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.checkpoint import Model, load_model
from DPLSegmentLib.network.devices import choose_device, device_name
from DPLSegmentLib.network.inference import fast_encoder
from DPLSegmentLib.propagation.cache import EmbeddingCache, fingerprint
from DPLSegmentLib.propagation.closeup import close_up
from DPLSegmentLib.propagation.embedding import Embedder, Embedding
from DPLSegmentLib.propagation.faced import faced
from DPLSegmentLib.propagation.known import KnownStructure, Recognised
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.painted import PaintedSlice, painted_slices
from DPLSegmentLib.propagation.prototype_set import (
    PrototypeSet,
    StructurePrototypes,
    collect,
    joined_sections,
    merged,
    structure_of,
)
from DPLSegmentLib.propagation.result import Assembly
from DPLSegmentLib.propagation.scans import Scans, hounsfield_window, window_for
from DPLSegmentLib.propagation.sights import Sights
from DPLSegmentLib.propagation.stopwatch import Stopwatch
from DPLSegmentLib.propagation.structure import StructureRun, reach_of
from DPLSegmentLib.propagation.sweep import SweepRange
from DPLSegmentLib.propagation.turned import turned, turned_back
from DPLSegmentLib.propagation.types import (
    CancelToken,
    OnProgress,
    OnSlice,
    Propagation,
    PropagationError,
    Support,
)
from DPLSegmentLib.resources import WEIGHTS, resource

_FINE_MM = 1.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """A structure, the embedding it is swept through, what of it is painted there, and where it is if it is known."""

    structure: StructurePrototypes
    embedding: Embedding
    painted: Sequence[PaintedSlice]
    known: KnownStructure | None = None

    def reach(self, slice_range: tuple[int, int] | None) -> SweepRange:
        """The slices that the user named, or else those on which it is seen, if it is known."""
        if slice_range is None and self.known:
            return self.known.reach
        return reach_of(slice_range, self.embedding.count)


class Engine:
    """Embeds scans, makes prototypes of painted slices, and propagates them. The same input gives the same result."""

    def __init__(self, model: Model, device: torch.device, options: EngineOptions | None = None) -> None:
        self.model = model
        self.options = options or EngineOptions()
        self.cache = EmbeddingCache()
        self.device_name = device_name(device)
        self._use(device)

    def _use(self, device: torch.device) -> None:
        self.device = device
        self.network = self.model.network.to(device)
        self.sights = Sights(self.network)
        self.embedder = Embedder(fast_encoder(self.network.encoder, device), device)

    @property
    def model_id(self) -> str:
        """First characters of the SHA-256 of the weights."""
        return self.model.model_id

    def with_options(self, options: EngineOptions) -> Engine:
        """The same model and cache under other switches."""
        other = Engine.__new__(Engine)
        other.__dict__ = {**self.__dict__, "options": options}
        return other

    def embed(
        self,
        volume: Volume,
        axis: int = 0,
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
        window: tuple[float, float] | None = None,
        whole: bool = False,
    ) -> Embedding:
        """Embed a scan along an array axis, or take it from the cache; raises Cancelled.

        `window` are the stored values shown as 0 and 1; `whole` keeps the air around the patient.
        """
        return self._scans.embedded(volume, axis, on_progress, cancel, window, whole)

    @property
    def _scans(self) -> Scans:
        return Scans(self.embedder, self.cache)

    def prototypes(
        self,
        supports: Sequence[Support],
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> PrototypeSet:
        """What the painted slices say of each structure; structures of the same name in several supports are joined."""
        upright = [turned(support) for support in supports]
        return self._recognised(self._joined_prototypes(upright, on_progress, cancel), upright, cancel)

    def _joined_prototypes(
        self, supports: Sequence[Support], on_progress: OnProgress | None, cancel: CancelToken | None
    ) -> PrototypeSet:
        parts = [self._prototypes_of(support, on_progress, cancel) for support in supports]
        if not parts:
            raise PropagationError("There is no painted scan; paint a structure on one slice and try again.")
        joined: dict[str, StructurePrototypes] = {}
        for structure in (structure for part in parts for structure in part.structures):
            known = joined.get(structure.name)
            joined[structure.name] = _joined(known, structure) if known else structure
        return replace(parts[0], structures=tuple(joined.values()))

    def propagate(
        self,
        source: Sequence[Support] | PrototypeSet,
        query: Volume,
        *,
        slice_range: tuple[int, int] | None = None,
        on_progress: OnProgress | None = None,
        on_slice: OnSlice | None = None,
        cancel: CancelToken | None = None,
    ) -> Propagation:
        """Segment `query` from painted slices, on itself or on other scans, or from prototypes made earlier.

        `slice_range` (first, last) along the painted axis says where the structures are. `on_slice` gets each slice as
        soon as it is known, outward from the painted one; a scan that was itself painted in a reformatted plane is cut
        into slices along that plane, which are counted from 0 and not streamed. Raises PropagationError, Cancelled.
        Where the memory of a graphics card does not suffice the CPU takes over, and `Propagation.device` says so.
        """

        def run(source: Sequence[Support] | PrototypeSet) -> Propagation:
            return self._propagate(source, query, slice_range, on_progress, on_slice, cancel)

        if isinstance(source, PrototypeSet):
            return self._safely(query, lambda: run(source))
        own = _own_support(source, query)
        supports = [turned(support) for support in source]
        slanted = next((new for new, old in zip(supports, source, strict=True) if old is own and new is not old), None)
        if own is None or slanted is None:
            return self._safely(query, lambda: run(supports))
        along, tilted = slanted.volume, replace(self.options, crossing=True)

        def run_tilted() -> Propagation:
            return self.with_options(tilted)._propagate(supports, along, slice_range, on_progress, None, cancel)

        return turned_back(self._safely(query, run_tilted), own)

    def _safely(self, query: Volume, run: Callable[[], Propagation]) -> Propagation:
        """On the CPU where the memory of the graphics card does not suffice."""
        try:
            return run()
        except torch.cuda.OutOfMemoryError:
            if self.device.type == "cpu":
                raise PropagationError(f"The memory does not suffice for {query.name}; close other programs.") from None
        self._fall_back()
        return run()

    def _fall_back(self) -> None:
        self.device_name = f"CPU, because the memory of {device_name(self.device)} was full"
        self.cache.clear()
        self._use(torch.device("cpu"))
        torch.cuda.empty_cache()

    def _propagate(
        self,
        source: Sequence[Support] | PrototypeSet,
        query: Volume,
        slice_range: tuple[int, int] | None,
        on_progress: OnProgress | None,
        on_slice: OnSlice | None,
        cancel: CancelToken | None,
    ) -> Propagation:
        watch = Stopwatch()
        found = self._found(source, watch, on_progress, cancel)
        own = None if isinstance(source, PrototypeSet) else _own_support(source, query)
        if own:
            return self._swept(found, query, own, slice_range, watch, on_progress, on_slice, cancel)
        if not isinstance(source, PrototypeSet):
            found = self._recognised(found, source, cancel)
        seen = faced(query, found.facing, found.axis)
        tell, show = seen.progress(on_progress), seen.slices(on_slice)
        reach = seen.reach(slice_range)
        return seen.back(self._swept(found, seen.shown, None, reach, watch, tell, show, cancel))

    def _swept(
        self,
        found: PrototypeSet,
        query: Volume,
        own: Support | None,
        slice_range: tuple[int, int] | None,
        watch: Stopwatch,
        on_progress: OnProgress | None,
        on_slice: OnSlice | None,
        cancel: CancelToken | None,
    ) -> Propagation:
        embedding, axis = self._embed_query(query, own, found, on_progress, cancel)
        watch.lap("embed")
        assembly = Assembly(query, axis, self.options.confidence)
        for number, structure in enumerate(found.structures):
            seen = self._seen(structure, own, embedding, on_progress, cancel)
            if own is None:
                seen = self._found_again(seen, query, slice_range, cancel)
            reach = seen.reach(slice_range)
            options = self._options(seen.embedding, embedding)
            run = StructureRun(self.network, options, seen.embedding, seen.structure, axis, reach, seen.known)
            share = (number / len(found.structures), 1 / len(found.structures))
            swept = run.run(seen.painted, share, on_progress, on_slice, cancel)
            assembly.add(seen.structure, swept, seen.embedding, seen.painted, seen.known)
        watch.lap("sweep")
        return assembly.finish(watch, self.device_name, self.model_id, on_progress)

    def _options(self, seen: Embedding, whole: Embedding) -> EngineOptions:
        """What is `seen` close up through fine pixels is settled on them: coarse ones would wear thin limbs away."""
        if seen is whole or seen.stack.pixel_mm >= _FINE_MM:
            return self.options
        return replace(self.options, settle=replace(self.options.settle, pixel_mm=seen.stack.pixel_mm))

    def _seen(
        self,
        structure: StructurePrototypes,
        own: Support | None,
        embedding: Embedding,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
    ) -> _Seen:
        """A structure of the scan it was painted on, close up if it is thin there; of other scans as it is."""
        segment = _segment(own, structure.name) if own else None
        painted = painted_slices(segment, embedding.stack.axis, embedding) if segment else []
        known = None
        if own and painted and self.options.recognise:
            known = self.sights.known(embedding, own.volume, painted, cancel)
        close = close_up(painted, embedding) if painted and self.options.close_up else None
        if own is None or segment is None or close is None:
            return _Seen(structure, embedding, painted, known)
        closer = self._scans.closely(own, embedding, close, on_progress, cancel)
        painted = painted_slices(segment, embedding.stack.axis, closer)
        prototypes = collect(painted, closer, self.network.extract)
        return _Seen(replace(structure, prototypes=prototypes), closer, painted, known)

    def _recognised(self, found: PrototypeSet, supports: Sequence[Support], cancel: CancelToken | None) -> PrototypeSet:
        """With what each structure is recognised as where it is painted, to be found again by that in other scans."""
        taken: dict[str, Recognised] = {}
        for support in supports if self.options.recognise else ():
            embedding = self._scans.painted(support, support.axis, None, cancel)
            for segment in support.painted.segments:
                painted = painted_slices(segment, embedding.stack.axis, embedding)
                seen = self.sights.recognised(embedding, support.volume, painted, cancel) if painted else None
                if seen:
                    taken.setdefault(segment.name, seen)
        structures = (replace(each, recognised=taken.get(each.name)) for each in found.structures)
        return replace(found, structures=tuple(structures))

    def _found_again(
        self, seen: _Seen, query: Volume, slice_range: tuple[int, int] | None, cancel: CancelToken | None
    ) -> _Seen:
        """With where a structure that was recognised is in a scan on which nothing is painted."""
        recognised = seen.structure.recognised
        if recognised is None or not self.options.recognise:
            return seen
        place = (seen.structure.whole.area_mm2, reach_of(slice_range, seen.embedding.count))
        return replace(seen, known=self.sights.found(seen.embedding, query, recognised, *place, cancel))

    def _found(
        self,
        source: Sequence[Support] | PrototypeSet,
        watch: Stopwatch,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
    ) -> PrototypeSet:
        if isinstance(source, PrototypeSet):
            self._check(source)
            return source
        for support in source:
            self._scans.painted(support, support.axis, on_progress, cancel)
        watch.lap("embed")
        found = self._joined_prototypes(source, on_progress, cancel)
        watch.lap("prototypes")
        return found

    def _embed_query(
        self,
        query: Volume,
        own: Support | None,
        found: PrototypeSet,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
    ) -> tuple[Embedding, int]:
        if own:
            axis = own.axis
            return self._scans.painted(own, axis, on_progress, cancel), axis
        return self.embed(query, found.axis, on_progress, cancel, window_for(query, found.window)), found.axis

    def _prototypes_of(
        self, support: Support, on_progress: OnProgress | None, cancel: CancelToken | None
    ) -> PrototypeSet:
        axis = support.axis
        embedding = self._scans.painted(support, axis, on_progress, cancel)
        slices = [(segment, painted_slices(segment, axis, embedding)) for segment in support.painted.segments]
        extract = self.network.extract
        structures = [structure_of(segment, painted, embedding, extract) for segment, painted in slices if painted]
        way, window = facing(support.volume.ijk_to_ras), hounsfield_window(support)
        return PrototypeSet(tuple(structures), way, axis, window, self.model_id)

    def _check(self, found: PrototypeSet) -> None:
        if found.model_id != self.model_id:
            raise PropagationError(
                f"These prototypes were made with model {found.model_id}, but this is model {self.model_id}; "
                "make them again from the painted scan."
            )


def load_engine(device: str = "auto", weights: Path | None = None, options: EngineOptions | None = None) -> Engine:
    """The bundled model, or the one in `weights`, on a device; raises CheckpointError, DeviceError."""
    return Engine(load_model(weights or resource(WEIGHTS)), choose_device(device), options)


def _own_support(supports: Sequence[Support], query: Volume) -> Support | None:
    same = [support for support in supports if support.volume is query]
    if same:
        return same[0]
    marks = {fingerprint(support.volume): support for support in supports}
    return marks.get(fingerprint(query))


def _segment(support: Support, name: str) -> Segment:
    empty = np.zeros(support.painted.shape, bool)
    known = {segment.name: segment for segment in support.painted.segments}
    return known.get(name) or support.painted.segments[0].with_mask(empty)


def _joined(known: StructurePrototypes, other: StructurePrototypes) -> StructurePrototypes:
    prototypes = merged([known.prototypes, other.prototypes])
    return replace(known, prototypes=prototypes, sections=joined_sections(known.sections, other.sections))
