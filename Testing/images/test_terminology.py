"""What Slicer notes about the meaning of a segment."""

from __future__ import annotations

import pytest

from DPLSegmentLib.images.terminology import TISSUE, Coding, Terminology, terminology_of

LIVER = "Segmentation category and type~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~Anatomic codes~^^~^^"
RIGHT = (
    "any~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~SCT^24028007^Right"
    "~any~SCT^64033007^Kidney~SCT^24028007^Right"
)


@pytest.mark.parametrize("tag", ["TerminologyEntry", "Segmentation.TerminologyEntry"])
def test_category_and_type_are_found_under_either_tag(tag: str) -> None:
    found = terminology_of({tag: LIVER})
    assert found == Terminology(Coding("SCT", "123037004", "Anatomical Structure"), Coding("SCT", "10200004", "Liver"))


def test_side_and_place_are_found() -> None:
    found = terminology_of({"TerminologyEntry": RIGHT})
    assert found.modifier == found.region_modifier == Coding("SCT", "24028007", "Right")
    assert found.region == Coding("SCT", "64033007", "Kidney")


@pytest.mark.parametrize("entry", ["", "~", "~~~~~~", "a~^^~SCT^1^x~^^", "a~SCT^1~SCT^1^x", "no terminology at all"])
def test_tissue_stands_where_there_is_none(entry: str) -> None:
    assert terminology_of({"TerminologyEntry": entry}) == Terminology(TISSUE, TISSUE)
    assert terminology_of({}) == Terminology(TISSUE, TISSUE)
