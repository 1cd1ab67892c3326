"""Messages as lines."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.hearing import slice_result
from DPLSegmentLib.worker.pipes import Lines

REF = protocol.ArrayRef("dpls-1-ab", (2, 3, 4), "<i2")
LIVER = protocol.Structure("Leber \u2713 \U0001f600", 3, (0.1, 1.0, 1 / 3), {"TerminologyEntry": "a~b^c|d"})
MATRIX = ((0.7, 0.0, 0.0, -1.5), (0.0, 1 / 3, 0.0, 2.0), (0.0, 0.0, 3.0, 1e-17), (0.0, 0.0, 0.0, 1.0))
PAINTED = (protocol.Painted("key", (protocol.PaintedStructure(LIVER, REF),)),)
MESSAGES = [
    protocol.Scan("vtkMRML1 17", "Müller, 'CT'\n2", REF, MATRIX),
    protocol.Drop("key"),
    protocol.Embed(1, "key"),
    protocol.Propagate(2, PAINTED, "key", (3, 9), None),
    protocol.Propagate(2, (), "key", None, "/données/Ärzte ä/p.pt"),
    protocol.SavePrototypes(3, PAINTED, "C:\\Users\\J\u00f6rg M\\p.pt"),
    protocol.Room(2, REF, REF),
    protocol.Cancel(2),
    protocol.Hello(1, "abc", "CPU", ("cuda", "cpu"), "2.13", 77),
    protocol.Refused(1, "torch", "PyTorch is not installed."),
    protocol.Progress(2, "sweep", 0.25, None),
    protocol.Slice(2, "liver", 0, 5, 0.5, (3, 4), protocol.packed_bits(b"\x0f\x80")),
    protocol.Finished(2, (protocol.Report(LIVER, 12.5, 0.5, None),), 0, 4, {"embed": 1.0}, "CPU", "abc"),
    protocol.Done(2),
    protocol.Failed(2, "Why."),
    protocol.Stopped(2),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_its_line(message: protocol.Message) -> None:
    line = protocol.encoded(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert protocol.decoded(line) == message


def test_every_kind_of_message_is_among_them() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(protocol.Message))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_of_which_a_part_is_missing_or_of_another_type_is_no_message(message: protocol.Message) -> None:
    name, content = json.loads(protocol.encoded(message))
    for field in fields(message):
        for spoilt in ({**content, field.name: {"?": []}}, {k: v for k, v in content.items() if k != field.name}):
            if spoilt != content:
                with pytest.raises(protocol.ProtocolError):
                    protocol.decoded(json.dumps([name, spoilt]).encode())


@pytest.mark.parametrize(
    "line",
    [b"", b"Warning: something\n", b"{}", b"[]", b"null", b'["Done", 3]', b'["Nothing", {}]', b"\xff\xfe", b"[" * 9999],
)
def test_what_libraries_print_is_no_message(line: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decoded(line)


def test_pieces_of_a_pipe_become_whole_lines() -> None:
    lines = Lines()
    assert [lines.add(piece) for piece in (b"a", b"b\nc", b"\n\nd")] == [[], [b"ab"], [b"c", b""]]


def test_the_mask_of_a_slice_is_small_and_exact() -> None:
    mask = np.zeros((512, 511), bool)
    mask[100:300, 57:333] = True
    text = protocol.packed_bits(np.packbits(mask).tobytes())
    result = slice_result(protocol.Slice(1, "liver", 2, 3, 0.5, (512, 511), text))
    assert np.array_equal(result.mask, mask) and result.mask.dtype == bool
    assert len(text) < 2000
