"""DICOM files whose lengths and counts lie, and files changed at random."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from DPLSegmentLib.images.dicom_elements import read_elements
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from Testing.images.dicom_files import Scan, change, save

PIXELS = struct.pack("<HH", 0x7FE0, 0x0010)
SEQUENCE = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


@pytest.fixture
def folder(crop: Volume, tmp_path: Path) -> Path:
    return Scan(crop.array[:3]).write(tmp_path / "ct")


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / "IM001.dcm"


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0xFFFFFFF0, 0x7FFFFFFF, 10_000, 100])
def test_voxels_of_a_wrong_length_are_refused(folder: Path, file: Path, length: int) -> None:
    content = bytearray(file.read_bytes())
    place = content.index(PIXELS) + 8
    content[place : place + 4] = struct.pack("<I", length)
    file.write_bytes(content)
    with pytest.raises(ImageError, match="IM001.dcm"):
        read_volume(folder)


def test_an_element_longer_than_the_file_is_refused_before_memory_is_taken(folder: Path, file: Path) -> None:
    content = file.read_bytes()
    place = content.index(PIXELS)
    private = struct.pack("<HH2sHI", 0x0029, 0x1010, b"OB", 0, 0xF0000000)
    file.write_bytes(content[:place] + private + content[place:])
    with pytest.raises(ImageError, match="IM001.dcm in .* is damaged"):
        read_volume(folder)
    with pytest.raises(ImageError, match="IM001.dcm is damaged"):
        read_volume(file)


def test_sequences_in_sequences_without_end_are_refused(folder: Path, file: Path) -> None:
    content = file.read_bytes()
    place = content.index(struct.pack("<HH", 0x0010, 0x0010))
    file.write_bytes(content[:place] + (SEQUENCE + ITEM) * 100_000 + content[place:])
    with pytest.raises(ImageError, match="IM001.dcm in .* is damaged"):
        read_volume(folder)


@pytest.mark.parametrize("depth", [5, 20])
def test_nonsense_deep_inside_sequences_is_refused_at_once(folder: Path, file: Path, depth: int) -> None:
    content = file.read_bytes()
    place = content.index(struct.pack("<HH", 0x0010, 0x0010))
    file.write_bytes(content[:place] + (SEQUENCE + ITEM) * depth + b"nonsense" * 20 + content[place:])
    start = time.monotonic()
    with pytest.raises(ImageError, match="IM001.dcm in .* is damaged"):
        read_volume(folder)
    assert time.monotonic() - start < 2


def test_a_sequence_in_an_encoding_of_its_own_is_read(crop: Volume, folder: Path, file: Path) -> None:
    element = struct.pack("<HHI", 0x0008, 0x1155, 4) + b"1.2\0"
    item = ITEM + element + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    content = file.read_bytes()
    place = content.index(struct.pack("<HH", 0x0010, 0x0010))
    private = struct.pack("<HH2sHI", 0x0009, 0x1010, b"SQ", 0, 0xFFFFFFFF) + item
    file.write_bytes(content[:place] + private + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + content[place:])
    elements = read_elements(file)
    assert elements is not None and elements.wrong == "" and elements.series == "1.2.826.0.1.1"


@pytest.mark.parametrize("claim", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": "1000000000"}])
def test_more_voxels_than_the_file_holds_are_refused(folder: Path, file: Path, claim: dict[str, object]) -> None:
    change(file, **claim)
    for path in (folder, file):
        with pytest.raises(ImageError, match="IM001.dcm"):
            read_volume(path)


def test_a_claim_of_gigantic_compressed_slices_is_refused(folder: Path) -> None:
    for path in folder.iterdir():
        image = dcmread(path)
        image.compress(RLELossless, generate_instance_uid=False)
        image.Rows = image.Columns = 65535
        save(image, path)
    with pytest.raises(ImageError, match="too large|damaged|more voxels"):
        read_volume(folder)


def test_a_deflated_file_is_refused_by_name(folder: Path, file: Path) -> None:
    image = dcmread(file)
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    save(image, file)
    with pytest.raises(ImageError, match=r"IM001.dcm in .* is compressed as a whole \(deflated\)"):
        read_volume(folder)
    with pytest.raises(ImageError, match=r"IM001.dcm is compressed as a whole \(deflated\)"):
        read_volume(file)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, RLELossless])
def test_other_encodings_are_read(crop: Volume, folder: Path, syntax: str) -> None:
    for path in folder.iterdir():
        image = dcmread(path)
        if syntax == RLELossless:
            image.compress(RLELossless, generate_instance_uid=False)
        image.file_meta.TransferSyntaxUID = syntax
        save(image, path)
    assert (read_volume(folder).array == crop.array[:3]).all()


def test_files_changed_at_random_are_read_or_refused_with_a_sentence(folder: Path, file: Path) -> None:
    whole = file.read_bytes()
    for seed in range(150):
        dice = random.Random(seed)
        content = bytearray(whole[: dice.choice([len(whole), dice.randrange(len(whole))])])
        for _ in range(dice.choice([1, 3, 9])):
            content[dice.randrange(min(1200, len(content)))] = dice.choice([0, 1, 127, 128, 255])
        file.write_bytes(content)
        try:
            assert read_volume(folder).shape[0] == 3
        except ImageError as refused:
            assert str(refused).endswith((".", "?"))


def test_an_empty_file_holds_no_elements(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert read_elements(tmp_path / "empty") is None
